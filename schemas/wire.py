"""On and off the wire: JSON bytes, headers, and the clients that every part uses.

One producer configuration (idempotent, `acks=all`, `murmur2_random`) and one consumer configuration (`read_committed`,
commits by hand) stand here, so that no part can differ from another in how it partitions or what it sees.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeVar

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from teachback.schemas.event import Event, event_name
from teachback.schemas.topics import BY_NAME, MAX_EVENT_BYTES

E = TypeVar("E", bound=Event)
Headers = list[tuple[str, bytes]]
_encoder = msgspec.json.Encoder(order="deterministic")


class WireError(Exception):
    """Something on the wire is not what the contract says.

    WireError
    ├── BadEvent        bytes that are no event of the expected kind
    └── TopicMismatch   a topic that is missing, or has another number of partitions than it was made with
    """


class BadEvent(WireError):
    """Bytes that are no event of the expected kind; the message says where and why."""


class TopicMismatch(WireError):
    """A topic that is missing or was repartitioned; the message names it and what to do."""


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """Where Kafka is. `options` go to librdkafka as they are (`security.protocol`, `sasl.mechanism`, …)."""

    bootstrap: str
    prefix: str = ""
    partitions: int = 4
    replication: int = 1
    options: dict[str, str] = {}

    def topic(self, name: str) -> str:
        """The full name of a topic of the table, or of its dead-letter topic."""
        return self.prefix + name

    def partitions_of(self, name: str) -> int:
        """How many partitions a topic of the table has in this installation."""
        return BY_NAME[name.removesuffix(".dlq")].partitions or self.partitions


def encode(event: Event) -> bytes:
    """The event as JSON, keys in the order of the struct; defaults are left out."""
    return _encoder.encode(event)


@lru_cache
def _decoder(kinds: tuple[type[Event], ...]) -> msgspec.json.Decoder[Any]:
    union: Any = kinds[0]
    for kind in kinds[1:]:
        union = union | kind
    return msgspec.json.Decoder(union)


def decode(data: bytes | None, *kinds: type[E]) -> E:
    """The event in `data`, which must be one of `kinds`. Raises BadEvent; unknown fields are ignored."""
    if data is None:
        raise BadEvent("a tombstone (no value) where an event was expected")
    try:
        event: E = _decoder(kinds).decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:  # ValidationError is a DecodeError
        expected = " or ".join("/".join(map(str, event_name(kind))) for kind in kinds)
        raise BadEvent(f"not a valid {expected}: {exc}") from exc
    return event


def headers(event: Event, source: str) -> Headers:
    """CloudEvents 1.0 in binary mode (Kafka protocol binding, section 3.2). `source` names the writing part."""
    name, version = event_name(type(event))
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", event.id.encode()),
        ("ce_type", f"teachback.{name}.v{version}".encode()),
        ("ce_source", f"teachback/{source}".encode()),
        ("ce_time", event.created.isoformat().replace("+00:00", "Z").encode()),
        ("content-type", b"application/json"),
    ]


def producer_config(cluster: Cluster, **options: Any) -> dict[str, Any]:
    """librdkafka's settings for every producer; `options` override, for example a transactional id."""
    return {
        "bootstrap.servers": cluster.bootstrap,
        "partitioner": "murmur2_random",  # librdkafka's default disagrees with Java's on most keys
        "enable.idempotence": True,
        "acks": "all",
        "linger.ms": 5,
        "compression.type": "lz4",
        "message.max.bytes": MAX_EVENT_BYTES,
        "log_level": 2,
        **cluster.options,
        **options,
    }


def consumer_config(cluster: Cluster, group: str, **options: Any) -> dict[str, Any]:
    """librdkafka's settings for every consumer: committed records only, and offsets committed by hand."""
    return {
        "bootstrap.servers": cluster.bootstrap,
        "group.id": cluster.prefix + group,
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "earliest",
        "session.timeout.ms": 10_000,
        "heartbeat.interval.ms": 2_000,
        "topic.metadata.refresh.interval.ms": 5_000,
        "log_level": 2,
        **cluster.options,
        **options,
    }


def producer(cluster: Cluster, options: Mapping[str, Any] | None = None) -> Producer:
    """A confluent-kafka producer with our settings."""
    return Producer(producer_config(cluster, **(options or {})))


def consumer(cluster: Cluster, group: str, options: Mapping[str, Any] | None = None) -> Consumer:
    """A confluent-kafka consumer with our settings."""
    return Consumer(consumer_config(cluster, group, **(options or {})))


def admin(cluster: Cluster) -> AdminClient:
    """A confluent-kafka admin client."""
    return AdminClient({"bootstrap.servers": cluster.bootstrap, "log_level": 2, **cluster.options})


def require_topics(cluster: Cluster, *names: str, timeout: float = 20.0) -> dict[str, str]:
    """Check that the topics are there with the right number of partitions, and return topic name → topic id.

    Raises TopicMismatch, naming every topic that is not as it should be. The id changes when a topic is recreated.
    """
    client = admin(cluster)
    try:
        metadata = client.list_topics(timeout=timeout).topics
    except KafkaException as exc:
        raise TopicMismatch(f"Kafka does not answer at {cluster.bootstrap}: {exc.args[0].str()}") from exc
    problems = []
    for name in names:
        found, wanted = metadata.get(cluster.topic(name)), cluster.partitions_of(name)
        if found is None or found.error is not None:
            problems.append(f"topic {cluster.topic(name)!r} is missing; make it with `teachback topics apply`")
        elif len(found.partitions) != wanted:
            problems.append(
                f"topic {cluster.topic(name)!r} has {len(found.partitions)} partitions, not {wanted}: "
                "counts are frozen, because keys would move; restore the topic or set `kafka.partitions` back"
            )
    if problems:
        raise TopicMismatch("; ".join(problems))
    return {name: str(metadata_id(client, cluster.topic(name))) for name in names}


def metadata_id(client: AdminClient, topic: str) -> str:
    """Kafka's own id of a topic: another one after the topic was deleted and made again."""
    from confluent_kafka import TopicCollection

    described = client.describe_topics(TopicCollection([topic]))[topic].result(20)
    return str(described.topic_id)


def is_fatal(error: KafkaError) -> bool:
    """Whether the client can go on after this error; librdkafka retries the rest by itself."""
    return bool(error.fatal()) or error.code() in {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError._AUTHENTICATION,
        KafkaError._AUTO_OFFSET_RESET,
        KafkaError.OFFSET_OUT_OF_RANGE,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
    }
