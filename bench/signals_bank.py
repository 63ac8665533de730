"""The demo bank's traffic: what people said of a chatbot's own answers, read from the Kafka log of a finished demo.

    python -m bench.signals --bank .teachback/demo

Wrong means that reviewers edited or rejected the answer, right that they approved it as it was. The demo's reviewers
are scripted: an answer is right for them when it has the fact's figures and is no more than a little longer than the
reference. Nothing is fitted to this traffic: the confidences are the stated prior's, and the signals see the reviewed
answers that there were when the question was asked. The demo's home stays as it is: a
Kafka that does not run is started on a copy of its files.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from bench.signals_rows import Floats
from bench.table import table
from teachback.infra.kafka.node import Node, status
from teachback.infra.kafka.settings import KafkaSettings
from teachback.infra.policy import THRESHOLD
from teachback.schemas import Event, Exchange, Label, Outcome
from teachback.schemas.log import Record, Tail
from teachback.schemas.wire import Cluster
from teachback.streams.calibration.quality import auroc
from teachback.streams.confidence import PRIOR, confidences
from teachback.streams.corpus import Corpus
from teachback.streams.recent import RecentQuestions
from teachback.streams.signals import SIGNALS, tier_zero
from teachback.streams.signals.similarity import Embedder
from teachback.streams.signals.tier_one import tier_one

LEAST = 10  # right answers, and wrong ones, without which an AUROC says nothing
E = TypeVar("E", bound=Event)


class Traffic(NamedTuple):
    """Exchanges in the order of time, with what people made of them: None where nobody did. And the labels."""

    exchanges: Sequence[Exchange]
    acceptable: Sequence[bool | None]
    labels: Sequence[Record[Label]]


class Growing:
    """A topic of labels that grows with the clock: those written before `now`."""

    bad = 0

    def __init__(self, labels: Sequence[Record[Label]]) -> None:
        self._waiting = sorted(labels, key=lambda record: record.timestamp)
        self.now = 0

    def catch_up(self) -> Iterator[Record[Label]]:
        """Nothing is there at the start."""
        return iter([])

    def poll(self, _timeout: float) -> list[Record[Label]]:
        """Those that have come since."""
        due = sum(record.timestamp < self.now for record in self._waiting)
        come, self._waiting = self._waiting[:due], self._waiting[due:]
        return come

    def close(self) -> None:
        """Nothing to let go of."""


def bank(home: Path, cache: Path, embed: Embedder) -> str:
    """What this demo's traffic says, as tables. Raises FileNotFoundError when no demo's log is there."""
    if not (home / "kafka" / "node.json").exists():
        raise FileNotFoundError(f"{home} holds no Kafka log of a demo; run `make demo`, and name .teachback/demo")
    with _kafka(home / "kafka", cache) as bootstrap:
        traffic = read(Cluster(bootstrap=bootstrap))
    return told(traffic, rows(traffic, embed))


def read(cluster: Cluster) -> Traffic:
    """The whole of it, from the log."""
    exchanges: dict[str, Exchange] = {}
    for record in _events(cluster, "chat.exchanges", Exchange):
        if record.event is not None:
            exchanges.setdefault(record.event.id, record.event)
    outcomes = {r.event.exchange: r.event for r in _events(cluster, "review.outcomes", Outcome) if r.event is not None}
    ordered = sorted(exchanges.values(), key=lambda exchange: exchange.created)
    judged = [outcomes[each.id].acceptable if each.id in outcomes else None for each in ordered]
    return Traffic(ordered, judged, list(_events(cluster, "labels.approved", Label)))


def rows(traffic: Traffic, embed: Embedder) -> Floats:
    """The signals of each exchange as a worker would have had them then, shape (exchanges, signals)."""
    source = Growing(traffic.labels)
    reviewed, recent, failures = Corpus(source, embed), RecentQuestions(), Counter[str]()
    found = []
    for exchange in traffic.exchanges:
        source.now = _milliseconds(exchange.created)
        signals = tier_zero(exchange) | tier_one([exchange], embed, reviewed, failures, recent)[0]
        found.append([signals.get(name, np.nan) for name in SIGNALS])
    if failures:
        raise RuntimeError(f"signals failed: {dict(failures)}")
    return np.array(found)


def told(traffic: Traffic, signals: Floats) -> str:
    """How many answers were right, how many the prior trusts, and each signal's AUROC where both kinds are enough."""
    settled = np.array([verdict is not None for verdict in traffic.acceptable])
    right = np.array([verdict is True for verdict in traffic.acceptable])
    trusted = confidences(signals, SIGNALS, PRIOR)
    lines = [
        (name, f"{chosen.sum()}", f"{(trusted[chosen] >= THRESHOLD).mean():.0%}" if chosen.any() else "–")
        for name, chosen in (("approved as it was", settled & right), ("edited or rejected", settled & ~right))
    ]
    head = ("what people said", "answers", f"prior confidence at least {THRESHOLD:g}")
    counts = f"{table(head, lines)}\n\n{len(settled)} exchanges, {settled.sum()} settled by people."
    if min(right[settled].sum(), (~right[settled]).sum()) < LEAST:
        return f"{counts} Fewer than {LEAST} of one kind: nothing can be said of how well they are told apart."
    return f"{counts}\n\n{_areas(signals[settled], trusted[settled], right[settled])}"


def _areas(signals: Floats, trusted: Floats, right: NDArray[np.bool_]) -> str:
    columns = {"the prior's confidence": trusted} | {f"`{name}`": signals[:, i] for i, name in enumerate(SIGNALS)}
    lines = []
    for name, values in columns.items():
        has = np.isfinite(values)
        if has.any():
            area = auroc(values[has], right[has])
            lines.append((name, f"{has.mean():.0%}", "–" if area is None else f"{area:.3f}"))
    return table(("signal", "has it", "AUROC"), lines)


def _events(cluster: Cluster, topic: str, kind: type[E]) -> Iterator[Record[E]]:
    tail = Tail(cluster, topic, (kind,))
    try:
        yield from tail.catch_up()
    finally:
        tail.close()


@contextmanager
def _kafka(home: Path, cache: Path) -> Iterator[str]:
    """The demo's Kafka if it runs, else one on a copy of its files."""
    found = status(home)
    if found.state == "running" and found.bootstrap is not None:
        yield found.bootstrap
        return
    with tempfile.TemporaryDirectory() as scratch:
        copy = shutil.copytree(home, Path(scratch) / "kafka")
        with Node(KafkaSettings(home=copy, cache=cache)) as node:
            yield node.bootstrap


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
