"""Two contenders of the stream leg: ours, and the reference, a plain confluent-kafka loop.

python -m bench.worker '<Job as JSON>'
"""

from __future__ import annotations

import logging
import signal
import threading

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer

from bench.job import Job, from_command_line
from bench.work import RECENT, decide_all, embedder_of
from teachback.schemas.wire import consumer, producer
from teachback.streams.batches import Leg, StreamSettings, make_app, run
from teachback.streams.calibrations import Calibrations
from teachback.streams.policies import Policies
from teachback.streams.scoring import Scorer

GROUP = "bench"
WAIT_SECONDS = 0.05  # for a batch to fill
CALL_SECONDS = 30.0


def ours(job: Job) -> None:
    """The scoring leg as `teachback up` runs it, without the reviewed answers."""
    embed = embedder_of(job.embedder)
    scorer = Scorer(job.cluster, Policies(job.cluster), Calibrations(job.cluster), embed, recent=RECENT)
    settings = StreamSettings(cluster=job.cluster, group=GROUP, guarantee=job.guarantee, max_batch=job.batch)
    run(make_app(settings, Leg(job.source, scorer.decode, scorer.handle)))


class Plain:
    """The reference: consume a batch, decide each, produce, then commit."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._embed = embedder_of(job.embedder)
        self._reader = consumer(job.cluster, GROUP)
        self._reader.subscribe([job.source])
        self._errors: list[KafkaError] = []
        self._commit = {"exactly_once": self._in_transaction, "at_least_once": self._flushed}[job.guarantee]
        options = {"transactional.id": f"{job.prefix}bench"} if job.guarantee == "exactly_once" else {}
        self._writer = producer(job.cluster, {"on_delivery": self._delivered} | options)
        if options:
            self._writer.init_transactions(CALL_SECONDS)

    def run(self) -> None:
        """Until SIGTERM."""
        stopping = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stopping.set())
        while not stopping.is_set():
            if messages := self._reader.consume(self._job.batch, WAIT_SECONDS):
                self._commit(messages, self._reader, self._writer)
        self._reader.close()

    def _delivered(self, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            self._errors.append(error)

    def _write(self, messages: list[Message]) -> None:
        for message in messages:
            if (error := message.error()) is not None:
                raise KafkaException(error)
        values = [bytes(message.value() or b"") for message in messages]
        for output in decide_all(self._job.cluster, values, self._embed):
            self._writer.produce(output.topic, output.value, output.key, headers=list(output.headers))
            self._writer.poll(0)

    def _in_transaction(self, messages: list[Message], reader: Consumer, writer: Producer) -> None:
        writer.begin_transaction()
        self._write(messages)
        positions = reader.position(reader.assignment())
        writer.send_offsets_to_transaction(positions, reader.consumer_group_metadata(), CALL_SECONDS)
        writer.commit_transaction(CALL_SECONDS)

    def _flushed(self, messages: list[Message], reader: Consumer, writer: Producer) -> None:
        self._write(messages)
        if writer.flush(CALL_SECONDS) or self._errors:
            raise KafkaException(self._errors[0] if self._errors else KafkaError(KafkaError._MSG_TIMED_OUT))
        reader.commit(offsets=reader.position(reader.assignment()), asynchronous=False)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    given = from_command_line()
    if given.kind == "teachback":
        ours(given)
    else:
        Plain(given).run()
