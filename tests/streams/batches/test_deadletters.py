"""Records that cannot be processed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teachback.schemas.topics import MAX_EVENT_BYTES
from teachback.streams.batches.batch import Record
from teachback.streams.batches.deadletters import ROOM, DeadLetterLimit, dead_letter, sort_out
from teachback.streams.batches.errors import BadRecord, TooManyDeadLetters
from tests.streams.batches.fakes import TOPIC, Raw, raws


def number(record: Record) -> int:
    try:
        return int(record.value)
    except ValueError as exc:
        raise BadRecord(f"no number: {exc}") from exc


@pytest.mark.parametrize("place", [0, 2, 4])
def test_garbage_anywhere_in_a_batch_costs_no_neighbour(place: int) -> None:
    values: list[bytes | None] = [b"0", b"1", b"2", b"3", b"4"]
    values[place] = b"\xff\xfe"
    good, dead = sort_out(raws(values), number)
    assert [value for _, value in good] == [n for n in range(5) if n != place]
    assert [record.offset for record, _ in good] == [n for n in range(5) if n != place]
    assert [dict(letter.headers)["dlq_source"] for letter in dead] == [f"{TOPIC}:0:{place}".encode()]


@pytest.mark.parametrize(("over", "cut"), [(-ROOM, False), (0, True), (5_000_000, True)])
def test_a_dead_letter_is_never_larger_than_kafka_takes(over: int, cut: bool) -> None:
    """Else the worker that wants to be rid of a record could not write it, and would stop at it for ever."""
    value = b"x" * (MAX_EVENT_BYTES + over - 20)
    letter = dead_letter(Raw(TOPIC, 0, 1, value, b"key", (("ce_id", b"e" * 10),)), "why " * 1000)
    headers = dict(letter.headers)
    assert letter.value is not None and value.startswith(letter.value)
    assert (len(letter.value) < len(value)) == cut == ("dlq_cut" in headers)
    assert headers.get("dlq_cut", str(len(value)).encode()) == str(len(value)).encode()
    whole = sum(len(name) + len(said or b"") for name, said in letter.headers) + len(letter.key or b"")
    assert len(letter.value) + whole < MAX_EVENT_BYTES - 1000


def test_a_dead_letter_keeps_bytes_key_and_headers_and_says_why_and_whence() -> None:
    raw = Raw(TOPIC, 3, 17, b"\x00\xff", b"conversation-1", (("ce_id", b"e1"), ("dlq_reason", b"an older one")))
    letter = dead_letter(raw, "no JSON: invalid character")
    assert (letter.topic, letter.key, letter.value) == (f"{TOPIC}.dlq", b"conversation-1", b"\x00\xff")
    assert letter.headers == [
        ("ce_id", b"e1"),
        ("dlq_reason", b"no JSON: invalid character"),
        ("dlq_source", f"{TOPIC}:3:17".encode()),
    ]


def test_a_tombstone_is_a_dead_letter_without_asking_decode() -> None:
    good, dead = sort_out(raws([None]), number)
    assert good == []
    assert dead[0].value is None
    assert b"tombstone" in dict(dead[0].headers)["dlq_reason"]


def test_what_decode_did_not_foresee_is_not_swallowed() -> None:
    def broken(record: Record) -> int:
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        sort_out(raws([b"1"]), broken)


def test_a_few_bad_records_on_a_quiet_topic_stop_nothing() -> None:
    limit = DeadLetterLimit(0.2, window=1000)
    for _ in range(200):
        limit.count(1, 1)
    with pytest.raises(TooManyDeadLetters, match="201 of the last 1000 records"):
        limit.count(1, 1)


def test_a_bad_release_is_stopped_at_its_first_full_batch() -> None:
    with pytest.raises(TooManyDeadLetters, match="dead_letter_limit"):
        DeadLetterLimit(0.2).count(500, 500)


def test_old_records_leave_the_window() -> None:
    limit = DeadLetterLimit(0.5, window=100)
    for _ in range(50):
        limit.count(100, 40)
    with pytest.raises(TooManyDeadLetters):
        limit.count(100, 60)  # of all that were ever counted, two in five


@given(st.lists(st.tuples(st.integers(0, 30), st.floats(0, 1)), max_size=100))
def test_the_window_counts_as_a_naive_count_does(batches: list[tuple[int, float]]) -> None:
    limit, history = DeadLetterLimit(0.3, window=50), []
    for size, share in batches:
        dead = int(size * share)
        history.append((size, dead))
        kept, records = [], 0
        for each in reversed(history):  # newest first, until the window is covered
            if records >= 50:
                break
            kept.append(each)
            records += each[0]
        if sum(d for _, d in kept) > 15:
            with pytest.raises(TooManyDeadLetters):
                limit.count(size, dead)
            return
        limit.count(size, dead)
