"""kill -9 of each process of a running demo, once, while it has work to do; and whether another took its place."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, Self

import psutil
from confluent_kafka import KafkaException

from teachback.infra import supervise
from tests.infra.demo.played import Demo
from tests.infra.demo.witness import (
    EXCHANGES,
    LABELS,
    OUTCOMES,
    REQUESTS,
    RUNS,
    SCORED,
    VERDICTS,
    Log,
    ended,
    first,
    newest,
    source,
)

JOB = "teachback.trainer.job"


class View(NamedTuple):
    """How far a demo has come: distinct things on the topics, and the training job's own word."""

    exchanges: int = 0
    scored: int = 0
    verdicts: int = 0
    settled: int = 0
    labels: int = 0
    replays: int = 0
    queued: int = 0
    over: str = ""  # how the run ended
    stage: str = ""
    share: float = 0.0


class Blow(NamedTuple):
    """Whom to kill, when, and what it has to show for its work: less then than in the end, or it was idle."""

    name: str
    when: Callable[[View], bool]
    done: Callable[[View], int]


class Kill(NamedTuple):
    """What was killed, and how far the demo was."""

    name: str
    pid: int
    view: View


def blows(questions: int, reviews: int) -> tuple[Blow, ...]:
    """A blow for each process, for so many live questions and about so many verdicts."""
    return (
        Blow("chatbot", lambda v: v.exchanges >= 0.25 * questions, lambda v: v.exchanges),
        Blow("scoring", lambda v: v.scored >= 0.35 * questions, lambda v: v.scored),
        Blow("desk", lambda v: v.verdicts >= 0.35 * reviews, lambda v: v.verdicts),
        Blow("consensus", lambda v: v.settled >= 0.4 * questions, lambda v: v.settled),
        Blow("shards", lambda v: v.labels >= 0.45 * questions, lambda v: v.labels),
        Blow("kafka", lambda v: v.exchanges >= 0.6 * questions, lambda v: v.exchanges),
        Blow("job", lambda v: v.stage == "train" and v.share >= 0.2, lambda v: bool(v.over)),
        Blow("trainer", lambda v: v.stage == "train" and v.share >= 0.75, lambda v: bool(v.over)),
        # Where nothing is promoted there is nothing to ask again: then it is killed as it waits.
        Blow("again", lambda v: v.replays > 0 or v.over not in {"", "promoted"}, lambda v: v.queued),
    )


class Killer:
    """Follows a demo, and strikes. Call `step` often."""

    def __init__(self, demo: Demo, plan: tuple[Blow, ...]) -> None:
        self.demo, self.plan = demo, plan
        self.kills: dict[str, Kill] = {}
        self.successors: dict[str, int] = {}
        self._log: Log | None = None

    def step(self) -> bool:
        """Look, and kill whoever's moment has come. Whether all that was killed has a successor."""
        if self._log is None:
            self._log = self._follow()
            return False
        self._log.poll(0.1)
        view, pids = view_of(self._log, self._progress()), self._pids()
        for name, kill in self.kills.items():
            if pids.get(name, kill.pid) != kill.pid:
                self.successors.setdefault(name, pids[name])
        for blow in self.plan:
            if blow.name in pids and blow.name not in self.kills and self._may(blow) and blow.when(view):
                os.kill(pids[blow.name], signal.SIGKILL)
                self.kills[blow.name] = Kill(blow.name, pids[blow.name], view)
                print(f"killed {blow.name} ({pids[blow.name]}): {view}")
        return self.kills.keys() == self.successors.keys()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._log is not None:
            self._log.close()

    def _may(self, blow: Blow) -> bool:
        """The trainer takes its job along: it is only killed when the job, killed before, is at work again."""
        return blow.name != "trainer" or "job" in self.successors

    def _follow(self) -> Log | None:
        """The demo's topics, as soon as its chatbot is there: then all of them are made."""
        if "chatbot" not in self._pids():
            return None
        try:
            return Log(self.demo.bootstrap)
        except (KafkaException, KeyError):
            return None

    def _pids(self) -> dict[str, int]:
        """Name → process id of what runs, the training job included."""
        if not self.demo.config.exists():
            return {}
        pids = {state.name: state.pid for state in supervise.states(self.demo.installation) if state.pid}
        try:
            below = psutil.Process(pids["trainer"]).children()
            jobs = [("job", child.pid) for child in below if JOB in child.cmdline()]
        except (psutil.Error, KeyError):
            jobs = []
        return pids | dict(jobs)

    def _progress(self) -> tuple[str, float]:
        """The job's stage, and the share of it that is done."""
        try:
            status = json.loads((self.demo.home / "training" / "status.json").read_bytes())
            progress = status["progress"]
            return str(progress["stage"]), progress["done"] / progress["total"]
        except (OSError, ValueError, KeyError, ZeroDivisionError):
            return "", 0.0


def view_of(log: Log, progress: tuple[str, float] = ("", 0.0)) -> View:
    """How far a demo has come."""
    exchanges, requests = first(log.events(EXCHANGES)).values(), first(log.events(REQUESTS)).values()
    outcomes = newest(log.events(OUTCOMES), "exchange").values()
    over = [run["state"] for run in ended(log.events(RUNS))]
    return View(
        exchanges=sum(source(event) == "live" for event in exchanges),
        scored=sum(source(event) == "live" for event in first(log.events(SCORED)).values()),
        verdicts=len(first(log.events(VERDICTS))),
        settled=sum(outcome["status"] != "open" for outcome in outcomes),
        labels=len(first(log.events(LABELS))),
        replays=sum(source(event) == "replay" for event in exchanges),
        queued=sum(source(event) == "replay" for event in requests),
        over=over[0] if over else "",
        stage=progress[0],
        share=progress[1],
    )
