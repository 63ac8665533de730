"""From labels in offset order to commits: buffers, repeats, and what happens on a conflict. Knows no Kafka."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable

from teachback.consumers.shards.errors import Fenced
from teachback.consumers.shards.files import write_files
from teachback.consumers.shards.roll import Buffer, Limits
from teachback.consumers.shards.table import LabelTable
from teachback.schemas import Label, ShardCommitted

log = logging.getLogger(__name__)


class Lane:
    """One assigned partition: the number that the table should have, what is buffered, and which labels it has seen."""

    def __init__(self, committed: int | None, ids: Iterable[str], limits: Limits) -> None:
        self.committed = committed
        self.seen = {_fingerprint(one) for one in ids}
        self.buffer = Buffer(limits)

    def is_repeat(self, label: Label) -> bool:
        """Whether the label's id is in the table or the buffer; from now on it is."""
        mark = _fingerprint(label.id)
        if mark in self.seen:
            return True
        self.seen.add(mark)
        return False


class Writer:
    """Fills the table from the partitions that it is given.

    `verify` is called before each commit, and raises when the labels in the buffers are not from the topic that the
    table is filled from. `clock` gives seconds that never go back.
    """

    def __init__(
        self, table: LabelTable, limits: Limits, verify: Callable[[], None], clock: Callable[[], float]
    ) -> None:
        self.table = table
        self.limits = limits
        self.rows = 0  # taken for a row, and
        self.repeats = 0  # dropped because the label is in one already
        self._verify = verify
        self._clock = clock
        self._lanes: dict[int, Lane] = {}

    def assign(self, partition: int) -> int | None:
        """Take a partition over, dropping what was buffered of it. Returns where to read on; None: at the beginning."""
        committed = self.table.last_offset(partition)
        self._lanes[partition] = Lane(committed, self.table.label_ids(partition), self.limits)
        return None if committed is None else committed + 1

    def revoke(self, partition: int) -> None:
        """Let a partition go. What was buffered of it is still on the topic: its next owner reads it again."""
        self._lanes.pop(partition, None)

    @property
    def partitions(self) -> list[int]:
        """The partitions that it has."""
        return sorted(self._lanes)

    def take(self, partition: int, offset: int, label: Label | None, size: int) -> None:
        """The record at `offset`, `size` bytes; a label of None is a tombstone or a dead letter, already dealt with."""
        lane = self._lanes.get(partition)
        if lane is None:
            return
        if label is not None and lane.is_repeat(label):
            self.repeats += 1
            log.warning("label %s at %d:%d is in the table already; dropped", label.id, partition, offset)
            label = None
        self.rows += label is not None
        lane.buffer.add(offset, label, size, self._clock())

    def due(self) -> list[int]:
        """The partitions whose buffers must be committed now."""
        now = self._clock()
        return [partition for partition, lane in self._lanes.items() if lane.buffer.due(now)]

    def commit(self, partition: int) -> list[ShardCommitted]:
        """Write what is buffered, commit it, and return what to announce.

        On Fenced the partition is no longer this writer's: `assign` it again, and read from where that says.
        """
        lane = self._lanes[partition]
        buffer = lane.buffer
        if buffer.last is None:
            return []
        self._verify()
        try:
            files = write_files(self.table.path, partition, buffer.rows)
            shards = self.table.commit(partition, lane.committed, buffer.last, files)
        except Fenced:
            self.revoke(partition)
            raise
        lane.committed, lane.buffer = buffer.last, Buffer(self.limits)
        return shards


def _fingerprint(label_id: str) -> bytes:
    """16 bytes for an id of up to 200 characters: what is seen is kept in memory for every label of a partition."""
    return hashlib.blake2b(label_id.encode(), digest_size=16).digest()
