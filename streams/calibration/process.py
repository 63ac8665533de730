"""The process: reads four topics, and publishes what is due on `loop.calibration`, as the one writer for its bot.

Its transactional id fences every writer before it; a writer that was fenced ends. What it knows is all from the log, so
it starts by reading: the fence first, then its own topic, so that nothing it decides is decided twice.
"""

import logging
import signal
import time
from contextlib import suppress
from threading import Event as Flag
from typing import Any

from confluent_kafka import KafkaException, Producer

from teachback.schemas import Calibration, Certificate, Outcome, Policy, Scored
from teachback.schemas.log import Record, Tail
from teachback.schemas.wire import encode, headers, producer, require_topics
from teachback.streams.calibration.decide import Event, State, next_event
from teachback.streams.calibration.settings import CalibrationSettings
from teachback.streams.policies import fold

CALL_SECONDS = 30.0
log = logging.getLogger(__name__)


class CalibrationError(Exception):
    """The process cannot go on; nothing half-written is seen, and the next one takes over from the log."""


class Calibrator:
    """Reads and publishes. Making one fences every earlier writer. Raises CalibrationError or KafkaException."""

    def __init__(self, settings: CalibrationSettings) -> None:
        self._settings = settings
        self.state = State(settings.bot)
        self._topic = settings.cluster.topic("loop.calibration")
        self._producer = _fencing_producer(settings)
        cluster = settings.cluster
        self._own: Tail[Calibration | Certificate] = Tail(cluster, "loop.calibration", (Calibration, Certificate))
        self._policies = Tail(cluster, "loop.policy", (Policy,))
        self._scored = Tail(cluster, "chat.scored", (Scored,))
        self._outcomes = Tail(cluster, "review.outcomes", (Outcome,))
        tails: tuple[Tail[Any], ...] = (self._own, self._policies, self._scored, self._outcomes)
        for tail in tails:
            for record in tail.catch_up():
                self._note(record)

    def step(self) -> Event | None:
        """Take in what has come, and publish what is due, one event. Returns it."""
        tails: tuple[Tail[Any], ...] = (self._policies, self._scored, self._outcomes)
        for tail in tails:
            while records := tail.poll(0.05):
                for record in records:
                    self._note(record)
        event = next_event(self.state, self._settings.first_labels, int(time.time() * 1000))
        if event is not None:
            self._publish(event)
            for record in self._own.current():
                self._note(record)
        return event

    def close(self) -> None:
        """Let go of the connections."""
        for tail in (self._own, self._policies, self._scored, self._outcomes):
            tail.close()
        with suppress(KafkaException):
            self._producer.close()

    def _note(self, record: Record[Any]) -> None:
        event = record.event
        if isinstance(event, Scored):
            self.state.evidence.note_scored(record)
        elif isinstance(event, Policy):
            self._note_policy(event)
        elif isinstance(event, Calibration | Certificate):
            self.state.note_own(event)
        else:  # an outcome, or the tombstone of one
            self.state.evidence.note_outcome(record)

    def _note_policy(self, policy: Policy) -> None:
        now = self.state.policy
        known = {} if now is None else {now.bot: now}
        if policy.bot == self.state.bot and fold(known, [policy]) != known:
            self.state.note_policy(policy)

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
    """Learn until SIGTERM or SIGINT. Raises TopicMismatch, CalibrationError or KafkaException when it cannot go on."""
    stop = Flag()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    require_topics(settings.cluster, "chat.scored", "review.outcomes", "loop.policy", "loop.calibration")
    calibrator = Calibrator(settings)
    try:
        while not stop.is_set():
            if calibrator.step() is None:
                stop.wait(settings.every_seconds)
    finally:
        calibrator.close()
