"""Which labels stand, in whatever order their partitions are read."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from teachback.schemas import Label
from teachback.streams.corpus.standing import Standing
from tests.streams.corpus.making import label, record

FIRST, SECOND, THIRD = label("l1"), label("l2", supersedes="l1"), label("l3", supersedes="l2")


def standing(*events: Label | str) -> set[str]:
    """The labels that stand after these, told by what is added and what is gone."""
    fold, found = Standing(), set[str]()
    for event in events:
        new, gone = fold.take([record(event)])
        found -= {name for _bot, name in gone}
        found |= {each.id for each in new}
    assert all(name in fold for name in found)
    return found


def test_a_revision_replaces_the_one_before_in_any_order() -> None:
    for order in permutations([FIRST, SECOND, THIRD]):
        assert standing(*order) == {"l3"}


def test_a_tombstone_removes_and_one_of_an_unknown_label_does_nothing() -> None:
    assert standing(FIRST, "l1", "never seen") == set()


def test_what_a_revision_replaced_does_not_come_back_when_the_revision_goes() -> None:
    assert standing(FIRST, SECOND, "l2") == set()
    assert standing(SECOND, "l2", FIRST) == set()


def test_a_label_that_is_published_again_is_not_new() -> None:
    fold = Standing()
    assert [each.id for each in fold.take([record(FIRST)])[0]] == ["l1"]
    assert fold.take([record(FIRST)]) == ([], [])


def test_a_label_that_goes_in_the_batch_that_brought_it_is_never_new() -> None:
    assert Standing().take([record(FIRST), record("l1")])[0] == []
    assert [each.id for each in Standing().take([record(FIRST), record(SECOND)])[0]] == ["l2"]


def test_a_label_that_falls_is_gone_from_its_own_bot() -> None:
    fold = Standing()
    fold.take([record(label("l1", bot="other"))])
    assert fold.take([record("l1")])[1] == [("other", "l1")]


@given(st.lists(st.sampled_from([FIRST, SECOND, THIRD, "l1", "l2", "l3"]), max_size=12), st.integers(1, 12))
def test_how_records_are_cut_into_batches_makes_no_difference(events: list[Label | str], size: int) -> None:
    fold, found = Standing(), set[str]()
    for start in range(0, len(events), size):
        new, gone = fold.take([record(event) for event in events[start : start + size]])
        found -= {name for _bot, name in gone}
        found |= {each.id for each in new}
    assert found == standing(*events)
