"""Up to when everything has been read."""

from __future__ import annotations

from teachback.streams.feedback.logtime import LogTime

A, B = ("a", 0), ("b", 0)


def test_nothing_is_known_before_every_partition_was_read_or_ended() -> None:
    time = LogTime([A, B])
    assert time.horizon() is None
    time.read(A, 100)
    assert time.horizon() is None
    time.ended(B)
    assert time.horizon() == 100


def test_nothing_is_known_of_a_log_without_records() -> None:
    time = LogTime([A, B])
    time.ended(A)
    time.ended(B)
    assert time.horizon() is None


def test_it_is_as_far_as_the_partition_that_lags_most() -> None:
    time = LogTime([A, B])
    time.read(A, 900)
    time.read(B, 200)
    assert time.horizon() == 200


def test_a_quiet_partition_holds_nothing_up() -> None:
    time = LogTime([A, B])
    time.read(B, 200)
    time.ended(B)
    time.read(A, 900)
    assert time.horizon() == 900


def test_a_partition_that_has_more_again_is_where_its_records_are() -> None:
    time = LogTime([A, B])
    time.ended(B)
    time.read(A, 900)
    time.read(B, 300)
    assert time.horizon() == 300
