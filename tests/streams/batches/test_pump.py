"""The agent's loop: done comes last, and only after delivery."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest

from teachback.streams.batches.batch import Batch, Output, Record
from teachback.streams.batches.deadletters import DeadLetterLimit
from teachback.streams.batches.errors import EXIT_BAD_INPUT, EXIT_UNEXPECTED
from teachback.streams.batches.pump import Leg, Pump
from tests.streams.batches.fakes import T0, TOPIC, Left, MemoryDelivery, leave, raws
from tests.streams.batches.test_deadletters import number


class Bench:
    """A pump over a memory delivery, with an epoch that the test turns."""

    def __init__(self, share: float = 0.5) -> None:
        self.delivery = MemoryDelivery()
        self.epoch = 0
        self.bug: Exception | None = None
        self.rewinds = False
        self.pump = Pump(
            Leg(TOPIC, number, self.handle), self.delivery, DeadLetterLimit(share, 10), lambda: self.epoch, leave
        )

    async def handle(self, good: list[tuple[Record, int]]) -> Sequence[Output]:
        self.epoch += self.rewinds
        if self.bug:
            raise self.bug
        return [Output("out", record.key, str(value).encode()) for record, value in good]

    async def feed(self, *batches: Batch) -> None:
        async def stream() -> AsyncIterator[Batch]:
            for each in batches:
                yield each

        await self.pump.run(stream())


def numbers(*values: bytes | None, epoch: int = 0) -> Batch:
    return Batch(T0, raws(values), epoch, len(values))


async def test_outputs_are_delivered_before_the_batch_is_done() -> None:
    bench, batch = Bench(), numbers(b"1", b"2")
    await bench.feed(batch)
    assert [output.value for output in bench.delivery.published] == [b"1", b"2"]
    assert bench.delivery.done_when_published == [False]
    assert batch.is_done


async def test_dead_letters_leave_with_the_outputs_of_their_batch() -> None:
    bench, batch = Bench(), numbers(b"1", b"rubbish", b"3")
    await bench.feed(batch)
    assert [(o.topic, o.value) for o in bench.delivery.published] == [
        (f"{TOPIC}.dlq", b"rubbish"),
        ("out", b"1"),
        ("out", b"3"),
    ]
    assert batch.is_done


async def test_a_batch_without_good_records_never_reaches_the_handler() -> None:
    bench, batch = Bench(), numbers(b"rubbish")
    bench.bug = AssertionError("handled nothing")
    await bench.feed(batch)
    assert batch.is_done


async def test_an_empty_batch_is_published_and_done_so_that_its_offset_is_committed() -> None:
    bench, batch = Bench(), Batch(T0, [], 0, 7)
    await bench.feed(batch)
    assert bench.delivery.done_when_published == [False]
    assert batch.is_done


async def test_a_handler_that_raises_ends_the_process_with_the_batch_undone() -> None:
    bench, batch = Bench(), numbers(b"1")
    bench.bug = RuntimeError("a bug")
    with pytest.raises(Left) as left:
        await bench.feed(batch)
    assert left.value.code == EXIT_UNEXPECTED
    assert not batch.is_done
    assert bench.delivery.published == []


async def test_a_failed_delivery_ends_the_process_with_the_batch_undone() -> None:
    bench, batch = Bench(), numbers(b"1")
    bench.delivery.fail = True
    with pytest.raises(Left) as left:
        await bench.feed(batch)
    assert left.value.code == EXIT_UNEXPECTED
    assert not batch.is_done


async def test_a_failure_after_the_partition_was_rewound_is_no_failure() -> None:
    bench, batch = Bench(), numbers(b"1")
    bench.delivery.fail = bench.rewinds = True  # fenced, because another owner took over while we worked
    await bench.feed(batch)
    assert not batch.is_done


async def test_a_stale_batch_is_neither_handled_nor_done() -> None:
    bench, batch = Bench(), numbers(b"1", epoch=0)
    bench.epoch = 1
    await bench.feed(batch)
    assert (bench.delivery.published, batch.is_done) == ([], False)


async def test_a_batch_rewound_between_handling_and_publishing_is_dropped() -> None:
    bench, batch = Bench(), numbers(b"1")
    bench.delivery.stale = True
    await bench.feed(batch)
    assert not batch.is_done


async def test_too_many_dead_letters_stop_the_worker_before_any_of_the_batch_is_published() -> None:
    bench, batch = Bench(share=0.2), numbers(b"1", b"x", b"x", b"x")
    with pytest.raises(Left) as left:
        await bench.feed(batch)
    assert left.value.code == EXIT_BAD_INPUT
    assert (bench.delivery.published, batch.is_done) == ([], False)
