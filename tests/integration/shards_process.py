"""A shard writer as a process of its own: `python -m tests.integration.shards_process SETTINGS` (JSON)."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from teachback.consumers.shards import ShardsSettings, run
from teachback.consumers.shards.consumer import serve

ROOT = Path(__file__).resolve().parents[2]


def start(settings: ShardsSettings, log: Path, file_bytes: int | None = None) -> subprocess.Popen[bytes]:
    """The writer in a process of its own, to be stopped, stalled and killed; what it says is appended to `log`.

    With `file_bytes` the system refuses it files larger than that, as a full disk would.
    """
    command = [sys.executable, "-m", "tests.integration.shards_process", msgspec.json.encode(settings).decode()]
    if file_bytes is not None:
        command = ["prlimit", f"--fsize={file_bytes}", *command]
    with log.open("ab") as file:
        return subprocess.Popen(command, cwd=ROOT, stderr=file)


@contextmanager
def running(settings: ShardsSettings) -> Iterator[list[Exception]]:
    """The writer in a thread, stopped cleanly at the end. What it raised is in the list."""
    stop, raised = threading.Event(), list[Exception]()

    def work() -> None:
        try:
            serve(settings, stop)
        except Exception as exc:  # noqa: BLE001 - a thread's outermost edge: the test looks at it
            raised.append(exc)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield raised
    finally:
        stop.set()
        thread.join(60)
        assert not thread.is_alive()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    run(msgspec.json.decode(sys.argv[1], type=ShardsSettings))
