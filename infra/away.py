"""Kafka that does not answer: noticed before a command waits for it, and told with what to do."""

from confluent_kafka import KafkaError, KafkaException

from teachback.infra.settings import Installation
from teachback.schemas.wire import Cluster, admin

ANSWER_S = 10.0
TO_DO = "start it, or mend `kafka.bootstrap`"

NODE = {"new": "never started", "stopped": "stopped", "running": "running"}
"""The states of the local node, in words."""


class KafkaAway(Exception):
    """Kafka is stopped, or does not answer; the message says where, and what to do."""


def answering(installation: Installation, timeout: float = ANSWER_S) -> Cluster:
    """The cluster, for a command that needs it now. Parts, which may wait for it, take `installation.cluster`.

    Raises KafkaAway, at once where the local node is known to be stopped; SettingsError before its first start.
    """
    from teachback.infra.kafka.node import status

    cluster = installation.cluster
    if installation.local_kafka and status(installation.home / "kafka").state == "stopped":
        raise KafkaAway("Kafka is stopped here: start it with `teachback up` or `teachback kafka start`")
    try:
        admin(cluster).list_topics(timeout=timeout)
    except KafkaException as exc:
        do = f"see {installation.home / 'logs' / 'kafka.log'}" if installation.local_kafka else TO_DO
        raise KafkaAway(f"Kafka does not answer at {cluster.bootstrap}: {reason(exc)}; {do}") from exc
    return cluster


def reason(exc: KafkaException) -> str:
    """What librdkafka said, in its words."""
    error = exc.args[0] if exc.args else None
    return error.str() if isinstance(error, KafkaError) else str(exc)
