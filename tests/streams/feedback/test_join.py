"""What becomes of a thumb: the table of `join`, row by row."""

from __future__ import annotations

import itertools
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teachback.schemas.scored import Route
from teachback.streams.feedback.join import Case, Decision, Fate, Place, Thumb, settle, window_ms
from tests.streams.feedback.samples import WINDOW, policy

PLACE = Place("x1", 0, 7, 5000)


def decision(route: Route = "accept") -> Decision:
    return Decision("x1", route, 0.9, "2026-03-04T12:30:15+00:00", 5001)


def thumb(time: int = 5500, id_: str = "f1", fate: Fate = "waiting") -> Thumb:
    return Thumb("x1", id_, fate != "up", time, fate)


def fates(case: Case, **fields: Any) -> dict[str, Fate]:
    return {each.id: each.fate for each in settle(case, policy(**fields))}


def test_a_thumb_down_on_an_accepted_exchange_asks_for_its_review() -> None:
    assert fates(Case(PLACE, decision(), (thumb(),))) == {"f1": "matched"}


@pytest.mark.parametrize("case", [Case(PLACE, None, (thumb(),)), Case(None, decision(), (thumb(),))])
def test_a_thumb_waits_for_the_exchange_and_for_the_decision(case: Case) -> None:
    assert settle(case, policy()) == []


@pytest.mark.parametrize("route", ["audit", "review"])
def test_an_exchange_that_people_see_anyway_is_not_asked_for(route: Route) -> None:
    assert fates(Case(PLACE, decision(route), (thumb(),))) == {"f1": "already"}


@pytest.mark.parametrize(
    ("apart", "fate"),
    [(-WINDOW - 1, "unmatched"), (-WINDOW, "matched"), (WINDOW, "matched"), (WINDOW + 1, "unmatched")],
)
def test_the_window_is_that_of_the_brokers_times_on_both_sides(apart: int, fate: Fate) -> None:
    assert fates(Case(PLACE, decision(), (thumb(PLACE.time + apart),))) == {"f1": fate}


def test_the_policy_may_ignore_thumbs() -> None:
    assert fates(Case(PLACE, decision(), (thumb(),)), thumbs_down="ignore") == {"f1": "ignored"}


def test_what_was_deleted_cannot_be_reviewed() -> None:
    assert fates(Case(PLACE, decision(), (thumb(), thumb(5600, "f2")), gone=True)) == {"f1": "gone", "f2": "gone"}


def test_the_first_thumb_down_in_time_asks_and_the_others_find_it_asked_for() -> None:
    case = Case(PLACE, decision(), (thumb(5700, "f2"), thumb(5600, "f1"), thumb(5650, "f0", "up")))
    assert fates(case) == {"f1": "matched", "f2": "already"}


def test_an_exchange_asked_for_before_is_not_asked_for_again() -> None:
    assert fates(Case(PLACE, decision(), (thumb(fate="matched"), thumb(5800, "f2")))) == {"f2": "already"}


def test_a_late_thumb_does_not_take_the_place_of_one_in_time() -> None:
    assert fates(Case(PLACE, decision(), (thumb(7000, "late"), thumb(5500, "early")))) == {
        "late": "unmatched",
        "early": "matched",
    }


thumbs = st.lists(
    st.builds(
        Thumb,
        st.just("x1"),
        st.uuids().map(str),
        st.just(value=True),
        st.integers(3500, 6500),
        st.sampled_from(get_args(Fate)),
    ),
    max_size=5,
)


@given(thumbs, st.sampled_from(["accept", "audit", "review"]), st.booleans())
def test_whatever_there_is_at_most_one_is_matched_and_none_waits_on(
    some: list[Thumb], route: Route, gone: bool
) -> None:
    settled = settle(Case(PLACE, decision(route), tuple(some), gone), policy())
    matched = [each for each in (*some, *settled) if each.fate == "matched"]
    assert len(matched) <= max(1, sum(each.fate == "matched" for each in some))
    assert {each.id for each in settled} == {each.id for each in some if each.fate == "waiting"}
    assert all(each.fate not in {"waiting", "up"} for each in settled)
    if gone:
        assert not any(each.fate == "matched" for each in settled)


@given(st.permutations([thumb(5500 + i, f"f{i}") for i in range(4)]))
def test_the_order_in_which_thumbs_stand_changes_nothing(some: list[Thumb]) -> None:
    found = fates(Case(PLACE, decision(), tuple(some)))
    assert found == {"f0": "matched", **dict(zip(("f1", "f2", "f3"), itertools.repeat("already")))}


def test_days_are_milliseconds() -> None:
    assert window_ms(policy(window_ms=7 * 86_400_000)) == 604_800_000
