"""Batches against a real store, without Kafka: one request whatever the order, the cuts and the crashes."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from teachback.schemas import Exchange, Policy, ReviewRequest
from teachback.schemas.event import Event
from teachback.schemas.scored import Route
from teachback.schemas.wire import decode, encode
from teachback.streams.feedback.batch import Batch, Raw
from teachback.streams.feedback.join import Place
from teachback.streams.feedback.store import Store, counts
from teachback.streams.feedback.turn import answer
from teachback.streams.route import Routed
from teachback.streams.scoring import request
from tests.streams.feedback.samples import BOT, CREATED, WINDOW, exchange, policy, record, scored, thumb

START = 100_000


class Leg:
    """The join over a store in a file, with the exchanges that it may fetch; keeps what it wrote."""

    def __init__(self, folder: Path, texts: Sequence[Exchange] = ()) -> None:
        self.path = folder / "feedback.db"
        self.store = Store(self.path)
        self.texts = {text.id: text for text in texts}
        self.fetched: list[str] = []
        self.written: list[ReviewRequest] = []

    def fetch(self, places: Sequence[Place]) -> Mapping[str, Exchange]:
        self.fetched += [place.exchange for place in places]
        return {place.exchange: self.texts[place.exchange] for place in places if place.exchange in self.texts}

    def take(self, *records: Raw, under: Policy | None = None, crashes: bool = False) -> list[ReviewRequest]:
        """One batch; a crash comes after Kafka's commit and before the store's."""
        batch = Batch(BOT)
        for each in records:
            batch.take(each)
        found = answer(batch, self.store, under or policy(), self.fetch)
        self.written += found.requests
        if crashes:
            self.store.close()
            self.store = Store(self.path)
        else:
            self.store.commit(batch, found)
        return found.requests

    def counts(self) -> dict[str, int]:
        return {name: n for name, n in counts(self.path).items() if n}


@pytest.fixture
def leg(tmp_path: Path) -> Leg:
    return Leg(tmp_path, [exchange()])


X, S, F = record(exchange(), START), record(scored(), START + 5), record(thumb(), START + 500)


@pytest.mark.parametrize("order", [(X, S, F), (X, F, S), (F, X, S), (F, S, X), (S, F, X), (S, X, F)])
@pytest.mark.parametrize("together", ["in one batch", "one by one"])
def test_the_three_records_in_any_order_make_one_request(leg: Leg, order: tuple[Raw, ...], together: str) -> None:
    if together == "in one batch":
        leg.take(*order)
    else:
        for each in order:
            leg.take(each)
    assert [each.id for each in leg.written] == ["x1"]
    assert leg.counts() == {"down": 1, "matched": 1}


def test_the_request_is_whole_as_scored_and_as_the_policy_has_it_now(leg: Leg) -> None:
    text = exchange(topic="cards", subject="s1", source="batch")
    leg.texts["x1"] = text
    new = policy(overlap=3, weights={"cards": 2.5})
    (made,) = leg.take(X, record(scored(confidence=0.75)), F, under=new)
    expected = request(text, 0.75, Routed("review", ("thumbs_down",)), new)
    assert made == msgspec.structs.replace(expected, created=CREATED)
    assert (made.route, made.reasons, made.confidence, made.overlap, made.weight) == (
        "review",
        ("thumbs_down",),
        0.75,
        3,
        2.5,
    )


def test_the_same_request_made_again_after_a_crash_has_the_same_bytes(leg: Leg) -> None:
    leg.take(X, S)
    leg.take(F, crashes=True)
    leg.take(F)
    one, other = leg.written
    assert encode(one) == encode(other)
    assert leg.counts() == {"down": 1, "matched": 1}


@pytest.mark.parametrize("route", ["audit", "review"])
def test_an_exchange_that_has_its_item_gets_no_other_and_is_not_fetched(leg: Leg, route: Route) -> None:
    leg.take(X, record(scored(route=route)), F)
    assert (leg.written, leg.fetched) == ([], [])
    assert leg.counts() == {"down": 1, "already": 1}


def test_the_first_decision_of_an_id_stands_in_one_batch_and_across_batches(leg: Leg) -> None:
    again = record(scored(route="review"), START + 9, 1)
    leg.take(F, X, S, again)
    other = Leg(leg.path.parent / "other", [exchange()])
    for each in (X, record(scored(route="review")), record(scored(), START + 9, 1), F):
        other.take(each)
    assert [each.id for each in leg.written] == ["x1"]
    assert other.written == []


def test_the_first_record_of_an_exchange_is_the_one_that_is_fetched(leg: Leg) -> None:
    leg.take(record(exchange(), START, 3), record(exchange(), START + 1, 4), S)
    leg.take(record(exchange(), START + 2, 5))
    assert leg.store.cases(["x1"])["x1"].place == Place("x1", 0, 3, START)


def test_thumbs_up_are_counted_and_kept_and_ask_for_nothing(leg: Leg) -> None:
    leg.take(X, S, record(thumb(way="up"), START + 100))
    assert (leg.written, leg.counts()) == ([], {"up": 1})
    assert [each.fate for each in leg.store.cases(["x1"])["x1"].thumbs] == ["up"]


@pytest.mark.parametrize("first", ["up", "down"])
def test_who_changes_their_mind_has_said_down_all_the_same(leg: Leg, first: Any) -> None:
    second: Any = "down" if first == "up" else "up"
    leg.take(X, S, record(thumb(way=first), START + 100))
    leg.take(record(thumb(way=second), START + 200))
    assert [each.id for each in leg.written] == ["x1"]
    assert leg.counts() == {"up": 1, "down": 1, "matched": 1}


def test_the_same_feedback_event_twice_is_one_thumb_in_one_batch_and_across_batches(leg: Leg) -> None:
    leg.take(X, S, F, F)
    leg.take(F)
    assert [each.id for each in leg.written] == ["x1"]
    assert leg.counts() == {"down": 1, "matched": 1}


def test_two_thumbs_down_are_one_request(leg: Leg) -> None:
    leg.take(X, S, F)
    leg.take(record(thumb(id_="f2"), START + 600))
    assert [each.id for each in leg.written] == ["x1"]
    assert leg.counts() == {"down": 2, "matched": 1, "already": 1}


def test_an_id_that_a_chatbot_uses_for_up_and_then_for_down_hides_nothing(leg: Leg) -> None:
    leg.take(X, S, record(thumb(way="up", id_="f"), START), record(thumb(id_="f"), START + 1))
    assert leg.counts() == {"up": 1, "down": 1, "matched": 1}


def test_feedback_after_the_window_is_unmatched(leg: Leg) -> None:
    leg.take(X, S)
    leg.take(record(thumb(), START + WINDOW + 1))
    assert (leg.written, leg.counts()) == ([], {"down": 1, "unmatched": 1})


def test_a_policy_that_ignores_thumbs_writes_nothing_until_it_changes_its_mind(leg: Leg) -> None:
    leg.take(X, S, F, under=policy(thumbs_down="ignore"))
    assert (leg.written, leg.fetched, leg.counts()) == ([], [], {"down": 1, "ignored": 1})
    leg.take(record(thumb(id_="f2"), START + 600))
    assert leg.counts() == {"down": 2, "ignored": 1, "matched": 1}


def test_an_exchange_past_its_retention_is_counted_as_gone(tmp_path: Path) -> None:
    leg = Leg(tmp_path)
    leg.take(X, S, F, record(thumb(id_="f2"), START + 600))
    assert (leg.written, leg.counts()) == ([], {"down": 2, "gone": 2})


def test_what_never_comes_is_unmatched_once_its_time_is_over(leg: Leg) -> None:
    leg.take(F)
    assert leg.counts() == {"down": 1, "waiting": 1}
    leg.store.purge(START + 501, START)
    assert leg.counts() == {"down": 1, "unmatched": 1}
    leg.take(X, S)
    assert leg.written == []


# whatever comes


class Told(NamedTuple):
    """One exchange's records, in the order of reading, cut into batches; those in `crashes` are cut down once."""

    route: Route
    times: list[tuple[bool, int]]  # (down, ms after the exchange)
    records: list[Raw]
    cuts: set[int]
    crashes: set[int]


@st.composite
def told(draw: st.DrawFn) -> Told:
    route: Route = draw(st.sampled_from(["accept", "accept", "audit", "review"]))
    times = draw(st.lists(st.tuples(st.booleans(), st.integers(-1500, 1500)), max_size=4))
    events: list[tuple[Event, int]] = [(exchange(), 0), (scored(route=route), 3)]
    events += [(thumb(way="down" if down else "up", id_=f"f{i}"), t) for i, (down, t) in enumerate(times)]
    events += draw(st.lists(st.sampled_from(events), max_size=2))  # some come twice
    order = draw(st.permutations(events))
    at = st.sets(st.integers(0, len(order)))
    return Told(route, times, [record(e, START + t) for e, t in order], draw(at), draw(at))


@settings(max_examples=100, deadline=None)
@given(told())
def test_exactly_one_item_iff_it_was_accepted_and_a_thumb_went_down_in_time(story: Told) -> None:
    with tempfile.TemporaryDirectory() as folder:
        leg = Leg(Path(folder), [exchange()])
        batch: list[Raw] = []
        for i, each in enumerate(story.records):
            batch.append(each)
            if i in story.cuts or i == len(story.records) - 1:
                if i in story.crashes:
                    leg.take(*batch, crashes=True)
                leg.take(*batch)
                batch = []
        found = leg.counts()
        leg.store.close()
    in_time = sum(down and abs(t) <= WINDOW for down, t in story.times)
    said = Counter("down" if down else "up" for down, _ in story.times)
    wanted = 1 if story.route == "accept" and in_time else 0
    expected = {
        **said,
        "matched": wanted,
        "already": in_time - wanted,
        "unmatched": said["down"] - in_time,
    }
    assert found == {name: n for name, n in expected.items() if n}
    assert {each.id for each in leg.written} == ({"x1"} if wanted else set())
    assert len({encode(each) for each in leg.written}) == wanted
    assert all(decode(encode(each), ReviewRequest) == each for each in leg.written)
