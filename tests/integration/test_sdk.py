"""The SDK and a real Kafka that goes away and comes back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from teachback import Teachback
from teachback.infra.kafka.node import Node
from teachback.schemas import Exchange
from teachback.schemas.log import Tail
from teachback.schemas.wire import Cluster
from tests.kafka_fixture import KafkaCluster

pytestmark = pytest.mark.kafka


def test_what_was_emitted_while_kafka_was_down_arrives_once_when_it_is_back(private_kafka: Callable[..., Node]) -> None:
    node = private_kafka()
    KafkaCluster(node.bootstrap).create("chat.exchanges", 4)
    cluster = Cluster(bootstrap=node.bootstrap)
    with Teachback(bot="support", cluster=cluster, strict=True) as sdk:
        emit = lambda: sdk.exchange(messages=[{"role": "user", "content": "q"}], answer="a")  # noqa: E731
        names = [emit() for _ in range(50)]
        node.kill()
        names += [emit() for _ in range(50)]
        assert sdk.stats().dropped == 0
        node.start()
        names += [emit() for _ in range(50)]
        assert sdk.flush(60)
        assert sdk.stats().delivered == 150
    with Tail(cluster, "chat.exchanges", (Exchange,)) as tail:
        found = [record.event.id for record in tail.catch_up() if record.event is not None]
    assert sorted(found) == sorted(names)
