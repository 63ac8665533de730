"""Latency of a contender at a steady rate far below what it can do.

From the call that emits an exchange to a reader of committed records having the decision about it, to within 5 ms.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import ClassVar

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from bench.contender import DRAIN_SECONDS, PARTITIONS, START_SECONDS, BenchError, worker
from bench.job import Job
from bench.work import sample
from teachback.schemas import ReviewRequest, Scored
from teachback.schemas.wire import consumer, decode, encode, producer

LOOK_SECONDS = 0.005
FIRST = 10_000_000  # numbers that no other exchange has
WARM = 20
BEHIND = 0.1  # of the run's length, by which emitting may fall behind


def latency(job: Job, per_second: int, seconds: float, log: Path, probe_of: type[Probe] | None = None) -> list[float]:
    """Milliseconds from emitting to reading the decision, for each exchange. Raises BenchError.

    `ReviewProbe` in place of the default `Probe`: to reading the review request, for each exchange that has one.
    """
    kind = probe_of or Probe
    reader = consumer(job.cluster, "latency")
    reader.assign([TopicPartition(job.cluster.topic(name), p, 0) for name in kind.topics for p in range(PARTITIONS)])
    with worker(job, log) as process:
        probe = kind(job, reader)
        probe.start()
        until = time.monotonic() + START_SECONDS
        while len(probe.found) < WARM:  # until it is up; these do not count
            probe.emit()
            time.sleep(0.1)
            if process.poll() is not None or time.monotonic() > until:
                raise BenchError(f"{job.kind}, {job.guarantee}, decided nothing; its log is {log}")
        probe.settle()
        probe.found.clear()
        started = time.perf_counter()
        for turn in range(int(per_second * seconds)):
            probe.emit()
            time.sleep(max(0.0, started + turn / per_second - time.perf_counter()))
        behind = time.perf_counter() - started - seconds
        if behind > BEHIND * seconds:
            raise BenchError(f"{per_second} exchanges a second are more than this machine could emit beside the worker")
        probe.settle()
        probe.stop()
    reader.close()
    return probe.found


class Probe(threading.Thread):
    """Emits exchanges, and notes in a thread of its own when the decision about each is there.

    So whatever holds up the one holds up the other for no longer than it must.
    """

    topics: ClassVar[tuple[str, ...]] = ("chat.scored",)

    def __init__(self, job: Job, reader: Consumer) -> None:
        super().__init__(name="probe", daemon=True)
        self._ended = threading.Event()
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

    def run(self) -> None:
        """Take what decisions come."""
        while not self._ended.is_set():
            for message in self._reader.consume(100, LOOK_SECONDS):
                self._note(message)

    def stop(self) -> None:
        """Take no more."""
        self._ended.set()
        self.join()

    def settle(self) -> None:
        """Wait until every exchange is decided. Raises BenchError."""
        until = time.monotonic() + DRAIN_SECONDS
        while self._emitted:
            time.sleep(0.02)
            if time.monotonic() > until or not self.is_alive():
                raise BenchError(f"{len(self._emitted)} exchanges were not decided within {DRAIN_SECONDS:.0f} s")

    def _note(self, message: Message) -> None:
        if message.error() is not None:
            raise KafkaException(message.error())
        scored = decode(bytes(message.value() or b""), Scored)
        emitted = self._emitted.pop(scored.id, None)
        if emitted is not None:
            self.found.append((time.perf_counter() - emitted) * 1000)


class ReviewProbe(Probe):
    """Notes when the review request about an exchange is there; what is accepted has none, and counts for nothing."""

    topics: ClassVar[tuple[str, ...]] = ("chat.scored", "review.requests")

    def _note(self, message: Message) -> None:
        if message.error() is not None:
            raise KafkaException(message.error())
        event = decode(bytes(message.value() or b""), Scored, ReviewRequest)
        if isinstance(event, ReviewRequest):
            emitted = self._emitted.pop(event.id, None)
            if emitted is not None:
                self.found.append((time.perf_counter() - emitted) * 1000)
        elif event.route == "accept":
            self._emitted.pop(event.id, None)
