"""Faust's aiokafka transport with another unit: a batch instead of a message. See the package's docstring.

Two threads meet here. `ConsumerThread` owns aiokafka and its event loop; `Consumer` lives in the main thread with
everything else of Faust. Each attribute says whose it is.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from aiokafka import AIOKafkaConsumer  # type: ignore[import-untyped]
from faust.tables.recovery import RebalanceAgain
from faust.transport.consumer import RecordMap
from faust.transport.drivers import TRANSPORTS
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage, Message

from teachback.streams.batches.batch import Batch
from teachback.streams.batches.errors import EXIT_UNEXPECTED, HeadAbandoned, SeekFailed, leave
from teachback.streams.batches.ledger import Ledger

if TYPE_CHECKING:
    from teachback.streams.batches.worker import BatchApp

SCHEME = "batches"
SEEK_SHARE = 0.9  # of broker_request_timeout: past that, Faust drops its recovery without a word
SEEKING_PAUSE = 0.02  # seconds between two looks whether a seek is over
BUSY_PAUSE = 0.01  # seconds between two looks whether a partition has room for more


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """Fetches, and makes a batch of what was fetched. Everything here belongs to the consumer's thread."""

    consumer: "Consumer"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._seeking = asyncio.Lock()
        self._drained_while_seeking = False
        self._epoch = 0  # of the last seek that ended: what batches fetched from now on carry
        self._sent: dict[TP, int] = {}  # the position behind the last batch, by partition

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"  # Faust sets this with its own exactly_once alone
        return consumer

    async def _fetch_records(
        self,
        consumer: AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109 - Faust's signature
        max_records: int | None = None,
    ) -> RecordMap:
        if self._seeking.locked():  # what we would take now may be behind the seek, or before it
            await asyncio.sleep(SEEKING_PAUSE)
            return {}
        active = set(active_partitions)  # the main thread changes it meanwhile: copied in one step
        free = {tp for tp in active if self._has_room(tp)}
        if active and not free:
            await asyncio.sleep(BUSY_PAUSE)
            return {}
        timeout = timeout if free == active else BUSY_PAUSE
        fetched = await super()._fetch_records(consumer, free, timeout=timeout, max_records=max_records)
        if self._seeking.locked():  # a seek began while we waited: positions have moved on under it
            self._drained_while_seeking |= bool(fetched)
            return {}
        return self._in_batches(consumer, fetched, free)

    def _has_room(self, tp: TP) -> bool:
        """Whether to fetch more of a partition.

        What waits in Kafka grows into a larger batch; what waits here stays as small as it was fetched, and each batch
        costs a transaction. So a partition with work enough is left alone.
        """
        return tp.topic not in self.consumer.batched or self.consumer.ledger.has_room(tp)

    def _in_batches(self, consumer: AIOKafkaConsumer, fetched: RecordMap, active: Collection[TP]) -> RecordMap:
        batched = self.consumer.batched
        out = {tp: records for tp, records in fetched.items() if tp.topic not in batched}
        for tp in {*fetched, *active}:
            if tp.topic in batched:
                records = list(fetched.get(tp, ()))
                position = _position(consumer, tp)
                # no records, yet the position moved: control records or aborted ones. An empty batch commits them
                if position is not None and (records or position > self._sent.get(tp, position)):
                    out[tp] = [Batch(tp, records, self._epoch, position)]
                if position is not None:
                    self._sent[tp] = position
        return out

    @property
    def given(self) -> object:
        """What the group gave us last: another object after each rebalance, even for the same partitions."""
        subscription = self._ensure_consumer()._subscription.subscription
        return subscription.assignment if subscription is not None else None

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek every partition to its committed offset, or to the beginning where there is none."""
        offsets: Mapping[TP, int] = await self.call_thread(self._seek_to_committed, self.consumer.ledger.epoch)
        return offsets

    async def _seek_to_committed(self, epoch: int) -> Mapping[TP, int]:
        async with self._seeking:  # a cancelled perform_seek leaves its seek running here
            consumer = self._ensure_consumer()
            while True:
                self._drained_while_seeking = False
                offsets = await consumer.seek_to_committed()
                # aiokafka leaves partitions without a committed offset, or with offset 0, where they are
                untouched = [tp for tp, offset in offsets.items() if not offset]
                if untouched and not await consumer.seek_to_beginning(*untouched):
                    raise SeekFailed(f"{untouched} did not go back to the beginning in time")
                if not self._drained_while_seeking:
                    break
            self._sent = {tp: offset for tp, offset in offsets.items() if offset}
            self._epoch = epoch
            return cast(Mapping[TP, int], offsets)


def _position(consumer: AIOKafkaConsumer, tp: TP) -> int | None:
    """The offset to fetch next, without waiting (the public `position` waits until there is one)."""
    assignment = consumer._subscription.subscription.assignment
    state = assignment.state_value(tp) if assignment is not None else None
    return state.position if state is not None and state.has_valid_position else None


class ReadOffsets(defaultdict[TP, int | None]):
    """Faust's read offsets, by which it drops messages that it has seen. For batches the epoch decides instead."""

    def __init__(self, batched: Collection[str]) -> None:
        super().__init__(lambda: None)
        self._batched = batched

    def __getitem__(self, tp: TP) -> int | None:
        return None if tp.topic in self._batched else super().__getitem__(tp)


class Consumer(driver.Consumer):
    """Delivers batches, rewinds them, and commits what is done. Everything here belongs to the main thread."""

    app: "BatchApp"
    _thread: ConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.ledger = Ledger()
        self._seek_lock = asyncio.Lock()  # Faust's recovery and its fetcher may both want to seek
        super().__init__(*args, **kwargs)
        self.batched = self.app.batched
        self.delivery = self.app.delivery
        self._read_offset = ReadOffsets(self.batched)
        self._to_conductor, self.callback = self.callback, self._deliver

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def _to_message(self, tp: TP, record: Any) -> ConsumerMessage:
        if not isinstance(record, Batch):
            return super()._to_message(tp, record)
        last = record.records[-1] if record.records else None
        return ConsumerMessage(
            topic=tp.topic,
            partition=tp.partition,
            offset=last.offset if last else record.next_offset - 1,
            timestamp=last.timestamp / 1000.0 if last else time.time(),
            timestamp_type=last.timestamp_type if last else 0,
            headers=[],
            key=None,
            value=cast(bytes, record),  # handed through undecoded, see BatchSchema
            checksum=None,
            serialized_key_size=0,
            serialized_value_size=0,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )

    async def _deliver(self, message: Message) -> None:
        batch: Any = message.value
        if not isinstance(batch, Batch) or self.ledger.accept(batch):
            await self._to_conductor(message)

    async def perform_seek(self) -> None:
        """Fence other owners, go back to the committed offsets, and start a new epoch."""
        async with self._seek_lock:
            given = self._thread.given
            try:
                await asyncio.wait_for(self._rewind(), SEEK_SHARE * self.app.conf.broker_request_timeout)
            except Exception as exc:
                if self.should_stop:
                    raise
                if self._thread.given is not given:  # Faust seeks again for what the group has given since
                    raise RebalanceAgain from exc
                leave(EXIT_UNEXPECTED, f"cannot go back to the committed offsets: {exc!r}")

    async def _rewind(self) -> None:
        epoch = self.ledger.begin_seek()
        mine = {tp for tp in self.assignment() if tp.topic in self.batched}
        if not mine:
            return
        await self.delivery.assign(mine, epoch)  # first fence, then read what the fenced one committed
        await super().perform_seek()
        self.ledger.end_seek()

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        yield from (tp for tp in super()._filter_tps_with_pending_acks(topics) if tp.topic not in self.batched)
        for tp in self.ledger.partitions():
            if topics is None or tp in topics or tp.topic in topics:
                yield tp

    def _new_offset(self, tp: TP) -> int | None:
        if tp.topic not in self.batched:
            return super()._new_offset(tp)
        # Faust notes its own acks, one a batch, and would keep them for ever: for batches they mean nothing
        self._acked.pop(tp, None)
        self._acked_index.pop(tp, None)
        try:
            offset = self.ledger.committable(tp)
        except HeadAbandoned as exc:
            leave(EXIT_UNEXPECTED, str(exc))
        return None if self.delivery.commits_offsets else offset

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        if tp.topic not in self.batched:
            await super()._add_gap(tp, offset_from, offset_to)

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Faust's watch over its own acks would cry wolf on batches; the ledger watches those."""
        if tp.topic not in self.batched:
            super().verify_event_path(now, tp)


class Transport(driver.Transport):
    """The `batches://` scheme."""

    Consumer = Consumer


def register() -> None:
    """Make the scheme known to Faust."""
    TRANSPORTS.aliases[SCHEME] = f"{__name__}:Transport"
