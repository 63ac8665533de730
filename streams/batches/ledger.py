"""Which batches are out, and up to where a partition may be committed. Pure: no Kafka, no clock, no threads."""

from collections import deque
from collections.abc import Iterator

from faust.types import TP

from teachback.streams.batches.batch import Batch
from teachback.streams.batches.errors import HeadAbandoned

MOST_OUT = 2  # batches of a partition: one at work, one ready; this bounds what is in memory


class Ledger:
    """The batches handed to the agent, by partition, in offset order.

    A new epoch starts with every seek; batches of earlier epochs will be read again, so they count for nothing.
    """

    def __init__(self) -> None:
        self.epoch = 0
        self._out: dict[TP, deque[Batch]] = {}
        self._safe: dict[TP, int] = {}

    def begin_seek(self) -> int:
        """From now until batches of the new epoch arrive, no batch is valid. Returns the new epoch."""
        self.epoch += 1
        return self.epoch

    def end_seek(self) -> None:
        """Forget what the seek has rewound past. What was fetched behind the seek may already be here, and stays."""
        self._safe.clear()
        kept = {tp: deque(b for b in out if b.epoch == self.epoch) for tp, out in self._out.items()}
        self._out = {tp: out for tp, out in kept.items() if out}

    def accept(self, batch: Batch) -> bool:
        """Take note of a batch about to be delivered; False when it is stale and must be dropped."""
        if batch.epoch != self.epoch:
            return False
        self._out.setdefault(batch.tp, deque()).append(batch)
        return True

    def has_room(self, tp: TP) -> bool:
        """Whether one more batch of the partition may be fetched. Called from another thread: it copies first."""
        return sum(not batch.is_done for batch in list(self._out.get(tp, ()))) < MOST_OUT

    def partitions(self) -> Iterator[TP]:
        """Partitions that may have something to commit."""
        return iter({**self._out, **self._safe})

    def committable(self, tp: TP) -> int | None:
        """The offset up to which everything is done, or None when nothing is since the last seek.

        Raises HeadAbandoned when a later batch is done and an earlier one is not: agents work in order, so nobody
        will ever finish the earlier one.
        """
        out = self._out.get(tp)
        while out and out[0].is_done:
            self._safe[tp] = out.popleft().next_offset
        if out and any(batch.is_done for batch in out):
            raise HeadAbandoned(f"{out[0]!r} was abandoned by its agent; it has to be read again")
        return self._safe.get(tp)
