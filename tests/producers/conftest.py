"""An in-process stand-in for a broker (librdkafka's own), enough for what the SDK promises."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition

from teachback.schemas.wire import Cluster, consumer


class MockBroker:
    """One broker; topics of four partitions appear on first use."""

    def __init__(self) -> None:
        self._owner = Producer({"bootstrap.servers": "x", "test.mock.num.brokers": 1, "log_level": 0})
        (broker,) = self._owner.list_topics(timeout=10).brokers.values()
        self.cluster = Cluster(bootstrap=f"{broker.host}:{broker.port}")

    def messages(self, topic: str, count: int) -> list[Message]:
        """The first `count` messages of a topic, in offset order a partition."""
        reader: Consumer = consumer(self.cluster, "reader")
        partitions = reader.list_topics(topic, timeout=10).topics[topic].partitions
        reader.assign([TopicPartition(topic, p, 0) for p in partitions])
        found: list[Message] = []
        deadline = time.monotonic() + 20
        while len(found) < count and time.monotonic() < deadline:
            found += [one for one in reader.consume(count - len(found), 0.2) if one.error() is None]
        reader.close()
        return found


@pytest.fixture
def broker() -> Iterator[MockBroker]:
    yield MockBroker()
