"""Follows the topics while the demo runs, and knows how far everything has come.

What a view says while it runs is for the eyes only; the report is counted anew from the topics and the table.
"""

import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from teachback.schemas import (
    Calibration,
    Certificate,
    Exchange,
    Label,
    Outcome,
    ReviewRequest,
    Run,
    Scored,
    ShardCommitted,
    SplitAssigned,
    Verdict,
)
from teachback.schemas.lineage import ADAPTER_EVENTS, AdapterEvent, Lineage
from teachback.schemas.log import Record, Tail
from teachback.schemas.wire import Cluster

POLL_S = 0.05


class Tally:
    """Folds events into what the demo shows and reports. Fed in offset order, topic by topic."""

    def __init__(self, bot: str) -> None:
        self.records: Counter[str] = Counter()
        self.exchanges: dict[str, tuple[str, str]] = {}  # id → (source, adapter)
        self.routes: dict[str, str] = {}  # id → route; the first record of an id is the decision
        self.requests: dict[str, str] = {}  # id → source
        self.verdicts: dict[str, str] = {}  # id → decision
        self.outcomes: dict[str, Outcome] = {}
        self.labels: dict[str, Label] = {}
        self.shards: dict[str, int] = {}  # id → rows
        self.splits: dict[str, SplitAssigned] = {}
        self.runs: dict[str, Run] = {}  # id → newest state
        self.lineage = Lineage(bot)
        self.answers: dict[str, tuple[str, str]] = {}  # id → (question, answer)
        self.calibration: Calibration | None = None  # the newest

    def take(self, topic: str, record: Record[Any]) -> None:
        """One more record."""
        self.records[topic] += 1
        event = record.event
        if event is not None:
            FOLDS[type(event)](self, event)

    def exchange(self, event: Exchange) -> None:
        """An answer of the chatbot."""
        self.exchanges.setdefault(event.id, (event.source, event.adapter))
        self.answers.setdefault(event.id, (event.question, event.answer))

    def scored(self, event: Scored) -> None:
        """A decision."""
        self.routes.setdefault(event.id, event.route)

    def request(self, event: ReviewRequest) -> None:
        """An item of the queue."""
        self.requests.setdefault(event.id, event.source)

    def verdict(self, event: Verdict) -> None:
        """A judgment."""
        self.verdicts.setdefault(event.id, event.decision)

    def outcome(self, event: Outcome) -> None:
        """The state of agreement about one exchange."""
        self.outcomes[event.exchange] = event

    def label(self, event: Label) -> None:
        """An agreement."""
        self.labels[event.id] = event

    def shard(self, event: ShardCommitted) -> None:
        """A file of the table."""
        self.shards[event.id] = event.rows

    def split(self, event: SplitAssigned) -> None:
        """A label's side."""
        self.splits.setdefault(event.id, event)

    def run(self, event: Run) -> None:
        """A run's state."""
        self.runs[event.id] = event

    def adapter(self, event: AdapterEvent) -> None:
        """A new adapter, or a change of champion."""
        self.lineage = self.lineage.fold(event)

    def calibrated(self, event: Calibration | Certificate) -> None:
        """A new fit of the confidence. A demo is too short for a certificate."""
        if isinstance(event, Calibration):
            self.calibration = event

    def settled(self, exchange: str) -> bool:
        """Whether nobody has to judge it any more."""
        outcome = self.outcomes.get(exchange)
        return outcome is not None and outcome.status != "open"

    def at_rest(self, said: Collection[str] = ()) -> bool:
        """Whether exchanges are routed, verdicts (`said` among them) folded, labels in the table and on their sides."""
        folded = sum(len(outcome.judgments) + len(outcome.late) for outcome in list(self.outcomes.values()))
        return (
            self.exchanges.keys() <= self.routes.keys()
            and self.verdicts.keys() >= set(said)
            and folded >= len(self.verdicts)
            and sum(self.shards.values()) >= len(self.labels)
            and self.splits.keys() >= self.labels.keys()
        )


FOLDS: Mapping[type, Callable[[Tally, Any], None]] = {
    Exchange: Tally.exchange,
    Scored: Tally.scored,
    ReviewRequest: Tally.request,
    Verdict: Tally.verdict,
    Outcome: Tally.outcome,
    Label: Tally.label,
    ShardCommitted: Tally.shard,
    SplitAssigned: Tally.split,
    Run: Tally.run,
    Calibration: Tally.calibrated,
    Certificate: Tally.calibrated,
    **dict.fromkeys(ADAPTER_EVENTS, Tally.adapter),
}
FOLLOWED: dict[str, tuple[type, ...]] = {
    "chat.exchanges": (Exchange,),
    "chat.scored": (Scored,),
    "review.requests": (ReviewRequest,),
    "review.verdicts": (Verdict,),
    "review.outcomes": (Outcome,),
    "labels.approved": (Label,),
    "labels.shards": (ShardCommitted,),
    "labels.splits": (SplitAssigned,),
    "training.runs": (Run,),
    "models.adapters": ADAPTER_EVENTS,
    "loop.calibration": (Calibration, Certificate),
}


def counted(cluster: Cluster, bot: str) -> Tally:
    """Everything on the topics now, counted from their beginnings."""

    def whole(topic: str) -> list[Any]:
        with Tail[Any](cluster, topic, FOLLOWED[topic]) as tail:
            return list(tail.catch_up())

    tally = Tally(bot)
    with ThreadPoolExecutor(len(FOLLOWED)) as readers:  # most of the time is connections being made
        for topic, records in zip(FOLLOWED, readers.map(whole, FOLLOWED), strict=True):
            for record in records:
                tally.take(topic, record)
    return tally


class Follower(threading.Thread):
    """Keeps a tally up to date until `close`. `error` holds what ended it, if anything did."""

    def __init__(self, cluster: Cluster, bot: str) -> None:
        super().__init__(name="counts", daemon=True)
        self.tally = Tally(bot)
        self.error: Exception | None = None
        self._tails = {topic: Tail[Any](cluster, topic, kinds) for topic, kinds in FOLLOWED.items()}
        self._ended = threading.Event()

    def run(self) -> None:
        """Poll one topic after the other."""
        while not self._ended.is_set():
            for topic, tail in self._tails.items():
                try:
                    for record in tail.poll(POLL_S):
                        self.tally.take(topic, record)
                except Exception as exc:  # noqa: BLE001 - the thread's outermost edge: the story must hear of it
                    self.error = exc
                    return
        for tail in self._tails.values():
            tail.close()

    def close(self) -> None:
        """Stop following."""
        self._ended.set()
        self.join(5)
