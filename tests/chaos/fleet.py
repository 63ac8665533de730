"""Workers of one group, and a supervisor as plain as can be: what ends is started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tests.chaos.worker import Worker


class Fleet:
    """`size` worker processes. `exits` counts how they ended, by exit code (-9 is a kill)."""

    def __init__(self, worker: Worker, size: int, log: Path) -> None:
        self._command = [sys.executable, "-m", "tests.chaos.worker", msgspec.json.encode(worker).decode()]
        self._log = log.open("ab")
        self.exits: Counter[int] = Counter()
        self.stopped: set[int] = set()
        self.workers = [self._start() for _ in range(size)]

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command, stdout=self._log, stderr=self._log)

    def tend(self) -> None:
        """Start again what has ended."""
        for place, process in enumerate(self.workers):
            code = process.poll()
            if code is not None:
                self.exits[code] += 1
                self.workers[place] = self._start()

    def kill(self, place: int) -> None:
        """kill -9, and start again."""
        self.workers[place].kill()
        self.workers[place].wait()
        self.stopped.discard(place)
        self.tend()

    def stop(self, place: int) -> None:
        """Make a zombie of it: it sleeps, and knows nothing of what happens meanwhile."""
        self.workers[place].send_signal(signal.SIGSTOP)
        self.stopped.add(place)

    def wake(self, place: int) -> None:
        """Let the zombie go on where it was."""
        self.workers[place].send_signal(signal.SIGCONT)
        self.stopped.discard(place)

    def running(self) -> list[int]:
        """Places that are not zombies just now."""
        return [place for place in range(len(self.workers)) if place not in self.stopped]

    def end(self, patience: float = 30.0) -> list[int]:
        """SIGTERM to all; returns their exit codes."""
        for place in list(self.stopped):
            self.wake(place)
        for process in self.workers:
            process.terminate()
        deadline = time.monotonic() + patience
        try:
            return [process.wait(max(0.1, deadline - time.monotonic())) for process in self.workers]
        finally:
            self.close()

    def close(self) -> None:
        """Leave nothing running."""
        for process in self.workers:
            if process.poll() is None:
                os.kill(process.pid, signal.SIGCONT)
                process.kill()
                process.wait()
        self._log.close()


@contextmanager
def fleet(worker: Worker, size: int, log: Path) -> Iterator[Fleet]:
    """A fleet that is gone afterwards, whatever happens."""
    ships = Fleet(worker, size, log)
    try:
        yield ships
    finally:
        ships.close()
