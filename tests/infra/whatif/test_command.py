"""`teachback whatif` at its edges: what it asks the log, what it prints, what it refuses."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from teachback.infra.history import Decisions, History, HistoryError
from teachback.schemas.wire import Cluster
from tests.infra.test_command import Teachback, teachback
from tests.infra.whatif.making import decisions, policy, traffic

__all__ = ["teachback"]
STRICT = policy(weights={"loans": 3.0})
HISTORY = traffic(1000, STRICT).history()


class FakeLog:
    """Answers with the same history whatever time is asked about, and notes which that was."""

    def __init__(self) -> None:
        self.history: History = HISTORY
        self.decisions: Decisions = decisions(STRICT)
        self.asked: list[tuple[int, int | None]] = []

    def read(self, cluster: Cluster, bot: str, since: int, until: int | None, progress: object) -> History:
        self.asked.append((since, until))
        return self.history


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> FakeLog:
    found = FakeLog()
    monkeypatch.setattr("teachback.infra.commands.whatif.answering", lambda _: Cluster(bootstrap="nowhere"))
    monkeypatch.setattr("teachback.infra.history.read_history", found.read)
    monkeypatch.setattr("teachback.infra.history.read_decisions", lambda *_: found.decisions)
    monkeypatch.setattr("teachback.infra.history.read_seconds", lambda *_: 60.0)
    return found


def test_without_a_change_it_tells_of_the_last_week(teachback: Teachback, log: FakeLog) -> None:
    status, printed, complained = teachback("whatif")
    assert (status, complained) == (0, "")
    assert "1,000 exchanges" in printed and "as it was" in printed and "would have been" not in printed
    ((since, until),) = log.asked
    assert until is None and abs(time.time() - 7 * 86_400 - since / 1000) < 60


def test_a_change_stands_beside_what_was(teachback: Teachback, log: FakeLog) -> None:
    status, printed, _ = teachback("whatif", "--since", "2d", "--until", "1d", "--threshold", "0.5", "--epsilon", "0.2")
    assert status == 0
    assert "as it would have been" in printed and "→" in printed
    ((since, until),) = log.asked
    assert until is not None and until - since == pytest.approx(86_400_000, abs=10_000)


def test_programs_get_json(teachback: Teachback, log: FakeLog) -> None:
    arguments = ("--weight", "cards=2", "--budget", "100", "--rule", "loans", "--topic", "loans", "--calibration", "0")
    status, printed, _ = teachback("whatif", "--json", *arguments)
    assert status == 0
    found = json.loads(printed)
    assert found["change"] == {
        "weights": {"loans": 3.0, "cards": 2.0},
        "budget": 100,
        "rules": [{"name": "loans", "topic": "loans"}],
        "calibration": 0,
    }
    assert found["then"]["overflow"] > 0 and found["then"]["hours"] > 0


def test_a_promise_is_asked_about_by_its_numbers(teachback: Teachback, log: FakeLog) -> None:
    _, printed, _ = teachback("whatif", "--json", "--target", "0.3", "--confidence", "0.9", "--start", "0.1")
    assert json.loads(printed)["change"] == {"promise": {"target": 0.3, "confidence": 0.9, "start": 0.1}}


def test_of_no_traffic_it_says_so(teachback: Teachback, log: FakeLog) -> None:
    log.history = HISTORY.rows(slice(0))
    status, printed, _ = teachback("whatif")
    assert status == 0
    assert printed.startswith("no exchange of 'support' was scored") and "`--since` may go further back" in printed
    assert json.loads(teachback("whatif", "--json")[1])["exchanges"] == 0


def test_the_curve_is_written_as_a_picture(teachback: Teachback, log: FakeLog, tmp_path: Path) -> None:
    assert teachback("whatif", "--plot", "curve.png", "--threshold", "0.6")[0] == 0
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    log.history = HISTORY.rows(slice(0))
    status, _, complained = teachback("whatif", "--plot", "none.png")
    assert status == 1 and "no curve to draw" in complained
    assert not (tmp_path / "none.png").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--since", "soon"), "'soon' is no time"),
        (("--until", "2099-01-01"), "lies in the future"),
        (("--threshold", "nan"), "'nan' is no number from 0 to 1"),
        (("--epsilon", "2"), "'2' is no number from 0 to 1"),
        (("--target", "1"), "'1' is no number between 0 and 1"),
        (("--budget", "some"), "'some' is no whole number from 0 up"),
        (("--weight", "cards=-1"), "'cards=-1' is no topic and weight"),
        (("--plot", "curve.pdf"), "end it in .png"),
    ],
)
def test_a_value_that_an_option_cannot_have_is_told(
    teachback: Teachback, log: FakeLog, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    monkeypatch.setenv("TERMINAL_WIDTH", "200")
    status, _, complained = teachback("whatif", *arguments)
    assert status == 2
    assert said in complained
    assert log.asked == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--pattern", "fee"), "name it with --rule NAME"),
        (("--rule", "fees", "--pattern", "(fee"), "no regular expression"),
        (("--calibration", "3"), "has no calibration 3"),
    ],
)
def test_what_cannot_be_asked_is_one_message(
    teachback: Teachback, log: FakeLog, arguments: tuple[str, ...], said: str
) -> None:
    status, printed, complained = teachback("whatif", *arguments)
    assert (status, printed) == (1, "")
    assert complained.startswith("teachback: ") and said in complained


def test_a_time_that_the_log_does_not_reach_is_told(
    teachback: Teachback, log: FakeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> History:
        raise HistoryError("chat.scored keeps 365 days")

    monkeypatch.setattr("teachback.infra.history.read_history", refuse)
    assert teachback("whatif", "--since", "60w") == (1, "", "teachback: chat.scored keeps 365 days\n")


def test_a_bot_without_a_policy_has_no_past(teachback: Teachback, log: FakeLog) -> None:
    log.decisions = Decisions()
    status, _, complained = teachback("whatif")
    assert status == 1 and "bot 'support' has no policy yet" in complained


@pytest.mark.parametrize("arguments", [("whatif",), ("policy", "history"), ("policy", "set", "--budget", "9")])
def test_where_kafka_never_ran_that_is_told(teachback: Teachback, arguments: tuple[str, ...]) -> None:
    status, printed, complained = teachback(*arguments)
    assert (status, printed) == (1, "")
    assert complained.startswith("teachback: Kafka isn't running here yet")
