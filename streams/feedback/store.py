"""What is known of exchanges, decisions and thumbs: ids, places, times and numbers in SQLite. No text.

Each of three tables mirrors a topic; `positions` says how far the topics are in them. All that a batch adds, its
positions included, is one transaction (WAL, synchronous=FULL). `owner` counts the processes that have opened the file:
only the newest may write. So a process that slept through being replaced cannot set positions back.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from teachback.streams.feedback.batch import Batch, Position
from teachback.streams.feedback.errors import StoreDamaged, StoreError, StoreTaken
from teachback.streams.feedback.join import FATES, Case, Decision, Place, Thumb
from teachback.streams.feedback.turn import NOTHING, Answer

VERSION = 1  # of the schema, in `user_version`; a store of another one is made again from the log
LOCK_SECONDS = 30.0
PURGED = 20_000  # rows of a table in one transaction
DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
COUNTS = ("up", "down", *FATES)
SCHEMA = """
CREATE TABLE identity (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE owner (epoch INTEGER NOT NULL);
CREATE TABLE positions (
    topic TEXT, partition INTEGER, next INTEGER NOT NULL, PRIMARY KEY (topic, partition)) WITHOUT ROWID;
CREATE TABLE exchanges (
    id TEXT PRIMARY KEY, partition INTEGER NOT NULL, offset INTEGER NOT NULL, time INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX exchanges_time ON exchanges (time);
CREATE TABLE decisions (
    id TEXT PRIMARY KEY, route TEXT NOT NULL, confidence REAL NOT NULL, created TEXT NOT NULL,
    time INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX decisions_time ON decisions (time);
CREATE TABLE thumbs (
    exchange TEXT, id TEXT, down INTEGER, time INTEGER NOT NULL, fate TEXT NOT NULL,
    PRIMARY KEY (exchange, id, down)) WITHOUT ROWID;
CREATE INDEX thumbs_time ON thumbs (time);
CREATE INDEX thumbs_waiting ON thumbs (time) WHERE fate = 'waiting';
CREATE TABLE counts (name TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
"""


class Store:
    """The file, opened for writing. Every method raises StoreError, or one of its kinds."""

    def __init__(self, path: Path) -> None:
        """Open or make the file, check it, and become its owner."""
        self.path = path
        with _named(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, isolation_level=None, timeout=LOCK_SECONDS)
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise
        self._inode = path.stat().st_ino

    @property
    def identity(self) -> dict[str, str]:
        """What the rows were read from, as `begin` was told; empty before it."""
        with _named(self.path):
            return dict(self._db.execute("SELECT name, value FROM identity"))

    @property
    def positions(self) -> dict[Position, int]:
        """(topic, partition) → the next offset to read; empty before `begin`."""
        with _named(self.path):
            return {(topic, p): next_ for topic, p, next_ in self._db.execute("SELECT * FROM positions")}

    def begin(self, identity: Mapping[str, str], positions: Mapping[Position, int]) -> None:
        """Say what the rows will be read from, and where from."""
        with self._writing():
            self._db.executemany("INSERT OR REPLACE INTO identity VALUES (?, ?)", identity.items())
            self._move(positions)

    def waited_for(self, exchanges: Sequence[str]) -> set[str]:
        """Those of `exchanges` that have a waiting thumb."""
        query = "SELECT exchange FROM thumbs WHERE exchange IN (SELECT value FROM json_each(?)) AND fate = 'waiting'"
        with _named(self.path):
            return {row[0] for row in self._db.execute(query, (json.dumps(exchanges),))}

    def cases(self, exchanges: Sequence[str]) -> dict[str, Case]:
        """What is known about `exchanges`; those that nothing is known about are absent."""
        cases: dict[str, Case] = {}
        for row in self._rows("SELECT * FROM exchanges WHERE id IN", exchanges):
            cases[row[0]] = Case(place=Place(*row))
        for row in self._rows("SELECT * FROM decisions WHERE id IN", exchanges):
            cases[row[0]] = cases.get(row[0], NOTHING)._replace(decision=Decision(*row))
        for exchange, id_, down, time, fate in self._rows("SELECT * FROM thumbs WHERE exchange IN", exchanges):
            case = cases.get(exchange, NOTHING)
            cases[exchange] = case._replace(thumbs=(*case.thumbs, Thumb(exchange, id_, bool(down), time, fate)))
        return cases

    def commit(self, batch: Batch, answer: Answer) -> None:
        """Take in a batch and what came of it, positions included."""
        with self._writing():
            self._db.executemany("INSERT OR IGNORE INTO exchanges VALUES (?, ?, ?, ?)", batch.exchanges)
            self._db.executemany("INSERT OR IGNORE INTO decisions VALUES (?, ?, ?, ?, ?)", batch.decisions)
            self._db.executemany("INSERT OR REPLACE INTO thumbs VALUES (?, ?, ?, ?, ?)", answer.thumbs)
            self._count(answer.counts)
            self._move(batch.positions)

    def purge(self, rows_before: int, thumbs_before: int) -> bool:
        """Drop some exchanges, decisions and thumbs of before those times (ms); whether there may be more to drop.

        Thumbs still waiting since before `rows_before` become `unmatched`. Settled ones are kept for longer: an
        exchange that was asked for by an early thumb must be known to be when a late one comes.
        """
        with self._writing():
            late = "UPDATE thumbs SET fate = 'unmatched' WHERE fate = 'waiting' AND time < ?"
            self._count({"unmatched": self._db.execute(late, (rows_before,)).rowcount})
            dropped = [
                self._db.execute(
                    f"DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE time < ? LIMIT {PURGED})",
                    (before,),
                ).rowcount
                for table, key, before in (
                    ("exchanges", "id", rows_before),
                    ("decisions", "id", rows_before),
                    ("thumbs", "exchange, id, down", thumbs_before),
                )
            ]
        return max(dropped) >= PURGED

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _prepare(self) -> None:
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        if (found := self._db.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise StoreDamaged(f"{self.path} is damaged: {found}")
        self._db.execute("BEGIN IMMEDIATE")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            for statement in SCHEMA.split(";"):
                self._db.execute(statement)
            self._db.execute("INSERT INTO owner VALUES (0)")
            self._db.execute(f"PRAGMA user_version = {VERSION}")
        elif version != VERSION:
            raise StoreDamaged(f"{self.path} has schema {version}; this release reads {VERSION}")
        self._db.execute("UPDATE owner SET epoch = epoch + 1")
        self._epoch = self._db.execute("SELECT epoch FROM owner").fetchone()[0]
        self._db.execute("COMMIT")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """A transaction of the file's owner; nothing of it stays when it fails."""
        with _named(self.path):
            if not self.path.exists() or self.path.stat().st_ino != self._inode:
                raise StoreTaken(f"{self.path} was deleted or exchanged; start again to have it filled from the log")
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._check_owner()
                yield
                self._db.execute("COMMIT")
            except BaseException:
                self._db.rollback()
                raise

    def _check_owner(self) -> None:
        if self._db.execute("SELECT epoch FROM owner").fetchone()[0] != self._epoch:
            raise StoreTaken(f"{self.path}: another process has opened it since, and goes on with it")

    def _rows(self, query: str, ids: Sequence[str]) -> list[tuple[Any, ...]]:
        with _named(self.path):
            return self._db.execute(f"{query} (SELECT value FROM json_each(?))", (json.dumps(ids),)).fetchall()

    def _move(self, positions: Mapping[Position, int]) -> None:
        rows = [(topic, partition, next_) for (topic, partition), next_ in positions.items()]
        self._db.executemany("INSERT OR REPLACE INTO positions VALUES (?, ?, ?)", rows)

    def _count(self, more: Mapping[str, int]) -> None:
        add = "INSERT INTO counts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET n = n + excluded.n"
        self._db.executemany(add, [(name, n) for name, n in more.items() if n])


def counts(path: Path) -> dict[str, int]:
    """What became of all feedback since the store was made: `up` + `down` thumbs, and of those down how many were
    `matched`, `already`, `ignored`, `unmatched` or `gone`, and how many are `waiting`. Empty without a store.

    For other processes: reads only, and waits for nobody. Raises StoreError.
    """
    if not path.exists():
        return {}
    with _named(path), closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
        if db.execute("PRAGMA user_version").fetchone()[0] == 0:  # it is being made
            return {}
        found = dict(db.execute("SELECT name, n FROM counts"))
        waiting = db.execute("SELECT count(*) FROM thumbs WHERE fate = 'waiting'").fetchone()[0]
    return {name: found.get(name, 0) for name in COUNTS} | {"waiting": waiting}


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """SQLite's and the system's errors as ours."""
    try:
        yield
    except sqlite3.Error as exc:
        code = getattr(exc, "sqlite_errorcode", 0) & 0xFF
        if code in DAMAGE:
            raise StoreDamaged(f"{path} is no whole store: {exc}") from exc
        raise StoreError(f"{path} cannot be used: {exc}; see to the disk, or to who else has it open") from exc
    except OSError as exc:
        raise StoreError(f"{path} cannot be used: {exc}") from exc
