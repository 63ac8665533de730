"""A partition's transactional writer: records and the offset they answer become visible together, or not at all."""

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition

from teachback.schemas import wire
from teachback.schemas.offsets import send_offsets
from teachback.streams.consensus.errors import Fenced, TransactionFailed

CALL_SECONDS = 30.0  # for each call to the transaction's coordinator; librdkafka retries meanwhile
_TAKEN_OVER = {
    KafkaError._FENCED,
    KafkaError.PRODUCER_FENCED,
    KafkaError.INVALID_PRODUCER_EPOCH,
}


class Record(NamedTuple):
    """One record to write; partition -1 means that its key chooses."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: wire.Headers
    partition: int = -1


class PartitionWriter:
    """The transactions of one input partition, offsets of `group` included.

    Making one fences every earlier writer of the same `transactional_id` and ends its open transaction. Raises
    TransactionFailed when the coordinator does not answer.
    """

    def __init__(self, cluster: wire.Cluster, transactional_id: str, group: str, timeout: float) -> None:
        self._name = transactional_id
        never_joins = wire.consumer(cluster, group)
        self._group = never_joins.consumer_group_metadata()  # without a generation: the fence keeps zombies out
        never_joins.close()
        options = {"transactional.id": transactional_id, "transaction.timeout.ms": int(timeout * 1000)}
        self._producer: Producer = wire.producer(cluster, options)
        try:
            self._producer.init_transactions(CALL_SECONDS)
        except KafkaException as exc:
            raise self._failure("could not start", exc) from exc

    def commit(self, records: Sequence[Record], offset: TopicPartition) -> None:
        """Write `records` and commit `offset`, in one transaction.

        Raises Fenced when another process has taken the partition over, else TransactionFailed. Either way nothing of
        it will be seen, but for a commit whose answer was lost: so the caller must forget what it knows and start anew.
        """
        try:
            self._producer.begin_transaction()
            for record in records:
                self._produce(record)
            send_offsets(self._producer, [offset], self._group, CALL_SECONDS)
            self._producer.commit_transaction(CALL_SECONDS)  # flushes, and fails if any record failed
        except KafkaException as exc:
            raise self._failure(f"at {offset.topic}[{offset.partition}]:{offset.offset} failed", exc) from exc

    def close(self) -> None:
        """Let go of the connections; an open transaction is left to whoever comes next."""
        with suppress(KafkaException, SystemError):  # a fenced producer says so once more, sometimes in vain
            self._producer.close()

    def _produce(self, record: Record) -> None:
        while True:
            try:
                self._producer.produce(
                    record.topic, record.value, record.key, record.partition, headers=[*record.headers]
                )
                return
            except BufferError:  # the local queue is full: let it drain
                self._producer.poll(0.1)

    def _failure(self, what: str, exc: KafkaException) -> TransactionFailed:
        error = exc.args[0]
        if error.code() in _TAKEN_OVER:
            return Fenced(f"transaction {self._name!r} {what}: another process has taken the partition over")
        return TransactionFailed(f"transaction {self._name!r} {what}: {error.str()}")
