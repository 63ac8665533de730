"""What the demo shows, as plain values: stages, counts, progress, the last thing that happened. No drawing here."""

import time
from collections import deque
from typing import Literal

import msgspec

State = Literal["waiting", "running", "done", "failed"]


class Stage(msgspec.Struct, kw_only=True):
    """One stage of the story. `done` of `total` draws a bar; `note` is the last word about it."""

    key: str
    title: str
    state: State = "waiting"
    done: float = 0
    total: float = 0
    note: str = ""
    began: float = 0.0
    ended: float = 0.0

    @property
    def seconds(self) -> float:
        """How long it has taken, so far or in all."""
        if not self.began:
            return 0.0
        return (self.ended or time.monotonic()) - self.began


STAGES = (
    ("prepare", "Kafka and every part start"),
    ("before", "Questions kept out of the traffic, asked beforehand"),
    ("traffic", "Customers ask, the chatbot answers"),
    ("review", "Scripted reviewers work the queue"),
    ("labels", "What they agree on reaches the Parquet table"),
    ("train", "QLoRA starts by itself and trains"),
    ("gate", "The gate holds the challenger against the champion"),
    ("swap", "The chatbot swaps adapters without a restart"),
    ("again", "Edited questions are asked again, and queue for review"),
    ("after", "The questions kept out, asked afterwards"),
    ("report", "Everything is counted again from the topics and the table"),
)


class Board:
    """The state of the show. Written by the story, drawn by the view; plain assignments, so threads may share it."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.began = time.monotonic()
        self.stages = {key: Stage(key=key, title=title) for key, title in STAGES}
        self.counts: dict[str, int] = {}
        self.memory = 0.0
        self.adapter = ""
        self.ticker: deque[tuple[str, str]] = deque(maxlen=3)
        self._seen: deque[tuple[float, dict[str, int]]] = deque(maxlen=20)

    def start(self, key: str, total: float = 0, note: str = "") -> Stage:
        """A stage begins."""
        stage = self.stages[key]
        stage.state, stage.began, stage.total, stage.note = "running", time.monotonic(), total, note
        return stage

    def finish(self, key: str, note: str = "", failed: bool = False) -> None:
        """A stage ends."""
        stage = self.stages[key]
        stage.began = stage.began or time.monotonic()
        stage.state, stage.ended = ("failed" if failed else "done"), time.monotonic()
        stage.done, stage.note = stage.total, note or stage.note

    def fail(self) -> None:
        """Whatever is under way has failed."""
        for stage in self.stages.values():
            if stage.state == "running":
                self.finish(stage.key, failed=True)

    def count(self, counts: dict[str, int]) -> None:
        """New counts, remembered for the rates."""
        self.counts = counts
        self._seen.append((time.monotonic(), counts))

    def rate(self, name: str) -> float:
        """A count's growth a second, over the last few seconds."""
        if len(self._seen) < 2:
            return 0.0
        (first, old), (last, new) = self._seen[0], self._seen[-1]
        return (new.get(name, 0) - old.get(name, 0)) / max(last - first, 1e-3)

    def seconds(self) -> dict[str, float]:
        """Stage → seconds, and the total."""
        found = {key: stage.seconds for key, stage in self.stages.items() if stage.began}
        return found | {"total": time.monotonic() - self.began}
