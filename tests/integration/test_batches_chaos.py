"""Workers are killed, stalled and restarted; every record is then counted from outside. `make chaos` does the whole."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from teachback.infra.kafka.node import Node
from teachback.streams.batches.worker import Guarantee
from tests.chaos.streams import Plan, run, table
from tests.kafka_fixture import KafkaCluster

pytestmark = pytest.mark.kafka


def no_restart() -> None:
    raise AssertionError("these plans restart no broker")


def test_exactly_once_survives_three_kills_and_a_zombie(kafka: KafkaCluster, tmp_path: Path) -> None:
    plan = Plan(records=20_000, kills=3, stops=1, rate=2000.0, gap=2.5)
    report = run(plan, kafka.bootstrap, tmp_path / "log", no_restart)
    assert report.lossless, report
    assert report.exits[-9] == 3
    assert report.found.dead_letters == 40


def test_at_least_once_survives_a_kill_and_a_handler_that_raises(kafka: KafkaCluster, tmp_path: Path) -> None:
    plan = Plan(records=5000, kills=1, stops=0, rate=1000.0, gap=3, guarantee="at_least_once", raise_share=0.01)
    report = run(plan, kafka.bootstrap, tmp_path / "log", no_restart)
    assert report.lossless, report


@pytest.mark.acceptance
def test_killed_brokers_alone_stop_nobody_for_long(private_kafka: Callable[..., Node], tmp_path: Path) -> None:
    """Nobody kills the workers, so whatever the broker's death leaves hanging must free itself."""
    node = private_kafka()

    def restart() -> None:
        node.kill()
        node.start()

    plan = Plan(records=60_000, kills=0, stops=0, restarts=2, rate=500.0, gap=20)
    report = run(plan, node.bootstrap, tmp_path / "log", restart)
    assert report.lossless, report


@pytest.mark.acceptance
@pytest.mark.parametrize("guarantee", get_args(Guarantee))
def test_the_whole(guarantee: Guarantee, private_kafka: Callable[..., Node], tmp_path: Path) -> None:
    node = private_kafka()

    def restart() -> None:
        node.kill()
        time.sleep(2)
        node.start()

    plan = Plan(records=200_000, kills=20, stops=5, restarts=1, rate=900.0, guarantee=guarantee)
    report = run(plan, node.bootstrap, tmp_path / "log", restart)
    print(table([report]))
    assert report.lossless, report
