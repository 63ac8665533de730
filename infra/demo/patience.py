"""Waiting: the board stays fresh meanwhile, and what has failed for good is not waited for."""

import threading
import time
from collections.abc import Callable

from teachback.infra.demo.errors import DemoError
from teachback.infra.demo.watch import Watch

STEP_S = 0.25
LATEST_S = 1500.0


class Patience:
    """Calls `check`, which raises DemoError for what does not pass by itself, and `look`, while it waits."""

    def __init__(self, check: Callable[[], None], look: Callable[[], None], watch: Watch) -> None:
        self._check, self._look, self._watch = check, look, watch

    def beside(self, work: Callable[[], object]) -> None:
        """Do something in a thread, and wait for its end. Raises what it raises."""
        failed: list[BaseException] = []

        def guarded() -> None:
            try:
                work()
            except BaseException as exc:  # noqa: BLE001 - handed on below
                failed.append(exc)

        thread = threading.Thread(target=guarded, daemon=True)
        thread.start()
        while thread.is_alive():
            self._turn()
            thread.join(STEP_S)
        if failed:
            raise failed[0]

    def until(self, condition: Callable[[], bool], what: str, part: str) -> None:
        """Wait for a condition. Raises DemoError, naming the log of the part whose work it is, if it takes too long."""
        if not self.within(LATEST_S, condition):
            raise DemoError(f"waited {LATEST_S:.0f} s for {what}, in vain; see {self._watch.log(part)}")

    def within(self, seconds: float, condition: Callable[[], bool]) -> bool:
        """Whether it comes true in time."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            self._turn()
            time.sleep(STEP_S)
        return True

    def _turn(self) -> None:
        self._check()
        self._look()
