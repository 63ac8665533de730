"""When a buffer becomes a file: by rows, bytes or age. Pure: the time is given."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from teachback.schemas import Label


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """A buffer at any one of these is due."""

    rows: int
    bytes: int
    age_seconds: float


class Row(NamedTuple):
    """A label and its offset in the partition."""

    offset: int
    label: Label


class Buffer:
    """What was read of one partition and is not in the table yet.

    Records without a row (tombstones, repeats, dead letters) count for the position and the age: without that a
    partition that ends in them would be read again from before them after every restart.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.rows: list[Row] = []
        self.bytes = 0
        self.last: int | None = None
        self._since: float | None = None

    def add(self, offset: int, label: Label | None, size: int, now: float) -> None:
        """Take the record at `offset`, `size` bytes of JSON, read at `now` seconds; a label of None makes no row."""
        self.last = offset
        if self._since is None:
            self._since = now
        if label is not None:
            self.rows.append(Row(offset, label))
            self.bytes += size

    def due(self, now: float) -> bool:
        """Whether it must be committed at `now`."""
        if self._since is None:
            return False
        full = len(self.rows) >= self.limits.rows or self.bytes >= self.limits.bytes
        return full or now - self._since >= self.limits.age_seconds


class DeadLetterShare:
    """Counts dead letters among the last `window` records; records not yet seen count as good."""

    def __init__(self, limit: float, window: int = 1000) -> None:
        self.allowed = limit * window
        self.window = window
        self._dead: list[int] = []  # numbers of the records that were dead letters, oldest first
        self._seen = 0

    def count(self, dead: bool) -> bool:
        """Take one record into account; False when there are now too many dead letters."""
        self._seen += 1
        if dead:
            oldest = self._seen - self.window
            self._dead = [one for one in self._dead if one > oldest] + [self._seen]
        return not dead or len(self._dead) <= self.allowed
