"""What the trainer's integration tests share: topics, a table that grows, a trainer to kill, the log to look at."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from teachback.schemas import Label, Run, ShardCommitted, SplitAssigned
from teachback.schemas.event import Event
from teachback.schemas.lineage import ADAPTER_EVENTS, Lineage
from teachback.schemas.log import Tail
from teachback.schemas.topics import BY_NAME, TopicName
from teachback.schemas.wire import Cluster
from teachback.trainer.ledger import send
from tests.kafka_fixture import KafkaCluster
from tests.trainer import fakes

ROOT = Path(__file__).resolve().parents[2]
TOPICS: tuple[TopicName, ...] = ("labels.shards", "labels.splits", "training.runs", "models.adapters")


class Bench:
    """One bot's topics, table and work folder, and the trainers started on them."""

    def __init__(self, kafka: KafkaCluster, prefix: str, folder: Path, **fields: Any) -> None:
        self.cluster = Cluster(bootstrap=kafka.bootstrap, prefix=prefix)
        self.folder = folder
        self.settings = fakes.settings(folder, self.cluster, **fields)
        self.trainers: list[subprocess.Popen[bytes]] = []
        self._tails: dict[str, tuple[Tail[Any], list[Any]]] = {}
        kafka.create_all({self.cluster.topic(name): BY_NAME[name].partitions or 1 for name in TOPICS})
        self.settings.work.mkdir(parents=True)
        self.plan()

    def plan(self, **plan: Any) -> None:
        """What the fake job is to do."""
        (self.settings.work / "plan.json").write_text(json.dumps(plan))

    def add(self, labels: Sequence[Label]) -> None:
        """Labels into the table, and their shard on the log."""
        version = fakes.append(Path(self.settings.table), labels)
        shard = ShardCommitted(
            id=f"shard-{version}",
            bot=fakes.BOT,
            created=fakes.MOMENT,
            table_version=version,
            path=f"part-{version}",
            rows=len(labels),
            bytes=1,
            partition=0,
            first_offset=0,
            last_offset=1,
        )
        send(self.cluster, "labels.shards", shard, "test")

    def start(self, *stop_at: str) -> subprocess.Popen[bytes]:
        """A trainer in a process of its own."""
        file = self.folder / "settings.json"
        file.write_bytes(msgspec.json.encode(self.settings, enc_hook=str))
        command = [sys.executable, "-m", "tests.trainer.parent", str(file), *stop_at]
        with (self.folder / "trainer.log").open("ab") as log:
            trainer = subprocess.Popen(
                command, cwd=ROOT, stdout=log, stderr=log, env=os.environ | {"OMP_NUM_THREADS": "1"}
            )
        self.trainers.append(trainer)
        return trainer

    def until(self, true: Callable[[], object], what: str, seconds: float = 60.0) -> None:
        """Wait, and say what the trainers said when it takes too long."""
        deadline = time.monotonic() + seconds
        while not true():
            dead = all(trainer.poll() is not None for trainer in self.trainers)
            if dead or time.monotonic() > deadline:
                said = (self.folder / "trainer.log").read_text()[-3000:]
                raise TimeoutError(f"{what}: {'no trainer is left' if dead else f'not after {seconds:g} s'}\n{said}")
            time.sleep(0.05)

    def events(self, topic: TopicName, *kinds: type[Event]) -> list[Any]:
        """All events of a topic, as far as it goes now."""
        if topic not in self._tails:
            tail = Tail(self.cluster, topic, kinds)
            self._tails[topic] = tail, [record.event for record in tail.catch_up(20)]
        tail, found = self._tails[topic]
        while records := tail.poll(0.2):
            found += [record.event for record in records]
        return list(found)

    def runs(self) -> list[Run]:
        """All states of all runs."""
        return self.events("training.runs", Run)

    def splits(self) -> list[SplitAssigned]:
        """All decisions."""
        return self.events("labels.splits", SplitAssigned)

    def lineage(self) -> Lineage:
        """The adapters."""
        lineage = Lineage(fakes.BOT)
        for event in self.events("models.adapters", *ADAPTER_EVENTS):
            lineage = lineage.fold(event)
        return lineage

    def until_run_is(self, state: str) -> list[Run]:
        """Wait for a run in this state; returns all states of all runs."""
        self.until(lambda: any(run.state == state for run in self.runs()), f"a run that is {state}")
        return self.runs()

    def starts(self, run: str) -> list[int]:
        """The process ids of the jobs that were started for a run, in order."""
        file = self.settings.work / "runs" / run / "starts"
        return [int(line) for line in file.read_text().split()] if file.exists() else []

    def until_job_starts(self, run: str, times: int = 1) -> int:
        """Wait for the run's job to have been started so often; returns the process id of the last."""
        self.until(lambda: len(self.starts(run)) >= times, f"{times} starts of the job")
        return self.starts(run)[-1]

    def stopped(self, trainer: subprocess.Popen[bytes]) -> int:
        """Ask a trainer to end; returns its exit status."""
        trainer.terminate()
        return trainer.wait(30)

    def end(self) -> None:
        """End all trainers, however they are."""
        for trainer in self.trainers:
            if trainer.poll() is None:
                trainer.kill()
                trainer.wait()
        for tail, _ in self._tails.values():
            tail.close()
