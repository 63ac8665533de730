"""Rows of like length go through a model together, as many as there is room for."""

from __future__ import annotations

import random

from teachback.trainer.gate.batches import batches


def test_ordinary_rows_go_by_their_number_alone_the_shortest_first() -> None:
    assert list(batches([5, 3, 4, 1, 2], rows=2, tokens=1_000)) == [[3, 4], [1, 2], [0]]


def test_a_long_row_is_not_padded_round_with_others() -> None:
    assert list(batches([10, 900, 10, 10], rows=16, tokens=1_000)) == [[0, 2, 3], [1]]


def test_a_row_longer_than_the_room_goes_alone() -> None:
    assert list(batches([10, 5_000, 4_000], rows=16, tokens=1_000)) == [[0], [2], [1]]


def test_no_batch_is_padded_beyond_the_room_and_every_row_comes_once() -> None:
    lengths = [random.Random(3).randint(1, 400) for _ in range(300)]
    found = list(batches(lengths, rows=16, tokens=2_000))
    assert sorted(index for batch in found for index in batch) == list(range(300))
    assert all(len(batch) <= 16 and len(batch) * max(lengths[i] for i in batch) <= 2_000 for batch in found)


def test_without_rows_there_is_no_batch() -> None:
    assert list(batches([], rows=16, tokens=1_000)) == []
