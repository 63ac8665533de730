"""The table of labels, as the trainer reads it: one bot's labels at one version."""

from typing import NamedTuple

import msgspec
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from teachback.schemas.arrow import OFFSET, PARTITION, from_rows
from teachback.schemas.label import Label
from teachback.trainer.errors import BadTable


class Snapshot(NamedTuple):
    """One bot's labels at a version of the table, in the order of their place on `labels.approved`."""

    version: int
    labels: tuple[Label, ...]


EMPTY = Snapshot(0, ())


def read_labels(table: str, bot: str, version: int | None = None) -> Snapshot:
    """A bot's labels at `version`, or at the newest; none while there is no table yet.

    A label id stands in one row by the shard writer's promise; should it stand in two, the first counts.
    Raises BadTable when the version is gone or the rows are no labels.
    """
    try:
        found = DeltaTable(table, version=version)
        rows = found.to_pyarrow_table(filters=[("bot", "=", bot)]).to_pylist()
    except TableNotFoundError as exc:
        if version is None:
            return EMPTY
        raise BadTable(f"{table}: no table, although version {version} was announced; is it the right place?") from exc
    except (DeltaError, OSError) as exc:
        raise BadTable(f"{table}: version {version} cannot be read: {exc}") from exc
    rows.sort(key=lambda row: (row[PARTITION], row[OFFSET]))
    labels: dict[str, Label] = {}
    try:
        for label in from_rows(rows, Label):
            labels.setdefault(label.id, label)
    except msgspec.ValidationError as exc:
        raise BadTable(f"{table}: version {found.version()} holds a row that is no label: {exc}") from exc
    return Snapshot(found.version(), tuple(labels.values()))
