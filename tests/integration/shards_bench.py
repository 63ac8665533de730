"""What the tests of the shard writer stand on: topics and a table of their own, processes, and the checker."""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from deltalake import DeltaTable, write_deltalake

from teachback.consumers.shards import ShardsSettings
from teachback.schemas import Label, ShardCommitted
from teachback.schemas.arrow import label_schema, to_table
from teachback.schemas.log import Tail
from teachback.schemas.wire import Cluster, consumer, decode, encode, headers, producer
from tests.integration.shards_process import start
from tests.kafka_fixture import KafkaCluster

PATIENCE_SECONDS = 60.0
UP, READING = "SIGTERM stops", "reading partitions"  # what the writer logs once it handles signals, and has partitions


class Bench:
    """The topics of one test, and a table for them."""

    def __init__(self, kafka: KafkaCluster, prefix: str, folder: Path, partitions: int) -> None:
        self.kafka = kafka
        self.cluster = Cluster(bootstrap=kafka.bootstrap, prefix=prefix, partitions=partitions)
        self.table = folder / "table"
        self.make_topic()
        kafka.create_all(
            {self.cluster.topic("labels.approved.dlq"): partitions, self.cluster.topic("labels.shards"): 1}
        )

    def make_topic(self) -> None:
        self.kafka.create(self.cluster.topic("labels.approved"), self.cluster.partitions, cleanup_policy="compact")

    def remake_topic(self) -> None:
        admin: AdminClient = self.kafka.admin
        topic = self.cluster.topic("labels.approved")
        admin.delete_topics([topic])[topic].result(30)
        until(lambda: topic not in admin.list_topics(timeout=10).topics, "the topic to be gone")
        self.make_topic()

    def settings(self, **chosen: Any) -> ShardsSettings:
        quick = {"max_age_seconds": 0.3, "session_timeout_seconds": 2.0}
        return ShardsSettings(cluster=self.cluster, table=str(self.table), **(quick | chosen))

    def send(self, *values: Label | bytes | None, key: str | None = None) -> None:
        client = producer(self.cluster)
        for value in values:
            data = encode(value) if isinstance(value, Label) else value
            name = value.id if isinstance(value, Label) else key or "k"
            marks = [*headers(value, "test")] if isinstance(value, Label) else None
            client.produce(self.cluster.topic("labels.approved"), data, name, headers=marks)
            client.poll(0)
        assert client.flush(30) == 0

    def ids(self) -> list[str]:
        if not DeltaTable.is_deltatable(str(self.table)):
            return []
        return [
            str(one) for one in DeltaTable(str(self.table)).to_pyarrow_table(columns=["id"]).column("id").to_pylist()
        ]

    def announced(self) -> list[ShardCommitted]:
        with Tail(self.cluster, "labels.shards", (ShardCommitted,)) as tail:
            return [record.event for record in tail.catch_up() if record.event is not None]

    def dead_letters(self) -> list[tuple[bytes | None, dict[str, bytes]]]:
        reader = consumer(self.cluster, "dlq-reader", {"enable.partition.eof": True})
        topic = self.cluster.topic("labels.approved.dlq")
        reader.assign([TopicPartition(topic, p, 0) for p in range(self.cluster.partitions)])
        found, ended = list[tuple[bytes | None, dict[str, bytes]]](), 0
        while ended < self.cluster.partitions:
            for message in reader.consume(100, 0.1):
                if message.error() is not None:
                    ended += 1
                else:
                    found.append((message.value(), dict(message.headers() or [])))  # type: ignore[arg-type]
        reader.close()
        return found


class Processes:
    """Writers in processes of their own, each with a log."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, settings: ShardsSettings, file_bytes: int | None = None) -> subprocess.Popen[bytes]:
        self.started.append(start(settings, self.folder / f"{len(self.started)}.log", file_bytes))
        return self.started[-1]

    def log(self, process: subprocess.Popen[bytes]) -> str:
        return (self.folder / f"{self.started.index(process)}.log").read_text()

    def wait_for(self, process: subprocess.Popen[bytes], words: str) -> None:
        until(lambda: words in self.log(process), f"{words!r} in the log")

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        self.wait_for(process, UP)
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0, self.log(process)


def until(done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not done():
        assert time.monotonic() < deadline, f"waited {PATIENCE_SECONDS:.0f} s for {what}"
        time.sleep(0.05)


def wrong(found: Iterable[str], wanted: Iterable[str]) -> tuple[set[str], set[str]]:
    """The checker: which ids are missing, and which are there more than once or should not be there."""
    counts, expected = Counter(found), set(wanted)
    return expected - counts.keys(), {one for one, n in counts.items() if n > 1 or one not in expected}


def naive(bench: Bench, offsets_first: bool, crashes: bool) -> None:
    """Reads what there is and writes it; a crash comes between the two commits."""
    reader = consumer(bench.cluster, "naive")
    topic = bench.cluster.topic("labels.approved")
    reader.assign(reader.committed([TopicPartition(topic, p) for p in (0, 1)], timeout=20))
    messages = [one for _ in range(4) for one in reader.consume(10, 0.5) if one.error() is None]
    events = [decode(bytes(one.value() or b""), Label) for one in messages]
    rows = to_table(events, label_schema(), _partition=[0] * len(events), _offset=list(range(len(events))))
    steps: list[Callable[[], object]] = [
        lambda: reader.commit(asynchronous=False, offsets=_after(messages)),
        lambda: write_deltalake(str(bench.table), rows, mode="append", partition_by=["bot"]),
    ]
    for step in (steps if offsets_first else steps[::-1])[: 1 if crashes else 2]:
        if messages:
            step()
    reader.close()
    if not DeltaTable.is_deltatable(str(bench.table)):
        DeltaTable.create(str(bench.table), label_schema(), partition_by=["bot"])


def _after(messages: list[Any]) -> list[TopicPartition]:
    last = {one.partition(): one.offset() for one in messages}
    return [TopicPartition(messages[0].topic(), p, offset + 1) for p, offset in last.items()]
