"""What travels: records in, outputs out, and the batch that carries the one permission to commit."""

from collections.abc import Sequence
from typing import Protocol

import msgspec
from faust.types import TP

Headers = Sequence[tuple[str, bytes | None]]


class Record(msgspec.Struct, frozen=True, gc=False):
    """One Kafka record with a value. `timestamp` is milliseconds since 1970, the broker's own (LogAppendTime)."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes
    headers: Headers
    timestamp: int

    @property
    def source(self) -> str:
        """Where it stands, as `topic:partition:offset`."""
        return f"{self.topic}:{self.partition}:{self.offset}"


class Output(msgspec.Struct, frozen=True, gc=False):
    """One record to write, partitioned by its key (murmur2). `topic` is the full name. No value is a tombstone."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]] = []


class RawRecord(Protocol):
    """The part of aiokafka's ConsumerRecord that we read."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


class Batch:
    """Records of one partition in offset order, fetched in one epoch.

    `next_offset` is what a commit writes: behind the last record, and behind the control and aborted records that
    follow it. A batch may be empty: then only such records were there, and their offsets still have to be committed.
    """

    __slots__ = ("epoch", "is_done", "next_offset", "records", "tp")

    def __init__(self, tp: TP, records: Sequence[RawRecord], epoch: int, next_offset: int) -> None:
        self.tp = tp
        self.records = records
        self.epoch = epoch
        self.next_offset = next_offset
        self.is_done = False

    def done(self) -> None:
        """Permit the commit. Call it once the outputs of every record are delivered, never earlier."""
        self.is_done = True

    def __len__(self) -> int:
        return len(self.records)

    def __repr__(self) -> str:
        first = self.records[0].offset if self.records else self.next_offset
        return f"<batch {self.tp.topic}[{self.tp.partition}] {first}..{self.next_offset - 1} epoch {self.epoch}>"
