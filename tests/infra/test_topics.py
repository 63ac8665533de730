"""`teachback topics`: made once, never changed behind anybody's back."""

from __future__ import annotations

import msgspec
import pytest
from confluent_kafka.admin import ConfigResource

from teachback.infra.topics import apply, show, wanted
from teachback.schemas.topics import TOPICS
from teachback.schemas.wire import Cluster, TopicMismatch
from tests.kafka_fixture import KafkaCluster


def test_a_cluster_that_replicates_asks_for_two_in_sync() -> None:
    assert {"min.insync.replicas": "2"}.items() <= wanted(Cluster(bootstrap="x", replication=3))["chat.scored"].items()
    assert "min.insync.replicas" not in wanted(Cluster(bootstrap="x"))["chat.scored"]


def test_a_cluster_that_does_not_answer_is_named() -> None:
    with pytest.raises(TopicMismatch, match=r"does not answer at 127\.0\.0\.1:1"):
        show(Cluster(bootstrap="127.0.0.1:1"), timeout=0.5)


@pytest.mark.kafka
def test_applying_twice_makes_everything_once_with_the_tables_configuration(kafka: KafkaCluster, prefix: str) -> None:
    cluster = Cluster(bootstrap=kafka.bootstrap, prefix=prefix, partitions=2)
    made = apply(cluster)
    assert len(made) == len(TOPICS) + sum(topic.dead_letters for topic in TOPICS)
    assert all(name.startswith(prefix) for name in made)
    assert apply(cluster) == []
    states = {state.name: state for state in show(cluster)}
    assert {state.found for state in states.values()} == {1, 2}
    assert all(state.found == state.wanted for state in states.values())
    resource = ConfigResource(ConfigResource.Type.TOPIC, cluster.topic("review.requests"))
    client = kafka.admin
    found = client.describe_configs([resource])[resource].result(20)
    for key, value in states["review.requests"].config.items():
        assert found[key].value == value


@pytest.mark.kafka
def test_only_what_is_missing_is_made(kafka: KafkaCluster, prefix: str) -> None:
    cluster = Cluster(bootstrap=kafka.bootstrap, prefix=prefix, partitions=1)
    kafka.create(cluster.topic("chat.exchanges"), 1)
    assert cluster.topic("chat.exchanges") not in apply(cluster)


@pytest.mark.kafka
def test_a_changed_partition_count_is_refused_by_name_and_nothing_is_made(kafka: KafkaCluster, prefix: str) -> None:
    cluster = Cluster(bootstrap=kafka.bootstrap, prefix=prefix, partitions=3)
    kafka.create_all({cluster.topic("chat.exchanges"): 3, cluster.topic("chat.scored"): 3})
    changed = msgspec.structs.replace(cluster, partitions=5)
    with pytest.raises(TopicMismatch) as caught:
        apply(changed)
    for name in ("chat.exchanges", "chat.scored"):
        assert f"'{prefix}{name}' has 3 partitions, not 5" in str(caught.value)
    assert "kafka.partitions" in str(caught.value)
    assert {state.name for state in show(changed) if state.found} == {"chat.exchanges", "chat.scored"}
