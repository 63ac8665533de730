"""Waits for promotions; asks what was edited; remembers how far it came in its group's committed offset."""

import logging
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import httpx
import msgspec
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from teachback.producers.again.settings import AgainSettings
from teachback.schemas import AdapterAlias, Label
from teachback.schemas.ids import replay_id
from teachback.schemas.lineage import ADAPTER_EVENTS, AdapterEvent, Lineage
from teachback.schemas.log import Record, Tail
from teachback.schemas.stopping import stopped_by_signal
from teachback.schemas.wire import consumer, require_topics

log = logging.getLogger(__name__)
TOPIC = "models.adapters"
PATIENCE_S = 120
ANSWER_S = 120.0
CONFLICT = 409
AWAY = frozenset({429, 502, 503, 504})  # passes by itself; whoever starts us again asks again
COORDINATOR_S = 30.0
SETTLING = {
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
}


class ChatbotBehind(Exception):
    """The chatbot does not serve the new adapter; the message says which it serves."""


def edited(records: Iterable[Record[Label]], bot: str, most: int) -> list[Label]:
    """The newest revision of each exchange that people edited, newest last; only live ones, at most `most`.

    Labels that were erased (a tombstone of their id) are left out.
    """
    labels: dict[str, Label] = {}
    for record in records:
        if record.event is None:
            labels.pop(record.key, None)
        elif record.event.bot == bot and record.event.source == "live":
            labels[record.event.id] = record.event
    latest: dict[str, Label] = {}
    for label in labels.values():
        known = latest.get(label.exchange)
        if known is None or known.revision < label.revision:
            latest[label.exchange] = label
    chosen = sorted((label for label in latest.values() if label.origin == "edited"), key=lambda label: label.created)
    return chosen[max(0, len(chosen) - most) :]


def question_body(label: Label, adapter: str) -> dict[str, object]:
    """The chat request that asks a label's question again."""
    return {
        "model": adapter,
        "messages": msgspec.to_builtins(label.messages),
        "metadata": {
            "exchange": replay_id(label.exchange, adapter),
            "conversation": replay_id(label.conversation, adapter),
            "source": "replay",
            "topic": label.topic,
            "subject": label.subject,
            "replay_of": label.exchange,
        },
    }


class Asker:
    """Asks a promotion's questions of the chatbot."""

    def __init__(self, settings: AgainSettings, stop: threading.Event, patience: int = PATIENCE_S) -> None:
        self._settings, self._stop, self._patience = settings, stop, patience
        self._http = httpx.Client(base_url=settings.chatbot, timeout=ANSWER_S)

    def ask(self, adapter: str) -> int:
        """Ask everything that was edited. Returns how many; fewer when it was told to stop.

        Raises ChatbotBehind, before anything is asked unless the champion changes meanwhile, or httpx.HTTPError.
        """
        with Tail(self._settings.cluster, "labels.approved", (Label,)) as tail:
            labels = edited(tail.catch_up(), self._settings.bot, self._settings.most)
        if not self._serves(adapter):
            return 0
        with ThreadPoolExecutor(self._settings.at_once) as pool:
            return sum(pool.map(lambda label: self._one(label, adapter), labels))

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def _one(self, label: Label, adapter: str) -> bool:
        """Whether it was asked: not after a stop, nor where the chatbot refuses it, which stops no other question."""
        if self._stop.is_set():
            return False
        answer = self._http.post("/v1/chat/completions", json=question_body(label, adapter))
        if answer.status_code == CONFLICT:
            raise ChatbotBehind(f"{adapter} serves no longer: {answer.text}")
        if answer.is_error and answer.status_code not in AWAY:
            log.warning(
                "exchange %s can't be asked again: HTTP %d: %s", label.exchange, answer.status_code, answer.text
            )
            return False
        answered_by = str(answer.raise_for_status().json()["model"])
        if answered_by != adapter:
            raise ChatbotBehind(f"{answered_by} answered where {adapter} should have")
        return True

    def _serves(self, adapter: str) -> bool:
        """Wait until the chatbot serves it; False when told to stop. Raises ChatbotBehind."""
        serving = "nothing"
        for _ in range(self._patience):
            try:
                serving = self._http.get("/v1/models").raise_for_status().json()["data"][0]["id"]
            except httpx.HTTPError as exc:
                serving = f"nothing ({exc})"
            if serving == adapter:
                return True
            if self._stop.wait(1.0):
                return False
        raise ChatbotBehind(f"after {self._patience} s the chatbot serves {serving}, not {adapter}")


class Progress:
    """How far promotions have been dealt with: the committed offset of a group that nobody joins."""

    def __init__(self, settings: AgainSettings) -> None:
        self._topic = settings.cluster.topic(TOPIC)
        self._consumer = consumer(settings.cluster, f"{settings.group}-{settings.bot}")
        self.next = max(0, self._committed())

    def _committed(self) -> int:
        """The committed offset, negative when there is none. A broker's first group has to wait for its coordinator."""
        deadline = time.monotonic() + COORDINATOR_S
        while True:
            try:
                return self._consumer.committed([TopicPartition(self._topic, 0)], COORDINATOR_S)[0].offset
            except KafkaException as exc:
                if exc.args[0].code() not in SETTLING or time.monotonic() > deadline:
                    raise
                time.sleep(0.5)

    def done(self, offset: int) -> None:
        """Everything up to and with `offset` is dealt with."""
        self._consumer.commit(offsets=[TopicPartition(self._topic, 0, offset + 1)], asynchronous=False)
        self.next = offset + 1

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()


def promotions(lineage: Lineage, records: Iterable[Record[AdapterEvent]]) -> tuple[Lineage, list[tuple[int, str]]]:
    """Fold records; also each promotion that took effect, as (offset, adapter)."""
    found = []
    for record in records:
        if record.event is None:
            continue
        before, lineage = lineage, lineage.fold(record.event)
        effective = len(lineage.changes) > len(before.changes)
        if effective and isinstance(record.event, AdapterAlias) and record.event.cause == "promoted":
            found.append((record.offset, record.event.adapter))
    return lineage, found


def run(settings: AgainSettings) -> None:
    """Ask again after each promotion, until SIGTERM. Raises what the chatbot or Kafka raise; start it again then."""
    require_topics(settings.cluster, TOPIC, "labels.approved")
    stop = stopped_by_signal()
    asker, progress = Asker(settings, stop), Progress(settings)
    try:
        follow(settings, asker, progress, stop)
    finally:
        progress.close()
        asker.close()


def follow(settings: AgainSettings, asker: Asker, progress: Progress, stop: threading.Event) -> None:
    """Deal with every promotion that `progress` does not know, then with each as it comes, until `stop`."""
    with Tail(settings.cluster, TOPIC, ADAPTER_EVENTS) as tail:
        lineage, found = promotions(Lineage(settings.bot), tail.catch_up())
        while not stop.is_set():
            for offset, adapter in found:
                if offset < progress.next:
                    continue
                if adapter == lineage.champion:
                    log.info("asked %d edited questions again of %s", asker.ask(adapter), adapter)
                if stop.is_set():
                    return
                progress.done(offset)
            lineage, found = promotions(lineage, tail.poll(0.5))
