"""The `teachback` command at its edges: help, and errors as one message without a traceback."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from teachback.infra.command import main
from teachback.infra.commands.demo import forget_variables, undisturbed
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
    for name in ("demo", "up", "down", "status", "doctor", "replay", "review", "reviewers", "adapters", "runs"):
        assert f" {name} " in done.stdout
    assert "│ run " not in done.stdout  # the supervisor's own


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("policy", "show"), "Kafka isn't running here yet"),
        (("topics", "apply"), "teachback kafka start"),
        (("adapters", "list"), "Kafka isn't running here yet"),
        (("replay", "missing.csv"), "Kafka isn't running here yet"),
        (("policy", "set"), "nothing to change"),
        (("run", "nonsense"), "there is no part 'nonsense'"),
        (("up", "--only", "nonsense"), "there is no part 'nonsense'"),
        (("review",), "who are you?"),
        (("reviewers", "add", "Ann"), "'Ann' is no reviewer's name"),
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
