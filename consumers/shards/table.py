"""The Delta table of approved labels, which owns the offset of every partition it is filled from.

The number of `<topic id>/<partition>` is kept as an *application transaction* (Delta protocol, "Transaction
Identifiers"): it moves in the same atomic commit that adds the files. Delta refuses a commit when another one has moved
the same number since the snapshot that it stands on. `commit` takes a fresh snapshot, compares the number in it with
the one that the writer left, and commits on that very snapshot: so nothing can come between the look and the commit.

The table's description holds which topic it was filled from; each commit's metadata holds the announcements of its
files, so that they can be made again, exactly, by whoever reads the table next. Old log entries are kept (a run's
data set names a table version). delta-rs does not sync its log: `commit` does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Schema, Transaction
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.transaction import AddAction

from teachback.consumers.shards.errors import Fenced, TableError, TableReplaced, TopicRecreated
from teachback.consumers.shards.files import ShardFile, sync
from teachback.schemas import ShardCommitted
from teachback.schemas.arrow import OFFSET, PARTITION, label_schema
from teachback.schemas.event import now
from teachback.schemas.ids import shard_id

ANNOUNCEMENTS = "teachback.shards"
KEEP_LOG = {"delta.enableExpiredLogCleanup": "false"}
HOOKS = PostCommitHookProperties(create_checkpoint=True, cleanup_expired_logs=False)
COMMIT_RETRIES = 100  # against commits for other partitions, which do not conflict


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Which incarnation of which topic a table was filled from."""

    topic: str
    topic_id: str


class LabelTable:
    """The table at `path`, filled from `origin`; made when it is not there.

    Raises TableError when the folder cannot be used, TopicRecreated when the table is another incarnation's.
    """

    def __init__(self, path: str, origin: Origin) -> None:
        if "://" in path:
            raise TableError(f"{path}: shards are written to a local folder; object stores are not supported yet")
        self.path = Path(path).absolute()
        self.origin = origin
        self._delta = _open_or_create(self.path, origin)
        _check_origin(self.path, self._delta, origin)
        _add_new_columns(self._delta)
        self._identity = self._first_entry()

    def last_offset(self, partition: int) -> int | None:
        """The last offset that the table covers, freshly read; None when it has none of the partition."""
        self._refresh()
        return self._delta.transaction_version(self._app(partition))

    def label_ids(self, partition: int) -> list[str]:
        """The ids of all labels that came from a partition."""
        ids = self._delta.to_pyarrow_table(columns=["id"], filters=[(PARTITION, "=", partition)]).column("id")
        return [str(one) for one in ids.to_pylist()]

    def commit(
        self, partition: int, expected: int | None, last: int, files: Sequence[ShardFile]
    ) -> list[ShardCommitted]:
        """Add `files` and move the partition's number from `expected` to `last`; returns what to announce.

        Raises Fenced when the number is not `expected`, and TableError. After any error nothing was added, or all was:
        read `last_offset` to know.
        """
        self._refresh()
        if (found := self._delta.transaction_version(self._app(partition))) != expected:
            raise Fenced(partition, expected, found)
        drafts = [self._announcement(file) for file in files]
        try:
            self._write(partition, last, files, drafts)
        except CommitFailedError as exc:
            if (found := self.last_offset(partition)) != expected:
                raise Fenced(partition, expected, found) from exc
            raise TableError(f"the commit to {self.path} failed: {exc}. Start again.") from exc
        except (DeltaError, OSError) as exc:
            raise TableError(f"cannot commit to {self.path}: {exc}. Look at its disk and permissions.") from exc
        self._refresh()
        return [msgspec.structs.replace(one, table_version=self._sync(partition, last)) for one in drafts]

    def announcements(self) -> Iterator[ShardCommitted]:
        """What each commit announced, the newest commit first, as it was or should have been announced."""
        count, seen = 32, 0
        while True:
            entries = self._delta.history(count)
            for entry in entries[seen:]:
                for one in reversed(_drafts(entry)):
                    yield msgspec.structs.replace(one, table_version=int(entry["version"]))
            if len(entries) < count:
                return
            count, seen = count * 8, len(entries)

    def _write(self, partition: int, last: int, files: Sequence[ShardFile], drafts: Sequence[ShardCommitted]) -> None:
        metadata = {ANNOUNCEMENTS: msgspec.json.encode(drafts).decode()} if drafts else None
        self._delta.create_write_transaction(
            [_add(self.path, file) for file in files],
            "append",
            label_schema(),
            ["bot"],
            commit_properties=CommitProperties(
                custom_metadata=metadata,
                max_commit_retries=COMMIT_RETRIES,
                app_transactions=[Transaction(self._app(partition), last)],
            ),
            post_commithook_properties=HOOKS,
        )

    def _announcement(self, file: ShardFile) -> ShardCommitted:
        """A file's announcement, but for the table's version. The id differs when the table is made anew."""
        incarnation = f"{self.origin.topic_id}@{self._delta.metadata().id}"
        return ShardCommitted(
            id=shard_id(incarnation, file.partition, file.last_offset),
            bot=file.bot,
            created=now(),
            table_version=0,
            path=file.path,
            rows=file.rows,
            bytes=file.bytes,
            partition=file.partition,
            first_offset=file.first_offset,
            last_offset=file.last_offset,
        )

    def _sync(self, partition: int, last: int) -> int:
        """Put the log on the disk, and return the version of the commit that moved the number to `last`.

        Commits for other partitions may have come before ours and after it; all that are not older are synced.
        """
        log, version = self.path / "_delta_log", self._delta.version()
        app = self._app(partition)
        while True:
            entry = log / f"{version:020}.json"
            sync(entry)
            if _moves(entry, app, last):
                break
            version -= 1
        for path in (log / "_last_checkpoint", *log.glob(f"*{version:020}.checkpoint*")):
            if path.exists():
                sync(path)
        sync(log)
        return version

    def _app(self, partition: int) -> str:
        return f"{self.origin.topic_id}/{partition}"

    def _refresh(self) -> None:
        try:
            if self._first_entry() != self._identity:
                raise TableReplaced(f"{self.path} was exchanged while it was written to; start again to fill it anew")
            self._delta.update_incremental()
        except (DeltaError, OSError) as exc:
            raise TableReplaced(f"{self.path} cannot be read any more: {exc}") from exc

    def _first_entry(self) -> tuple[int, int]:
        """What tells this table from one that was made later in the same place."""
        found = (self.path / "_delta_log" / f"{0:020}.json").stat()
        return found.st_ino, found.st_mtime_ns


def _open_or_create(path: Path, origin: Origin) -> DeltaTable:
    try:
        return _open(path) or _create(path, origin)
    except (DeltaError, OSError) as exc:
        if (made_meanwhile := _open(path)) is not None:
            return made_meanwhile
        raise TableError(f"cannot make a table at {path}: {exc}. Look at its disk and permissions.") from exc


def _open(path: Path) -> DeltaTable | None:
    try:
        return DeltaTable(str(path))
    except TableNotFoundError:
        return None
    except (DeltaError, OSError) as exc:
        raise TableError(f"{path} cannot be read as a Delta table: {exc}") from exc


def _create(path: Path, origin: Origin) -> DeltaTable:
    if next(path.glob("**/*.parquet"), None) is not None:
        raise TableError(f"{path} holds Parquet files but no Delta table; give another folder")
    path.mkdir(parents=True, exist_ok=True)
    table = DeltaTable.create(
        str(path),
        Schema.from_arrow(label_schema()),
        partition_by=["bot"],
        name="labels",
        description=msgspec.json.encode(origin).decode(),
        configuration=KEEP_LOG,
    )
    for folder in (path / "_delta_log", path, path.parent):
        sync(folder)
    return table


def _check_origin(path: Path, table: DeltaTable, origin: Origin) -> None:
    try:
        found = msgspec.json.decode(table.metadata().description or "", type=Origin)
    except msgspec.DecodeError as exc:
        raise TableError(f"{path} is a Delta table, but none of teachback's; give another folder") from exc
    if found != origin:
        raise TopicRecreated(
            f"the table {path} was filled from {found.topic} (id {found.topic_id}), and the topic is now "
            f"{origin.topic} (id {origin.topic_id}): its offsets mean other labels. Restore the topic, or move the "
            "table away to have a new one filled from the start of the topic"
        )


def _add_new_columns(table: DeltaTable) -> None:
    """A later release's labels have more optional fields: give the table their columns."""
    have = {field.name for field in table.schema().fields}
    missing = [field for field in Schema.from_arrow(label_schema()).fields if field.name not in have]
    if missing:
        table.alter.add_columns(missing)
        table.update_incremental()


def _add(root: Path, file: ShardFile) -> AddAction:
    stats: dict[str, Any] = {
        "numRecords": file.rows,
        "minValues": {PARTITION: file.partition, OFFSET: file.first_offset},
        "maxValues": {PARTITION: file.partition, OFFSET: file.last_offset},
        "nullCount": {PARTITION: 0, OFFSET: 0},
    }
    modified = (root / file.path).stat().st_mtime_ns // 1_000_000
    return AddAction(file.path, file.bytes, {"bot": file.bot}, modified, True, json.dumps(stats))


def _moves(entry: Path, app: str, last: int) -> bool:
    """Whether a log entry is the commit that moved `app` to `last`."""
    actions = (msgspec.json.decode(line) for line in entry.read_bytes().splitlines())
    return any(action.get("txn", {}).get("appId") == app and action["txn"]["version"] == last for action in actions)


def _drafts(entry: dict[str, Any]) -> list[ShardCommitted]:
    return msgspec.json.decode(entry.get(ANNOUNCEMENTS, "[]"), type=list[ShardCommitted])
