"""The rows of a CSV, JSON, JSON Lines or Parquet file, as dictionaries, one at a time, each with where it stands."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from teachback.producers.errors import BadFile

Row = tuple[str, dict[str, Any]]
"""Where it stands, for a message (`line 3`, `row 3`), and its columns."""
HEAD_BYTES = 64 * 1024
DELIMITERS = ",;\t|"


def rows_of(path: Path) -> Iterator[Row]:
    """The rows. What kind of file it is shows in its first bytes, or else in its name. Raises BadFile, also midway."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        if not head.strip():
            raise BadFile(f"{path} is empty")
        yield from _reader(path, head)(path)
    except FileNotFoundError as exc:
        raise BadFile(f"{path}: there is no such file") from exc
    except UnicodeDecodeError as exc:
        byte = exc.object[exc.start]
        raise BadFile(f"{path} is not UTF-8 text (it has a byte 0x{byte:02x}): save it as UTF-8") from exc
    except OSError as exc:
        raise BadFile(f"{path} cannot be read: {exc.strerror or exc}") from exc


def _reader(path: Path, head: bytes) -> Callable[[Path], Iterator[Row]]:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"PAR1") or path.suffix.lower() in {".parquet", ".pq"}:
        return _parquet
    if start.startswith(b"["):
        return _json
    if start.startswith(b"{") or path.suffix.lower() in {".jsonl", ".ndjson", ".json"}:
        return _json_lines
    return _csv


def _csv(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = file.readline()
        delimiter = max(DELIMITERS, key=first.count)
        file.seek(0)
        reader = csv.DictReader(file, delimiter=delimiter, strict=True)
        try:
            for row in reader:
                if row.pop(None, None) is not None:  # DictReader's name for the surplus
                    raise BadFile(f"{path}, line {reader.line_num}: more values than the header has columns")
                yield f"line {reader.line_num}", row
        except csv.Error as exc:
            raise BadFile(f"{path}, line {reader.reader.line_num}: not valid CSV: {exc}") from exc


def _json_lines(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield f"line {number}", _object(path, f"line {number}", line)


def _object(path: Path, where: str, text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.ValidationError as exc:
        raise BadFile(f"{path}, {where}: a JSON object was expected: {exc}") from exc
    except msgspec.DecodeError as exc:
        raise BadFile(f"{path}, {where}: not valid JSON: {exc}") from exc


def _json(path: Path) -> Iterator[Row]:
    try:
        rows = msgspec.json.decode(path.read_text(encoding="utf-8-sig"), type=list[dict[str, Any]])
    except msgspec.DecodeError as exc:
        raise BadFile(f"{path}: not a JSON list of objects: {exc}") from exc
    for number, row in enumerate(rows, 1):
        yield f"row {number}", row


def _parquet(path: Path) -> Iterator[Row]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as exc:
        raise BadFile(f"{path} is a Parquet file, and reading it needs pyarrow: `pip install pyarrow`") from exc
    number = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(1000):
                for row in batch.to_pylist():
                    number += 1
                    yield f"row {number}", row
    except pa.ArrowException as exc:
        raise BadFile(f"{path} is no Parquet file that can be read: {exc}") from exc
