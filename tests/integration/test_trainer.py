"""The trainer on a real Kafka, with a job that trains nothing."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.trainer_process import Bench
from tests.kafka_fixture import KafkaCluster
from tests.trainer import fakes
from tests.trainer.parent import PLACES

pytestmark = pytest.mark.kafka
Benches = Callable[..., Bench]


@pytest.fixture
def bench(kafka: KafkaCluster, prefix: str, tmp_path: Path) -> Iterator[Benches]:
    made: list[Bench] = []

    def make(**fields: Any) -> Bench:
        made.append(Bench(kafka, prefix, tmp_path, **fields))
        return made[-1]

    yield make
    for one in made:
        one.end()


def states(one: Bench) -> list[str]:
    return [run.state for run in one.runs()]


def test_enough_labels_start_a_run_that_ends_with_a_promoted_adapter(bench: Benches) -> None:
    one = bench()
    trainer = one.start()
    one.add(fakes.pairs(12))
    one.add(fakes.pairs(28, start=12))
    started, ended = one.until_run_is("promoted")
    assert (started.state, started.id, started.dataset) == ("started", ended.id, ended.dataset)
    assert ended.dataset.train >= 20 and ended.dataset.train + ended.dataset.eval == 40
    assert ended.metrics["train/rows"] == ended.dataset.train
    assert one.lineage().champion == ended.adapter == "harbour@v1"
    assert len(one.splits()) == 40
    trainer.send_signal(signal.SIGTERM)
    assert trainer.wait(20) == 0


@pytest.mark.parametrize("place", PLACES)
def test_a_trainer_killed_anywhere_leaves_one_run_one_adapter_one_change(bench: Benches, place: str) -> None:
    one = bench()
    one.add(fakes.pairs(40))
    assert one.start(place).wait(60) == -signal.SIGKILL
    one.start()
    one.until_run_is("promoted")
    assert states(one) == ["started", "promoted"]
    assert len({split.id for split in one.splits()}) == len(one.splits()) == 40
    lineage = one.lineage()
    assert list(lineage.registered) == ["harbour@v1"] and len(lineage.changes) == 1 and lineage.ignored == 0
    assert [path.name for path in (one.settings.registry / fakes.BOT).iterdir()] == ["v1"]
    assert not list(one.settings.work.glob("runs/*/COLLISION"))
