"""The shard writer on a real Kafka: each approved label in exactly one row, whatever is killed."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import OFFSET_END, TopicPartition
from confluent_kafka.admin import AdminClient
from deltalake import DeltaTable

from teachback.consumers.shards.errors import OffsetLost, TooManyDeadLetters, TopicRecreated
from teachback.consumers.shards.files import write_files
from teachback.consumers.shards.roll import Row
from teachback.consumers.shards.table import LabelTable, Origin
from teachback.infra.kafka.node import Node
from teachback.schemas.wire import consumer, encode, require_topics
from tests.consumers.shards.samples import label
from tests.integration.shards_bench import PATIENCE_SECONDS, READING, UP, Bench, Processes, naive, until, wrong
from tests.integration.shards_process import running
from tests.kafka_fixture import KafkaCluster
from tests.stall import stall, wake

pytestmark = pytest.mark.kafka
NOTHING: tuple[set[str], set[str]] = (set(), set())


@pytest.fixture
def bench(kafka: KafkaCluster, prefix: str, tmp_path: Path) -> Bench:
    return Bench(kafka, prefix, tmp_path, 2)


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    """All are gone when the test ends."""
    made = Processes(tmp_path)
    yield made
    for process in made.started:
        process.kill()
        process.wait()


def test_each_label_is_in_exactly_one_row_though_writers_are_killed(bench: Bench, processes: Processes) -> None:
    """Two writers in a group, killed by turns at random moments while labels stream in, two bots, some repeats."""
    dice = random.Random(7)
    labels = [label(n, ("harbour", "pier")[n % 2]) for n in range(2400)]
    settings = [bench.settings(instance=name, max_rows=40) for name in "ab"]
    living = [processes.start(one) for one in settings]
    for turn in range(6):
        batch = labels[turn * 400 : turn * 400 + 400]
        bench.send(*batch, *dice.sample(batch, 5))
        victim = turn % 2
        processes.wait_for(living[victim], UP)
        time.sleep(dice.uniform(0.0, 1.5))
        living[victim].kill()
        living[victim].wait()
        living[victim] = processes.start(settings[victim])
    wanted = {one.id for one in labels}
    until(lambda: wanted <= set(bench.ids()), "all labels to be in the table")
    for process in living:
        processes.stop(process)
    assert wrong(bench.ids(), wanted) == NOTHING
    shards = {one.id: one for one in bench.announced()}.values()
    assert sum(one.rows for one in shards) == len(labels)
    assert sorted(one.path for one in shards) == sorted(_paths(bench.table))


def _paths(table: Path) -> list[str]:
    return [uri.rpartition("/table/")[2] for uri in DeltaTable(str(table)).file_uris()]


@pytest.mark.parametrize("offsets_first", [True, False])
def test_the_checker_catches_a_writer_that_trusts_the_groups_offsets(bench: Bench, offsets_first: bool) -> None:
    """The control: the two orders in which a writer without the table's number can crash."""
    labels = [label(n) for n in range(20)]
    bench.send(*labels)
    for crashes in (True, False):
        naive(bench, offsets_first, crashes)
    missing, repeated = wrong(bench.ids(), [one.id for one in labels])
    assert (bool(missing), bool(repeated)) == (offsets_first, not offsets_first)


def test_a_stalled_writer_that_wakes_up_commits_nothing(bench: Bench, processes: Processes) -> None:
    first = [label(n) for n in range(30)]
    zombie = processes.start(bench.settings(max_age_seconds=2.5, session_timeout_seconds=1.0))
    bench.send(*first)
    processes.wait_for(zombie, READING)
    time.sleep(0.7)  # it has read them, and will not commit for another while
    stall(zombie)
    assert bench.ids() == []
    processes.start(bench.settings())
    until(lambda: len(bench.ids()) == len(first), "the successor to commit")
    version = DeltaTable(str(bench.table)).version()
    wake(zombie)
    time.sleep(2.0)
    assert zombie.poll() is None
    assert DeltaTable(str(bench.table)).version() == version
    second = [label(n) for n in range(30, 60)]
    bench.send(*second)
    until(lambda: len(bench.ids()) >= len(first + second), "both to share the work")
    assert wrong(bench.ids(), [one.id for one in first + second]) == NOTHING


def test_a_label_on_an_idle_topic_is_in_the_table_by_age_alone(bench: Bench) -> None:
    with running(bench.settings(max_rows=10_000)) as raised:
        bench.send(label(1))
        until(lambda: bench.ids() == [label(1).id], "the label to be in the table")
        until(lambda: [one.rows for one in bench.announced()] == [1], "its announcement")
    assert raised == []


def test_a_stop_commits_what_is_buffered(bench: Bench, processes: Processes) -> None:
    process = processes.start(bench.settings(max_age_seconds=1000.0))
    bench.send(*[label(n) for n in range(10)])
    processes.wait_for(process, READING)
    time.sleep(1.0)
    processes.stop(process)
    assert wrong(bench.ids(), [label(n).id for n in range(10)]) == NOTHING
    assert sum(one.rows for one in bench.announced()) == 10


@pytest.mark.skipif(shutil.which("prlimit") is None, reason="needs prlimit (Linux)")
def test_a_disk_that_is_full_ends_the_writer_with_a_clear_error_and_loses_nothing(
    bench: Bench, processes: Processes
) -> None:
    labels = [label(n) for n in range(1000)]
    bench.send(*labels)
    process = processes.start(bench.settings(max_rows=400), file_bytes=12_000)
    assert process.wait(PATIENCE_SECONDS) not in {0, None}
    assert "TableError: cannot write under" in processes.log(process)
    with running(bench.settings()) as raised:
        until(lambda: len(bench.ids()) >= len(labels), "the table to be filled")
    assert raised == []
    assert wrong(bench.ids(), [one.id for one in labels]) == NOTHING


@pytest.mark.acceptance
def test_an_outage_of_kafka_delays_labels_and_loses_none(
    private_kafka: Callable[..., Node], prefix: str, tmp_path: Path
) -> None:
    node = private_kafka()
    bench = Bench(KafkaCluster(node.bootstrap), prefix, tmp_path, 2)
    first, second = [label(n) for n in range(50)], [label(n) for n in range(50, 100)]
    with running(bench.settings(max_age_seconds=3.0)) as raised:
        bench.send(*first)
        time.sleep(1.5)
        node.kill()
        time.sleep(5.0)
        assert bench.ids() == []
        node.start()
        bench.send(*second)
        until(lambda: len(bench.ids()) >= 100, "the table to be filled")
    assert raised == []
    assert wrong(bench.ids(), [one.id for one in first + second]) == NOTHING


def test_garbage_goes_to_the_dead_letters_and_its_neighbours_to_the_table(bench: Bench) -> None:
    huge = encode(label(3)).replace(b'"revision":1', b'"revision":9223372036854775808')
    surrogate = encode(label(4)).replace(b"euro", b"\\ud800")
    bad = [b"\xff\x00garbage", b"", huge, surrogate, b'{"event":"label/1"}']
    bench.send(bad[0], label(1), bad[1], None, label(2), label(2), *bad[2:], label(5), key="same")
    with running(bench.settings()) as raised:
        until(lambda: len(bench.ids()) >= 3, "the good labels")
        until(lambda: len(bench.dead_letters()) >= len(bad), "the dead letters")
        until(lambda: _covered(bench), "the table to cover the end of the topic")
    with running(bench.settings()) as again:
        time.sleep(1.0)
    assert raised == again == []
    assert wrong(bench.ids(), [label(n).id for n in (1, 2, 5)]) == NOTHING
    letters = bench.dead_letters()
    assert sorted(value or b"" for value, _ in letters) == sorted(bad)
    topic = bench.cluster.topic("labels.approved")
    assert all(marks["dlq_reason"] and marks["dlq_source"].decode().startswith(f"{topic}:") for _, marks in letters)
    reasons = {value: marks["dlq_reason"].decode() for value, marks in letters}
    assert "not a 64-bit integer" in reasons[huge]
    assert "label/1" in reasons[bad[0]]


def _covered(bench: Bench) -> bool:
    topic = bench.cluster.topic("labels.approved")
    table = LabelTable(str(bench.table), _origin(bench))
    reader = consumer(bench.cluster, "watermarks")
    ends = [reader.get_watermark_offsets(TopicPartition(topic, p))[1] for p in range(bench.cluster.partitions)]
    reader.close()
    return all(end == 0 or table.last_offset(p) == end - 1 for p, end in enumerate(ends))


def _origin(bench: Bench) -> Origin:
    topic_id = require_topics(bench.cluster, "labels.approved")["labels.approved"]
    return Origin(topic=bench.cluster.topic("labels.approved"), topic_id=topic_id)


def test_a_topic_of_garbage_stops_the_writer(bench: Bench) -> None:
    bench.send(*[b"no label"] * 60)
    with running(bench.settings(dead_letter_limit=0.05)) as raised:
        until(lambda: bool(raised), "the writer to stop")
    assert isinstance(raised[0], TooManyDeadLetters)
    assert "no labels" in str(raised[0])


def test_an_announcement_that_a_crash_swallowed_is_made_on_assignment_and_only_once(bench: Bench) -> None:
    bench.send(label(1))
    table = LabelTable(str(bench.table), _origin(bench))
    partition = next(p for p in (0, 1) if _end(bench, p) == 1)
    swallowed = table.commit(partition, None, 0, write_files(bench.table, partition, [Row(0, label(1))]))
    for _ in range(2):
        with running(bench.settings()):
            until(lambda: bench.announced() == swallowed, "the announcement")
            time.sleep(0.5)
    assert bench.announced() == swallowed
    assert bench.ids() == [label(1).id]


def _end(bench: Bench, partition: int) -> int:
    reader = consumer(bench.cluster, "end")
    end = reader.get_watermark_offsets(TopicPartition(bench.cluster.topic("labels.approved"), partition))[1]
    reader.close()
    return int(end)


def test_the_table_owns_the_offset_so_a_deleted_one_is_filled_again(bench: Bench) -> None:
    labels = [label(n) for n in range(50)]
    bench.send(*labels)
    for _ in range(2):
        with running(bench.settings()) as raised:
            until(lambda: len(bench.ids()) >= len(labels), "the table to be filled")
        assert raised == []
        assert wrong(bench.ids(), [one.id for one in labels]) == NOTHING
        shutil.rmtree(bench.table)
    reader = consumer(bench.cluster, "shards")
    topic = bench.cluster.topic("labels.approved")
    assert all(one.offset < 0 for one in reader.committed([TopicPartition(topic, p) for p in (0, 1)], timeout=20))
    reader.close()


def test_a_topic_made_again_while_the_writer_was_down_is_a_named_error(bench: Bench) -> None:
    bench.send(*[label(n) for n in range(10)])
    with running(bench.settings()):
        until(lambda: len(bench.ids()) == 10, "the table to be filled")
    bench.remake_topic()
    bench.send(*[label(n) for n in range(100, 150)])
    with running(bench.settings()) as raised:
        until(lambda: bool(raised), "the writer to stop")
    assert isinstance(raised[0], TopicRecreated)
    assert len(bench.ids()) == 10


def test_a_topic_made_again_under_the_writer_is_a_named_error(bench: Bench) -> None:
    bench.send(*[label(n) for n in range(10)])
    with running(bench.settings()) as raised:
        until(lambda: len(bench.ids()) == 10, "the table to be filled")
        bench.remake_topic()
        bench.send(*[label(n) for n in range(100, 150)])
        until(lambda: bool(raised), "the writer to stop")
    assert isinstance(raised[0], TopicRecreated)
    assert len(bench.ids()) == 10


def test_records_deleted_before_they_were_read_are_a_named_error(bench: Bench) -> None:
    bench.send(*[label(n) for n in range(40)])
    with running(bench.settings()):
        until(lambda: len(bench.ids()) == 40, "the table to be filled")
    bench.send(*[label(n) for n in range(40, 80)])
    topic = bench.cluster.topic("labels.approved")
    admin: AdminClient = bench.kafka.admin
    admin.incremental_alter_configs([_deletable(topic)])[_deletable(topic)].result(20)
    wanted = [TopicPartition(topic, p, OFFSET_END) for p in (0, 1)]
    for done in admin.delete_records(wanted).values():
        done.result(20)
    with running(bench.settings()) as raised:
        until(lambda: bool(raised), "the writer to stop")
    assert isinstance(raised[0], OffsetLost)


def _deletable(topic: str) -> Any:
    from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

    entry = ConfigEntry("cleanup.policy", "delete", incremental_operation=AlterConfigOpType.SET)
    return ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
