"""The `teachback` command at its edges: help, and errors as one message without a traceback."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

from teachback.infra.command import main
from teachback.infra.commands.demo import forget_variables, undisturbed
from teachback.infra.demo.script import LIMIT
from teachback.infra.kafka import node
from tests.producers.conftest import MockBroker

Teachback = Callable[..., tuple[int, str, str]]


@pytest.fixture
def teachback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Teachback:
    """Runs the command in an empty folder: exit status, what it printed, what it complained about."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("logging.basicConfig", lambda **_: None)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["teachback", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return run


def test_help_names_every_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "teachback.infra.command", "--help"], capture_output=True, text=True, check=True
    )
    operated = ("demo", "up", "down", "status", "doctor", "replay", "review", "reviewers", "adapters", "runs")
    for name in (*operated, "policy", "whatif", "confidence", "guarantee"):
        assert f" {name} " in done.stdout
    assert "│ run " not in done.stdout  # the supervisor's own


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("policy", "show"), "Kafka isn't running here yet"),
        (("topics", "apply"), "teachback kafka start"),
        (("adapters", "list"), "Kafka isn't running here yet"),
        (("replay", "missing.csv"), "missing.csv: there is no such file"),
        (("policy", "set"), "nothing to change"),
        (("run", "nonsense"), "there is no part 'nonsense'"),
        (("up", "--only", "nonsense"), "there is no part 'nonsense'"),
        (("review",), "who are you?"),
        (("reviewers", "add", "Ann"), "'Ann' is no reviewer's name"),
        (("reviewers", "add", "ann", "--topic", ""), "a topic is empty"),
        (("reviewers", "remove", "ann"), "there is no reviewer 'ann'"),
        (("--config", "none.toml", "status"), "there is no such file"),
    ],
)
def test_an_error_is_one_message_and_exit_code_1(teachback: Teachback, arguments: tuple[str, ...], said: str) -> None:
    status, printed, complained = teachback(*arguments)
    assert (status, printed.strip()) == (1, "")
    assert complained.startswith("teachback: ")
    assert said in complained
    assert "Traceback" not in complained
    assert complained.count("\n") == 1


NEED_KAFKA = [
    ("runs",),
    ("adapters", "list"),
    ("adapters", "show", "support@v1"),
    ("adapters", "rollback", "support@v0"),
    ("policy", "show"),
    ("policy", "set", "--threshold", "0.5"),
    ("whatif",),
    ("confidence", "show"),
    ("confidence", "report"),
    ("guarantee",),
    ("guarantee", "--verify"),
    ("topics", "show"),
    ("topics", "apply"),
    ("replay", "pairs.csv"),
]


@pytest.mark.parametrize("arguments", NEED_KAFKA)
def test_where_kafka_is_stopped_a_command_that_needs_it_says_so_and_asks_nobody(
    teachback: Teachback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "pairs.csv").write_text("question,answer\nq,a\n")
    stopped = node.Status(state="stopped", bootstrap="127.0.0.1:9", pid=None)
    monkeypatch.setattr("teachback.infra.kafka.node.status", lambda _: stopped)
    status, _, complained = teachback(*arguments)
    assert status == 1
    assert complained == "teachback: Kafka is stopped here: start it with `teachback up` or `teachback kafka start`\n"


@pytest.mark.parametrize("arguments", NEED_KAFKA)
def test_where_kafka_is_away_a_command_that_needs_it_says_where_and_what_to_do(
    teachback: Teachback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "pairs.csv").write_text("question,answer\nq,a\n")
    monkeypatch.setenv("TEACHBACK_KAFKA_BOOTSTRAP", "127.0.0.1:9")
    monkeypatch.setattr("teachback.infra.away.answering.__defaults__", (0.2,))
    status, _, complained = teachback(*arguments)
    assert status == 1
    assert complained.startswith("teachback: Kafka does not answer at 127.0.0.1:9: ")
    assert complained.endswith("start it, or mend `kafka.bootstrap`\n")


def test_a_replay_looks_at_the_file_before_it_asks_kafka(teachback: Teachback, tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_text("a,b\n1,2\n")
    status, _, complained = teachback("replay", "pairs.csv")
    assert status == 1
    assert "no column looks like the question" in complained


@pytest.mark.parametrize(
    "arguments",
    [("up",), ("reviewers", "add", "ann"), ("kafka", "status"), ("adapters", "list"), ("runs",), ("topics", "apply")],
)
def test_a_home_that_is_a_file_is_one_message_with_what_to_do(
    teachback: Teachback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TEACHBACK_HOME", "file")
    monkeypatch.setattr("teachback.infra.up.fetch_jars", lambda *_: None)
    monkeypatch.setattr("teachback.infra.up.fetch_models", lambda *_: None)
    status, _, complained = teachback(*arguments)
    assert status == 1
    assert complained.startswith(f"teachback: {tmp_path / 'file'}")
    assert complained.endswith("a folder is needed there: move the file away, or choose another `home`\n")


def test_what_a_part_dies_of_stands_whole_in_its_log(
    teachback: Teachback, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def ends(*_: object) -> None:
        raise TimeoutError("loop.policy: no end in sight")

    monkeypatch.setattr("teachback.infra.parts.run", ends)
    status, printed, complained = teachback("run", "scoring")
    assert (status, printed, complained) == (1, "", "")
    assert "Traceback" in caplog.text
    assert "loop.policy: no end in sight" in caplog.text


def test_the_version_is_told(teachback: Teachback) -> None:
    assert teachback("--version") == (0, f"teachback {version('teachback')}\n", "")


def test_the_demos_help_says_what_is_taken_when_nothing_is_given(
    teachback: Teachback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERMINAL_WIDTH", "200")
    _, printed, _ = teachback("demo", "--help")
    assert f"[default: {LIMIT}]" in printed
    assert "[default: at a terminal]" in printed
    assert "CSV, JSON, JSON Lines or Parquet" in printed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("demo", "--sabotage", "foo"), "'none', 'shuffled'"),
        (("policy", "set", "--threshold", "nan"), "'nan' is no number from 0 to 1"),
        (("policy", "set", "--audit-rate", "1.5"), "'1.5' is no number from 0 to 1"),
        (("policy", "set", "--audit-rate", "often"), "'often' is no number from 0 to 1"),
    ],
)
def test_a_value_that_an_option_cannot_have_is_told_with_those_it_can(
    teachback: Teachback, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    monkeypatch.setenv("TERMINAL_WIDTH", "200")
    status, _, complained = teachback(*arguments)
    assert status == 2
    assert said in complained


def test_every_problem_of_the_configuration_is_told(teachback: Teachback, tmp_path: Path) -> None:
    (tmp_path / "teachback.toml").write_text('bott = "x"\n[desk]\nport = "high"\n')
    status, _, complained = teachback("status")
    assert status == 1
    assert "did you mean 'bot'?" in complained
    assert "TEACHBACK_DESK_PORT" in complained


@pytest.mark.parametrize("command", [["kafka", "start"], ["kafka", "stop"]])
def test_a_configured_cluster_is_not_for_us_to_start_or_stop(
    teachback: Teachback, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setenv("TEACHBACK_KAFKA_BOOTSTRAP", "elsewhere:9092")
    status, _, complained = teachback(*command)
    assert status == 1
    assert "elsewhere:9092: there is no local node" in complained


def test_where_nothing_runs_status_says_so_and_down_is_no_error(teachback: Teachback, tmp_path: Path) -> None:
    status, printed, _ = teachback("status")
    assert status == 0
    assert "Nothing runs here" in printed
    status, printed, _ = teachback("down")
    assert status == 0
    assert "nothing was running" in printed
    assert not (tmp_path / ".teachback").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "data.csv"),
        ("a,b\n1,2\n", "no column looks like the question"),
        ("question,answer\n" + "".join(f"q{n},a{n}\n" for n in range(79)), "79 different questions"),
    ],
)
def test_a_demo_on_a_file_it_cannot_use_ends_before_anything_starts(
    teachback: Teachback, tmp_path: Path, text: str | None, said: str
) -> None:
    if text is not None:
        (tmp_path / "data.csv").write_text(text)
    status, _, complained = teachback("demo", "--data", "data.csv")
    assert status == 1
    assert said in complained
    assert not (tmp_path / ".teachback").exists()


def test_a_replay_emits_the_file_and_says_how_much(
    teachback: Teachback, tmp_path: Path, broker: MockBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEACHBACK_KAFKA_BOOTSTRAP", broker.cluster.bootstrap)
    monkeypatch.setattr("teachback.schemas.wire.require_topics", lambda *_: {})
    (tmp_path / "pairs.csv").write_text("question,answer\n" + "".join(f"q{n},a{n}\n" for n in range(30)))
    status, printed, _ = teachback("replay", "pairs.csv", "--rate", "0", "--limit", "25")
    assert (status, printed.strip()) == (0, "25 exchanges of pairs.csv are on chat.exchanges")
    assert len(broker.messages("chat.exchanges", 25)) == 25
    (tmp_path / "pairs.csv").write_text("question,answer\nq,a,too many\n")
    status, _, complained = teachback("replay", "pairs.csv")
    assert status == 1
    assert "pairs.csv" in complained
    assert "line 2" in complained


def test_variables_for_the_users_installation_do_not_reach_the_demo() -> None:
    environ = {"TEACHBACK_HOME": "h", "TEACHBACK_KAFKA_BOOTSTRAP": "b", "TEACHBACK_CACHE": "c", "PATH": "p"}
    forget_variables(environ)
    assert environ == {"TEACHBACK_CACHE": "c", "PATH": "p"}


def test_a_second_interrupt_does_not_disturb_the_end() -> None:
    before = signal.getsignal(signal.SIGINT)
    with undisturbed():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGINT) is before
