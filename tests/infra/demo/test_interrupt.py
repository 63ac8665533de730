"""Ctrl-C in a demo, as a terminal sends it to all in the foreground: nothing stays, and the next demo starts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.infra.demo.played import COMMAND, environment
from tests.infra.demo.witness import until

pytestmark = [pytest.mark.kafka, pytest.mark.model, pytest.mark.acceptance]
INTERRUPTED = 130
END_S = 60.0


class Foreground:
    """A demo as a terminal runs it: the leader of a process group of its own."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home" / "demo"
        self.output = folder / "output.txt"
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [*COMMAND, "demo"],
                cwd=folder,
                env=environment(TEACHBACK_HOME=str(folder / "home")),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def interrupt(self) -> int:
        """Ctrl-C; its exit status."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(END_S)

    def said(self) -> str:
        return self.output.read_text(encoding="utf-8", errors="replace")


def supervised(demo: Foreground) -> bool:
    return (demo.home / "run" / "supervisord.pid").exists()


def parts_start(demo: Foreground) -> bool:
    return (demo.home / "logs" / "shards.log").exists()


def asked_beforehand(demo: Foreground) -> bool:
    return "start: Kafka" in demo.said()


def customers_ask(demo: Foreground) -> bool:
    return "asked beforehand" in demo.said()


def training(demo: Foreground) -> bool:
    return any('"train"' in log.read_text() for log in (demo.home / "training").glob("runs/*/progress.jsonl"))


def gating(demo: Foreground) -> bool:
    return any('"gate:' in log.read_text() for log in (demo.home / "training").glob("runs/*/progress.jsonl"))


def running(home: Path) -> list[str]:
    """Command lines of processes that belong to the installation below this folder."""
    found = []
    for process in psutil.process_iter():
        try:
            line = " ".join(process.cmdline())
            if str(home) in line or process.environ().get("TEACHBACK_HOME", "").startswith(str(home)):
                found.append(line)
        except psutil.Error:
            continue
    return found


@pytest.fixture
def demos(tmp_path: Path) -> Iterator[Callable[[], Foreground]]:
    started: list[Foreground] = []

    def start() -> Foreground:
        started.append(Foreground(tmp_path))
        return started[-1]

    yield start
    for demo in started:
        if demo.process.poll() is None:
            demo.interrupt()


@pytest.mark.parametrize("moment", [supervised, parts_start, asked_beforehand, customers_ask, training, gating])
def test_ctrl_c_leaves_nothing_running_and_the_next_demo_starts(
    moment: Callable[[Foreground], bool], demos: Callable[[], Foreground], tmp_path: Path, base_model: Path
) -> None:
    demo = demos()
    until(lambda: moment(demo) or demo.process.poll() is not None, "the moment to interrupt it", seconds=900)
    assert demo.interrupt() == INTERRUPTED, demo.said()
    assert running(tmp_path) == []

    again = demos()
    until(lambda: kafka_serves(again) or again.process.poll() is not None, "the next demo's Kafka to run")
    time.sleep(1)
    assert again.process.poll() is None, again.said()
    assert again.interrupt() == INTERRUPTED
    assert running(tmp_path) == []


def kafka_serves(demo: Foreground) -> bool:
    try:
        return bool(json.loads((demo.home / "kafka" / "node.json").read_bytes())["port"])
    except (OSError, ValueError, KeyError):
        return False
