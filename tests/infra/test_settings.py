"""Configuration: one place, typed, every problem at once."""

from pathlib import Path

import pytest

from teachback.infra import parts
from teachback.infra.settings import SECTIONS, SettingsError, load, struct_of


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
