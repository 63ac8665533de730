"""Making the topics of the table, and looking at them."""

from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from teachback.schemas.topics import BY_NAME, DLQ_CONFIG, TOPICS
from teachback.schemas.wire import Cluster, TopicMismatch, admin


class TopicState(NamedTuple):
    """One topic as the table wants it and as the cluster has it. `found` is None while it is missing."""

    name: str
    full_name: str
    wanted: int
    found: int | None
    config: dict[str, str]


def wanted(cluster: Cluster) -> dict[str, dict[str, str]]:
    """Table name → configuration, dead-letter topics included."""
    rows: dict[str, dict[str, str]] = {topic.name: topic.config() for topic in TOPICS}
    rows |= {topic.dlq: DLQ_CONFIG for topic in TOPICS if topic.dead_letters}
    if cluster.replication >= 3:
        rows = {name: config | {"min.insync.replicas": "2"} for name, config in rows.items()}
    return rows


def show(cluster: Cluster, timeout: float = 20.0) -> list[TopicState]:
    """Every topic of the table beside what the cluster has. Raises TopicMismatch when Kafka does not answer."""
    return _states(admin(cluster), cluster, timeout)


def apply(cluster: Cluster, timeout: float = 30.0) -> list[str]:
    """Make what is missing, and return its names; running it again changes nothing.

    Raises TopicMismatch, before anything is made, naming every topic whose number of partitions is not the table's.
    """
    client = admin(cluster)
    states = _states(client, cluster, timeout)
    changed = [
        f"{s.full_name!r} has {s.found} partitions, not {s.wanted}" for s in states if s.found not in {None, s.wanted}
    ]
    if changed:
        raise TopicMismatch(
            f"{'; '.join(changed)}: partition counts are frozen, because keys would move. "
            "Set `kafka.partitions` back, or use another `kafka.prefix` and start anew"
        )
    missing = [state for state in states if state.found is None]
    new = [NewTopic(s.full_name, s.wanted, cluster.replication, config=s.config) for s in missing]
    for name, future in (client.create_topics(new, operation_timeout=timeout) if new else {}).items():
        try:
            future.result(timeout)
        except KafkaException as exc:
            if exc.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise TopicMismatch(f"topic {name!r} can't be made: {exc.args[0].str()}") from exc
    return [state.full_name for state in missing]


def _states(client: AdminClient, cluster: Cluster, timeout: float) -> list[TopicState]:
    try:
        metadata = client.list_topics(timeout=timeout).topics
    except KafkaException as exc:
        raise TopicMismatch(f"Kafka does not answer at {cluster.bootstrap}: {exc.args[0].str()}") from exc
    states = []
    for name, config in wanted(cluster).items():
        full_name = cluster.topic(name)
        found = metadata.get(full_name)
        partitions = BY_NAME[name.removesuffix(".dlq")].partitions or cluster.partitions
        states.append(TopicState(name, full_name, partitions, len(found.partitions) if found else None, config))
    return states
