"""The exchange itself, fetched from `chat.exchanges` by partition and offset when a reviewer has to see it.

Each fetch has a consumer of its own: a new one has its first record after some 10 ms; one that was idle moves to
another offset at a tick of librdkafka, which may be a second away [2.16].
"""

import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from teachback.schemas import Exchange
from teachback.schemas.wire import BadEvent, Cluster, consumer, decode
from teachback.streams.feedback.batch import EXCHANGES
from teachback.streams.feedback.errors import TextUnavailable
from teachback.streams.feedback.join import Place

PATIENCE_SECONDS = 30.0
DELETED = {KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE}
OPTIONS = {
    "auto.offset.reset": "error",
    "enable.partition.eof": True,
    "queued.min.messages": 1,  # one record is wanted, so what would be fetched ahead is thrown away
    "fetch.message.max.bytes": 65_536,  # a larger record comes all the same
    "fetch.queue.backoff.ms": 10,  # the next assignment waits for this, and for a fetch at the end
    "fetch.wait.max.ms": 10,
}
log = logging.getLogger(__name__)


class Texts:
    """Fetches exchanges. Joins no group and commits nothing."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._topic = cluster.topic(EXCHANGES)

    def fetch(self, places: Sequence[Place]) -> dict[str, Exchange]:
        """Exchange id → exchange; without those that were deleted. Raises TextUnavailable when Kafka is silent."""
        left: dict[int, list[Place]] = defaultdict(list)
        for place in sorted(places, key=lambda each: each.offset, reverse=True):
            left[place.partition].append(place)
        found: dict[str, Exchange] = {}
        with closing(consumer(self._cluster, "feedback-texts", OPTIONS)) as reader:
            while left:
                found |= self._round(reader, [some.pop() for some in left.values()])
                left = {partition: some for partition, some in left.items() if some}
        return found

    def _round(self, reader: Consumer, places: Sequence[Place]) -> dict[str, Exchange]:
        """One place of each partition."""
        missing, found = {place.partition: place for place in places}, dict[str, Exchange]()
        reader.assign([TopicPartition(self._topic, place.partition, place.offset) for place in places])
        deadline = time.monotonic() + PATIENCE_SECONDS
        while missing:
            if time.monotonic() > deadline:
                raise TextUnavailable(f"Kafka does not give {self._topic}, partitions {sorted(missing)}")
            message = reader.poll(0.2)
            if message is None or (place := missing.get(_number(message.partition()))) is None:
                continue
            error = message.error()
            if _answers(message, place):
                del missing[place.partition]
                if error is None and (exchange := _exchange(message, place)) is not None:
                    found[place.exchange] = exchange
            elif error is not None and error.fatal():
                raise TextUnavailable(f"cannot read {self._topic}: {error.str()}") from KafkaException(error)
        return found


def _answers(message: Message, place: Place) -> bool:
    """Whether it says what is at the place, or that nothing is; it may be left over from an earlier round."""
    error, offset = message.error(), _number(message.offset())
    if error is None:
        return offset >= place.offset
    return error.code() in DELETED or (error.code() == KafkaError._PARTITION_EOF and offset <= place.offset)


def _exchange(message: Message, place: Place) -> Exchange | None:
    """The exchange that a message holds, if it is the one that was seen there."""
    if message.offset() != place.offset:
        return None
    try:
        exchange = decode(message.value(), Exchange)
    except BadEvent as bad:  # scoring decoded it: then it is not what was there
        log.warning("%d:%d of %s: %s", place.partition, place.offset, message.topic(), bad)
        return None
    return exchange if exchange.id == place.exchange else None


def _number(number: int | None) -> int:
    return -1 if number is None else number
