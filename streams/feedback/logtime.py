"""The log's own time: up to when everything has been read. Rows go by it, so that no clock of ours can lose any."""

from collections.abc import Iterable

from teachback.streams.feedback.batch import Position


class LogTime:
    """How far each partition has been read, by the broker's time in ms."""

    def __init__(self, partitions: Iterable[Position]) -> None:
        self._read: dict[Position, int | None] = dict.fromkeys(partitions)
        self._at_end: set[Position] = set()
        self._newest = 0

    def read(self, partition: Position, time: int) -> None:
        """A record of `partition` was read."""
        self._read[partition] = time
        self._newest = max(self._newest, time)
        self._at_end.discard(partition)

    def ended(self, partition: Position) -> None:
        """There is nothing more in `partition` for now."""
        self._at_end.add(partition)

    def horizon(self) -> int | None:
        """The time up to which all partitions were read; None while that is not known.

        A partition at its end counts as read up to the newest record of all. A record may have come there that was not
        fetched yet: whoever deletes by this time leaves a margin for the fetch (`FeedbackSettings.slack`).
        """
        times = [self._newest if each in self._at_end else time for each, time in self._read.items()]
        known = [time for time in times if time]
        return min(known) if known and len(known) == len(times) else None
