"""The process that trains: never two in one folder."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

from teachback.trainer.child import Child, last_words

SLEEP = (sys.executable, "-c", "import time; time.sleep(600)")


def running(folder: Path, *command: str) -> Child:
    return Child.start(command or SLEEP, folder)


def test_a_second_job_in_a_folder_ends_the_first(tmp_path: Path) -> None:
    first = running(tmp_path)
    second = running(tmp_path)
    assert first.process.wait(20) == -signal.SIGKILL
    assert second.ended() is None
    second.stop()
    assert second.ended() == -signal.SIGTERM


def test_jobs_of_other_folders_are_left_alone(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    first, second = running(one), running(other)
    assert first.ended() is None and second.ended() is None
    first.stop()
    second.stop()


def test_a_job_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    )
    child = running(tmp_path, sys.executable, "-c", deaf)
    while last_words(tmp_path) != "deaf":
        time.sleep(0.02)
    child.stop(grace=0.2)
    assert child.ended() == -signal.SIGKILL


def test_last_words_are_the_last_line_of_the_log_and_short(tmp_path: Path) -> None:
    assert last_words(tmp_path) == ""
    child = running(tmp_path, sys.executable, "-c", f"print('before'); raise SystemExit('{'x' * 900}')")
    assert child.process.wait(20) == 1
    assert last_words(tmp_path) == "x" * 300
