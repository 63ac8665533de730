"""What may be committed, and what a seek makes void."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teachback.streams.batches.errors import HeadAbandoned
from teachback.streams.batches.ledger import Ledger
from tests.streams.batches.fakes import T0, T1, batch


def test_nothing_is_committable_before_done() -> None:
    ledger = Ledger()
    ledger.accept(batch(0, 9))
    assert ledger.committable(T0) is None


def test_a_done_batch_is_committable_up_to_its_next_offset() -> None:
    ledger = Ledger()
    first = batch(0, 9)
    ledger.accept(first)
    first.done()
    assert ledger.committable(T0) == 10
    assert ledger.committable(T0) == 10, "asking again must not lose it: Faust may not have committed it yet"


def test_partitions_do_not_hold_each_other_up() -> None:
    ledger = Ledger()
    slow, quick = batch(0, 9), batch(0, 4, tp=T1)
    ledger.accept(slow)
    ledger.accept(quick)
    quick.done()
    assert (ledger.committable(T0), ledger.committable(T1)) == (None, 5)


def test_a_batch_done_behind_an_unfinished_one_shows_that_the_head_was_abandoned() -> None:
    ledger = Ledger()
    head, later = batch(0, 9), batch(10, 19)
    ledger.accept(head)
    ledger.accept(later)
    later.done()
    with pytest.raises(HeadAbandoned, match=r"numbers\[0\] 0\.\.9"):
        ledger.committable(T0)


def test_a_batch_from_before_a_seek_is_dropped() -> None:
    ledger = Ledger()
    ledger.begin_seek()
    assert not ledger.accept(batch(0, 9, epoch=0))
    assert list(ledger.partitions()) == []


def test_a_seek_forgets_what_was_out_and_what_was_safe() -> None:
    ledger = Ledger()
    done, running = batch(0, 9), batch(10, 19)
    for each in (done, running):
        ledger.accept(each)
    done.done()
    assert ledger.committable(T0) == 10
    ledger.begin_seek()
    ledger.end_seek()
    running.done()  # the agent finishes it late: it will be read again, so it commits nothing
    assert ledger.committable(T0) is None


def test_a_batch_fetched_behind_the_seek_survives_its_end() -> None:
    ledger = Ledger()
    epoch = ledger.begin_seek()
    fresh = batch(0, 9, epoch)
    assert ledger.accept(fresh)  # the consumer's thread may be quicker than the main thread
    ledger.end_seek()
    fresh.done()
    assert ledger.committable(T0) == 10


Step = tuple[str, int]
STEPS = st.lists(st.tuples(st.sampled_from(["fetch", "finish", "seek"]), st.integers(1, 50)), max_size=60)


@given(STEPS)
def test_never_commits_past_an_unfinished_record(steps: list[Step]) -> None:
    """One partition: whatever is fetched, finished in order, or rewound, a commit covers finished work only."""
    ledger = Ledger()
    committed = position = finished = 0
    queue = []
    for step, size in steps:
        if step == "fetch":
            each = batch(position, position + size - 1, ledger.epoch)
            assert ledger.accept(each)
            queue.append(each)
            position += size
        elif step == "finish" and queue:
            each = queue.pop(0)
            each.done()
            finished = each.next_offset
        elif step == "seek":
            ledger.begin_seek()
            ledger.end_seek()
            queue.clear()
            position = finished = committed
        offset = ledger.committable(T0)
        assert offset is None or committed <= offset == finished
        committed = offset or committed


def test_a_partition_has_room_for_a_batch_beside_the_one_at_work() -> None:
    """One that an agent abandoned must not be the last: that it was is seen by the one after it being done."""
    ledger, first, second = Ledger(), batch(0, 4), batch(5, 9)
    assert ledger.has_room(T0)
    ledger.accept(first)
    assert ledger.has_room(T0)
    ledger.accept(second)
    assert not ledger.has_room(T0)
    first.done()
    assert ledger.has_room(T0)
