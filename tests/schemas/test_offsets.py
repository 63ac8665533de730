"""A call that does not come back ends its process, and nothing else does."""

from __future__ import annotations

import subprocess
import sys

from teachback.schemas.offsets import OVERDUE

HANGS = """
import logging, time
from teachback.schemas import offsets
logging.basicConfig()
offsets.GRACE = 0.1
class Producer:
    def send_offsets_to_transaction(self, places, group, seconds):
        assert (places, group, seconds) == (["place"], "group", 0.1)
        time.sleep({sleeps})
offsets.send_offsets(Producer(), ["place"], "group", 0.1)
time.sleep(0.5)
print("went on")
"""


def after(sleeps: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", HANGS.format(sleeps=sleeps)], capture_output=True, text=True, check=False, timeout=60
    )


def test_a_call_that_does_not_come_back_ends_the_process_and_says_why() -> None:
    ended = after(30)
    assert (ended.returncode, ended.stdout) == (OVERDUE, "")
    assert "sending offsets to the transaction has not come back" in ended.stderr


def test_a_call_that_comes_back_in_time_is_forgotten() -> None:
    ended = after(0)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "went on\n", "")
