"""The file: what it keeps, whose it is, and what becomes of one that is of no use."""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from teachback.streams.feedback.batch import Batch
from teachback.streams.feedback.errors import StoreDamaged, StoreError, StoreTaken
from teachback.streams.feedback.join import Case, Decision, Place, Thumb
from teachback.streams.feedback.opening import anew, beyond, open_store
from teachback.streams.feedback.store import Store, counts
from teachback.streams.feedback.turn import Answer
from tests.streams.feedback.samples import BOT, exchange, record, scored

IDENTITY = {"bot": BOT, "chat.exchanges": "id-1", "chat.scored": "id-2"}
DOWN = Thumb("x1", "f1", True, 50, "waiting")
NOTHING = Answer([], [], Counter())


def filled(path: Path) -> Store:
    store = Store(path)
    store.begin(IDENTITY, {("chat.exchanges", 0): 5, ("chat.scored", 0): 0})
    batch = Batch(BOT)
    batch.take(record(exchange(), 40, 5))
    batch.take(record(scored(), 45, 0))
    store.commit(batch, Answer([], [DOWN], Counter(down=1)))
    return store


def test_a_new_store_knows_nothing_and_a_filled_one_knows_it_after_opening_again(tmp_path: Path) -> None:
    path = tmp_path / "a" / "feedback.db"
    store = Store(path)
    assert (store.identity, store.positions, store.cases(["x1"])) == ({}, {}, {})
    store.close()
    filled(path).close()
    again = open_store(path, IDENTITY)
    assert again.identity == IDENTITY
    assert again.positions == {("chat.exchanges", 0): 6, ("chat.scored", 0): 1}
    case = again.cases(["x1", "x2"])
    assert case == {
        "x1": Case(Place("x1", 0, 5, 40), Decision("x1", "accept", 0.9, scored().created.isoformat(), 45), (DOWN,))
    }
    assert again.waited_for(["x1", "x2"]) == {"x1"}


def test_no_text_is_kept(tmp_path: Path) -> None:
    store = filled(tmp_path / "s.db")
    store.close()
    data = (tmp_path / "s.db").read_bytes()
    assert b"x1" in data
    assert b"transfer" not in data


def test_a_batch_is_taken_in_whole_or_not_at_all(tmp_path: Path) -> None:
    store = filled(tmp_path / "s.db")
    batch = Batch(BOT)
    batch.take(record(exchange("x2"), 60, 6))
    impossible = Answer([], [DOWN._replace(time=None)], Counter(down=1))  # type: ignore[arg-type]
    with pytest.raises(StoreError, match="NOT NULL"):
        store.commit(batch, impossible)
    assert store.cases(["x2"]) == {}
    assert store.positions["chat.exchanges", 0] == 6
    store.commit(batch, NOTHING)
    assert store.positions["chat.exchanges", 0] == 7


def test_who_opened_it_last_is_its_only_writer(tmp_path: Path) -> None:
    zombie = filled(tmp_path / "s.db")
    successor = Store(tmp_path / "s.db")
    with pytest.raises(StoreTaken, match="another process"):
        zombie.commit(Batch(BOT), NOTHING)
    with pytest.raises(StoreTaken):
        zombie.purge(100, 100)
    successor.commit(Batch(BOT), NOTHING)
    assert successor.cases(["x1"])["x1"].thumbs == (DOWN,)


@pytest.mark.parametrize("there", ["nothing", "another"])
def test_a_file_that_was_deleted_or_exchanged_is_not_written_to(tmp_path: Path, there: str) -> None:
    path = tmp_path / "s.db"
    store = filled(path)
    path.unlink()
    if there == "another":
        filled(tmp_path / "other.db").close()
        (tmp_path / "other.db").rename(path)
    with pytest.raises(StoreTaken, match="deleted or exchanged"):
        store.commit(Batch(BOT), NOTHING)


def test_rows_past_their_time_go_and_settled_thumbs_stay_longer(tmp_path: Path) -> None:
    store = filled(tmp_path / "s.db")
    done = DOWN._replace(id="f2", fate="matched", time=30)
    store.commit(Batch(BOT), Answer([], [done], Counter(down=1, matched=1)))
    assert store.purge(45, 10) is False
    assert store.cases(["x1"])["x1"].place is None  # of 40
    assert store.cases(["x1"])["x1"].decision is not None  # of 45
    assert store.waited_for(["x1"]) == {"x1"}  # of 50
    store.purge(51, 31)
    assert store.cases(["x1"]) == {"x1": Case(thumbs=(DOWN._replace(fate="unmatched"),))}
    assert counts(store.path)["unmatched"] == 1
    store.purge(51, 51)
    assert store.cases(["x1"]) == {}
    assert {name: n for name, n in counts(store.path).items() if n} == {"down": 2, "matched": 1, "unmatched": 1}


def test_purging_goes_in_steps_and_says_when_there_may_be_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("teachback.streams.feedback.store.PURGED", 2)
    store = Store(tmp_path / "s.db")
    batch = Batch(BOT)
    for i in range(5):
        batch.take(record(exchange(f"x{i}"), i, i))
    store.commit(batch, NOTHING)
    assert [store.purge(4, 4) for _ in range(3)] == [True, True, False]
    assert set(store.cases([f"x{i}" for i in range(5)])) == {"x4"}


# counts


def test_counts_are_read_beside_a_writer_and_are_none_without_a_store(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    assert counts(path) == {}
    store = filled(path)
    store._db.execute("BEGIN IMMEDIATE")  # the writer is at it
    found = counts(path)
    assert set(found) == {"up", "down", "matched", "already", "ignored", "unmatched", "gone", "waiting"}
    assert {name: n for name, n in found.items() if n} == {"down": 1, "waiting": 1}


def test_counting_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    filled(path).close()
    before = path.read_bytes()
    counts(path)
    assert path.read_bytes() == before


def test_a_file_that_is_being_made_has_no_counts_yet_and_one_that_is_no_store_says_so(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    path.touch()
    assert counts(path) == {}
    path.write_bytes(b"not a database, but long enough to be looked at as one" * 100)
    with pytest.raises(StoreDamaged, match=r"s\.db"):
        counts(path)


# set aside


def spoil(path: Path) -> None:
    """Overwrite the pages behind the header."""
    data = bytearray(path.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    path.write_bytes(data)


def test_a_damaged_store_is_set_aside_by_name_and_a_new_one_made(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "s.db"
    for damage in (spoil, lambda each: each.write_bytes(b"garbage" * 1000)):
        filled(path).close()
        damage(path)
        damaged = path.read_bytes()
        store = open_store(path, IDENTITY)
        assert (store.positions, store.identity) == ({}, {})
        store.close()
        assert (tmp_path / "s.db.set-aside").read_bytes() == damaged
        path.unlink()
    assert f"it is now {path}.set-aside" in caplog.text


def test_a_store_of_another_topic_incarnation_or_bot_is_set_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "s.db"
    filled(path).close()
    store = open_store(path, IDENTITY | {"chat.scored": "id-9"})
    assert store.positions == {}
    assert "another chat.scored" in caplog.text
    store.begin(IDENTITY, {})
    store.close()
    assert open_store(path, IDENTITY | {"bot": "other"}).identity == {}
    assert "another bot" in caplog.text


def test_a_store_of_another_release_is_set_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "s.db"
    filled(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    assert open_store(path, IDENTITY).positions == {}
    assert "has schema 99" in caplog.text


def test_a_journal_left_by_a_killed_process_goes_along_and_does_not_get_into_the_new_file(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    store = filled(path)
    assert (tmp_path / "s.db-wal").stat().st_size  # still open, as after kill -9
    new = anew_beside(store)
    assert new.cases(["x1"]) == {}
    new.close()
    with closing(sqlite3.connect(tmp_path / "s.db.set-aside")) as db:
        assert db.execute("SELECT id FROM exchanges").fetchall() == [("x1",)]


def anew_beside(store: Store) -> Store:
    """As `anew`, with another connection still open, so that nobody folds the journal in."""
    beside = sqlite3.connect(store.path)
    beside.execute("SELECT * FROM positions").fetchall()
    new = anew(store, "for the test")
    beside.close()
    return new


def test_a_disk_that_cannot_be_written_is_no_reason_to_set_anything_aside(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    with pytest.raises(StoreError, match="cannot be used") as caught:
        open_store(path, IDENTITY)
    assert not isinstance(caught.value, StoreDamaged)
    assert path.is_dir()


def test_what_was_read_beyond_the_end_is_named() -> None:
    ends = {("a", 0): 5, ("a", 1): 5}
    assert beyond({("a", 0): 5, ("a", 1): 6}, ends) == ["a[1] was read up to 6 and ends at 5"]
