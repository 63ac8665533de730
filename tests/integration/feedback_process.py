"""A feedback process of its own, to be killed, and the topics for it.

`python -m tests.integration.feedback_process SETTINGS POINT` (JSON, and a name of `POINTS` or nothing): at that point
it kills itself by SIGKILL.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import msgspec
from confluent_kafka import Message, TopicPartition

from teachback.schemas import Exchange, Feedback, Policy, Scored
from teachback.schemas.event import Event
from teachback.schemas.wire import Cluster, consumer, encode, headers, producer
from teachback.streams.feedback import FeedbackSettings, run, writer
from teachback.streams.feedback.process import Process
from teachback.streams.feedback.store import Store, counts
from tests.kafka_fixture import KafkaCluster
from tests.streams.feedback.samples import BOT, exchange, policy, scored, thumb

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 60.0
DAY_WINDOW = 24 * 60 * 60 * 1000

POINTS: dict[str, tuple[Any, str, Literal["before", "after"]]] = {
    "before the store is begun": (Store, "begin", "before"),
    "after the store was begun": (Store, "begin", "after"),
    "before the transaction": (writer.Writer, "commit", "before"),
    "in the transaction": (writer, "write", "after"),
    "between the two commits": (writer.Writer, "commit", "after"),
    "after the store's commit": (Store, "commit", "after"),
}


class Bench:
    """The topics of one test, what is sent to them, and what came of it."""

    def __init__(self, kafka: KafkaCluster, prefix: str, folder: Path, partitions: int = 2) -> None:
        self.kafka = kafka
        soon = {"fetch.wait.max.ms": "20"}  # the end of a partition is told after so long, and tests ask for it often
        self.cluster = Cluster(bootstrap=kafka.bootstrap, prefix=prefix, partitions=partitions, options=soon)
        self.store, self.log = folder / "home" / "feedback.db", folder / "feedback.log"
        names = ("chat.exchanges", "chat.scored", "chat.feedback", "chat.feedback.dlq", "review.requests")
        topics = {self.cluster.topic(name): partitions for name in names} | {self.cluster.topic("loop.policy"): 1}
        kafka.create_all(topics, message_timestamp_type="LogAppendTime")
        self._producer = producer(self.cluster)

    def settings(self, **chosen: Any) -> FeedbackSettings:
        given: dict[str, Any] = {"bot": BOT, "cluster": self.cluster, "store": self.store}
        return FeedbackSettings(**(given | {"wait": 0.05, "slack": 0.0} | chosen))

    def send(self, *events: Event) -> None:
        """Each on its topic, delivered before the next one is sent."""
        for event in events:
            name, key = _address(event)
            self.send_raw(name, encode(event), key, headers(event, "test"))

    def send_raw(self, name: str, value: bytes | None, key: str | None = None, marks: Any = None) -> None:
        self._producer.produce(self.cluster.topic(name), value, key, headers=marks)
        assert self._producer.flush(30) == 0

    def whole(self, name: str, *, feedback: str = "down") -> None:
        """An accepted exchange with its score and a thumb."""
        self.send(exchange(name), scored(name), thumb(name, "up" if feedback == "up" else "down"))

    def start(self, point: str = "", **chosen: Any) -> subprocess.Popen[bytes]:
        """A process of its own; its log is appended to `log`."""
        given = msgspec.json.encode(self.settings(**chosen), enc_hook=str).decode()
        command = [sys.executable, "-m", "tests.integration.feedback_process", given, point]
        with self.log.open("ab") as file:
            return subprocess.Popen(command, cwd=ROOT, stderr=file)

    def counts(self) -> dict[str, int]:
        return {name: n for name, n in counts(self.store).items() if n}

    def read(self, name: str) -> list[Message]:
        """Every committed message of a topic, in the order of each partition."""
        reader = consumer(self.cluster, f"read-{name}", {"enable.partition.eof": True})
        parts = [TopicPartition(self.cluster.topic(name), n, 0) for n in range(self.cluster.partitions_of(name))]
        reader.assign(parts)
        messages, ends = list[Message](), 0
        while ends < len(parts):
            for message in reader.consume(1000, 0.1):
                ends += message.error() is not None
                messages += [message] if message.error() is None else []
        reader.close()
        return messages

    def delete(self, topic: str) -> None:
        """Delete a topic, and see it gone."""
        admin = self.kafka.admin
        admin.delete_topics([topic])[topic].result(30)
        wait_until(lambda: topic not in admin.list_topics(timeout=10).topics)

    def asked(self) -> list[str]:
        """The keys of the review requests, sorted."""
        return sorted(str(bytes(message.key() or b""), "utf-8") for message in self.read("review.requests"))


def _address(event: Event) -> tuple[str, str]:
    match event:
        case Exchange():
            return "chat.exchanges", event.conversation
        case Scored():
            return "chat.scored", event.conversation
        case Feedback():
            return "chat.feedback", event.conversation
        case Policy():
            return "loop.policy", event.bot
    raise TypeError(event)


def usual(**fields: Any) -> Policy:
    """A policy whose window nobody leaves within a test."""
    return policy(DAY_WINDOW, **fields)


def wait_until(done: Callable[[], bool]) -> None:
    """Patiently, too."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not done():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


def step_until(process: Process, done: Callable[[], bool]) -> None:
    """Patiently: how long it takes is not what is tested."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not done():
        assert time.monotonic() < deadline, "the process did not get there"
        process.step()


def _killed_at(point: str) -> None:
    owner, name, when = POINTS[point]
    original = getattr(owner, name)

    def call(*args: Any) -> Any:
        if when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        original(*args)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, call)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(message)s")
    if sys.argv[2]:
        _killed_at(sys.argv[2])
    run(msgspec.json.decode(sys.argv[1], type=FeedbackSettings, dec_hook=lambda kind, text: kind(text)))
