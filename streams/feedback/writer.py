"""What leaves: review requests and dead letters of a batch, in one transaction that also keeps zombies out."""

from collections.abc import Sequence
from contextlib import suppress

from confluent_kafka import KafkaError, KafkaException, Producer

from teachback.schemas.wire import Cluster, producer
from teachback.streams.batches.batch import Output
from teachback.streams.batches.delivery import write
from teachback.streams.feedback.errors import Fenced, TransactionFailed

CALL_SECONDS = 30.0  # for each call to the transaction's coordinator; librdkafka retries meanwhile
_TAKEN_OVER = {KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH}


class Writer:
    """The transactions of one bot's feedback. Making one fences every earlier writer of the same name (KIP-98).

    Raises TransactionFailed when the coordinator does not answer. `timeout` in seconds: an open transaction of a writer
    that fell silent without a successor ends by then.
    """

    def __init__(self, cluster: Cluster, name: str, timeout: float) -> None:
        self._name = f"{cluster.prefix}{name}"
        options = {"transactional.id": self._name, "transaction.timeout.ms": int(timeout * 1000)}
        self._producer: Producer = producer(cluster, options)
        try:
            self._producer.init_transactions(CALL_SECONDS)
        except KafkaException as exc:
            raise self._failure("could not start", exc) from exc

    def commit(self, outputs: Sequence[Output]) -> None:
        """Write `outputs` whole or not at all. Raises Fenced or TransactionFailed; then this writer is of no more use.

        A commit whose answer was lost may have happened: who reads the batch again writes the same once more.
        """
        try:
            self._producer.begin_transaction()
            write(self._producer, outputs)
            self._producer.commit_transaction(CALL_SECONDS)  # flushes, and fails if any output failed
        except KafkaException as exc:
            raise self._failure(f"of {len(outputs)} records failed", exc) from exc

    def close(self) -> None:
        """Let go of the connections."""
        with suppress(KafkaException, SystemError):  # a fenced producer says so once more, sometimes in vain
            self._producer.close()

    def _failure(self, what: str, exc: KafkaException) -> TransactionFailed:
        error = exc.args[0]
        if error.code() in _TAKEN_OVER:
            return Fenced(f"transaction {self._name!r} {what}: another process of this bot has taken over")
        return TransactionFailed(f"transaction {self._name!r} {what}: {error.str()}")
