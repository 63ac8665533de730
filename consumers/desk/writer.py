"""Verdicts into Kafka: acknowledged once committed, and never from a desk that another one has replaced.

The transactional id names the bot, so a new desk's `open` fences the one before: whatever that one still holds is
aborted, and its next write fails for good (Superseded). Verdicts that come while a transaction commits share the next
one, so many reviewers cost hardly more than one.
"""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, Producer

from teachback.consumers.desk.errors import SUCCESSOR, DeskError, Superseded, WriterFailed
from teachback.schemas.review import Verdict
from teachback.schemas.wire import Cluster, encode, headers, producer

TRANSACTION_MS = 10_000
MOST = 500  # verdicts in one transaction
FENCED = frozenset({KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH, KafkaError.PRODUCER_FENCED})


class Job(NamedTuple):
    """A verdict and who waits for it."""

    verdict: Verdict
    done: Future[None]


class VerdictWriter:
    """Writes in a thread of its own. `failed` is called, once, with the error that ends it, before anyone who waits.

    What is submitted after that is refused with the same error, and never left without an answer.
    """

    def __init__(self, cluster: Cluster, bot: str, failed: Callable[[DeskError], object]) -> None:
        self.topic = cluster.topic("review.verdicts")
        self._id = f"{cluster.prefix}desk-{bot}"
        self._cluster = cluster
        self._failed = failed
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="verdict writer", daemon=True)

    def open(self) -> None:
        """Take over from any desk before this one, then accept verdicts. Raises WriterFailed, Superseded."""
        options = {"transactional.id": self._id, "transaction.timeout.ms": TRANSACTION_MS, "linger.ms": 0}
        self._producer: Producer = producer(self._cluster, options)
        _until_answered(self._producer.init_transactions)
        self._thread.start()

    def submit(self, verdict: Verdict) -> Future[None]:
        """Done once Kafka has committed it; a DeskError if that can no longer be."""
        job = Job(verdict, Future())
        self._jobs.put(job)
        return job.done

    def close(self) -> None:
        """Write what was submitted, then stop."""
        if self._thread.is_alive():
            self._jobs.put(None)
            self._thread.join()

    def _run(self) -> None:
        failure: DeskError | None = None
        while batch := self._next():
            if failure is None and (failure := self._try(batch)) is not None:
                self._failed(failure)
            for job in batch:
                if failure is None:
                    job.done.set_result(None)
                else:
                    job.done.set_exception(failure)

    def _try(self, batch: list[Job]) -> DeskError | None:
        """Commit; what stands against it for good, if anything does."""
        try:
            self._commit([job.verdict for job in batch])
        except DeskError as exc:
            return exc
        except Exception as exc:  # noqa: BLE001 (the thread's outermost edge: nobody may wait for a dead thread)
            failure = WriterFailed(f"the writer of verdicts broke down: {type(exc).__name__}: {exc}")
            failure.__cause__ = exc
            return failure
        return None

    def _next(self) -> list[Job]:
        """Everything that waits, at least one; empty at the end."""
        batch: list[Job] = []
        while len(batch) < MOST and (not batch or not self._jobs.empty()):
            job = self._jobs.get()
            if job is None:
                if batch:
                    self._jobs.put(None)
                break
            batch.append(job)
        return batch

    def _commit(self, verdicts: list[Verdict]) -> None:
        """One transaction, begun again as often as Kafka aborts it."""
        while True:
            try:
                self._producer.begin_transaction()
                for verdict in verdicts:
                    self._producer.produce(
                        self.topic, key=verdict.exchange, value=encode(verdict), headers=[*headers(verdict, "desk")]
                    )
                _until_answered(self._producer.commit_transaction)
                return
            except KafkaException as exc:
                error: KafkaError = exc.args[0]
                if not error.txn_requires_abort():
                    raise _named(error) from exc
            _until_answered(self._producer.abort_transaction)


def _until_answered(step: Callable[[float], None]) -> None:
    """Do a step of a transaction, again while Kafka asks for patience. Raises DeskError, or KafkaException to abort."""
    while True:
        try:
            step(TRANSACTION_MS / 1000)
            return
        except KafkaException as exc:
            error: KafkaError = exc.args[0]
            if error.retriable():
                continue
            if error.txn_requires_abort():
                raise
            raise _named(error) from exc


def _named(error: KafkaError) -> DeskError:
    if error.code() in FENCED:
        return Superseded(SUCCESSOR)
    return WriterFailed(
        f"Kafka does not take verdicts: {error.str()} ({error.name()}). What is not acknowledged will be sent again by "
        "the reviewers' clients; start the desk again."
    )
