"""Events as Arrow rows, and back."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from teachback.schemas import Label, Message
from teachback.schemas.arrow import arrow_schema, from_rows, label_schema, to_table, unfit
from teachback.schemas.event import Event
from tests.consumers.shards.samples import label

words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=30)
maybe = st.none() | words
messages = st.builds(Message, role=st.sampled_from(["system", "user", "assistant"]), content=words)
labels = st.builds(
    Label,
    id=st.uuids().map(str),
    bot=st.sampled_from(["harbour", "a/b"]),
    created=st.datetimes(datetime(1971, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC)),
    exchange=st.uuids().map(str),
    conversation=st.uuids().map(str),
    revision=st.integers(1, 2**63 - 1),
    messages=st.lists(messages, min_size=1, max_size=4).map(tuple),
    answer=words,
    origin=st.sampled_from(["approved", "edited"]),
    adapter=words,
    source=st.sampled_from(["live", "replay"]),
    reviewers=st.lists(words, max_size=3).map(tuple),
    rejected=maybe,
    supersedes=maybe,
    topic=maybe,
    subject=maybe,
)


@settings(deadline=None)
@given(st.lists(labels, max_size=5))
def test_what_goes_into_rows_comes_out_the_same(events: list[Label]) -> None:
    rows = to_table(events, arrow_schema(Label)).to_pylist()
    assert from_rows(rows, Label) == events


@settings(deadline=None)
@given(st.lists(labels, min_size=1, max_size=3))
def test_a_parquet_file_keeps_them_too(events: list[Label]) -> None:
    sink = pa.BufferOutputStream()
    count = len(events)
    pq.write_table(to_table(events, label_schema(), _partition=[3] * count, _offset=list(range(count))), sink)
    table = pq.read_table(pa.BufferReader(sink.getvalue()))
    assert table.column("_offset").to_pylist() == list(range(count))
    assert from_rows(table.to_pylist(), Label) == events


def test_the_training_tables_columns_are_the_documented_ones() -> None:
    schema = label_schema()
    pair = pa.struct([pa.field("role", pa.string(), False), pa.field("content", pa.string(), False)])
    assert schema.field("messages") == pa.field("messages", pa.list_(pa.field("element", pair, False)), False)
    assert schema.field("created") == pa.field("created", pa.timestamp("us", tz="UTC"), False)
    assert schema.field("reviewers").type == pa.list_(pa.field("element", pa.string(), False))
    assert schema.names[-2:] == ["_partition", "_offset"]
    nullable = [field.name for field in schema if field.nullable]
    assert nullable == ["rejected", "supersedes", "topic", "subject"]


def test_a_column_that_older_files_lack_reads_as_its_default() -> None:
    class Later(Event, frozen=True, kw_only=True, tag="later/1"):
        tags: tuple[str, ...] = ("none",)
        note: str | None = None

    row: dict[str, Any] = {"id": "a", "bot": "b", "created": datetime.now(UTC), "tags": None, "note": None}
    assert from_rows([row], Later)[0].tags == ("none",)
    assert arrow_schema(Later).field("tags").nullable


def test_a_type_without_a_column_is_named() -> None:
    class Odd(Event, frozen=True, kw_only=True, tag="odd/1"):
        weights: dict[str, float]

    with pytest.raises(TypeError, match=r"Odd\.weights: no Arrow type for DictType"):
        arrow_schema(Odd)


def test_values_out_of_arrows_range_are_named_before_they_break_a_file() -> None:
    assert unfit(label(1)) is None
    assert "revision" in (unfit(label(1, revision=2**63)) or "")
    assert "created" in (unfit(label(1, created=datetime(1, 1, 1, tzinfo=UTC))) or "")


def test_importing_the_module_does_not_import_pyarrow() -> None:
    code = "import sys, teachback.schemas.arrow; sys.exit('pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
