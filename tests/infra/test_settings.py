"""Configuration: one place, typed, every problem at once."""

import subprocess
import sys
from pathlib import Path

import pytest

from teachback.infra import parts
from teachback.infra.reviewers import add
from teachback.infra.settings import FILE, NOT_SETTINGS, SECTIONS, SettingsError, load, struct_of
from tests.docs.pages import ROOT


def write(folder: Path, text: str) -> Path:
    file = folder / "teachback.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_every_part_has_a_section_and_every_section_a_part() -> None:
    assert {part.section for part in parts.PARTS} == set(SECTIONS)


def test_defaults_need_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = load(environ={})
    assert (found.bot, found.home, found.local_kafka) == ("support", tmp_path / ".teachback", True)


def test_the_environment_goes_over_the_file(tmp_path: Path) -> None:
    file = write(
        tmp_path, 'bot = "a"\n[kafka]\nbootstrap = "one:9092"\nprefix = "x."\n[trainer]\nlabel_threshold = 50\n'
    )
    environ = {
        "TEACHBACK_BOT": "b",
        "TEACHBACK_TOPIC_PREFIX": "y.",
        "TEACHBACK_TRAINER_LABEL_THRESHOLD": "60",
        "TEACHBACK_TRAINER_RECIPE": '{"epochs": 2}',
    }
    found = load(file, environ)
    assert (found.bot, found.kafka.bootstrap, found.kafka.prefix) == ("b", "one:9092", "y.")
    trainer = found.part("trainer")
    assert (trainer.label_threshold, trainer.recipe.epochs, trainer.bot) == (60, 2, "b")
    assert trainer.cluster.bootstrap == "one:9092"


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    file = write(
        tmp_path, 'bott = "a"\n[kafka]\npartitions = "many"\n[desk]\nport = "x"\nlease = 3\n[tranier]\na = 1\n'
    )
    environ = {"TEACHBACK_TRAINER_LABEL_THRESHOLD": "0", "TEACHBACK_NOWHERE_X": "1"}
    with pytest.raises(SettingsError) as caught:
        load(file, environ)
    told = str(caught.value)
    for word in (
        "bott",
        "'bot'",
        "partitions",
        "[desk] port",
        "lease",
        "tranier",
        "'trainer'",
        "LABEL_THRESHOLD",
        "NOWHERE",
    ):
        assert word in told
    assert len(caught.value.problems) == 7


@pytest.mark.parametrize("text", ["bot = ", "\x00", "[kafka\n"])
def test_a_broken_file_is_named(tmp_path: Path, text: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(SettingsError, match="not valid TOML"):
        load(file, {})


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no such file"):
        load(tmp_path / "none.toml", {})


def test_the_cluster_of_a_home_that_never_ran_says_what_to_do(tmp_path: Path) -> None:
    found = load(None, {"TEACHBACK_HOME": str(tmp_path / "new")})
    with pytest.raises(SettingsError, match="teachback up"):
        _ = found.cluster


@pytest.mark.parametrize("name", SECTIONS)
def test_the_installation_fills_in_what_a_part_requires(tmp_path: Path, name: str) -> None:
    found = load(None, {"TEACHBACK_HOME": str(tmp_path), "TEACHBACK_KAFKA_BOOTSTRAP": "somewhere:9092"})
    assert isinstance(found.part(name), struct_of(SECTIONS[name]))


def test_a_clusters_topics_are_replicated_three_times(tmp_path: Path) -> None:
    environ = {"TEACHBACK_HOME": str(tmp_path), "TEACHBACK_KAFKA_BOOTSTRAP": "somewhere:9092"}
    assert load(None, environ).cluster.replication == 3
    assert load(None, environ | {"TEACHBACK_KAFKA_REPLICATION": "1"}).cluster.replication == 1


def test_the_split_salt_is_made_once_and_kept(tmp_path: Path) -> None:
    first = parts.salt(tmp_path / "home")
    assert parts.salt(tmp_path / "home") == first
    assert (tmp_path / "home" / "split.salt").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("section", "text"),
    [
        ("trainer.recipe", "rnak = 4"),
        ("trainer.recipe", "epochs = 0"),
        ("trainer.gate", "min_marign = 1"),
        ("trainer.gate", "confidence = 0.2"),
        ("scoring", 'guarantee = "sometimes"'),
        ("scoring", "max_batch = -3"),
        ("scoring", "dead_letter_limit = 7"),
        ("scoring", "session_timeout = 0"),
        ("consensus", "wait = -1"),
        ("kafka", "partitions = 0"),
        ("kafka", "replication = -1"),
        ("kafka", "port = 70000"),
        ("kafka", "heap_mb = 1"),
        ("kafka", 'prefix = "a b"'),
        ("kafka", 'bootstrap = ""'),
        ("kafka", 'options = { "security.protocl" = "SSL" }'),
        ("desk", "port = -1"),
        ("desk", "lease_seconds = -5"),
        ("desk", "leases_each = 0"),
        ("shards", 'group = ""'),
        ("chatbot", "port = 99999999"),
        ("chatbot", "max_new_tokens = 0"),
        ("chatbot", "batch = 0"),
        ("again", "at_once = 0"),
    ],
)
def test_what_cannot_be_is_a_problem_of_loading(tmp_path: Path, section: str, text: str) -> None:
    file = write(tmp_path, f"[{section}]\n{text}\n")
    with pytest.raises(SettingsError) as caught:
        load(file, {})
    (problem,) = caught.value.problems
    assert problem.startswith(f"{file}: [{section}] {text.split(maxsplit=1)[0]}")


@pytest.mark.parametrize("bot", ["My Bot!", "", "a\tb", "b" * 201])
def test_a_bots_name_that_no_event_could_carry_is_a_problem(tmp_path: Path, bot: str) -> None:
    with pytest.raises(SettingsError, match=r"TEACHBACK_BOT = .* without white space"):
        load(None, {"TEACHBACK_BOT": bot, "TEACHBACK_HOME": str(tmp_path)})


def test_all_that_is_wrong_inside_recipe_and_gate_is_told_at_once(tmp_path: Path) -> None:
    file = write(tmp_path, "[trainer]\nrecipe = { rnak = 4, epochs = 0, batch = 0 }\ngate = { seed = -1, x = 1 }\n")
    with pytest.raises(SettingsError) as caught:
        load(file, {})
    assert len(caught.value.problems) == 5


def test_what_a_parts_constructor_refuses_is_a_problem_of_its_settings(tmp_path: Path) -> None:
    add(tmp_path, "ann")
    people = tmp_path / "reviewers.toml"
    people.write_text(people.read_text() + people.read_text().replace("ann", "bob"))  # with ann's token
    found = load(None, {"TEACHBACK_HOME": str(tmp_path), "TEACHBACK_KAFKA_BOOTSTRAP": "somewhere:9092"})
    with pytest.raises(SettingsError, match=r"\[desk\] two reviewers have the same token"):
        found.part("desk")


@pytest.mark.parametrize(
    "options", ['{"security.protocol": "hunter2"}', '{"partitioner": "hunter2"}', '"hunter2"', "hunter2"]
)
def test_no_value_of_an_option_is_ever_told(tmp_path: Path, options: str) -> None:
    with pytest.raises(SettingsError, match="TEACHBACK_KAFKA_OPTIONS") as caught:
        load(None, {"TEACHBACK_KAFKA_OPTIONS": options, "TEACHBACK_HOME": str(tmp_path)})
    assert "hunter2" not in str(caught.value)


def test_numbers_and_booleans_may_stand_in_options(tmp_path: Path) -> None:
    file = write(
        tmp_path, '[kafka.options]\n"enable.ssl.certificate.verification" = false\n"socket.timeout.ms" = 5000\n'
    )
    assert load(file, {}).kafka.options == {
        "enable.ssl.certificate.verification": "false",
        "socket.timeout.ms": "5000",
    }


@pytest.mark.parametrize(
    ("text", "environ", "told"),
    [
        ('kafka = "localhost:9092"', {}, r"teachback\.toml: kafka is a section: write \[kafka\]"),
        ("[[desk]]\nport = 1", {}, r"teachback\.toml: desk is a section"),
        ("[dekc]\nport = 1", {}, r"teachback\.toml: there is no section \[dekc\]; did you mean 'desk'"),
        ("[bot]\nname = 1", {}, r"teachback\.toml: bot = … must be an id"),
        ("", {"TEACHBACK_DESK": "1"}, "TEACHBACK_DESK: desk is a section; .* TEACHBACK_DESK_<SETTING>"),
        ("", {"TEACHBACK_BOTT": "b"}, "TEACHBACK_BOTT: there is no section 'bott'; did you mean 'bot'"),
        ("", {"TEACHBACK_TRAINER_GATE": "{"}, "TEACHBACK_TRAINER_GATE must be JSON, and is not"),
        ('kafka = "x"', {"TEACHBACK_KAFKA_PORT": "1"}, "kafka is a section"),
    ],
)
def test_sections_and_settings_that_were_mixed_up_are_told_apart(
    tmp_path: Path, text: str, environ: dict[str, str], told: str
) -> None:
    with pytest.raises(SettingsError, match=told) as caught:
        load(write(tmp_path, text), environ)
    assert len(caught.value.problems) == 1


def test_what_the_environment_overrides_is_not_looked_at_in_the_file(tmp_path: Path) -> None:
    file = write(tmp_path, "[desk]\nport = -1\n")
    assert load(file, {"TEACHBACK_DESK_PORT": "80"}).given["desk"] == {"port": 80}


def test_a_relative_home_is_beside_the_file_that_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    write(elsewhere, 'home = "../data"')
    monkeypatch.chdir(tmp_path)
    named = Path("elsewhere") / FILE
    assert load(named, {}).home == tmp_path / "data"
    assert load(None, {"TEACHBACK_CONFIG": str(named)}).home == tmp_path / "data"
    assert load(named, {"TEACHBACK_HOME": "here"}).home == tmp_path / "here"
    write(elsewhere, "")
    assert load(named, {}).home == tmp_path / ".teachback"
    write(elsewhere, f'home = "{tmp_path / "absolute"}"')
    assert load(named, {}).home == tmp_path / "absolute"


def test_the_configuration_page_names_every_variable_that_is_no_setting() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert [name for name in NOT_SETTINGS if f"`{name}`" not in page] == []


def test_reading_the_settings_of_every_part_imports_nothing_heavy() -> None:
    """Else every command waits a second for libraries that it does not use."""
    heavy = "{'torch', 'faust', 'faiss', 'sklearn', 'transformers', 'deltalake', 'matplotlib'}"
    code = (
        "import sys; from teachback.infra.settings import SECTIONS, struct_of, load; load(None, {})\n"
        f"for one in SECTIONS.values(): struct_of(one)\nprint(*sorted({heavy} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
