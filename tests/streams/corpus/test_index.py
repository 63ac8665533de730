"""One bot's entries by the vectors of their questions."""

from __future__ import annotations

import numpy as np
import pytest

from teachback.streams.corpus.index import Entry, Index
from teachback.streams.signals.similarity import Vectors, unit_vectors

LOT = np.random.default_rng(0)


def vectors(count: int, dimensions: int = 16) -> Vectors:
    return unit_vectors(LOT.normal(size=(count, dimensions)), count)


def entry(name: str) -> Entry:
    return Entry(name, f"e-{name}", np.ones(16, dtype=np.float16) / 4, None, frozenset())


def names(index: Index, question: Vectors, count: int = 3) -> list[str]:
    return [each.exchange for each in index.near(question[None], count)[0]]


def test_an_empty_index_finds_nothing() -> None:
    assert Index(16, 9).near(vectors(2), 3) == [[], []]


def test_the_nearest_come_first_with_their_cosine() -> None:
    rows, index = vectors(200), Index(16, 1000)
    index.add([entry(str(i)) for i in range(200)], rows)
    for asked in vectors(20):
        exact = rows @ asked
        found = index.near(np.stack([asked, asked]), 3)[1]
        assert found[0].exchange == f"e-{int(exact.argmax())}"
        assert [each.cosine for each in found] == pytest.approx(sorted(exact, reverse=True)[: len(found)], abs=2e-3)


def test_one_question_and_many_find_the_same() -> None:
    rows, index = vectors(30), Index(16, 1000)
    index.add([entry(str(i)) for i in range(30)], rows)
    asked = vectors(5)
    assert [names(index, row) for row in asked] == [[e.exchange for e in found] for found in index.near(asked, 3)]


def test_more_neighbours_than_entries_are_no_ghosts() -> None:
    index = Index(16, 9)
    rows = vectors(2)
    index.add([entry("a"), entry("b")], rows)
    assert names(index, rows[0], 8) == ["e-a", "e-b"]


def test_what_is_removed_is_not_found_and_may_come_again() -> None:
    rows, index = vectors(50), Index(16, 1000)
    index.add([entry(str(i)) for i in range(50)], rows)
    index.remove([str(i) for i in range(40)] + ["unknown"])
    assert len(index) == 10
    assert all(int(name[2:]) >= 40 for row in rows for name in names(index, row, 8))
    index.add([entry("7")], rows[7:8])
    assert names(index, rows[7])[0] == "e-7"
    index.remove([str(i) for i in range(50)])
    assert index.near(rows[:1], 3) == [[]]


def test_an_entry_of_a_label_that_is_there_takes_its_place() -> None:
    rows, index = vectors(2), Index(16, 9)
    index.add([entry("a")], rows[:1])
    index.add([entry("a")], rows[1:])
    assert len(index) == 1
    assert index.near(rows[1:], 1)[0][0].cosine == pytest.approx(1.0, abs=1e-3)


def test_beyond_its_limit_the_oldest_go() -> None:
    rows, index = vectors(5), Index(16, 3)
    for i in range(5):
        index.add([entry(str(i))], rows[i : i + 1])
    assert sorted(names(index, rows[0], 5)) == ["e-2", "e-3", "e-4"]


@pytest.mark.parametrize("shape", [(1, 8), (2, 16), (16,)])
def test_questions_of_another_shape_are_refused_and_change_nothing(shape: tuple[int, ...]) -> None:
    index = Index(16, 9)
    with pytest.raises(ValueError, match="16 dimensions"):
        index.add([entry("a")], np.zeros(shape, dtype=np.float32))
    assert len(index) == 0
