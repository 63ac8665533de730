"""The agent: batches in, outputs and dead letters out, `done()` last."""

import logging
from collections.abc import AsyncIterable, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, NoReturn, TypeVar

from teachback.streams.batches.batch import Batch, Output, Record
from teachback.streams.batches.deadletters import DeadLetterLimit, sort_out
from teachback.streams.batches.delivery import Delivery
from teachback.streams.batches.errors import (
    EXIT_BAD_INPUT,
    EXIT_UNEXPECTED,
    StaleBatch,
    TooManyDeadLetters,
)

log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True)
class Leg(Generic[T]):
    """One topic and what to do with it.

    `decode` turns a record into a value, or raises BadRecord; anything else it raises stops the worker. `handle` gets
    the good records of a batch, in offset order, and returns what to write. It runs on the event loop: computing
    belongs in an executor (`asyncio.to_thread`), so that rebalances are answered meanwhile. It may be called again with
    the same records, and must not keep state that such a repetition would spoil.
    """

    source: str
    decode: Callable[[Record], T]
    handle: Callable[[list[tuple[Record, T]]], Awaitable[Sequence[Output]]]


class Pump(Generic[T]):
    """Takes a leg's batches through decode, handle, publish and done. `epoch()` is the consumer's present one."""

    def __init__(
        self,
        leg: Leg[T],
        delivery: Delivery,
        limit: DeadLetterLimit,
        epoch: Callable[[], int],
        leave: Callable[[int, str], NoReturn],
    ) -> None:
        self._leg = leg
        self._delivery = delivery
        self._limit = limit
        self._epoch = epoch
        self._leave = leave

    async def run(self, batches: AsyncIterable[Batch]) -> None:
        """The agent's body, and its process's outermost edge: what is unexpected here ends the process."""
        async for batch in batches:
            try:
                await self._process(batch)
            except StaleBatch as stale:
                log.info("dropped: %s", stale)
            except TooManyDeadLetters as exc:
                self._leave(EXIT_BAD_INPUT, str(exc))
            except Exception as exc:
                if batch.epoch != self._epoch():  # we lost the partition meanwhile; the new owner fenced us
                    log.info("%r failed after its partition was rewound: %s", batch, exc)
                else:
                    log.exception("%r failed", batch)
                    self._leave(EXIT_UNEXPECTED, f"{batch!r} failed, nothing of it is committed")

    async def _process(self, batch: Batch) -> None:
        if batch.epoch != self._epoch():
            raise StaleBatch(f"{batch!r} is not from epoch {self._epoch()}")
        good, dead = sort_out(batch.records, self._leg.decode)
        outputs = await self._leg.handle(good) if good else ()
        self._limit.count(len(batch), len(dead))
        await self._delivery.publish(batch, [*dead, *outputs])
        batch.done()
