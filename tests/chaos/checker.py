"""What came out, read back from the topics by a client that knows nothing of the worker but its wire format."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition


class Found(msgspec.Struct, frozen=True):
    """The count of what was wrong, and of what was there."""

    expected: int
    outputs: int
    dead_letters: int
    missing: int
    repeats: int
    foreign: int
    """Numbers that were never committed to the source: from aborted transactions."""
    misplaced: int
    """Good records among the dead letters, or bad ones among the outputs."""


def check(bootstrap: str, target: str, dead: str, expected: int, garbage: set[int]) -> Found:
    """Compare the committed outputs and dead letters with the numbers 0 … expected - 1, of which `garbage` are bad."""
    outputs = Counter(json.loads(value)["id"] for value in read(bootstrap, target))
    letters = Counter(int(value[2:]) for value in read(bootstrap, dead))
    seen = outputs + letters
    wanted = set(range(expected))
    return Found(
        expected=expected,
        outputs=outputs.total(),
        dead_letters=letters.total(),
        missing=len(wanted - set(seen)),
        repeats=seen.total() - len(seen),
        foreign=len(set(seen) - wanted),
        misplaced=len((set(letters) - garbage) | (set(outputs) & garbage)),
    )


def read(bootstrap: str, topic: str) -> list[bytes]:
    """Every committed value of a topic."""
    config = {"bootstrap.servers": bootstrap, "group.id": "checker", "isolation.level": "read_committed"}
    consumer = Consumer(config | {"enable.partition.eof": True, "enable.auto.commit": False})
    partitions = consumer.list_topics(topic, 20).topics[topic].partitions
    consumer.assign([TopicPartition(topic, p, 0) for p in partitions])
    values: list[bytes] = []
    open_partitions = set(partitions)
    while open_partitions:
        for message in consumer.consume(1000, 1.0):
            error = message.error()
            if error is None:
                values.append(message.value() or b"")
            elif error.code() == KafkaError._PARTITION_EOF:
                open_partitions.discard(message.partition() or 0)
    consumer.close()
    return values


class Progress:
    """How far a group has come with a topic, seen from outside."""

    def __init__(self, bootstrap: str, group: str, topic: str) -> None:
        self._consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "log_level": 0})
        partitions = self._consumer.list_topics(topic, 20).topics[topic].partitions
        self._partitions = [TopicPartition(topic, p) for p in partitions]

    def lag(self) -> int:
        """Offsets between the ends of the topic and what is committed. Raises KafkaException."""
        ends = [_patiently(self._consumer.get_watermark_offsets, tp)[1] for tp in self._partitions]
        committed = _patiently(self._consumer.committed, self._partitions)
        return sum(end - max(0, tp.offset) for end, tp in zip(ends, committed, strict=True))

    def committed(self) -> int:
        """The sum of committed offsets. Raises KafkaException."""
        return sum(max(0, tp.offset) for tp in _patiently(self._consumer.committed, self._partitions))


def _patiently(ask: Callable[..., Any], *about: Any, seconds: float = 60.0) -> Any:
    """The answer of a broker that may be restarting, or still looking for its coordinator."""
    until = time.monotonic() + seconds
    while True:
        try:
            return ask(*about, 5)
        except KafkaException:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
