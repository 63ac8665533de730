"""A contender: its topics, its input, its process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from confluent_kafka.cimpl import NewTopic

from bench.job import Job
from bench.work import BOT, POLICY, sample
from teachback.schemas.wire import Cluster, admin, encode, producer

PARTITIONS = 4
START_SECONDS = 60.0
DRAIN_SECONDS = 15.0
QUIX_PYTHON = Path(".venv-bench/bin/python")


class BenchError(Exception):
    """A contender did not do what was asked of it; the message says which, and where its log is."""


def create(cluster: Cluster, topics: dict[str, int]) -> None:
    """Make topics (name without prefix → partitions) and wait until they are made."""
    client = admin(cluster)  # its answers are lost with it
    made = client.create_topics([NewTopic(cluster.topic(name), count, 1) for name, count in topics.items()])
    for one in made.values():
        one.result(30)


def prepare(job: Job) -> None:
    """A contender's own topics, and the policy."""
    cluster = job.cluster
    create(cluster, {"chat.scored": PARTITIONS, "review.requests": PARTITIONS, "loop.policy": 1, "loop.calibration": 1})
    out = producer(cluster)
    out.produce(cluster.topic("loop.policy"), encode(POLICY), BOT)
    out.flush(30)


def fill(cluster: Cluster, source: str, count: int) -> int:
    """Put exchanges 0 … count - 1 on the source topic. Returns their mean size in bytes."""
    out, size = producer(cluster), 0
    for number in range(count):
        exchange = sample(number)
        value = encode(exchange)
        size += len(value)
        out.produce(source, value, exchange.conversation)
        if number % 5_000 == 0:
            out.flush(60)
    out.flush(60)
    return size // max(1, count)


@contextmanager
def worker(job: Job, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The contender's process; ended cleanly, and killed if it won't."""
    quix = job.kind == "Quix Streams"
    module, python = ("bench.quix_worker", str(QUIX_PYTHON)) if quix else ("bench.worker", sys.executable)
    with log.open("ab") as file:
        command = [python, "-m", module, msgspec.json.encode(job).decode()]
        environment = {**os.environ, "PYTHONPATH": "src"}
        process = subprocess.Popen(command, stdout=file, stderr=file, env=environment)
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    except subprocess.TimeoutExpired as exc:
        raise BenchError(f"{job.kind}, {job.guarantee}, did not end within 30 s of SIGTERM; its log is {log}") from exc
    finally:
        process.kill()
        process.wait()
