"""What waits to be sent: bounded in number and bytes, with exact counts. Thread-safe; knows no Kafka.

Every event that was accepted is in exactly one of these: waiting, delivered, dropped, failed. "Waiting" includes what
is under way, so the bounds hold for all that the process holds on to.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import NamedTuple

import msgspec

from teachback.producers.settings import Drop


class Item(NamedTuple):
    """An encoded event."""

    topic: str
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """accepted = delivered + dropped + failed + waiting; `invalid` were never accepted."""

    accepted: int
    delivered: int
    dropped: int
    """Given up because the buffer was full."""
    failed: int
    """Given up because Kafka refused it or did not answer in time."""
    invalid: int
    """Calls whose arguments made no event."""
    waiting: int
    waiting_bytes: int


class Buffer:
    """A queue that never blocks who puts, and remembers what becomes of everything that was taken."""

    def __init__(self, max_messages: int, max_bytes: int, drop: Drop) -> None:
        self.max_messages, self.max_bytes, self.drop = max_messages, max_bytes, drop
        self._changed = threading.Condition()
        self._queue: deque[Item] = deque()
        self._accepted = self._delivered = self._dropped = self._failed = self._invalid = 0
        self._waiting = self._bytes = 0

    def put(self, item: Item) -> bool:
        """Accept an event; False when it was dropped at once."""
        with self._changed:
            self._accepted += 1
            if self.drop == "oldest" and len(item.value) <= self.max_bytes:
                while self._queue and not self._fits(item):
                    self._give_up(self._queue.popleft())
            if not self._fits(item):
                self._dropped += 1
                return False
            self._queue.append(item)
            self._waiting += 1
            self._bytes += len(item.value)
            self._changed.notify_all()
            return True

    def take(self, timeout: float) -> Item | None:
        """The next event, now under way, or None after `timeout` seconds without one."""
        with self._changed:
            if not self._queue and timeout > 0:
                self._changed.wait(timeout)
            return self._queue.popleft() if self._queue else None

    def settle(self, item: Item, delivered: bool) -> None:
        """What became of an event that was taken."""
        with self._changed:
            self._leave(item)
            if delivered:
                self._delivered += 1
            else:
                self._failed += 1
            self._changed.notify_all()

    def refuse(self) -> None:
        """Count a call whose arguments made no event."""
        with self._changed:
            self._invalid += 1

    def wait_empty(self, timeout: float) -> bool:
        """Wait until nothing waits or is under way; False after `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._waiting == 0, timeout)

    def stats(self) -> Stats:
        """The counts, all of one moment."""
        with self._changed:
            return Stats(
                accepted=self._accepted,
                delivered=self._delivered,
                dropped=self._dropped,
                failed=self._failed,
                invalid=self._invalid,
                waiting=self._waiting,
                waiting_bytes=self._bytes,
            )

    def _fits(self, item: Item) -> bool:
        return self._waiting < self.max_messages and self._bytes + len(item.value) <= self.max_bytes

    def _leave(self, item: Item) -> None:
        self._waiting -= 1
        self._bytes -= len(item.value)

    def _give_up(self, item: Item) -> None:
        self._leave(item)
        self._dropped += 1
