"""The one writer of a bot's splits, runs and adapters: every event in a Kafka transaction under one id.

Whoever opens the ledger fences its predecessor: a trainer that was stopped or cut off and comes back can commit
nothing, however long its job ran. It learns of that at the next `heartbeat`.
"""

import time
from collections.abc import Callable, Sequence

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from teachback.schemas.event import Event
from teachback.schemas.offsets import send_offsets
from teachback.schemas.topics import TopicName
from teachback.schemas.wire import Cluster, consumer, encode, headers, producer
from teachback.trainer.errors import Fenced, LedgerError

Entries = Sequence[tuple[TopicName, Event]]
SOURCE = "trainer"
TRANSACTION_MS = 30_000
OFFSETS_SECONDS = 30.0
PATIENCE = 300.0  # seconds that Kafka may be away before the trainer gives up and is started afresh
FENCED = {KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH, KafkaError.PRODUCER_FENCED}


class Ledger:
    """Writes events, all or none of a call, as long as no other trainer of this bot has opened its own.

    `group` also stands in Kafka as a consumer group whose offset says how far this trainer has read `labels.shards`.
    """

    def __init__(self, cluster: Cluster, bot: str) -> None:
        self.cluster = cluster
        self.group = f"trainer-{bot}"
        self._producer = producer(
            cluster,
            {"transactional.id": cluster.prefix + self.group, "transaction.timeout.ms": TRANSACTION_MS},
        )
        self._member = consumer(cluster, self.group)
        self._patiently(self._producer.init_transactions)

    def write(self, entries: Entries) -> dict[str, int]:
        """Publish events in one transaction, keyed by bot; returns the last offset written to each topic.

        Raises Fenced, or LedgerError when Kafka refuses. Either way nothing of it is seen by a committed reader.
        """
        offsets: dict[str, int] = {}

        def delivered(error: KafkaError | None, message: Message) -> None:
            offset, topic = message.offset(), message.topic()
            if error is None and offset is not None and topic is not None:
                offsets[topic] = max(offset, offsets.get(topic, -1))

        self._begin()
        for topic, event in entries:
            name = self.cluster.topic(topic)
            sent = [*headers(event, SOURCE)]
            self._produce(name, encode(event), event.bot, sent, delivered)
        self._commit()
        return {topic: offsets[self.cluster.topic(topic)] for topic, _ in entries}

    def heartbeat(self, shards_read: int) -> None:
        """Make sure that this is still the bot's writer, by committing how many records of `labels.shards` were read.

        Raises Fenced. (A transaction without anything in it would not reach the broker.)
        """
        place = TopicPartition(self.cluster.topic("labels.shards"), 0, shards_read)
        self._begin()
        try:
            member = self._member.consumer_group_metadata()
            self._patiently(lambda _: send_offsets(self._producer, [place], member, OFFSETS_SECONDS))
        except KafkaException as exc:
            raise self._mapped(exc) from exc
        self._commit()

    def close(self) -> None:
        """Let go of the connections."""
        self._member.close()

    def _begin(self) -> None:
        try:
            self._producer.begin_transaction()
        except KafkaException as exc:
            raise self._mapped(exc) from exc

    def _produce(
        self,
        topic: str,
        value: bytes,
        key: str,
        sent: list[tuple[str, bytes]],
        delivered: Callable[[KafkaError | None, Message], None],
    ) -> None:
        while True:
            try:
                self._producer.produce(topic, value, key, partition=0, headers=[*sent], on_delivery=delivered)
                self._producer.poll(0)
                return
            except BufferError:
                self._producer.poll(0.1)
            except KafkaException as exc:
                raise self._mapped(exc) from exc

    def _commit(self) -> None:
        self._patiently(self._producer.commit_transaction)

    def _patiently(self, step: Callable[[float], object]) -> None:
        """Do one step of a transaction, again while librdkafka says that it can be done again."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                step(10.0)
                return
            except KafkaException as exc:
                if not exc.args[0].retriable() or time.monotonic() > deadline:
                    raise self._mapped(exc) from exc

    def _mapped(self, exc: KafkaException) -> Fenced | LedgerError:
        error = exc.args[0]
        if error.code() in FENCED:
            return Fenced(f"another trainer has taken over {self.cluster.prefix}{self.group}; this one ends")
        return LedgerError(f"Kafka refused a transaction of {self.cluster.prefix}{self.group}: {error.str()}")


def send(cluster: Cluster, topic: TopicName, event: Event, source: str, timeout: float = 30.0) -> None:
    """Publish one event that a person asks for, outside the trainer's transactions. Raises LedgerError."""
    failures: list[KafkaError] = []

    def delivered(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            failures.append(error)

    client = producer(cluster, {"delivery.timeout.ms": int(timeout * 1000)})
    body, sent = encode(event), [*headers(event, source)]
    client.produce(cluster.topic(topic), body, event.bot, headers=[*sent], on_delivery=delivered)
    if client.flush(timeout + 1) or failures:
        why = failures[0].str() if failures else "no answer"
        raise LedgerError(f"the event did not reach {cluster.topic(topic)}: {why}")
