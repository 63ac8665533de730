"""Three topics, every partition, read on from where the store is. No group: the store owns the offsets."""

import logging
from collections.abc import Mapping

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from teachback.schemas.wire import Cluster, Headers, consumer, is_fatal
from teachback.streams.feedback.batch import Batch, Position, Raw
from teachback.streams.feedback.errors import OffsetLost
from teachback.streams.feedback.logtime import LogTime

OPTIONS = {
    "auto.offset.reset": "error",  # what to do about lost records is decided by who opens the store
    "enable.partition.eof": True,
    "queued.max.messages.kbytes": 8192,  # a partition; the default of 64 MiB is too much for all of them
}
log = logging.getLogger(__name__)


class Reader:
    """Reads from `positions` on, and keeps the log's time."""

    def __init__(self, cluster: Cluster, positions: Mapping[Position, int]) -> None:
        self.time = LogTime(positions)
        self._consumer: Consumer = consumer(cluster, "feedback", OPTIONS)
        self._consumer.assign([TopicPartition(*each, next_) for each, next_ in positions.items()])

    def read(self, batch: Batch, most: int, seconds: float) -> int:
        """Read what comes within `seconds`, at most `most` records, into `batch`; how many there were.

        Raises OffsetLost, or KafkaException for what does not pass by itself.
        """
        messages = self._consumer.consume(most, seconds)
        return sum(self._take(message, batch) for message in messages)

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()

    def _take(self, message: Message, batch: Batch) -> int:
        if (error := message.error()) is not None:
            self._look_at(error, message)
            return 0
        raw = _raw(message)
        batch.take(raw)
        self.time.read((raw.topic, raw.partition), raw.timestamp)
        return 1

    def _look_at(self, error: KafkaError, message: Message) -> None:
        topic, partition = message.topic(), message.partition()
        if error.code() == KafkaError._PARTITION_EOF and topic is not None and partition is not None:
            self.time.ended((topic, partition))
        elif error.code() in {KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE}:
            raise OffsetLost(f"{topic}[{partition}] does not have what comes next ({error.str()}): start again")
        elif is_fatal(error):
            raise KafkaException(error)
        else:
            log.warning("%s", error.str())


def _raw(message: Message) -> Raw:
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    assert topic is not None and partition is not None and offset is not None  # errors alone are without
    marks: Headers = message.headers() or []  # type: ignore[assignment]  # a list, whatever the annotation says
    return Raw(topic, partition, offset, message.timestamp()[1], message.key(), message.value(), marks)
