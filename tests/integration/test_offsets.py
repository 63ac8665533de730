"""A broker that is killed under transactions: whoever hangs in them ends by itself, and goes on when started again."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from confluent_kafka import KafkaException, TopicPartition

from teachback.infra.kafka.node import Node
from teachback.schemas.wire import Cluster, consumer
from tests.kafka_fixture import KafkaCluster

pytestmark = pytest.mark.kafka
PATIENCE = 90.0
PARTITIONS = 8
AWAY = 6.0  # seconds; a shorter absence rarely leaves anything hanging


def start(bootstrap: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.integration.offsets_process", bootstrap, "in", "out", str(PARTITIONS)]
    return subprocess.Popen(command)


def test_a_killed_broker_does_not_leave_transactions_hanging(private_kafka: Callable[..., Node]) -> None:
    node = private_kafka()
    KafkaCluster(node.bootstrap).create_all({"in": PARTITIONS, "out": 1})
    looker = consumer(Cluster(bootstrap=node.bootstrap), "offsets")
    writer = start(node.bootstrap)

    def committed() -> list[int]:
        try:
            return [found.offset for found in looker.committed([TopicPartition("in", n) for n in range(PARTITIONS)], 5)]
        except KafkaException:  # the broker has only just come back
            return []

    def until_all_move(writer: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
        """Wait for commits on every partition, and start the writer again when it has ended by itself."""
        before, moved, deadline = committed(), set[int](), time.monotonic() + PATIENCE
        while len(moved) < PARTITIONS:
            assert time.monotonic() < deadline, f"only {len(moved)} of {PARTITIONS} partitions go on"
            if writer.poll() is not None:
                writer = start(node.bootstrap)
            now = committed()
            before = before or now
            moved |= {place for place, (old, new) in enumerate(zip(before, now, strict=False)) if old != new}
            time.sleep(0.2)
        return writer

    try:
        writer = until_all_move(writer)
        node.kill()
        time.sleep(AWAY)
        node.start()
        writer = until_all_move(writer)
    finally:
        looker.close()
        writer.kill()
        writer.wait()
