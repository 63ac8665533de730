"""The trainer on a real Kafka, with a job that trains nothing."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from teachback.schemas.wire import Cluster, TopicMismatch
from teachback.trainer.alias import adapters, rollback
from teachback.trainer.dataset.embed import Vectors
from teachback.trainer.errors import RetryRefused
from teachback.trainer.history import retry, runs
from teachback.trainer.run import Trainer
from teachback.trainer.spec import read_rows
from tests.integration.trainer_process import Bench
from tests.kafka_fixture import KafkaCluster
from tests.stall import stall, wake
from tests.trainer import fakes
from tests.trainer.parent import JOB, PLACES

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
    assert one.stopped(trainer) == 0


SLICE = {"splits committed", "run open", "adapter put"}
KILLED_AT = [pytest.param(place, marks=() if place in SLICE else pytest.mark.acceptance) for place in PLACES]


@pytest.mark.parametrize("place", KILLED_AT)
def test_a_trainer_killed_anywhere_leaves_one_run_one_adapter_one_change(bench: Benches, place: str) -> None:
    one = bench()
    one.add(fakes.pairs(40))
    assert one.start(place).wait(60) == -signal.SIGKILL
    one.start()
    one.until_run_is("promoted")
    assert states(one) == ["started", "promoted"]
    assert len({split.id for split in one.splits()}) == len(one.splits()) == 40
    exactly_one_adapter(one)


def exactly_one_adapter(one: Bench) -> None:
    lineage = one.lineage()
    assert list(lineage.registered) == ["harbour@v1"] and len(lineage.changes) == 1 and lineage.ignored == 0
    assert [path.name for path in (one.settings.registry / fakes.BOT).iterdir()] == ["v1"]
    assert not list(one.settings.work.glob("runs/*/COLLISION"))


def test_a_killed_job_goes_on_and_a_killed_trainer_s_job_is_ended(bench: Benches) -> None:
    """kill -9 of the child, then of the parent: the second child is nobody's, and ended by the next trainer."""
    one = bench()
    go = one.folder / "go"
    one.plan(wait=str(go))
    one.add(fakes.pairs(40))
    first = one.start()
    (started,) = one.until_run_is("started")
    os.kill(one.until_job_starts(started.id), signal.SIGKILL)
    stray = one.until_job_starts(started.id, 2)
    first.kill()
    first.wait()
    one.start()
    one.until_job_starts(started.id, 3)
    assert not alive(stray)
    go.touch()
    one.until_run_is("promoted")
    assert states(one) == ["started", "promoted"]
    exactly_one_adapter(one)


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_stalled_trainer_publishes_nothing_once_another_has_taken_over(bench: Benches) -> None:
    one = bench()
    go = one.folder / "go"
    one.plan(wait=str(go))
    one.add(fakes.pairs(40))
    zombie = one.start()
    (started,) = one.until_run_is("started")
    one.until_job_starts(started.id)
    stall(zombie)
    successor = one.start()
    one.until_job_starts(started.id, 2)
    one.add(fakes.pairs(10, start=40))
    wake(zombie)
    assert zombie.wait(60) != 0
    assert "Fenced" in (one.folder / "trainer.log").read_text()
    go.touch()
    one.until_run_is("promoted")
    one.until(lambda: len(one.splits()) == 50, "the later labels' sides")
    assert states(one) == ["started", "promoted"]
    assert len({split.id for split in one.splits()}) == 50
    exactly_one_adapter(one)
    assert one.stopped(successor) == 0


def test_labels_that_come_during_a_job_leave_it_the_machine_and_get_their_sides_afterwards(bench: Benches) -> None:
    one, embedded = bench(), list[int]()
    go = one.folder / "go"
    one.plan(wait=str(go))

    def embed(texts: Sequence[str]) -> Vectors:
        embedded.append(len(texts))
        return fakes.embed(texts)

    trainer = Trainer(one.settings, embed, JOB, lambda _: fakes.BASE)
    with closing(trainer):
        one.add(fakes.pairs(40))
        step_until(trainer, lambda: trainer.child is not None)
        before, version = len(embedded), trainer.views.announced
        one.add(fakes.pairs(10, start=40))
        step_until(trainer, lambda: trainer.views.announced > version)
        trainer.step()
        assert (len(embedded), trainer.labels.decided) == (before, 40)
        go.touch()
        step_until(trainer, lambda: trainer.labels.decided == 50)
        assert trainer.child is None
    assert states(one) == ["started", "promoted"]


def step_until(trainer: Trainer, true: Callable[[], bool], most: int = 200) -> None:
    for _ in range(most):
        if true():
            return
        trainer.step()
    raise TimeoutError


def test_mixed_up_answers_hold_the_run_and_are_not_learnt_later(bench: Benches) -> None:
    one = bench()
    good = fakes.pairs(90)
    mixed = [fakes.label(x.id, x.question, y.answer) for x, y in zip(good[:50], [*good[1:50], good[0]], strict=True)]
    one.add(mixed)
    one.start()
    (held,) = one.until_run_is("held")
    assert held.adapter is None and held.reason is not None
    assert "answers do not fit the questions" in held.reason
    one.add(good[50:])
    one.until_run_is("promoted")
    assert states(one) == ["held", "started", "promoted"]
    ended = one.runs()[-1]
    rows = read_rows(one.settings.work / "runs" / ended.id / "train.jsonl")
    learnt = {row.id for row in rows}
    assert len(learnt & {x.id for x in mixed}) <= 8
    assert ended.dataset.held_back == ended.dataset.labels - len(learnt) >= 25
    exactly_one_adapter(one)


def test_a_failing_job_is_tried_again_given_up_and_opened_again_by_a_person(bench: Benches) -> None:
    one = bench(max_attempts=2)
    one.plan(failures=3)
    one.add(fakes.pairs(40))
    one.start()
    started, failed = one.until_run_is("failed")
    assert failed.reason == "after 2 attempts: RuntimeError: told to fail"
    assert len(one.starts(started.id)) == 2
    one.add(fakes.pairs(5, start=40))
    one.until(lambda: len(one.splits()) == 45, "the later labels' sides")
    assert states(one) == ["started", "failed"]
    retry(one.cluster, fakes.BOT, started.id)
    one.until_run_is("promoted")
    assert states(one) == ["started", "failed", "started", "promoted"]
    assert len(one.starts(started.id)) == 4
    (run,) = runs(one.cluster, fakes.BOT)
    assert (run.id, run.last.state, run.open) == (started.id, "promoted", False)
    with pytest.raises(RetryRefused, match="it is promoted"):
        retry(one.cluster, fakes.BOT, started.id)
    exactly_one_adapter(one)


def test_a_hopeless_job_is_given_up_at_once(bench: Benches) -> None:
    one = bench()
    one.plan(failures=9, status=2)
    one.add(fakes.pairs(40))
    one.start()
    started, _ = one.until_run_is("failed")
    assert len(one.starts(started.id)) == 1


def test_a_rollback_during_a_run_makes_its_victory_worth_nothing(bench: Benches) -> None:
    one = bench()
    one.add(fakes.pairs(40))
    one.start()
    one.until_run_is("promoted")
    go = one.folder / "go"
    one.plan(wait=str(go))
    one.add(fakes.pairs(40, start=40))
    one.until(lambda: len(one.runs()) == 3, "the second run")
    assert rollback(one.cluster, fakes.BOT, "harbour@v0", "for the test").champion == "harbour@v0"
    go.touch()
    last = one.until_run_is("inconclusive")[-1]
    assert last.adapter == "harbour@v2"
    assert last.reason == "it beat harbour@v1, but harbour@v0 came into service in the meantime"
    lineage = adapters(one.cluster, fakes.BOT)
    assert lineage.champion == "harbour@v0" and list(lineage.registered) == ["harbour@v1", "harbour@v2"]


def test_a_run_whose_folder_is_lost_is_made_again_as_it_was(bench: Benches) -> None:
    """Labels that came since the run opened are not part of it; everything local is gone."""
    one = bench()
    one.add(fakes.pairs(40))
    assert one.start("folder filled").wait(60) == -signal.SIGKILL
    (started,) = one.runs()
    (folder,) = one.settings.work.glob("runs/*")
    rows = (folder / "train.jsonl").read_bytes()
    shutil.rmtree(one.settings.work)
    one.settings.work.mkdir()
    one.plan()
    one.add(fakes.pairs(10, start=40))
    one.start()
    ended = one.until_run_is("promoted")[-1]
    assert (ended.id, ended.dataset) == (started.id, started.dataset)
    assert (folder / "train.jsonl").read_bytes() == rows
    exactly_one_adapter(one)


def test_a_missing_topic_is_named(kafka: KafkaCluster, prefix: str, tmp_path: Path) -> None:
    settings = fakes.settings(tmp_path, Cluster(bootstrap=kafka.bootstrap, prefix=prefix))
    with pytest.raises(TopicMismatch, match=f"{prefix}labels.shards' is missing"):
        Trainer(settings, fakes.embed, ["true"], lambda _: fakes.BASE)
