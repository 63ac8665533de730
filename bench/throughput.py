"""Throughput of a contender, measured from outside by what Kafka says: its own counters are never asked.

The clock starts when the worker's group has its partitions, and stops when all records are on the output topic, whose
ends are read every 20 ms; so importing does not count, and reading ahead into a buffer does. (The first record
written would be a false start: Quix Streams may hold back a whole transaction.) A transaction's markers count as
records: up to 0.4 % at a thousand records each. What is written counts, even where its transaction ends later: that
favours who commits seldom, and the latency shows the other side. Afterwards every committed decision is read back.
The worker's processor time over the same span says more than the clock where a machine is shared.
"""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import msgspec
import psutil
from confluent_kafka import ConsumerGroupState, KafkaException, TopicPartition

from bench.contender import DRAIN_SECONDS, PARTITIONS, START_SECONDS, BenchError, worker
from bench.job import Job
from teachback.schemas import Scored
from teachback.schemas.log import Tail
from teachback.schemas.wire import admin, consumer

LOOK_SECONDS = 0.02


class Look(NamedTuple):
    """One look from outside. `seconds` is a monotonic clock, `cpu` the worker's user and system time in seconds."""

    seconds: float
    written: float
    cpu: float


class Throughput(msgspec.Struct, frozen=True, kw_only=True):
    """`rate` is exchanges a second, `cpu_us` the worker's processor time for each, in µs.

    `decided` counts distinct exchanges read back, `repeats` the rest.
    A run is `whole` when all was written before the limit; else what is missing was cut off, not lost.
    """

    rate: float
    cpu_us: float
    whole: bool
    decided: int
    repeats: int
    reviews: int


class Watch:
    """How many records are on the target, and how many of the source are committed."""

    def __init__(self, job: Job) -> None:
        self._consumer = consumer(job.cluster, "bench")
        self._admin = admin(job.cluster)
        self._group = f"{job.prefix}bench"
        self._target = [TopicPartition(job.cluster.topic("chat.scored"), p) for p in range(PARTITIONS)]
        self._source = [TopicPartition(job.source, p) for p in range(PARTITIONS)]

    def joined(self) -> bool:
        """Whether the group has shared out its partitions; a coordinator that is not there yet has no group."""
        try:
            group = self._admin.describe_consumer_groups([self._group])[self._group].result(10)
        except KafkaException:
            return False
        return bool(group.state == ConsumerGroupState.STABLE)

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
        if seen[-1].written >= events:
            until = time.monotonic() + DRAIN_SECONDS
            while watch.committed() < events and time.monotonic() < until:
                time.sleep(0.2)
    watch.close()
    decided, reviews = _read_back(job)
    speed, cpu_us = rates(seen, events)
    return Throughput(
        rate=speed,
        cpu_us=cpu_us,
        whole=seen[-1].written >= events,
        decided=len(decided),
        repeats=decided.total() - len(decided),
        reviews=reviews,
    )


def _progress(
    watch: Watch, process: subprocess.Popen[bytes], job: Job, events: int, limit: float, log: Path
) -> Iterator[Look]:
    """What is written, from joining the group on until all is, or the time is up."""
    usage, until, joined = psutil.Process(process.pid), time.monotonic() + START_SECONDS, False
    written = 0
    while written < events and time.monotonic() < until:
        if process.poll() is not None:
            raise BenchError(f"{job.kind}, {job.guarantee}, ended with code {process.returncode}; its log is {log}")
        if not joined and (joined := watch.joined()):
            until = time.monotonic() + limit
        if joined:
            times, written = usage.cpu_times(), watch.written()
            yield Look(time.monotonic(), written, times.user + times.system)
        time.sleep(LOOK_SECONDS)
    if not written:
        raise BenchError(f"{job.kind}, {job.guarantee}, wrote nothing in time; its log is {log}")


def rates(seen: Sequence[Look], events: int) -> tuple[float, float]:
    """Records a second and µs of processor time a record, from the first look to all of `events`, or the last look."""
    start, end = seen[0], seen[-1] if seen[-1].written < events else _at(seen, events)
    done, seconds = end.written - start.written, end.seconds - start.seconds
    return (done / seconds, 1e6 * (end.cpu - start.cpu) / done) if done and seconds else (0.0, 0.0)


def _at(seen: Sequence[Look], written: float) -> Look:
    """The moment when so many were written, on a straight line between two looks."""
    before, after = next(pair for pair in pairwise(seen) if pair[1].written >= written)
    share = (written - before.written) / (after.written - before.written)
    seconds = before.seconds + share * (after.seconds - before.seconds)
    return Look(seconds, written, before.cpu + share * (after.cpu - before.cpu))


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
