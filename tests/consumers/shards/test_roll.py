"""When a buffer is due, and when dead letters are too many."""

from __future__ import annotations

from teachback.consumers.shards.roll import Buffer, DeadLetterShare, Limits
from tests.consumers.shards.samples import label

LIMITS = Limits(rows=3, bytes=100, age_seconds=10.0)


def test_an_empty_buffer_is_never_due() -> None:
    assert not Buffer(LIMITS).due(1e9)


def test_rows_make_it_due() -> None:
    buffer = Buffer(LIMITS)
    for offset in range(3):
        assert not buffer.due(0.0)
        buffer.add(offset, label(offset), 1, 0.0)
    assert buffer.due(0.0)


def test_bytes_make_it_due() -> None:
    buffer = Buffer(LIMITS)
    buffer.add(0, label(0), 99, 0.0)
    assert not buffer.due(0.0)
    buffer.add(1, label(1), 1, 0.0)
    assert buffer.due(0.0)


def test_the_age_of_the_oldest_record_makes_it_due_though_newer_ones_come() -> None:
    buffer = Buffer(LIMITS)
    buffer.add(0, label(0), 1, 100.0)
    buffer.add(1, label(1), 1, 109.0)
    assert not buffer.due(109.9)
    assert buffer.due(110.0)


def test_records_without_a_row_move_the_position_and_age_but_are_no_rows() -> None:
    buffer = Buffer(LIMITS)
    for offset in range(50):
        buffer.add(offset, None, 1000, 0.0)
    assert (buffer.rows, buffer.bytes, buffer.last) == ([], 0, 49)
    assert not buffer.due(9.9)
    assert buffer.due(10.0)


def test_a_few_dead_letters_on_a_quiet_topic_stop_nothing() -> None:
    share = DeadLetterShare(0.2, window=10)
    assert [share.count(True), share.count(True)] == [True, True]
    assert share.count(True) is False


def test_dead_letters_that_left_the_window_are_forgotten() -> None:
    share = DeadLetterShare(0.2, window=10)
    assert all(share.count(number % 5 == 0) for number in range(1000))
