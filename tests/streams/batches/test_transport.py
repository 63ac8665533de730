"""The consumer and its thread, told by a fake what aiokafka says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import mode
import pytest
from faust.tables.recovery import RebalanceAgain
from faust.types import TP

from teachback.schemas.wire import Cluster
from teachback.streams.batches import transport
from teachback.streams.batches.batch import Batch
from teachback.streams.batches.errors import EXIT_UNEXPECTED
from teachback.streams.batches.transport import Consumer, ConsumerThread, register
from teachback.streams.batches.worker import BatchApp, StreamSettings, faust_options
from tests.streams.batches.fakes import T0, T1, TOPIC, FakeKafka, Left, MemoryDelivery, Raw, batch, leave, raws

OTHER = TP("plain", 0)


@pytest.fixture
async def consumer(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Consumer]:
    """A consumer of batches that is not started, assigned both partitions."""
    register()
    monkeypatch.setattr(transport, "leave", leave)
    app = BatchApp(
        "group", MemoryDelivery(), **faust_options(StreamSettings(cluster=Cluster(bootstrap="x:1"), group="g"))
    )
    app.batch_topic(TOPIC)
    made = app.consumer
    assert isinstance(made, Consumer)
    made.assignment = lambda: {T0, T1}  # type: ignore[method-assign]
    yield made
    made._thread.thread_loop.close()  # the thread was never started


def attach(consumer: Consumer, kafka: FakeKafka) -> ConsumerThread:
    """Puts the fake where aiokafka's consumer would be, and calls into the thread directly."""
    thread = consumer._thread

    async def call_thread(function: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        return await function(*args)

    thread._consumer = kafka
    thread.call_thread = call_thread  # type: ignore[method-assign,assignment]
    return thread


async def fetch(thread: ConsumerThread, kafka: FakeKafka, *active: TP) -> dict[TP, list[Any]]:
    return dict(await thread._fetch_records(kafka, set(active), timeout=0.0, max_records=10))


async def test_the_records_of_a_partition_become_one_batch(consumer: Consumer) -> None:
    kafka = FakeKafka({T0: 0, T1: 0})
    thread = attach(consumer, kafka)
    kafka.fetches = [{T0: raws([b"a", b"b"], 5), T1: raws([b"c"], 2, partition=1)}]
    fetched = await fetch(thread, kafka, T0, T1)
    ((first,), (second,)) = fetched[T0], fetched[T1]
    assert [record.value for record in first.records] == [b"a", b"b"]
    assert (first.next_offset, second.next_offset) == (7, 3)


async def test_a_topic_that_is_no_batch_topic_keeps_its_messages(consumer: Consumer) -> None:
    kafka = FakeKafka({OTHER: 0})
    kafka.fetches = [{OTHER: [Raw("plain", 0, 0, b"x")]}]
    fetched = await fetch(attach(consumer, kafka), kafka, OTHER)
    assert [record.value for record in fetched[OTHER]] == [b"x"]


async def test_control_records_behind_a_batch_are_committed_by_an_empty_one(consumer: Consumer) -> None:
    kafka = FakeKafka({T0: 0})
    thread = attach(consumer, kafka)
    kafka.fetches = [{T0: raws([b"a"])}]
    await fetch(thread, kafka, T0)
    assert await fetch(thread, kafka, T0) == {}, "nothing moved"
    kafka.positions[T0] = 9  # an aborted tail and a marker: the position moves, no record comes
    (empty,) = (await fetch(thread, kafka, T0))[T0]
    assert (len(empty), empty.next_offset) == (0, 9)
    assert await fetch(thread, kafka, T0) == {}


async def test_control_records_at_the_very_end_are_committed_after_a_seek_too(consumer: Consumer) -> None:
    kafka = FakeKafka({T0: 0}, committed={T0: 4})
    thread = attach(consumer, kafka)
    await thread.seek_to_committed()
    kafka.positions[T0] = 5
    (empty,) = (await fetch(thread, kafka, T0))[T0]
    assert (len(empty), empty.next_offset) == (0, 5)


async def test_partitions_without_a_committed_offset_or_with_zero_go_back_to_the_beginning(consumer: Consumer) -> None:
    kafka = FakeKafka({T0: 50, T1: 70}, committed={T0: None, T1: 0})
    await attach(consumer, kafka).seek_to_committed()
    assert kafka.positions == {T0: 0, T1: 0}


async def test_a_partition_that_does_not_go_back_is_an_error(consumer: Consumer) -> None:
    kafka = FakeKafka({T0: 50}, committed={T0: None})
    kafka.resets = False
    with pytest.raises(transport.SeekFailed, match="beginning"):
        await attach(consumer, kafka).seek_to_committed()


async def test_what_is_drained_while_a_seek_runs_is_thrown_away_and_sought_again(consumer: Consumer) -> None:
    kafka = FakeKafka({T0: 0}, committed={T0: 3})
    thread = attach(consumer, kafka)
    seeking, drained = asyncio.Event(), asyncio.Event()

    async def wait_for_seek() -> None:
        await seeking.wait()

    async def wait_for_drain() -> None:
        seeking.set()
        if kafka.seeks == 1:
            await drained.wait()

    kafka.before_fetch, kafka.during_seek = wait_for_seek, wait_for_drain
    kafka.fetches = [{T0: raws([b"too", b"early"], 10)}]
    fetching = asyncio.create_task(fetch(thread, kafka, T0))
    await asyncio.sleep(0)
    sought = asyncio.create_task(thread.seek_to_committed())
    assert await fetching == {}
    drained.set()
    await sought
    assert kafka.seeks == 2, "the drain moved the position under the first seek"
    assert kafka.positions[T0] == 3


async def test_nothing_is_fetched_while_a_seek_runs(consumer: Consumer) -> None:
    kafka = FakeKafka({T0: 0})
    thread = attach(consumer, kafka)
    kafka.fetches = [{T0: raws([b"a"])}]
    async with thread._seeking:
        assert await fetch(thread, kafka, T0) == {}
    assert len(kafka.fetches) == 1


async def test_a_batch_carries_the_epoch_of_the_last_seek_that_ended(consumer: Consumer) -> None:
    kafka = FakeKafka({T0: 0}, committed={T0: 1})
    thread = attach(consumer, kafka)
    kafka.fetches = [{T0: raws([b"old"])}, {T0: raws([b"new"], 1)}]
    (old,) = (await fetch(thread, kafka, T0))[T0]
    await consumer.perform_seek()
    (new,) = (await fetch(thread, kafka, T0))[T0]
    assert (old.epoch, new.epoch) == (0, 1)
    assert not consumer.ledger.accept(old)
    assert consumer.ledger.accept(new)


async def test_other_owners_are_fenced_before_the_committed_offsets_are_read(consumer: Consumer) -> None:
    kafka = FakeKafka({T0: 0, T1: 0}, committed={T0: 1, T1: 1})
    attach(consumer, kafka)
    calls = consumer.delivery.calls  # type: ignore[attr-defined]

    async def note() -> None:
        calls.append("read offsets")

    kafka.during_seek = note
    await consumer.perform_seek()
    assert calls == ["assign [0, 1] epoch 1", "read offsets"]


async def test_two_seeks_at_once_come_one_after_the_other(consumer: Consumer) -> None:
    kafka = FakeKafka({T0: 0, T1: 0}, committed={T0: 1, T1: 1})
    attach(consumer, kafka)
    calls = consumer.delivery.calls  # type: ignore[attr-defined]

    async def note() -> None:
        calls.append("seek begins")
        await asyncio.sleep(0.01)
        calls.append("seek ends")

    kafka.during_seek = note
    await asyncio.gather(consumer.perform_seek(), consumer.perform_seek())
    seek = ["seek begins", "seek ends"]
    assert calls == ["assign [0, 1] epoch 1", *seek, "assign [0, 1] epoch 2", *seek]


async def test_a_seek_that_fails_ends_the_process_instead_of_standing_still(consumer: Consumer) -> None:
    kafka = FakeKafka({T0: 0, T1: 0})

    async def fail() -> None:
        raise ConnectionError("no broker")

    kafka.during_seek = fail
    attach(consumer, kafka)
    with pytest.raises(Left) as left:
        await consumer.perform_seek()
    assert left.value.code == EXIT_UNEXPECTED


async def test_a_seek_that_hangs_ends_the_process_before_faust_gives_it_up_silently(
    consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka = FakeKafka({T0: 0, T1: 0})
    kafka.during_seek = asyncio.Event().wait
    attach(consumer, kafka)
    monkeypatch.setattr(transport, "SEEK_SHARE", 0.001)
    with pytest.raises(Left, match="TimeoutError"):
        await consumer.perform_seek()


async def test_a_seek_that_a_rebalance_cuts_short_is_left_to_the_next(consumer: Consumer) -> None:
    kafka = FakeKafka({T0: 0, T1: 0})

    async def rebalance() -> None:
        kafka.assignment = object()  # of the same partitions, maybe
        raise ConnectionError("not ours any more")

    kafka.during_seek = rebalance
    attach(consumer, kafka)
    with pytest.raises(RebalanceAgain):  # any other error would end Faust's recovery, and the worker with it
        await consumer.perform_seek()


async def test_without_partitions_there_is_nothing_to_seek(consumer: Consumer) -> None:
    attach(consumer, FakeKafka({}))
    consumer.assignment = set  # type: ignore[method-assign,assignment]
    await consumer.perform_seek()
    assert consumer.delivery.calls == []  # type: ignore[attr-defined]


async def test_faust_commits_what_is_done_at_least_once(consumer: Consumer) -> None:
    first = batch(0, 9)
    consumer.ledger.accept(first)
    assert consumer._new_offset(T0) is None
    first.done()
    assert list(consumer._filter_tps_with_pending_acks()) == [T0]
    assert consumer._new_offset(T0) == 10


async def test_faust_commits_nothing_where_transactions_do(consumer: Consumer) -> None:
    consumer.delivery.commits_offsets = True
    first = batch(0, 9)
    consumer.ledger.accept(first)
    first.done()
    assert consumer._new_offset(T0) is None


async def test_an_abandoned_batch_ends_the_process(consumer: Consumer) -> None:
    head, later = batch(0, 9), batch(10, 19)
    consumer.ledger.accept(head)
    consumer.ledger.accept(later)
    later.done()
    with pytest.raises(Left, match="abandoned"):
        consumer._new_offset(T0)


async def test_the_acks_that_faust_makes_by_itself_permit_no_commit_and_do_not_pile_up(consumer: Consumer) -> None:
    first = batch(0, 9)
    consumer.ledger.accept(first)
    consumer._acked[T0].append(9)  # what Faust's compiled stream does when the agent raises, or is cancelled
    consumer._acked_index[T0].add(9)
    assert consumer._new_offset(T0) is None
    assert not consumer._acked.get(T0)
    assert not consumer._acked_index.get(T0)


async def test_faust_never_drops_a_batch_by_its_own_count_of_what_was_read(consumer: Consumer) -> None:
    consumer._read_offset[T0] = 500  # a stale batch's offset, noted after the seek
    assert consumer._read_offset[T0] is None
    consumer._read_offset[OTHER] = 500
    assert consumer._read_offset[OTHER] == 500


async def test_a_stale_batch_never_reaches_the_conductor(consumer: Consumer) -> None:
    delivered = []

    async def conductor(message: Any) -> None:
        delivered.append(message.value)

    consumer._to_conductor = conductor
    stale = consumer._to_message(T0, batch(0, 9, epoch=0))
    consumer.ledger.begin_seek()
    fresh = batch(0, 9, epoch=1)
    await consumer._deliver(stale)
    await consumer._deliver(consumer._to_message(T0, fresh))
    assert delivered == [fresh]


async def test_an_empty_batch_is_a_message_at_the_offset_before_the_next(consumer: Consumer) -> None:
    message = consumer._to_message(T0, Batch(T0, [], 0, 9))
    assert (message.offset, message.tp) == (8, T0)


async def test_the_consumer_reads_committed_records_only(consumer: Consumer) -> None:
    made = consumer._thread._create_worker_consumer(consumer.transport)
    assert made._isolation_level == "read_committed"
    await made.stop()


async def test_an_agent_that_raises_is_not_restarted_in_silence(consumer: Consumer) -> None:
    assert consumer.app.conf.agent_supervisor is mode.CrashingSupervisor
