"""A scoring worker as a process of its own, without the embedder.

`python -m tests.integration.scoring_process CLUSTER` (JSON) is one.
`workers` starts some of one group, and waits until each has partitions.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from confluent_kafka import ConsumerGroupState, KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from teachback.schemas.wire import Cluster, admin
from teachback.streams.batches import Leg, StreamSettings, make_app, run
from teachback.streams.calibrations import Calibrations
from teachback.streams.policies import Policies
from teachback.streams.scoring import Scorer
from tests.integration.calibration_process import ROOT, wait_until

GROUP = "scoring"
Worker = subprocess.Popen[bytes]


@contextmanager
def workers(cluster: Cluster, size: int, log: Path) -> Iterator[list[Worker]]:
    """That many, started at once, each at work; gone afterwards."""
    command = [sys.executable, "-m", "tests.integration.scoring_process", msgspec.json.encode(cluster).decode()]
    client, group = admin(cluster), cluster.prefix + GROUP
    started: list[Worker] = []
    with log.open("ab") as out:
        try:
            for _ in range(size):
                started.append(subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out))
            wait_until(lambda: at_work(client, group) == size)
            yield started
        finally:
            for process in started:
                process.kill()
                process.wait()


def at_work(client: AdminClient, group: str) -> int:
    """How many members of a group have partitions; 0 while they are being given out, or nobody knows the group yet."""
    try:
        found = client.describe_consumer_groups([group])[group].result(30)
    except KafkaException as exc:
        if exc.args[0].code() not in {KafkaError.COORDINATOR_LOAD_IN_PROGRESS, KafkaError.NOT_COORDINATOR}:
            raise
        return 0
    if found.state != ConsumerGroupState.STABLE:
        return 0
    return sum(bool(member.assignment and member.assignment.topic_partitions) for member in found.members)


def score(cluster: Cluster) -> None:
    """Score until SIGTERM, in small batches, so that many are on their way at any time."""
    scorer = Scorer(cluster, Policies(cluster), Calibrations(cluster), None)
    settings = StreamSettings(cluster=cluster, group=GROUP, max_batch=20, session_timeout=6.0)
    run(make_app(settings, Leg(cluster.topic("chat.exchanges"), scorer.decode, scorer.handle)))


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s")
    score(msgspec.json.decode(sys.argv[1], type=Cluster))
