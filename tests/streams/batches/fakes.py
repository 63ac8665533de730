"""Small stand-ins: records as aiokafka gives them, a delivery that remembers, an aiokafka that is told what to say."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple, NoReturn

from aiokafka import TopicPartition
from faust.types import TP

from teachback.streams.batches.batch import Batch, Output
from teachback.streams.batches.errors import DeliveryFailed, StaleBatch

TOPIC = "numbers"
T0, T1 = TP(TOPIC, 0), TP(TOPIC, 1)


class Raw(NamedTuple):
    """What we read of an aiokafka ConsumerRecord."""

    topic: str
    partition: int
    offset: int
    value: bytes | None
    key: bytes | None = b"k"
    headers: tuple[tuple[str, bytes], ...] = ()
    timestamp: int = 1_700_000_000_000
    timestamp_type: int = 1


def raws(values: Iterable[bytes | None], first: int = 0, partition: int = 0) -> list[Raw]:
    """Records with these values at consecutive offsets."""
    return [Raw(TOPIC, partition, offset, value) for offset, value in enumerate(values, first)]


def batch(first: int, last: int, epoch: int = 0, tp: TP = T0) -> Batch:
    """A batch of the offsets first … last."""
    return Batch(tp, raws([b"x"] * (last - first + 1), first, tp.partition), epoch, last + 1)


class Left(Exception):
    """What the fake `leave` raises instead of ending the process."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(f"{code}: {why}")
        self.code = code
        self.why = why


def leave(code: int, why: str) -> NoReturn:
    """In place of `errors.leave`."""
    raise Left(code, why)


class MemoryDelivery:
    """Keeps what is published, and in which order things were called. `fail` and `stale` make it refuse."""

    commits_offsets = False

    def __init__(self) -> None:
        self.published: list[Output] = []
        self.calls: list[str] = []
        self.done_when_published: list[bool] = []
        self.fail = self.stale = False

    async def assign(self, partitions: Collection[TP], epoch: int) -> None:
        self.calls.append(f"assign {sorted(tp.partition for tp in partitions)} epoch {epoch}")
        await asyncio.sleep(0)

    async def publish(self, batch: Batch, outputs: Sequence[Output]) -> None:
        if self.fail:
            raise DeliveryFailed("the broker said no")
        if self.stale:
            raise StaleBatch("rewound")
        self.done_when_published.append(batch.is_done)
        self.published += outputs


class FakeKafka:
    """The parts of AIOKafkaConsumer that our thread uses. `fetches` are given out one by one."""

    def __init__(self, positions: dict[TP, int], committed: dict[TP, int | None] | None = None) -> None:
        self.positions = positions
        self.committed_offsets = committed or {}
        self.fetches: list[dict[TP, list[Raw]]] = []
        self.beginnings: list[TP] = []
        self.seeks = 0
        self.resets = True
        self.before_fetch: Any = None
        self.during_seek: Any = None
        self._closed = False
        self._fetcher = self
        self._subscriptions = self._subscription = self.subscription = self.assignment = self  # type: ignore[assignment]

    def fetch_context(self) -> Any:
        return contextlib.nullcontext()

    async def fetched_records(self, partitions: Any, **limits: Any) -> Any:
        if self.before_fetch:
            await self.before_fetch()
        fetched = self.fetches.pop(0) if self.fetches else {}
        for tp, records in fetched.items():
            self.positions[tp] = max(self.positions[tp], records[-1].offset + 1)
        return fetched

    def state_value(self, tp: TP) -> Any:
        if tp not in self.positions:
            return None
        return type("State", (), {"has_valid_position": True, "position": self.positions[tp]})()

    async def seek_to_committed(self) -> dict[TP, int | None]:
        self.seeks += 1
        if self.during_seek:
            await self.during_seek()
        self.positions |= {tp: offset for tp, offset in self.committed_offsets.items() if offset}
        return {TopicPartition(*tp): offset for tp, offset in self.committed_offsets.items()}

    async def seek_to_beginning(self, *partitions: TP) -> bool:
        self.beginnings += partitions
        self.positions |= dict.fromkeys(partitions, 0)
        return self.resets
