"""Parquet files that are on the disk, for certain, when a function here returns."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from teachback.consumers.shards.errors import TableError
from teachback.consumers.shards.roll import Row
from teachback.schemas import Label
from teachback.schemas.arrow import OFFSET, PARTITION, label_schema, to_table
from teachback.schemas.event import event_name

LONGEST_FOLDER = 200  # bytes of a file name; file systems allow 255


class ShardFile(msgspec.Struct, frozen=True, kw_only=True):
    """A written file of one bot's labels from one partition, not yet part of the table."""

    path: str
    """Relative to the table."""
    bot: str
    rows: int
    bytes: int
    partition: int
    first_offset: int
    last_offset: int


def write_files(table: Path, partition: int, rows: Sequence[Row]) -> list[ShardFile]:
    """One file for each bot among `rows`, which are in offset order. Raises TableError when the disk refuses."""
    bots: dict[str, list[Row]] = {}
    for row in rows:
        bots.setdefault(row.label.bot, []).append(row)
    try:
        return [_write(table, partition, bot, mine) for bot, mine in bots.items()]
    except OSError as exc:  # pyarrow's I/O errors are OSErrors too
        raise TableError(f"cannot write under {table}: {exc}. Look at its disk and permissions.") from exc


def sync(path: Path) -> None:
    """fsync a file or a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def folder_of(bot: str) -> str:
    """The folder of a bot's files. The bot's name counts from the table's log, never from here."""
    name = f"bot={quote(bot, safe='')}"
    return name if len(name) <= LONGEST_FOLDER else f"bot-{hashlib.sha256(bot.encode()).hexdigest()}"


def _write(table: Path, partition: int, bot: str, rows: Sequence[Row]) -> ShardFile:
    first, last = rows[0].offset, rows[-1].offset
    # The random part keeps a stalled writer, awake again, from overwriting its successor's file.
    name = f"{partition}-{first:012d}-{last:012d}-{uuid.uuid4().hex[:12]}.parquet"
    path = table / folder_of(bot) / name
    if not path.parent.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        sync(table)
    with path.open("xb") as file:
        pq.write_table(_columns(partition, rows), file, compression="zstd")
        file.flush()
        os.fsync(file.fileno())
        size = file.tell()
    sync(path.parent)
    return ShardFile(
        path=str(path.relative_to(table)),
        bot=bot,
        rows=len(rows),
        bytes=size,
        partition=partition,
        first_offset=first,
        last_offset=last,
    )


def _columns(partition: int, rows: Sequence[Row]) -> pa.Table:
    """The table's columns but `bot`, which Delta keeps in its log; the footer has the event's version and the range."""
    schema = label_schema()
    schema = schema.remove(schema.get_field_index("bot"))
    footer = {
        "teachback.event": "/".join(map(str, event_name(Label))),
        "teachback.partition": str(partition),
        "teachback.offsets": f"{rows[0].offset}-{rows[-1].offset}",
    }
    position = {PARTITION: [partition] * len(rows), OFFSET: [row.offset for row in rows]}
    return to_table([row.label for row in rows], schema.with_metadata(footer), **position)
