"""Buffers, repeats and conflicts, on a real table and a hand-moved clock."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from deltalake import DeltaTable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from teachback.consumers.shards.errors import Fenced, TopicRecreated
from teachback.consumers.shards.roll import Limits
from teachback.consumers.shards.table import LabelTable, Origin
from teachback.consumers.shards.writer import Writer
from teachback.schemas import Label
from tests.consumers.shards.samples import label

ORIGIN = Origin(topic="labels.approved", topic_id="Zk1")
LIMITS = Limits(rows=4, bytes=1 << 20, age_seconds=10.0)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def writer(path: Path, clock: Clock | None = None) -> Writer:
    return Writer(LabelTable(str(path), ORIGIN), LIMITS, lambda: None, clock or Clock())


def ids_in(path: Path) -> list[str]:
    return sorted(str(one) for one in DeltaTable(str(path)).to_pyarrow_table(columns=["id"]).column("id").to_pylist())


def feed(to: Writer, log: Sequence[Label | None], start: int | None, steps: int) -> int:
    """Give the records from `start` on, committing when due; returns the offset that would come next."""
    begin = start or 0
    for offset in range(begin, min(begin + steps, len(log))):
        to.take(0, offset, log[offset], 100)
        for partition in to.due():
            to.commit(partition)
    return min(begin + steps, len(log))


def test_a_label_on_an_idle_topic_is_due_by_age(tmp_path: Path) -> None:
    clock = Clock()
    shards = writer(tmp_path / "t", clock)
    shards.assign(0)
    shards.take(0, 0, label(0), 100)
    assert shards.due() == []
    clock.now = 10.0
    assert shards.due() == [0]
    assert shards.commit(0)[0].rows == 1
    assert shards.due() == []


def test_a_repeated_label_makes_one_row_within_a_buffer_and_across_restarts(tmp_path: Path) -> None:
    shards = writer(tmp_path / "t")
    shards.assign(0)
    for offset in range(2):
        shards.take(0, offset, label(7), 100)
    shards.commit(0)
    shards.take(0, 2, label(7), 100)
    shards.commit(0)
    restarted = writer(tmp_path / "t")
    assert restarted.assign(0) == 3
    restarted.take(0, 3, label(7), 100)
    restarted.take(0, 4, label(7, revision=2), 100)
    restarted.commit(0)
    assert ids_in(tmp_path / "t") == sorted([label(7).id, label(7, revision=2).id])
    assert (shards.repeats, restarted.repeats) == (2, 1)


def test_a_fenced_writer_drops_its_buffer_and_reads_on_where_the_table_says(tmp_path: Path) -> None:
    log = [label(n) for n in range(9)]
    stalled, successor = writer(tmp_path / "t"), writer(tmp_path / "t")
    stalled.assign(0)
    feed(stalled, log, 0, 3)
    feed(successor, log, successor.assign(0), 6)
    with pytest.raises(Fenced):
        stalled.commit(0)
    assert stalled.partitions == []
    feed(stalled, log, stalled.assign(0), 9)
    stalled.commit(0)
    assert ids_in(tmp_path / "t") == sorted(one.id for one in log)


def test_labels_that_were_dropped_with_a_buffer_are_no_repeats_when_they_come_again(tmp_path: Path) -> None:
    shards = writer(tmp_path / "t")
    shards.assign(0)
    shards.take(0, 0, label(0), 100)
    shards.revoke(0)
    assert shards.assign(0) is None
    shards.take(0, 0, label(0), 100)
    shards.commit(0)
    assert ids_in(tmp_path / "t") == [label(0).id]


def test_nothing_is_committed_when_the_topic_is_another_one(tmp_path: Path) -> None:
    def recreated() -> None:
        raise TopicRecreated("made again")

    shards = Writer(LabelTable(str(tmp_path / "t"), ORIGIN), LIMITS, recreated, Clock())
    shards.assign(0)
    shards.take(0, 0, label(0), 100)
    with pytest.raises(TopicRecreated):
        shards.commit(0)
    assert ids_in(tmp_path / "t") == []
    assert list((tmp_path / "t").glob("bot=*")) == []


events = st.lists(
    st.tuples(st.sampled_from(["feed", "feed", "crash", "zombie"]), st.integers(1, 9)), min_size=1, max_size=15
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events, st.lists(st.integers(0, 20), min_size=1, max_size=30))
def test_each_label_is_in_exactly_one_row_whatever_stops_and_wakes_up(
    tmp_path_factory: pytest.TempPathFactory, story: list[tuple[str, int]], numbers: list[int]
) -> None:
    """A crash forgets the writer; a zombie keeps its buffer, and wakes up at the end to commit it."""
    path = tmp_path_factory.mktemp("story") / "t"
    log = [None if number == 20 else label(number) for number in numbers]
    living, zombies = writer(path), list[Writer]()
    position = living.assign(0) or 0
    for what, steps in story:
        if what == "feed":
            position = feed(living, log, position, steps)
            continue
        if what == "zombie":
            zombies.append(living)
        living = writer(path)
        position = living.assign(0) or 0
    feed(living, log, position, len(log))
    living.commit(0)
    for zombie in zombies:
        buffered = zombie._lanes[0].buffer.last
        if buffered is not None:
            with pytest.raises(Fenced):
                zombie.commit(0)
    assert ids_in(path) == sorted({one.id for one in log if one is not None})
