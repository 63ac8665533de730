"""Throughput of a contender, measured from outside by what Kafka says: its own counters are never asked.

The ends of the output topic are read every 20 ms while the worker runs; what counts is the time from a tenth of the
expected records to all of them, so starting up does not. In transactions a marker or so for each partition counts as a
record: up to 0.4 % at a thousand records each. Afterwards every decision is read back and counted.
"""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import msgspec
from confluent_kafka import KafkaException, TopicPartition

from bench.contender import DRAIN_SECONDS, PARTITIONS, START_SECONDS, BenchError, worker
from bench.job import Job
from teachback.schemas import Scored
from teachback.schemas.log import Tail
from teachback.schemas.wire import consumer

WARM = 0.1  # share of the records before the clock starts
LOOK_SECONDS = 0.02


class Throughput(msgspec.Struct, frozen=True, kw_only=True):
    """`rate` is exchanges a second. `decided` counts distinct exchanges read back, `repeats` the rest.

    A run is `whole` when all was written before the limit; else what is missing was cut off, not lost.
    """

    rate: float
    whole: bool
    decided: int
    repeats: int
    reviews: int


class Watch:
    """How many records are on the target, and how many of the source are committed."""

    def __init__(self, job: Job) -> None:
        self._consumer = consumer(job.cluster, "bench")
        self._target = [TopicPartition(job.cluster.topic("chat.scored"), p) for p in range(PARTITIONS)]
        self._source = [TopicPartition(job.source, p) for p in range(PARTITIONS)]

    def written(self) -> int:
        """Records on the target, markers included."""
        return sum(self._consumer.get_watermark_offsets(tp, 5)[1] for tp in self._target)

    def committed(self) -> int:
        """The sum of the group's committed offsets; 0 while the group's coordinator cannot be asked."""
        try:
            return sum(max(0, tp.offset) for tp in self._consumer.committed(self._source, 5))
        except KafkaException:
            return 0

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()


def throughput(job: Job, events: int, limit: float, log: Path) -> Throughput:
    """Run a contender over all of the source, for `limit` seconds at most. Raises BenchError."""
    watch = Watch(job)
    with worker(job, log) as process:
        seen = list(_progress(watch, process, job, events, limit, log))
        if seen[-1][1] >= events:
            until = time.monotonic() + DRAIN_SECONDS
            while watch.committed() < events and time.monotonic() < until:
                time.sleep(0.2)
    watch.close()
    decided, reviews = _read_back(job)
    return Throughput(
        rate=rate(seen, events),
        whole=seen[-1][1] >= events,
        decided=len(decided),
        repeats=decided.total() - len(decided),
        reviews=reviews,
    )


def _progress(
    watch: Watch, process: subprocess.Popen[bytes], job: Job, events: int, limit: float, log: Path
) -> Iterator[tuple[float, int]]:
    """(time, records written), from just before the first one until all are, or the time is up."""
    until, looked, written = time.monotonic() + START_SECONDS, time.monotonic(), 0
    while written < events and time.monotonic() < until:
        if process.poll() is not None:
            raise BenchError(f"{job.kind}, {job.guarantee}, ended with code {process.returncode}; its log is {log}")
        before, looked_before = written, looked
        looked, written = time.monotonic(), watch.written()
        if written and not before:
            until = looked + limit
            yield looked_before, 0
        if written:
            yield looked, written
        time.sleep(LOOK_SECONDS)
    if not written:
        raise BenchError(f"{job.kind}, {job.guarantee}, wrote nothing within {START_SECONDS:.0f} s; its log is {log}")


def rate(seen: list[tuple[float, int]], events: int) -> float:
    """Records a second from a tenth of `events` to all of them, or to the last sample; straight between samples."""
    ended, written = seen[-1]
    last = min(written, events)
    first = min(WARM * events, last)
    seconds = (ended if written < events else _reached(seen, last)) - _reached(seen, first)
    return (last - first) / seconds if seconds > 0 else 0.0


def _reached(seen: list[tuple[float, int]], records: float) -> float:
    """When so many records were written."""
    for (before, fewer), (after, more) in pairwise(seen):
        if more >= records:
            return before + (after - before) * (records - fewer) / (more - fewer) if more > fewer else before
    return seen[-1][0]


def _read_back(job: Job) -> tuple[Counter[str], int]:
    """How often each exchange was decided, by id, and how many of the decisions ask for people."""
    decided: Counter[str] = Counter()
    reviews = 0
    with Tail(job.cluster, "chat.scored", (Scored,)) as tail:
        for record in tail.catch_up():
            if record.event is not None:
                decided[record.event.id] += 1
                reviews += record.event.route != "accept"
    return decided, reviews
