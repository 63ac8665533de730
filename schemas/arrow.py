"""Events as rows: an Arrow schema derived from a struct, and the way there and back.

The training table has one row for each label: the fields of `Label`, one column each under the same name, then where
the label stood on `labels.approved`:

    id, bot, exchange, conversation, answer, origin, adapter, source      string
    created                                                               timestamp[us, UTC]
    revision                                                              int64
    messages                                                              list<struct<role, content>>
    reviewers                                                             list<string>
    rejected, supersedes, topic, subject                                  string, may be null
    _partition (int32), _offset (int64)                                   position on the topic, never null

`bot` partitions the table, so it stands in the table's log and not in the files; readers of the table get it as a
column. A row whose label was revised later stays: the newest `revision` of an `exchange` is the one in force.

    rows = DeltaTable(path, version=v).to_pyarrow_table(filters=[("bot", "=", "harbour")]).to_pylist()
    labels = from_rows(rows, Label)

A field with a default may be null in the table: files written before the field existed have no value for it, and
reading gives the default back. Only this module needs pyarrow, and only when it is called.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from msgspec import inspect

from teachback.schemas.event import Event
from teachback.schemas.label import Label

if TYPE_CHECKING:
    import pyarrow as pa

E = TypeVar("E", bound=Event)

PARTITION = "_partition"
OFFSET = "_offset"
INT64 = range(-(2**63), 2**63)
YEARS = range(2, 9999)  # a time zone cannot carry these out of what a datetime holds


@lru_cache
def arrow_schema(kind: type[msgspec.Struct]) -> pa.Schema:
    """The columns of an event, in the order of its fields. Raises TypeError, naming a field that no type fits."""
    import pyarrow as pa

    return pa.schema([_column(kind, field) for field in _fields(kind)])


@lru_cache
def label_schema() -> pa.Schema:
    """The columns of the training table: a label's fields and its position on the topic."""
    import pyarrow as pa

    position = [pa.field(PARTITION, pa.int32(), nullable=False), pa.field(OFFSET, pa.int64(), nullable=False)]
    return pa.schema([*arrow_schema(Label), *position])


def to_table(events: Sequence[Event], schema: pa.Schema, **extra: Sequence[Any]) -> pa.Table:
    """One row for each event, with the columns of `schema`; those that are no field of the event come from `extra`.

    Raises pyarrow's errors for values that `unfit` would have named.
    """
    import pyarrow as pa

    columns = []
    for field in schema:
        values = extra.get(field.name)
        if values is None:
            values = [getattr(event, field.name) for event in events]
            if pa.types.is_nested(field.type):
                values = [_plain(value) for value in values]
        columns.append(pa.array(values, field.type))
    return pa.Table.from_arrays(columns, schema=schema)


def from_rows(rows: Iterable[Mapping[str, Any]], kind: type[E]) -> list[E]:
    """The events of rows such as `to_pylist()` gives; other columns are ignored.

    Raises msgspec.ValidationError when a row is no such event.
    """
    optional = {field.name for field in _fields(kind) if not field.required}
    return [msgspec.convert({k: v for k, v in row.items() if v is not None or k not in optional}, kind) for row in rows]


def unfit(event: Event) -> str | None:
    """Why a valid event cannot be a row: a number or a time out of Arrow's range. None when it can."""
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if isinstance(value, int) and value not in INT64:
            return f"{name} is {value}, which is not a 64-bit integer"
        if isinstance(value, datetime) and value.year not in YEARS:
            return f"{name} is {value.isoformat()}, which is too far from the present"
    return None


def _fields(kind: type[msgspec.Struct]) -> tuple[inspect.Field, ...]:
    described = inspect.type_info(kind)
    assert isinstance(described, inspect.StructType)
    return described.fields


def _column(kind: type[Any], field: inspect.Field) -> pa.Field[Any]:
    import pyarrow as pa

    try:
        arrow_type, nullable = _arrow_type(field.type)
    except TypeError as exc:
        raise TypeError(f"{kind.__name__}.{field.name}: {exc}") from exc
    return pa.field(field.encode_name, arrow_type, nullable=nullable or not field.required)


def _arrow_type(described: inspect.Type) -> tuple[pa.DataType, bool]:
    """The Arrow type, and whether null is one of its values."""
    import pyarrow as pa

    match described:
        case inspect.Metadata():
            return _arrow_type(described.type)
        case inspect.UnionType() if described.includes_none and len(described.types) == 2:
            (inner,) = [one for one in described.types if not isinstance(one, inspect.NoneType)]
            return _arrow_type(inner)[0], True
        case inspect.VarTupleType() | inspect.ListType():
            item, nullable = _arrow_type(described.item_type)
            return pa.list_(pa.field("element", item, nullable=nullable)), False
        case inspect.StructType():
            return pa.struct([_column(described.cls, field) for field in described.fields]), False
    return _scalar(described), False


def _scalar(described: inspect.Type) -> pa.DataType:
    import pyarrow as pa

    types: dict[type[inspect.Type], pa.DataType] = {
        inspect.StrType: pa.string(),
        inspect.LiteralType: pa.string(),
        inspect.IntType: pa.int64(),
        inspect.FloatType: pa.float64(),
        inspect.BoolType: pa.bool_(),
        inspect.DateTimeType: pa.timestamp("us", tz="UTC"),
    }
    try:
        return types[type(described)]
    except KeyError:
        raise TypeError(f"no Arrow type for {type(described).__name__}") from None


def _plain(value: Any) -> Any:
    """Structs as dictionaries, all the way down, every field present."""
    if isinstance(value, msgspec.Struct):
        return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return value
