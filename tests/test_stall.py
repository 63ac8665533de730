"""A process that `stall` returned from does nothing any more."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stall import stall, wake

BUSY = """
import threading, time
for _ in range(20):
    threading.Thread(target=lambda: [time.sleep(0.0001) for _ in iter(int, 1)], daemon=True).start()
print("up", flush=True)
while True:
    pass
"""


@pytest.fixture
def busy() -> Iterator[subprocess.Popen[bytes]]:
    """A process with many threads at work."""
    with subprocess.Popen([sys.executable, "-c", BUSY], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        yield process
        process.kill()


def states(process: subprocess.Popen[bytes]) -> set[str]:
    threads = Path(f"/proc/{process.pid}/task").iterdir()
    return {(thread / "stat").read_text().rpartition(")")[2].split()[0] for thread in threads}


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_every_thread_has_stopped_and_goes_on_when_woken(busy: subprocess.Popen[bytes]) -> None:
    for _ in range(10):
        stall(busy)
        assert states(busy) == {"T"}
        wake(busy)
        assert busy.poll() is None


def test_a_process_that_has_ended_is_not_taken_for_a_stalled_one(busy: subprocess.Popen[bytes]) -> None:
    busy.kill()
    with pytest.raises(AssertionError, match="ended instead"):
        stall(busy)
    assert busy.wait() == -9
