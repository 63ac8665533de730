"""`Tail` on a real Kafka: all there is, and then all there was when one asked."""

from __future__ import annotations

import pytest
from confluent_kafka import TopicPartition

from teachback.infra.policy import default
from teachback.schemas import Policy
from teachback.schemas.log import Tail
from teachback.schemas.wire import Cluster, encode, producer
from tests.kafka_fixture import KafkaCluster

pytestmark = pytest.mark.kafka
TOPIC = "loop.policy"


@pytest.fixture
def cluster(kafka: KafkaCluster, prefix: str) -> Cluster:
    kafka.create(f"{prefix}{TOPIC}", 1)
    return Cluster(bootstrap=kafka.bootstrap, prefix=prefix)


def write(cluster: Cluster, *bots: str) -> None:
    writer = producer(cluster)
    for bot in bots:
        writer.produce(cluster.topic(TOPIC), encode(default(bot)), bot.encode())
    assert writer.flush(30) == 0


def delete(kafka: KafkaCluster, cluster: Cluster, before: int) -> None:
    admin = kafka.admin
    for done in admin.delete_records([TopicPartition(cluster.topic(TOPIC), 0, before)]).values():
        done.result(30)


def bots(records: object) -> list[str | None]:
    return [record.event and record.event.bot for record in records]  # type: ignore[attr-defined]


def test_it_begins_with_what_retention_left(kafka: KafkaCluster, cluster: Cluster) -> None:
    write(cluster, "a", "b", "c")
    delete(kafka, cluster, 2)
    with Tail(cluster, TOPIC, (Policy,)) as tail:
        assert bots(tail.catch_up()) == ["c"]


def test_of_a_topic_that_is_all_deleted_it_reads_nothing_and_then_what_comes(
    kafka: KafkaCluster, cluster: Cluster
) -> None:
    write(cluster, "a")
    delete(kafka, cluster, 1)
    with Tail(cluster, TOPIC, (Policy,)) as tail:
        assert bots(tail.catch_up()) == []
        write(cluster, "b")
        assert bots(tail.current()) == ["b"]


def test_the_newest_are_so_many_offsets_before_the_end_and_all_that_comes(cluster: Cluster) -> None:
    write(cluster, "a", "b", "c")
    with Tail(cluster, TOPIC, (Policy,), newest=2) as tail:
        write(cluster, "d")
        assert bots(tail.catch_up()) == ["b", "c", "d"]
        write(cluster, "e")
        assert bots(tail.current()) == ["e"]
    with Tail(cluster, TOPIC, (Policy,), newest=100) as tail:
        assert bots(tail.catch_up()) == ["a", "b", "c", "d", "e"]


def test_current_has_everything_that_was_there_when_it_was_called(cluster: Cluster) -> None:
    with Tail(cluster, TOPIC, (Policy,)) as tail:
        assert bots(tail.catch_up()) == bots(tail.current()) == []
        for number in range(5):
            write(cluster, f"bot-{number}")
            assert bots(tail.current()) == [f"bot-{number}"]
        assert bots(tail.current()) == []
