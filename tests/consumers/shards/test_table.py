"""The table owns the offset: real files, real Delta Lake."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from teachback.consumers.shards.errors import Fenced, TableError, TableReplaced, TopicRecreated
from teachback.consumers.shards.files import write_files
from teachback.consumers.shards.roll import Row
from teachback.consumers.shards.table import LabelTable, Origin
from teachback.schemas import Label, ShardCommitted
from teachback.schemas.arrow import from_rows, label_schema
from tests.consumers.shards.samples import label

ORIGIN = Origin(topic="labels.approved", topic_id="Zk1")


def put(table: LabelTable, partition: int, expected: int | None, offsets: range, bot: str = "") -> list[ShardCommitted]:
    rows = [Row(n, label(n + 1000 * partition, bot or "harbour")) for n in offsets]
    files = write_files(table.path, partition, rows)
    return table.commit(partition, expected, offsets[-1], files)


def offsets_in(path: Path) -> list[tuple[int, int]]:
    rows = DeltaTable(str(path)).to_pyarrow_table(columns=["_partition", "_offset"]).to_pylist()
    return sorted((row["_partition"], row["_offset"]) for row in rows)


def test_a_commit_moves_the_offset_with_the_rows(tmp_path: Path) -> None:
    table = LabelTable(str(tmp_path / "t"), ORIGIN)
    assert table.last_offset(0) is None
    (shard,) = put(table, 0, None, range(5))
    assert (shard.rows, shard.first_offset, shard.last_offset, shard.table_version) == (5, 0, 4, 1)
    assert LabelTable(str(tmp_path / "t"), ORIGIN).last_offset(0) == 4
    assert (tmp_path / "t" / shard.path).stat().st_size == shard.bytes


def test_readers_get_the_labels_back_with_their_bot(tmp_path: Path) -> None:
    table = LabelTable(str(tmp_path / "t"), ORIGIN)
    bots = ["harbour", "a/b", "a%2Fb", "b=c", "ü", "..", "x" * 200]
    rows = [Row(n, label(n, bots[n % len(bots)])) for n in range(21)]
    shards = table.commit(0, None, 20, write_files(table.path, 0, rows))
    delta = DeltaTable(str(tmp_path / "t"))
    assert from_rows(delta.to_pyarrow_table().sort_by("_offset").to_pylist(), Label) == [row.label for row in rows]
    only = delta.to_pyarrow_table(filters=[("bot", "=", "a/b")])
    assert set(only.column("bot").to_pylist()) == {"a/b"} and only.num_rows == 3
    assert len(shards) == len({one.id for one in shards}) == len(bots)
    assert all((tmp_path / "t" / one.path).is_relative_to(tmp_path / "t") for one in shards)
    assert all("bot" not in pq.read_schema(tmp_path / "t" / one.path).names for one in shards)


def test_a_zombie_never_commits(tmp_path: Path) -> None:
    zombie = LabelTable(str(tmp_path / "t"), ORIGIN)
    put(zombie, 0, None, range(5))
    successor = LabelTable(str(tmp_path / "t"), ORIGIN)
    put(successor, 0, 4, range(5, 8))
    with pytest.raises(Fenced, match=r"offset is 7, not 4"):
        put(zombie, 0, 4, range(5, 20))
    assert offsets_in(tmp_path / "t") == [(0, n) for n in range(8)]


def test_a_zombie_does_not_commit_after_it_has_seen_the_successors_work(tmp_path: Path) -> None:
    """Delta compares only with what came after the snapshot: a commit for another partition takes a newer one."""
    zombie = LabelTable(str(tmp_path / "t"), ORIGIN)
    put(zombie, 0, None, range(5))
    successor = LabelTable(str(tmp_path / "t"), ORIGIN)
    put(successor, 0, 4, range(5, 8))
    put(zombie, 1, None, range(3))
    with pytest.raises(Fenced):
        put(zombie, 0, 4, range(5, 20))
    assert offsets_in(tmp_path / "t") == [(0, n) for n in range(8)] + [(1, n) for n in range(3)]


def test_delta_itself_refuses_what_slips_in_between_look_and_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = LabelTable(str(tmp_path / "t"), ORIGIN)
    put(slow, 0, None, range(5))
    other = LabelTable(str(tmp_path / "t"), ORIGIN)
    commit = slow._write

    def overtaken(*arguments: object) -> None:
        put(other, 0, 4, range(5, 8))
        commit(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(slow, "_write", overtaken)
    with pytest.raises(Fenced):
        put(slow, 0, 4, range(5, 20))
    assert offsets_in(tmp_path / "t") == [(0, n) for n in range(8)]


def test_writers_of_different_partitions_do_not_hinder_each_other(tmp_path: Path) -> None:
    one, two = (LabelTable(str(tmp_path / "t"), ORIGIN) for _ in range(2))
    put(one, 0, None, range(2))
    put(two, 1, None, range(2))
    (shard,) = put(one, 0, 1, range(2, 4))
    assert shard.table_version == 3
    assert offsets_in(tmp_path / "t") == [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 1)]


def test_progress_without_rows_is_a_commit_without_files(tmp_path: Path) -> None:
    table = LabelTable(str(tmp_path / "t"), ORIGIN)
    assert table.commit(0, None, 9, []) == []
    assert LabelTable(str(tmp_path / "t"), ORIGIN).last_offset(0) == 9
    assert offsets_in(tmp_path / "t") == []


def test_announcements_can_be_made_again_exactly(tmp_path: Path) -> None:
    table = LabelTable(str(tmp_path / "t"), ORIGIN)
    made = [one for n in range(40) for one in put(table, 0, n * 2 - 1 if n else None, range(n * 2, n * 2 + 2))]
    again = list(LabelTable(str(tmp_path / "t"), ORIGIN).announcements())
    assert again[::-1] == made
    assert [one.table_version for one in made] == list(range(1, 41))


def test_a_long_log_is_still_read_right(tmp_path: Path) -> None:
    """Past a checkpoint, which comes every hundred commits."""
    table = LabelTable(str(tmp_path / "t"), ORIGIN)
    for n in range(120):
        put(table, 0, n - 1 if n else None, range(n, n + 1))
    assert (tmp_path / "t" / "_delta_log" / "_last_checkpoint").exists()
    fresh = LabelTable(str(tmp_path / "t"), ORIGIN)
    assert fresh.last_offset(0) == 119
    assert sorted(fresh.label_ids(0)) == sorted(label(n).id for n in range(120))
    assert len(list(fresh.announcements())) == 120


def test_another_incarnation_of_the_topic_is_a_named_error(tmp_path: Path) -> None:
    LabelTable(str(tmp_path / "t"), ORIGIN)
    with pytest.raises(TopicRecreated, match=r"filled from labels\.approved"):
        LabelTable(str(tmp_path / "t"), Origin(topic="labels.approved", topic_id="Zk2"))


def test_a_table_that_was_exchanged_is_noticed_before_anything_is_written(tmp_path: Path) -> None:
    table = LabelTable(str(tmp_path / "t"), ORIGIN)
    put(table, 0, None, range(5))
    shutil.rmtree(tmp_path / "t")
    with pytest.raises(TableReplaced):
        table.last_offset(0)
    LabelTable(str(tmp_path / "t"), ORIGIN)
    with pytest.raises(TableReplaced, match="exchanged"):
        put(table, 0, 4, range(5, 8))
    assert offsets_in(tmp_path / "t") == []


def test_a_table_made_anew_announces_under_new_ids(tmp_path: Path) -> None:
    ids = [put(LabelTable(str(tmp_path / name), ORIGIN), 0, None, range(5))[0].id for name in "ab"]
    assert ids[0] != ids[1]


@pytest.mark.parametrize("what", ["a file", "foreign files", "a foreign table", "an object store"])
def test_a_folder_that_cannot_be_the_table_is_a_clear_error(tmp_path: Path, what: str) -> None:
    path = tmp_path / "t"
    if what == "a file":
        path.write_text("x")
    elif what == "foreign files":
        path.mkdir()
        (path / "a.parquet").write_bytes(b"PAR1")
    elif what == "a foreign table":
        DeltaTable.create(str(path), pq.read_schema(_any_parquet(tmp_path)))
    with pytest.raises(TableError, match=r"another folder|Look at its disk|cannot be read|local folder"):
        LabelTable("s3://bucket/t" if what == "an object store" else str(path), ORIGIN)


def _any_parquet(tmp_path: Path) -> Path:
    table = LabelTable(str(tmp_path / "other"), ORIGIN)
    return tmp_path / "other" / put(table, 0, None, range(1))[0].path


def test_a_table_from_an_older_release_gains_the_new_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    older = pa.schema([field for field in label_schema() if field.name != "subject"])
    monkeypatch.setattr("teachback.consumers.shards.table.label_schema", lambda: older)
    monkeypatch.setattr("teachback.consumers.shards.files.label_schema", lambda: older)
    put(LabelTable(str(tmp_path / "t"), ORIGIN), 0, None, range(2))
    monkeypatch.undo()
    table = LabelTable(str(tmp_path / "t"), ORIGIN)
    rows = [Row(2, label(2, subject="p-17"))]
    table.commit(0, 1, 2, write_files(table.path, 0, rows))
    found = DeltaTable(str(tmp_path / "t")).to_pyarrow_table().sort_by("_offset")
    assert found.column("subject").to_pylist() == [None, None, "p-17"]
    assert from_rows(found.to_pylist(), Label)[0] == label(0)


def test_a_disk_that_refuses_the_file_is_a_clear_error(tmp_path: Path) -> None:
    table = LabelTable(str(tmp_path / "t"), ORIGIN)
    (tmp_path / "t" / "bot=harbour").write_text("in the way")
    with pytest.raises(TableError, match=r"cannot write under .*disk and permissions"):
        put(table, 0, None, range(2))
    assert table.last_offset(0) is None
