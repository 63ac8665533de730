"""Reading a topic whole: how every local view is rebuilt from the log, and then kept up to date.

    view = Tail(cluster, "models.adapters", (AdapterAlias, AdapterRegistered))
    for record in view.catch_up():      # first, once: all there is, up to the end as it stands now
        fold(record.event)
    while running:
        for record in view.poll(1.0):   # what has come since
            fold(record.event)

A `Tail` joins no group and commits nothing: it assigns itself the partitions, from the beginning or, with `newest`,
from so many offsets before the end of each. Records come in offset order within a partition. Tombstones come with
`event=None`. A record that is no valid event is skipped and counted in `bad`: a reader of the log must not stop for
what a writer could not have written.
"""

import time
from collections.abc import Iterator, Sequence
from typing import Generic, NamedTuple, Self, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from teachback.schemas.event import Event
from teachback.schemas.wire import BadEvent, Cluster, consumer, decode, is_fatal

E = TypeVar("E", bound=Event)
# an end is told with the answer to a fetch, which waits for news for half a second unless it is told otherwise
ANSWER_SECONDS = 30.0
OPTIONS = {"enable.partition.eof": True, "fetch.wait.max.ms": 100}


class Record(NamedTuple, Generic[E]):
    """An event and where it stands. `event` is None for a tombstone of `key`. `timestamp` is the broker's, in ms."""

    event: E | None
    key: str
    partition: int
    offset: int
    timestamp: int


class Tail(Generic[E]):
    """One topic, from its beginning onwards or its newest offsets, all partitions or some.

    Raises KafkaException when ends are asked for (`newest`) and the broker does not answer for thirty seconds.
    """

    def __init__(
        self,
        cluster: Cluster,
        topic: str,
        kinds: tuple[type[E], ...],
        partitions: Sequence[int] | None = None,
        newest: int | None = None,
    ) -> None:
        self.topic = cluster.topic(topic)
        self.kinds = kinds
        self.bad = 0
        chosen = range(cluster.partitions_of(topic)) if partitions is None else partitions
        self._unread = set(chosen)  # partitions whose end has not been seen yet
        self._cluster = cluster
        self._asker: Consumer | None = None
        # partition → offset that reading has come to, markers included
        self._reached = {p: 0 if newest is None else self._before_end(p, newest) for p in chosen}
        self._consumer = consumer(cluster, f"tail-{topic}", OPTIONS)
        # 0 and not OFFSET_BEGINNING, which is looked up, half a second later; where 0 is gone, the earliest there is
        self._consumer.assign([TopicPartition(self.topic, p, offset) for p, offset in self._reached.items()])

    def catch_up(self, timeout: float = 60.0) -> Iterator[Record[E]]:
        """Everything up to the end of each partition. Raises TimeoutError when nothing moves for `timeout` seconds.

        The end is where the broker says it is: behind the last record there may be transaction markers, so comparing
        offsets of records with the high watermark would wait for ever.
        """
        quiet_since = time.monotonic()
        while self._unread:
            ends = len(self._unread)
            records = self.poll(0.02)  # this waits for a thousand records, or so long
            yield from records
            if records or len(self._unread) < ends:
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since > timeout:
                raise TimeoutError(f"{self.topic}: no end in sight after {timeout:.0f} s without a record")

    def current(self, timeout: float = ANSWER_SECONDS) -> list[Record[E]]:
        """What has come since, with everything that the broker had when this was called.

        One round trip to the broker a partition when there is nothing new. Raises KafkaException on a fatal error, or
        when the broker has not answered for `timeout` seconds.
        """
        until = time.monotonic() + timeout
        found: list[Record[E]] = []
        for partition in self._reached:
            end = self._end(partition, until)
            while self._reached[partition] < end:
                found += self.poll(0.05)
                if time.monotonic() > until:
                    raise TimeoutError(f"{self.topic}[{partition}]: not read up to {end} in {timeout:.0f} s")
        return found

    def _before_end(self, partition: int, count: int) -> int:
        return max(0, self._end(partition, time.monotonic() + ANSWER_SECONDS) - count)

    def _end(self, partition: int, until: float) -> int:
        """The end of what is committed, as the broker has it now."""
        if self._asker is None:
            # the other one's connection is busy with a fetch that waits for news: a question would wait behind it
            self._asker = consumer(self._cluster, f"ends-{self.topic}")
        while True:
            try:
                _, end = self._asker.get_watermark_offsets(TopicPartition(self.topic, partition), timeout=5.0)
                return int(end)
            except KafkaException as exc:  # restarting, or electing a leader: librdkafka connects again by itself
                if is_fatal(exc.args[0]) or time.monotonic() > until:
                    raise

    def poll(self, timeout: float) -> list[Record[E]]:
        """What has come since, waiting for at most `timeout` seconds. Raises KafkaException on a fatal error."""
        messages = self._consumer.consume(1000, timeout)
        return [record for message in messages if (record := self._record(message)) is not None]

    def close(self) -> None:
        """Let go of the connections."""
        self._consumer.close()
        if self._asker is not None:
            self._asker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _record(self, message: Message) -> Record[E] | None:
        partition, offset = message.partition(), message.offset()
        if (error := message.error()) is not None:
            if error.code() == KafkaError._PARTITION_EOF and partition is not None:
                self._unread.discard(partition)
                self._reached[partition] = max(self._reached[partition], offset or 0)
            elif is_fatal(error):
                raise KafkaException(error)
            return None
        key, value = message.key(), message.value()
        assert partition is not None and offset is not None
        self._reached[partition] = offset + 1
        try:
            event = None if value is None else decode(_bytes(value), *self.kinds)
        except BadEvent:
            self.bad += 1
            return None
        return Record(event, _bytes(key or b"").decode(errors="replace"), partition, offset, message.timestamp()[1])


def _bytes(value: bytes | str) -> bytes:
    return value if isinstance(value, bytes) else value.encode()
