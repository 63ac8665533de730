"""The shard writer as a process: `labels.approved` in, the table and `labels.shards` out."""

from __future__ import annotations

import logging
import signal
import threading
import time
from types import FrameType
from typing import NoReturn

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from teachback.consumers.shards.errors import (
    Fenced,
    OffsetLost,
    ShardsError,
    TooManyDeadLetters,
    TopicRecreated,
)
from teachback.consumers.shards.outbox import Announced, Outbox
from teachback.consumers.shards.roll import DeadLetterShare, Limits
from teachback.consumers.shards.settings import ShardsSettings
from teachback.consumers.shards.table import LabelTable, Origin
from teachback.consumers.shards.writer import Writer
from teachback.schemas import Label
from teachback.schemas.arrow import unfit
from teachback.schemas.wire import BadEvent, admin, consumer, decode, is_fatal, metadata_id, require_topics

log = logging.getLogger(__name__)

TOPIC = "labels.approved"
POLL_SECONDS = 0.2
POLL_RECORDS = 500


def run(settings: ShardsSettings) -> None:
    """Write shards until SIGTERM or SIGINT; then commit what is buffered and return.

    Raises ShardsError or schemas.wire.TopicMismatch: restart after a look at the message; nothing is lost.
    """
    stop = threading.Event()

    def request_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, request_stop)
    log.info("writing labels to %s; SIGTERM stops", settings.table)
    serve(settings, stop)


def serve(settings: ShardsSettings, stop: threading.Event) -> None:
    """As `run`, until `stop` is set, and without touching signals."""
    process = Shards(settings)
    try:
        while not stop.is_set():
            process.turn()
        process.flush()
    finally:
        process.close()


class Shards:
    """One member of the group: reads, dead-letters, buffers, commits, announces."""

    def __init__(self, settings: ShardsSettings) -> None:
        cluster = settings.cluster
        topic_id = require_topics(cluster, TOPIC, f"{TOPIC}.dlq", "labels.shards")[TOPIC]
        self.topic = cluster.topic(TOPIC)
        self.topic_id = topic_id
        table = LabelTable(settings.table, Origin(topic=self.topic, topic_id=topic_id))
        limits = Limits(rows=settings.max_rows, bytes=settings.max_bytes, age_seconds=settings.max_age_seconds)
        self.writer = Writer(table, limits, self._verify, time.monotonic)
        self._admin = admin(cluster)
        self._outbox = Outbox(cluster)
        self._announced = Announced(cluster)
        self._letters = DeadLetterShare(settings.dead_letter_limit)
        self._consumer: Consumer = consumer(cluster, settings.group, _options(settings))
        self._consumer.subscribe([self.topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked)

    def turn(self) -> None:
        """Read what there is, for at most `POLL_SECONDS`, and commit what is due."""
        for message in self._consumer.consume(POLL_RECORDS, POLL_SECONDS):
            if (error := message.error()) is not None:
                self._look_at(error)
            else:
                self._take(message)
        self._outbox.confirm()  # dead letters first: a commit passes over them
        self._commit(self.writer.due())

    def flush(self) -> None:
        """Commit everything that is buffered. What cannot be committed now is read again by whoever comes next."""
        self._commit(self.writer.partitions)

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()

    def _take(self, message: Message) -> None:
        partition, offset, value = message.partition(), message.offset(), message.value()
        assert partition is not None and offset is not None
        raw = value.encode() if isinstance(value, str) else value
        label, reason = _decoded(raw)
        if reason is not None:
            self._outbox.dead_letter(TOPIC, message, reason)
        if not self._letters.count(reason is not None):
            self._outbox.confirm()
            raise TooManyDeadLetters(
                f"more than {self._letters.allowed:.0f} of the last {self._letters.window} records of {self.topic} are "
                f"no labels; the last, at {partition}:{offset}: {reason}. Mend their writer or this release, and start "
                "again"
            )
        self.writer.take(partition, offset, label, len(raw or b""))

    def _commit(self, partitions: list[int]) -> None:
        """Commit and announce, or drop what a successor has committed, or leave all for later while Kafka is away."""
        for partition in partitions:
            try:
                shards = self.writer.commit(partition)
            except Fenced as fenced:
                log.warning("%s; dropping the buffer and reading the table again", fenced)
                self._consumer.seek(self._position(partition))
                self._announce_missing([partition])
            except _Unreachable as exc:
                log.warning("nothing is committed while Kafka cannot say whether the topic is the same: %s", exc)
                return
            else:
                self._outbox.announce(shards)
                self._outbox.confirm()

    def _assigned(self, member: Consumer, assigned: list[TopicPartition]) -> None:
        partitions = [one.partition for one in assigned]
        member.assign([self._position(partition) for partition in partitions])
        self._announce_missing(partitions)
        log.info("reading partitions %s of %s", partitions, self.topic)

    def _revoked(self, _: Consumer, revoked: list[TopicPartition]) -> None:
        for one in revoked:
            self.writer.revoke(one.partition)

    def _position(self, partition: int) -> TopicPartition:
        """Take the partition over, and where to read it from: the table knows, the group does not."""
        position = self.writer.assign(partition)
        return TopicPartition(self.topic, partition, OFFSET_BEGINNING if position is None else position)

    def _announce_missing(self, partitions: list[int]) -> None:
        if partitions:
            self._outbox.announce(self._announced.missing(self.writer.table, partitions))
            self._outbox.confirm()

    def _verify(self) -> None:
        """That everything read up to now came from the topic that the table is filled from. Raises TopicRecreated."""
        try:
            found = metadata_id(self._admin, self.topic)
        except KafkaException as exc:
            if exc.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise TopicRecreated(f"{self.topic} was deleted under the shard writer") from exc
            raise _Unreachable(exc.args[0].str()) from exc
        except TimeoutError as exc:
            raise _Unreachable("no answer in time") from exc
        if found != self.topic_id:
            raise TopicRecreated(
                f"{self.topic} was deleted and made again under the shard writer (id {found}, was {self.topic_id}); "
                "nothing of the new one was written. Restore the topic, or move the table away and start again"
            )

    def _look_at(self, error: KafkaError) -> None:
        """Raise for what does not pass by itself; librdkafka retries the rest."""
        if error.code() in {KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE}:
            self._offset_lost(error)
        if is_fatal(error):
            self._verify()
            raise ShardsError(f"reading {self.topic} failed for good: {error.str()}")
        log.warning("reading %s: %s", self.topic, error.str())

    def _offset_lost(self, error: KafkaError) -> NoReturn:
        self._verify()
        raise OffsetLost(
            f"{self.topic} no longer has the offset that the table needs next ({error.str()}): records were deleted, "
            "or the topic lost its end. Restore it, or move the table away to have a new one filled from what is left"
        )


class _Unreachable(Exception):
    """Kafka does not answer just now."""


def _options(settings: ShardsSettings) -> dict[str, object]:
    timeout_ms = int(settings.session_timeout_seconds * 1000)
    named = {"group.instance.id": settings.cluster.prefix + settings.instance} if settings.instance else {}
    return {
        "auto.offset.reset": "error",
        "session.timeout.ms": timeout_ms,
        "heartbeat.interval.ms": max(timeout_ms // 5, 100),
        **named,
    }


def _decoded(raw: bytes | None) -> tuple[Label | None, str | None]:
    """The label, or why there is none; neither for a tombstone (an erased label)."""
    if raw is None:
        return None, None
    try:
        label = decode(raw, Label)
    except BadEvent as exc:
        return None, str(exc)
    reason = unfit(label)
    return (label, None) if reason is None else (None, reason)
