"""How much memory all processes take together: proportional set sizes, sampled."""

import os
import threading
from collections.abc import Callable
from itertools import pairwise

import psutil

from teachback.infra.parts import NAMES

MIB = 1 << 20
EVERY_S = 3.0  # the kernel counts every page of a process: 15 ms a GB


class MemoryWatch(threading.Thread):
    """Samples this process and everything below the supervisor. Peaks in MiB of PSS (RSS where there is no PSS)."""

    def __init__(self, supervisor: Callable[[], int | None]) -> None:
        super().__init__(name="memory", daemon=True)
        self.peak_total = 0.0
        self.now_total = 0.0
        self.peaks: dict[str, float] = {}
        self._supervisor = supervisor
        self._ended = threading.Event()

    def run(self) -> None:
        """Sample now and then until `close`."""
        while not self._ended.wait(EVERY_S):
            self._sample()

    def close(self) -> None:
        """Stop sampling."""
        self._ended.set()

    def _sample(self) -> None:
        sizes: dict[str, float] = {"demo": _size(psutil.Process())}
        pid = self._supervisor()
        for process in _below(pid) if pid else []:
            name = _name(process)
            sizes[name] = sizes.get(name, 0.0) + _size(process)
        self.now_total = sum(sizes.values())
        self.peak_total = max(self.peak_total, self.now_total)
        self.peaks = {name: max(self.peaks.get(name, 0.0), sizes.get(name, 0.0)) for name in {*self.peaks, *sizes}}


def _below(pid: int) -> list[psutil.Process]:
    try:
        top = psutil.Process(pid)
        return [top, *top.children(recursive=True)]
    except psutil.Error:
        return []


def _size(process: psutil.Process) -> float:
    try:
        full = process.memory_full_info()
    except psutil.Error:
        return 0.0
    return float(getattr(full, "pss", full.rss)) / MIB


MARKS = {
    "teachback.trainer.job": "training",
    "multiprocessing.spawn": "trainer's embedder",
    "kafka.Kafka": "kafka",
    "supervisord": "supervisor",
}


def _name(process: psutil.Process) -> str:
    """The part that a process is: by the supervisor's command line, else by what it runs."""
    try:
        line = process.cmdline()
    except psutil.Error:
        return "other"
    part = next((after for word, after in pairwise(line) if word == "run"), None)
    if part in NAMES:
        return part
    marked = next((name for mark, name in MARKS.items() if any(mark in word for word in line)), None)
    return marked or (os.path.basename(line[0]) if line else "other")  # noqa: PTH119 - a word, not a path
