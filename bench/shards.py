"""Shards beside raw pyarrow: the same labels from Kafka to zstd Parquet with fsync.

    python bench/shards.py 127.0.0.1:9092 [--labels 100000] [--rows 10000]

Both read the same topic with the same consumer settings, decode and check each label, and write files of the same
number of rows. The reference only does that. The writer also drops repeats, asks whether the topic is still the same,
commits to the Delta table with its offset, syncs the log and announces. Prints labels a second for both, and the ratio.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
from confluent_kafka import OFFSET_BEGINNING, TopicPartition
from confluent_kafka import Message as KafkaMessage
from confluent_kafka.cimpl import NewTopic
from deltalake import DeltaTable

from teachback.consumers.shards import ShardsSettings
from teachback.consumers.shards.consumer import Shards
from teachback.schemas import Label, Message
from teachback.schemas.arrow import label_schema, to_table
from teachback.schemas.wire import Cluster, admin, consumer, decode, encode, producer

WORDS = "the fee for a card payment abroad is 1.5 per cent of the amount, and nothing at all within the euro area; "


def fill(cluster: Cluster, count: int) -> None:
    """Make the topics and put `count` labels of about 1 KB on one partition."""
    names = {"labels.approved": 1, "labels.approved.dlq": 1, "labels.shards": 1}
    client = admin(cluster)  # its answers are lost with it
    made = client.create_topics([NewTopic(cluster.topic(name), n, 1) for name, n in names.items()])
    for one in made.values():
        one.result(30)
    out = producer(cluster)
    for number in range(count):
        out.produce(cluster.topic("labels.approved"), encode(sample(number)), f"{number}")
        out.poll(0)
        if number % 10_000 == 0:
            out.flush()
    out.flush()


def sample(number: int) -> Label:
    """A label whose text differs from the next one's, so that it does not compress to nothing."""
    salt = uuid.uuid5(uuid.NAMESPACE_OID, str(number)).hex
    return Label(
        id=str(uuid.uuid5(uuid.NAMESPACE_URL, str(number))),
        bot="bench",
        created=datetime.now(UTC),
        exchange=f"x{number}",
        conversation=f"c{number}",
        revision=1,
        messages=(Message(role="user", content=f"{salt} {WORDS * 2}"),),
        answer=f"{WORDS * 3}{salt}",
        origin="edited",
        adapter="bench@v0",
        source="live",
        reviewers=("a", "b"),
    )


def raw(cluster: Cluster, folder: Path, count: int, rows: int) -> float:
    """Seconds to read, decode and write `count` labels with pyarrow alone, from the first batch on."""
    reader = consumer(cluster, "raw")
    reader.assign([TopicPartition(cluster.topic("labels.approved"), 0, OFFSET_BEGINNING)])
    buffer: list[tuple[int, Label]] = []
    done, messages = 0, list[KafkaMessage]()
    while not messages:
        messages = reader.consume(500, 0.2)
    started = time.perf_counter()
    while done < count:
        for message in messages:
            buffer.append((message.offset() or 0, decode(bytes(message.value() or b""), Label)))
        if len(buffer) >= rows or done + len(buffer) == count:
            write(folder / f"{done}.parquet", buffer)
            done += len(buffer)
            buffer.clear()
        messages = reader.consume(500, 0.2) if done < count else []
    elapsed = time.perf_counter() - started
    reader.close()
    return elapsed


def write(path: Path, rows: list[tuple[int, Label]]) -> None:
    """One Parquet file, zstd, fsynced."""
    position = {"_partition": [0] * len(rows), "_offset": [offset for offset, _ in rows]}
    with path.open("xb") as file:
        pq.write_table(to_table([one for _, one in rows], label_schema(), **position), file, compression="zstd")
        file.flush()
        os.fsync(file.fileno())


def shards(cluster: Cluster, folder: Path, count: int, rows: int) -> float:
    """Seconds for the shard writer, from the first batch to the last commit, announced."""
    process = Shards(ShardsSettings(cluster=cluster, table=str(folder), max_rows=rows, max_bytes=1 << 30))
    while process.writer.rows == 0:
        process.turn()
    started = time.perf_counter()
    while process.writer.rows < count:
        process.turn()
    process.flush()
    elapsed = time.perf_counter() - started
    process.close()
    found = DeltaTable(str(folder)).count()
    if found != count:
        raise SystemExit(f"the table has {found} rows, not {count}")
    return elapsed


def measure(bootstrap: str, labels: int, rows: int) -> dict[str, float]:
    """Best seconds of each. Both run in turn, on fresh folders, three times."""
    cluster = Cluster(bootstrap=bootstrap, prefix=f"bench{uuid.uuid4().hex[:8]}.", partitions=1)
    fill(cluster, labels)
    best: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as home:
        for turn in range(3):
            for name, work in (("raw pyarrow", raw), ("shards", shards)):
                folder = Path(home) / f"{name}{turn}"
                folder.mkdir()
                seconds = work(cluster, folder, labels, rows)
                best[name] = min(best.get(name, seconds), seconds)
    return best


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bootstrap")
    parser.add_argument("--labels", type=int, default=100_000)
    parser.add_argument("--rows", type=int, default=10_000)
    given = parser.parse_args()
    best = measure(given.bootstrap, given.labels, given.rows)
    for name, seconds in best.items():
        print(f"{name:12} {given.labels / seconds:>10,.0f} labels/s  ({given.labels:,} in files of {given.rows:,})")
    print(f"ratio        {best['raw pyarrow'] / best['shards']:>10.2f}")


if __name__ == "__main__":
    main()
