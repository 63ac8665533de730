"""The stream leg with tier 0 alone and with tiers 0 and 1, exactly once, beside its references in one run.

    python -m bench.streams

Throughput, then the time from `chat.exchanges` to `review.requests` at half of each contender's own rate.
Everyone runs the same functions: teachback and the confluent-kafka loop embed a batch at a time, Quix Streams, which
hands over one record at a time, embeds each by itself.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

from bench.contender import PARTITIONS, QUIX_PYTHON, create, fill, prepare
from bench.job import KINDS, REFERENCE, Job, Kind
from bench.latency import ReviewProbe, latency
from bench.table import table
from bench.throughput import Throughput, throughput
from teachback.infra.cache import default_cache
from teachback.infra.kafka.node import Node
from teachback.infra.kafka.settings import KafkaSettings
from teachback.infra.models import ensure_embedder
from teachback.schemas.wire import Cluster

BATCH = 500  # the scoring leg's default
QUICK_COMMIT_SECONDS = 0.1  # Quix Streams in the latency run
LEAST_PER_SECOND = 1
HEAD = ("tier", "stream leg", "exchanges/s", "ratio", "CPU ratio", "missing", "p50 ms", "p99 ms", "at a second")


class Tier:
    """All contenders at one tier, on a source of their own."""

    def __init__(self, bootstrap: str, name: str, embedder: str, events: int, log: Path) -> None:
        self.name = name
        self._embedder = embedder
        self._events = events
        self._log = log
        self._cluster = Cluster(bootstrap=bootstrap, prefix=f"streams{len(embedder)}.")

    def rows(self, rounds: int, seconds: float, limit: float) -> Iterator[tuple[str, ...]]:
        """A row for each contender."""
        source = self._source("exchanges")
        fill(self._cluster, source, self._events)
        found: dict[Kind, list[Throughput]] = {kind: [] for kind in KINDS}
        for turn in range(rounds):
            for kind in KINDS if turn % 2 == 0 else KINDS[::-1]:  # nobody is always the first
                found[kind].append(throughput(self._job(kind, source, 5.0), self._events, limit, self._log))
                print(self.name, kind, found[kind][-1], file=sys.stderr, flush=True)
        for kind in KINDS:
            row = self._row(kind, found, seconds)
            print(*row, file=sys.stderr, flush=True)
            yield row

    def _row(self, kind: Kind, found: dict[Kind, list[Throughput]], seconds: float) -> tuple[str, ...]:
        mine, its = found[kind], found[REFERENCE]
        rate = statistics.mean(one.rate for one in mine)
        ratio = statistics.mean(a.rate / b.rate for a, b in zip(mine, its, strict=True))
        cpu = statistics.mean(a.cpu_us / b.cpu_us for a, b in zip(mine, its, strict=True))
        missing = f"{sum(self._events - r.decided for r in mine)}" if all(r.whole for r in mine) else "cut off"
        half = max(LEAST_PER_SECOND, int(rate / 2))
        times = latency(
            self._job(kind, self._source(f"quiet-{KINDS.index(kind)}"), QUICK_COMMIT_SECONDS),
            half,
            seconds,
            self._log,
            ReviewProbe,
        )
        p99 = statistics.quantiles(times, n=100)[98]
        speed = (f"{rate:,.0f}", f"{ratio:.2f}", f"{cpu:.2f}", missing)
        return (self.name, kind, *speed, f"{statistics.median(times):,.0f}", f"{p99:,.0f}", f"{half:,}")

    def _source(self, name: str) -> str:
        create(self._cluster, {name: PARTITIONS, f"{name}.dlq": PARTITIONS})
        return self._cluster.topic(name)

    def _job(self, kind: Kind, source: str, commit_seconds: float) -> Job:
        job = Job(
            kind=kind,
            guarantee="exactly_once",
            bootstrap=self._cluster.bootstrap,
            source=source,
            prefix=f"b{uuid.uuid4().hex[:8]}.",
            batch=BATCH,
            commit_seconds=commit_seconds,
            embedder=self._embedder,
        )
        prepare(job)
        return job


def main() -> None:
    """Run both tiers, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=40_000, help="with tier 0")
    parser.add_argument("--embedded", type=int, default=4_000, help="with tiers 0 and 1")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=8.0, help="of each latency run")
    parser.add_argument("--limit", type=float, default=120.0, help="seconds for one contender, at most")
    given = parser.parse_args()
    if not QUIX_PYTHON.exists():
        raise SystemExit(f"{QUIX_PYTHON} is missing: `make bench` makes it")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that workers and broker end with us
    load, log = os.getloadavg()[0], Path(tempfile.gettempdir()) / "teachback-bench.log"
    cache = default_cache()
    with tempfile.TemporaryDirectory() as home, Node(KafkaSettings(home=Path(home), cache=cache)) as node:
        tiers = (
            Tier(node.bootstrap, "0", "", given.events, log),
            Tier(node.bootstrap, "0 and 1", str(ensure_embedder(cache)), given.embedded, log),
        )
        rows = [row for tier in tiers for row in tier.rows(given.rounds, given.seconds, given.limit)]
    print(f"load {load:.1f} before the start, {given.rounds} rounds\n\n{table(HEAD, rows)}")


if __name__ == "__main__":
    main()
