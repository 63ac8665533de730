"""Latency of a contender at a steady rate far below what it can do.

From the call that emits an exchange to a reader of committed records having the decision about it, to within 5 ms.
"""

from __future__ import annotations

import time
from pathlib import Path

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from bench.contender import DRAIN_SECONDS, PARTITIONS, START_SECONDS, BenchError, worker
from bench.job import Job
from bench.work import sample
from teachback.schemas import Scored
from teachback.schemas.wire import consumer, decode, encode, producer

LOOK_SECONDS = 0.005
FIRST = 10_000_000  # numbers that no other exchange has
WARM = 20


def latency(job: Job, per_second: int, seconds: float, log: Path) -> list[float]:
    """Milliseconds from emitting to reading the decision, for each exchange. Raises BenchError."""
    reader = consumer(job.cluster, "latency")
    reader.assign([TopicPartition(job.cluster.topic("chat.scored"), p, 0) for p in range(PARTITIONS)])
    with worker(job, log) as process:
        probe = Probe(job, reader)
        until = time.monotonic() + START_SECONDS
        while len(probe.found) < WARM:  # until it is up; these do not count
            probe.emit()
            probe.collect(0.1)
            if process.poll() is not None or time.monotonic() > until:
                raise BenchError(f"{job.kind}, {job.guarantee}, decided nothing; its log is {log}")
        probe.settle()
        probe.found.clear()
        started = time.perf_counter()
        for turn in range(int(per_second * seconds)):
            probe.emit()
            while (ahead := started + turn / per_second - time.perf_counter()) > 0:
                probe.collect(min(ahead, LOOK_SECONDS))
        probe.settle()
    reader.close()
    return probe.found


class Probe:
    """Emits exchanges and notes when the decision about each is there."""

    def __init__(self, job: Job, reader: Consumer) -> None:
        self._source = job.source
        self._reader = reader
        self._out = producer(job.cluster, {"linger.ms": 0})
        self._emitted: dict[str, float] = {}
        self._number = 0
        self.found: list[float] = []

    def emit(self) -> None:
        """One more exchange."""
        exchange = sample(FIRST + self._number)
        self._number += 1
        value = encode(exchange)
        self._emitted[exchange.id] = time.perf_counter()
        self._out.produce(self._source, value, exchange.conversation)
        self._out.poll(0)

    def collect(self, wait: float) -> None:
        """Take what decisions are there."""
        for message in self._reader.consume(100, wait):
            self._note(message)

    def settle(self) -> None:
        """Wait until every exchange is decided. Raises BenchError."""
        until = time.monotonic() + DRAIN_SECONDS
        while self._emitted:
            self.collect(0.05)
            if time.monotonic() > until:
                raise BenchError(f"{len(self._emitted)} exchanges were not decided within {DRAIN_SECONDS:.0f} s")

    def _note(self, message: Message) -> None:
        if message.error() is not None:
            raise KafkaException(message.error())
        scored = decode(bytes(message.value() or b""), Scored)
        emitted = self._emitted.pop(scored.id, None)
        if emitted is not None:
            self.found.append((time.perf_counter() - emitted) * 1000)
