"""A real Apache Kafka for tests: one shared by all, and private ones to be killed.

Set TEACHBACK_TEST_KAFKA=host:port to use a cluster that runs already, for the shared one.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from teachback.infra.cache import default_cache
from teachback.infra.kafka.node import Node
from teachback.infra.kafka.settings import KafkaSettings

EXISTING = "TEACHBACK_TEST_KAFKA"


class KafkaCluster(msgspec.Struct, frozen=True):
    """What a test needs to know of a cluster."""

    bootstrap: str

    @property
    def admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.bootstrap})

    def create(self, topic: str, partitions: int = 1, **config: str) -> str:
        """Create `topic` and return its name once every partition has a leader; config keys with `_` for `.`."""
        return self.create_all({topic: partitions}, **config)[0]

    def create_all(self, topics: Mapping[str, int], **config: str) -> list[str]:
        """As `create`, for many topics (name → partitions) in one request."""
        admin = self.admin
        settings = {key.replace("_", "."): value for key, value in config.items()}
        wanted = [NewTopic(name, count, 1, config=settings) for name, count in topics.items()]
        for answer in admin.create_topics(wanted).values():
            answer.result(30)
        _wait(lambda: _have_leaders(admin, topics), f"leaders of {sorted(topics)}")
        return list(topics)


def _have_leaders(admin: AdminClient, topics: Mapping[str, int]) -> bool:
    try:
        found = admin.list_topics(timeout=5).topics
    except KafkaException:
        return False
    return all(
        name in found
        and len(found[name].partitions) == count
        and all(p.leader >= 0 for p in found[name].partitions.values())
        for name, count in topics.items()
    )


def _wait(done: Callable[[], bool], what: str, timeout_s: float = 30.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout_s:g} s for {what}")
        time.sleep(0.05)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    """The cluster that all tests share, started at its first use. Keep to topics of your own `prefix`."""
    if existing := os.environ.get(EXISTING):
        yield KafkaCluster(existing)
        return
    with Node(KafkaSettings(home=tmp_path_factory.mktemp("kafka"), cache=default_cache())) as node:
        yield KafkaCluster(node.bootstrap)


@pytest.fixture
def prefix() -> str:
    """A topic (and group, and transactional id) prefix that no other test has, such as `t3f9a1c.`."""
    return f"t{uuid.uuid4().hex[:8]}."


@pytest.fixture
def private_kafka(tmp_path: Path) -> Iterator[Callable[..., Node]]:
    """Makes started nodes of this test's own, to be killed and started again: `node = private_kafka()`.

    `node.kill()` is kill -9, `node.stop()` a clean stop, `node.start()` starts again on the same port and data.
    Keywords are those of KafkaSettings. All are gone when the test ends.
    """
    nodes: list[Node] = []

    def start(**settings: Any) -> Node:
        chosen: dict[str, Any] = {
            "home": tmp_path / f"kafka{len(nodes)}",
            "cache": default_cache(),
            "heap_mb": 256,
        } | settings
        node = Node(KafkaSettings(**chosen))
        nodes.append(node)
        return node.start()

    yield start
    for node in nodes:
        node.kill()
