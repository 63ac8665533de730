"""The process that trains: started in a job folder, watched, ended. Never two in one folder.

The child inherits a lock on the folder's `child.lock` and holds it for as long as it lives, whatever becomes of the
parent; its process id stands in the file. A parent that finds the lock taken is the rightful owner all the same (it has
fenced the one that started that child), and ends the stranger.
"""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from teachback.trainer.errors import TrainerError

LOCK = "child.lock"
LOG = "job.log"
GRACE = 10.0  # seconds from SIGTERM to SIGKILL
STALE = 30.0  # seconds in which a killed stranger must be gone


class Child:
    """A running job."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        self.process, self.folder = process, folder

    @classmethod
    def start(cls, command: Sequence[str], folder: Path) -> "Child":
        """Run `command FOLDER`, its words appended to `job.log`. Ends a stale child of that folder first.

        Raises TrainerError when a stale one will not go away.
        """
        lock = _lock(folder)
        try:
            with (folder / LOG).open("ab") as log:
                process = subprocess.Popen(
                    [*command, str(folder)], stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(lock,)
                )
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"{process.pid}\n".encode(), 0)
        finally:
            os.close(lock)
        return cls(process, folder)

    def ended(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        return self.process.poll()

    def stop(self, grace: float = GRACE) -> None:
        """End it, by SIGKILL when SIGTERM has not helped in `grace` seconds. A job can go on from its checkpoints."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(grace)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def last_words(folder: Path, limit: int = 300) -> str:
    """The last line of the job's log: where a Python error says what it is. No more, for the line is published."""
    try:
        text = (folder / LOG).read_bytes()[-8_192:].decode(errors="replace").strip()
    except OSError:
        return ""
    return text.splitlines()[-1].strip()[:limit] if text else ""


def _lock(folder: Path) -> int:
    """The descriptor of the lock, taken; a stranger that holds it is killed."""
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    deadline = time.monotonic() + STALE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            _kill_holder(descriptor, folder)
        if time.monotonic() > deadline:
            os.close(descriptor)
            raise TrainerError(f"{folder}: another job holds {LOCK} and cannot be ended from here; end it by hand")
        time.sleep(0.1)


def _kill_holder(descriptor: int, folder: Path) -> None:
    """Kill the process named in the lock file, if it is still a job of this folder."""
    written = os.pread(descriptor, 32, 0).decode().strip()
    if written.isdigit() and _works_in(int(written), folder):
        try:
            os.kill(int(written), signal.SIGKILL)
        except ProcessLookupError:
            return


def _works_in(pid: int, folder: Path) -> bool:
    """Whether the folder stands in the process's command line; process ids are used again."""
    known = Path(f"/proc/{pid}/cmdline")
    if known.parent.parent.joinpath("self").exists():  # Linux
        try:
            return str(folder).encode() in known.read_bytes()
        except OSError:
            return False
    listed = subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return str(folder) in listed.stdout
