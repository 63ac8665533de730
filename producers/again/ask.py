"""Waits for promotions; asks what was edited; remembers how far it came in its group's committed offset."""

import logging
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import httpx
import msgspec
from confluent_kafka import TopicPartition

from teachback.producers.again.settings import AgainSettings
from teachback.schemas import AdapterAlias, Label
from teachback.schemas.ids import replay_id
from teachback.schemas.lineage import ADAPTER_EVENTS, AdapterEvent, Lineage
from teachback.schemas.log import Record, Tail
from teachback.schemas.wire import consumer, require_topics
from teachback.schemas.stopping import stopped_by_signal

log = logging.getLogger(__name__)
TOPIC = "models.adapters"
PATIENCE_S = 120.0


class ChatbotBehind(Exception):
    """The chatbot does not serve the new adapter; the message says which it serves."""


def edited(records: Iterable[Record[Label]], bot: str, most: int) -> list[Label]:
    """The newest revision of each exchange that people edited, newest last; only live ones, at most `most`."""
    latest: dict[str, Label] = {}
    for record in records:
        label = record.event
        if label is None or label.bot != bot or label.source != "live":
            continue
        known = latest.get(label.exchange)
        if known is None or known.revision < label.revision:
            latest[label.exchange] = label
    chosen = sorted((label for label in latest.values() if label.origin == "edited"), key=lambda label: label.created)
    return chosen[-most:]


def question_body(label: Label, adapter: str) -> dict[str, object]:
    """The chat request that asks a label's question again."""
    return {
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

    def __init__(self, settings: AgainSettings, stop: threading.Event) -> None:
        self._settings, self._stop = settings, stop
        self._http = httpx.Client(base_url=settings.chatbot, timeout=PATIENCE_S)

    def ask(self, adapter: str) -> int:
        """Ask everything that was edited. Returns how many; raises ChatbotBehind or httpx.HTTPError."""
        with Tail(self._settings.cluster, "labels.approved", (Label,)) as tail:
            labels = edited(tail.catch_up(), self._settings.bot, self._settings.most)
        self._wait_for(adapter)
        with ThreadPoolExecutor(self._settings.at_once) as pool:
            answered_by = list(pool.map(lambda label: self._one(label, adapter), labels))
        if others := set(answered_by) - {adapter}:
            raise ChatbotBehind(f"{', '.join(sorted(others))} answered where {adapter} should have")
        return len(labels)

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def _one(self, label: Label, adapter: str) -> str:
        answer = self._http.post("/v1/chat/completions", json=question_body(label, adapter))
        answer.raise_for_status()
        return str(answer.json()["model"])

    def _wait_for(self, adapter: str) -> None:
        serving = "nothing"
        for _ in range(int(PATIENCE_S)):
            try:
                serving = self._http.get("/v1/models").raise_for_status().json()["data"][0]["id"]
            except httpx.HTTPError as exc:
                serving = f"nothing ({exc})"
            if serving == adapter or self._stop.wait(1.0):
                return
        raise ChatbotBehind(f"after {PATIENCE_S:.0f} s the chatbot serves {serving}, not {adapter}")


class Progress:
    """How far promotions have been dealt with: the committed offset of a group that nobody joins."""

    def __init__(self, settings: AgainSettings) -> None:
        self._topic = settings.cluster.topic(TOPIC)
        self._consumer = consumer(settings.cluster, settings.group)
        committed = self._consumer.committed([TopicPartition(self._topic, 0)], 30)[0].offset
        self.next = max(0, committed)

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
    with Tail(settings.cluster, TOPIC, ADAPTER_EVENTS) as tail:
        lineage, found = promotions(Lineage(settings.bot), tail.catch_up())
        while not stop.is_set():
            due = [(offset, adapter) for offset, adapter in found if offset >= progress.next]
            for offset, adapter in due:
                if adapter == lineage.champion:
                    log.info("asked %d edited questions again of %s", asker.ask(adapter), adapter)
                if not stop.is_set():
                    progress.done(offset)
            lineage, found = promotions(lineage, tail.poll(0.5))
    progress.close()
    asker.close()
