"""Whether a part keeps ending. The supervisor starts it again each time, for twenty minutes: too long to look on."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from teachback.infra import supervise
from teachback.infra.demo.errors import DemoError
from teachback.infra.settings import Installation
from teachback.infra.supervise import ProcessState

EVERY_S = 2.0
SHORT_S = 60.0  # what lived longer has ended for a reason of its own
MOST = 8  # short lives in a row; while Kafka starts again, a part may end a few times


class Life(NamedTuple):
    """The process that a part is now, how long it has lived, and how many short lives went before it in a row."""

    pid: int
    uptime: float
    short: int


class Lives:
    """Follows the parts' processes from look to look."""

    def __init__(self) -> None:
        self._lives: dict[str, Life] = {}

    def failing(self, states: Sequence[ProcessState]) -> str | None:
        """The part that keeps ending, or that the supervisor has given up; None while all may still be well."""
        for state in states:
            if state.state in {"fatal", "unknown"}:
                return state.name
            if state.pid:
                life = self._lives[state.name] = _next(self._lives.get(state.name), state)
                if life.short >= MOST:
                    return state.name
        return None


class Watch:
    """Looks at an installation's processes, every two seconds at most."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._lives = Lives()
        self._not_before = 0.0

    def check(self) -> None:
        """Raise DemoError, naming the log, when a part or the supervisor has ended for good."""
        if time.monotonic() < self._not_before:
            return
        self._not_before = time.monotonic() + EVERY_S
        states = supervise.states(self._installation)
        if not states and not supervise.running(self._installation):
            raise DemoError(f"supervisord ended; see {self.log('supervisord')}")
        if (failing := self._lives.failing(states)) is not None:
            raise DemoError(f"{failing} ends again and again; see {self.log(failing)}")

    def log(self, name: str) -> Path:
        """Where a process writes its log."""
        return self._installation.home / "logs" / f"{name}.log"


def _next(before: Life | None, state: ProcessState) -> Life:
    if before is None or before.uptime >= SHORT_S or state.uptime >= SHORT_S:
        return Life(state.pid, state.uptime, 0)
    return Life(state.pid, state.uptime, before.short + (state.pid != before.pid))
