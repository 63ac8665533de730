"""The process: reads four topics, and publishes what is due on `loop.calibration`, as the one writer for its bot.

Its transactional id fences every writer before it; a writer that was fenced ends. What it knows is all from the log, so
it starts by reading: the fence first, then its own topic, so that nothing it decides is decided twice.
"""

import logging
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from threading import Event as Flag
from typing import Any

from confluent_kafka import KafkaException, Producer

from teachback.schemas import Calibration, Certificate, Outcome, Policy, Scored
from teachback.schemas.log import Record, Tail
from teachback.schemas.wire import encode, headers, producer, require_topics
from teachback.streams.calibration.decide import Event, next_event
from teachback.streams.calibration.settings import CalibrationSettings
from teachback.streams.calibration.state import State

CALL_SECONDS = 30.0
LONGEST_REST = 60.0  # seconds. A look at very many audits takes a while, and shall take a tenth of a core, not all
log = logging.getLogger(__name__)


class CalibrationError(Exception):
    """The process cannot go on; nothing half-written is seen, and the next one takes over from the log."""


class Calibrator:
    """Reads and publishes. Making one fences every earlier writer. Raises CalibrationError or KafkaException."""

    def __init__(self, settings: CalibrationSettings) -> None:
        self._settings = settings
        self.state = State(settings.bot)
        self.looked = 0.0  # seconds that the last look took
        self._topic = settings.cluster.topic("loop.calibration")
        self._producer = _fencing_producer(settings)
        cluster = settings.cluster
        self._own: Tail[Calibration | Certificate] = Tail(cluster, "loop.calibration", (Calibration, Certificate))
        policies = Tail(cluster, "loop.policy", (Policy,))
        scored = Tail(cluster, "chat.scored", (Scored,))
        self._outcomes = Tail(cluster, "review.outcomes", (Outcome,))
        self._tails: tuple[Tail[Any], ...] = (self._own, policies, scored, self._outcomes)
        for tail in self._tails:
            self._take(tail, tail.catch_up())

    def step(self) -> Event | None:
        """Take in what the broker has, and publish what is due, one event. Returns it.

        Raises CalibrationError, and TimeoutError or KafkaException when the broker doesn't answer.
        """
        for tail in self._tails:
            self._take(tail, tail.current())
        started = time.monotonic()
        event = next_event(self.state, self._settings.first_labels)
        self.looked = time.monotonic() - started
        if event is not None:
            self._publish(event)
            self._read_back(event)
        return event

    def close(self) -> None:
        """Let go of the connections."""
        for tail in self._tails:
            tail.close()
        with suppress(KafkaException, SystemError):  # a fenced producer says so once more, sometimes in vain
            self._producer.close()

    def _take(self, tail: Tail[Any], records: Iterable[Record[Any]]) -> None:
        """Only outcomes have tombstones that mean anything."""
        for record in records:
            if record.event is not None or tail is self._outcomes:
                self.state.note(record)

    def _publish(self, event: Event) -> None:
        try:
            self._producer.begin_transaction()
            self._producer.produce(
                self._topic, encode(event), event.bot.encode(), headers=[*headers(event, "calibration")]
            )
            self._producer.commit_transaction(CALL_SECONDS)
        except KafkaException as exc:
            raise CalibrationError(f"{type(event).__name__} was not published: {exc.args[0].str()}") from exc
        log.warning("published: %s", said(event))

    def _read_back(self, event: Event) -> None:
        """Until the event stands on the log: a commit returns before readers see what it committed."""
        until = time.monotonic() + CALL_SECONDS
        while time.monotonic() < until:
            records = self._own.poll(0.1)
            self._take(self._own, records)
            if any(record.event and record.event.id == event.id for record in records):
                return
        raise CalibrationError(f"{type(event).__name__} {event.id} was published but does not come back")


def said(event: Event) -> str:
    """An event in a line, for the log."""
    if isinstance(event, Calibration):
        return f"calibration {event.version}, {event.labels} labels, ECE {event.quality.ece:.3f}"
    return f"{event.state}: {event.adapter} at {event.threshold:g}, {event.errors} of {event.audits} audits wrong"


def _fencing_producer(settings: CalibrationSettings) -> Producer:
    name = f"{settings.cluster.prefix}calibration-{settings.bot}"
    options = {"transactional.id": name, "transaction.timeout.ms": int(settings.transaction_seconds * 1000)}
    made = producer(settings.cluster, options)
    try:
        made.init_transactions(CALL_SECONDS)
    except KafkaException as exc:
        raise CalibrationError(f"transactions of {name!r} could not start: {exc.args[0].str()}") from exc
    return made


def run(settings: CalibrationSettings) -> None:
    """Learn until SIGTERM or SIGINT.

    Raises TopicMismatch, CalibrationError, KafkaException or TimeoutError when it cannot go on.
    """
    stop = Flag()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    require_topics(settings.cluster, "chat.scored", "review.outcomes", "loop.policy", "loop.calibration")
    calibrator = Calibrator(settings)
    try:
        while not stop.is_set():
            if calibrator.step() is None:
                stop.wait(max(settings.every_seconds, min(LONGEST_REST, 9 * calibrator.looked)))
    finally:
        calibrator.close()
