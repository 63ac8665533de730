"""Processes put to sleep in the middle of their work, as a swap or a paused virtual machine does."""

from __future__ import annotations

import os
import signal
import subprocess


def stall(process: subprocess.Popen[bytes]) -> None:
    """SIGSTOP, and back once every thread has stopped: the signal is sent at once and obeyed later.

    The kernel reports a child as stopped when its last thread is. The report is left for others (WNOWAIT).
    """
    ended = f"process {process.pid} ended instead of stopping"
    assert process.poll() is None, ended
    os.kill(process.pid, signal.SIGSTOP)
    report = os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    assert report is not None and report.si_code == os.CLD_STOPPED, ended


def wake(process: subprocess.Popen[bytes]) -> None:
    """Let it go on where it was."""
    process.send_signal(signal.SIGCONT)
