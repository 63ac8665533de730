"""One worker at a time on a real Kafka: dead letters, raises, endings, fences."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka import Message as KafkaMessage
from faust.types import TP

from teachback.schemas.wire import Cluster, producer_config
from teachback.streams.batches.batch import Batch, Output
from teachback.streams.batches.errors import DeliveryFailed, StaleBatch
from teachback.streams.batches.transactions import ExactlyOnce
from teachback.streams.batches.worker import Guarantee
from tests.chaos.checker import Progress, check, read
from tests.chaos.worker import Number, Worker
from tests.kafka_fixture import KafkaCluster
from tests.streams.batches.fakes import raws

pytestmark = pytest.mark.kafka
# Both forms share the pump and the transport; the default run pays for one, `make acceptance` for both.
GUARANTEES = ("exactly_once", pytest.param("at_least_once", marks=pytest.mark.acceptance))


def topics(kafka: KafkaCluster, prefix: str, guarantee: Guarantee = "exactly_once", **options: float) -> Worker:
    """Topics of one partition, and the worker between them."""
    kafka.create_all({f"{prefix}{name}": 1 for name in ("in", "out", "in.dlq")})
    return Worker(
        bootstrap=kafka.bootstrap,
        source=f"{prefix}in",
        target=f"{prefix}out",
        group=f"{prefix}group",
        guarantee=guarantee,
        pause=0.0,
        **options,  # type: ignore[arg-type]
    )


@contextmanager
def started(worker: Worker, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The worker as a process, gone afterwards."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.worker", msgspec.json.encode(worker).decode()], stdout=out, stderr=out
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def write(worker: Worker, values: list[bytes]) -> None:
    """Values into the source, each with its place as key, in one request so that they make one batch."""
    producer = Producer(producer_config(Cluster(bootstrap=worker.bootstrap)) | {"linger.ms": 500})
    for place, value in enumerate(values):
        producer.produce(worker.source, value, str(place), headers=[("ce_id", str(place).encode())])
    assert producer.flush(30) == 0


def numbers(count: int) -> list[bytes]:
    return [msgspec.json.encode(Number(n, "")) for n in range(count)]


def wait_until_committed(worker: Worker, count: int, seconds: float = 40.0) -> None:
    progress, until = Progress(worker.bootstrap, worker.group, worker.source), time.monotonic() + seconds
    while progress.committed() < count:
        assert time.monotonic() < until, f"{progress.committed()} of {count} committed after {seconds} s"
        time.sleep(0.1)


def ids(worker: Worker) -> list[int]:
    return [msgspec.json.decode(value, type=Number).id for value in read(worker.bootstrap, worker.target)]


def messages(bootstrap: str, topic: str) -> list[KafkaMessage]:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "reader", "enable.partition.eof": True})
    consumer.assign([TopicPartition(topic, 0, 0)])
    found: list[KafkaMessage] = []
    while True:
        (message,) = consumer.consume(1, 20)
        error = message.error()
        if error is not None:
            assert error.code() == KafkaError._PARTITION_EOF
            consumer.close()
            return found
        found.append(message)


@pytest.mark.parametrize("guarantee", GUARANTEES)
def test_garbage_at_the_start_middle_and_end_of_a_batch_is_dead_lettered_once_each(
    kafka: KafkaCluster, prefix: str, tmp_path: Path, guarantee: Guarantee
) -> None:
    worker = topics(kafka, prefix, guarantee)
    values = numbers(21)
    for place in (0, 10, 20):
        values[place] = b"\xff\xfe" + str(place).encode()
    write(worker, values)
    with started(worker, tmp_path / "log"):
        wait_until_committed(worker, 21)
    assert ids(worker) == [n for n in range(21) if n not in (0, 10, 20)]
    letters = messages(kafka.bootstrap, f"{worker.source}.dlq")
    assert [letter.value() for letter in letters] == [values[place] for place in (0, 10, 20)]
    for place, letter in zip((0, 10, 20), letters, strict=True):
        headers = dict(letter.headers() or [])
        assert letter.key() == str(place).encode()
        assert headers["ce_id"] == str(place).encode()
        assert headers["dlq_source"] == f"{worker.source}:0:{place}".encode()
        assert str(headers["dlq_reason"]).startswith("b'no number: ")


@pytest.mark.parametrize("guarantee", GUARANTEES)
def test_a_handler_that_raises_loses_nothing(
    kafka: KafkaCluster, prefix: str, tmp_path: Path, guarantee: Guarantee
) -> None:
    worker = topics(kafka, prefix, guarantee)
    write(worker, numbers(50))
    with started(msgspec.structs.replace(worker, raise_share=1.0), tmp_path / "log") as broken:
        assert broken.wait(40) == 70
    assert "a bug in the handler" in (tmp_path / "log").read_text()
    with started(worker, tmp_path / "log"):
        wait_until_committed(worker, 50)
    assert ids(worker) == list(range(50))


def test_too_many_dead_letters_stop_the_worker_and_drain_nothing(
    kafka: KafkaCluster, prefix: str, tmp_path: Path
) -> None:
    worker = topics(kafka, prefix)
    write(worker, [b"\xff\xfe0"] * 300)
    with started(worker, tmp_path / "log") as process:
        assert process.wait(40) == 65
    assert "dead_letter_limit" in (tmp_path / "log").read_text()
    assert read(kafka.bootstrap, f"{worker.source}.dlq") == []
    assert Progress(kafka.bootstrap, worker.group, worker.source).committed() == 0


@pytest.mark.parametrize("guarantee", GUARANTEES)
def test_a_worker_told_to_end_inside_a_batch_ends_well_and_loses_nothing(
    kafka: KafkaCluster, prefix: str, tmp_path: Path, guarantee: Guarantee
) -> None:
    worker = topics(kafka, prefix, guarantee)
    write(worker, numbers(400))
    with started(msgspec.structs.replace(worker, max_batch=20, pause=0.3), tmp_path / "log") as process:
        wait_until_committed(worker, 40)
        process.terminate()
        assert process.wait(30) == 0
    with started(worker, tmp_path / "log"):
        wait_until_committed(worker, 400)
    assert sorted(set(ids(worker))) == list(range(400))
    if guarantee == "exactly_once":
        assert ids(worker) == list(range(400))


def test_a_worker_that_finds_no_broker_ends_with_a_code_for_its_supervisor(tmp_path: Path) -> None:
    worker = Worker(bootstrap="127.0.0.1:9", source="in", target="out", group="g", guarantee="at_least_once")
    with started(worker, tmp_path / "log") as process:
        assert process.wait(60) != 0


@pytest.mark.acceptance
def test_a_batch_longer_than_the_session_survives_a_rebalance(kafka: KafkaCluster, prefix: str, tmp_path: Path) -> None:
    worker = topics(kafka, prefix)
    write(worker, numbers(20))
    with started(msgspec.structs.replace(worker, pause=16.0), tmp_path / "log") as slow:  # 8 s at least; session 6 s
        time.sleep(6)  # by now it is inside its batch
        with started(worker, tmp_path / "log") as newcomer:
            wait_until_committed(worker, 20, 60)
            assert (slow.poll(), newcomer.poll()) == (None, None), (tmp_path / "log").read_text()
    assert ids(worker) == list(range(20))


def test_the_checker_catches_a_worker_that_commits_before_it_is_done(
    kafka: KafkaCluster, prefix: str, tmp_path: Path
) -> None:
    worker = topics(kafka, prefix, "at_least_once")
    write(worker, numbers(50))
    with started(msgspec.structs.replace(worker, control=True, pause=8.0), tmp_path / "log"):
        wait_until_committed(worker, 50)  # and now it is killed, inside the batch
    with started(worker, tmp_path / "log"):
        write(worker, [msgspec.json.encode(Number(50, ""))])
        wait_until_committed(worker, 51)
    found = check(kafka.bootstrap, worker.target, f"{worker.source}.dlq", 51, set())
    assert (found.missing, found.outputs) == (50, 1)


async def test_a_successor_fences_a_zombie_and_finds_its_last_committed_offset(
    kafka: KafkaCluster, prefix: str
) -> None:
    worker = topics(kafka, prefix)
    source, client = TP(worker.source, 0), {"bootstrap.servers": kafka.bootstrap}
    config = producer_config(Cluster(bootstrap=kafka.bootstrap))
    zombie, heir = (ExactlyOnce(config, worker.group, client) for _ in range(2))
    await zombie.assign({source}, 1)
    await zombie.publish(Batch(source, raws([b"1"] * 5), 1, 5), [Output(worker.target, b"k", b"by the owner")])
    await heir.assign({source}, 1)
    with pytest.raises(DeliveryFailed, match="fenced"):
        await zombie.publish(Batch(source, raws([b"1"] * 5), 1, 10), [Output(worker.target, b"k", b"by the zombie")])
    assert Progress(kafka.bootstrap, worker.group, worker.source).committed() == 5
    await heir.publish(Batch(source, raws([b"1"] * 5), 1, 10), [Output(worker.target, b"k", b"by the heir")])
    assert read(kafka.bootstrap, worker.target) == [b"by the owner", b"by the heir"]
    with pytest.raises(StaleBatch):
        await heir.publish(Batch(source, raws([b"1"] * 5), 0, 10), [])
