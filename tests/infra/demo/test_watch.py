"""A part that keeps ending is noticed, and named with its log; one that ends now and then is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from teachback.infra import supervise
from teachback.infra.demo import watch
from teachback.infra.demo.errors import DemoError
from teachback.infra.demo.watch import MOST, SHORT_S, Lives, Watch
from teachback.infra.settings import Installation, load
from teachback.infra.supervise import ProcessState


def state(pid: int, uptime: float = 5, word: str = "running") -> ProcessState:
    return ProcessState("scoring", word, pid, uptime, "")


def test_short_lives_in_a_row_are_a_failure() -> None:
    lives = Lives()
    for pid in range(1, MOST + 1):
        assert lives.failing([state(pid), ProcessState("desk", "running", 900, 1, "")]) is None
        assert lives.failing([state(pid, 7), state(0, word="backoff")]) is None
    assert lives.failing([state(MOST + 1)]) == "scoring"


@pytest.mark.parametrize("seen_again", [True, False], ids=["seen while it lived", "seen at its end"])
def test_a_long_life_makes_up_for_short_ones_before_it(seen_again: bool) -> None:
    lives = Lives()
    for pid in range(1, 10 * MOST):
        assert lives.failing([state(pid)]) is None
        if pid % MOST == 0 and seen_again:
            assert lives.failing([state(pid, SHORT_S)]) is None
            assert lives.failing([state(pid, SHORT_S + 1)]) is None
        elif pid % MOST == 0:
            assert lives.failing([state(pid, SHORT_S + 500)]) is None


@pytest.mark.parametrize("word", ["fatal", "unknown"])
def test_what_the_supervisor_has_given_up_is_a_failure_at_once(word: str) -> None:
    assert Lives().failing([state(0, word=word)]) == "scoring"


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    monkeypatch.setattr(watch, "EVERY_S", 0.0)
    return load(None, {"TEACHBACK_HOME": str(tmp_path)})


def test_its_log_is_named(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "states", lambda _: [state(1), ProcessState("desk", "fatal", 0, 0, "")])
    with pytest.raises(DemoError, match=r"desk ends again and again; see .*logs/desk\.log"):
        Watch(installation).check()


def test_a_supervisor_that_ended_is_not_waited_for(installation: Installation) -> None:
    with pytest.raises(DemoError, match=r"supervisord ended; see .*supervisord\.log"):
        Watch(installation).check()


def test_a_supervisor_that_does_not_answer_once_is_no_end(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervise, "states", lambda _: [])
    monkeypatch.setattr(supervise, "running", lambda _: True)
    Watch(installation).check()
