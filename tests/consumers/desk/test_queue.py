"""In which order items are offered."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from teachback.consumers.desk.item import Item
from teachback.consumers.desk.queue import HOUR_MS, Lane, Queue
from tests.consumers.desk.making import request


def shelved(queue: Queue, *items: Item) -> list[str]:
    for item in items:
        queue.put(item, "reviewer")
    return list(queue.offers("reviewer"))


def item(exchange: str, arrived_hours: float = 0.0, **fields: object) -> Item:
    return Item(exchange, request(exchange, **fields), int(arrived_hours * HOUR_MS))


def test_audits_come_first_in_the_order_of_a_hash_of_their_id() -> None:
    audits = [item(f"audit-{n}", route="audit", confidence=0.99) for n in range(20)]
    doubtful = item("doubtful", confidence=0.0, weight=5.0)
    order = shelved(Queue(24.0), doubtful, *audits)
    hashed = sorted((each.exchange for each in audits), key=lambda id_: hashlib.sha256(id_.encode()).hexdigest())
    assert order == [*hashed, "doubtful"]


def test_doubt_times_importance_decides_among_the_rest() -> None:
    order = shelved(
        Queue(24.0),
        item("sure", confidence=0.9),
        item("important", confidence=0.8, weight=4.0),
        item("doubtful", confidence=0.3),
    )
    assert order == ["important", "doubtful", "sure"]


def test_an_item_that_waited_long_enough_overtakes_a_more_doubtful_one() -> None:
    old, new = item("old", confidence=0.9), item("new", arrived_hours=20.0, confidence=0.0)
    assert shelved(Queue(24.0), old, new) == ["new", "old"]
    much_later = item("newer", arrived_hours=22.0, confidence=0.0)
    assert shelved(Queue(24.0), old, much_later) == ["old", "newer"]


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 10), st.floats(0, 1e5)), max_size=30), st.floats(0, 1))
def test_nothing_starves(others: list[tuple[float, float, float]], confidence: float) -> None:
    """Whatever arrives later than weight × ageing after an item comes after it."""
    queue, hours = Queue(24.0), 24.0
    queue.put(item("patient", confidence=confidence), "reviewer")
    for n, (doubt, weight, late) in enumerate(others):
        later = hours * (weight + 0.001) + late
        queue.put(item(f"x{n}", arrived_hours=later, confidence=1 - doubt, weight=weight), "reviewer")
    assert next(queue.offers("reviewer")) == "patient"


def test_an_item_is_in_one_lane_only_and_leaves_when_dropped() -> None:
    queue, moving = Queue(24.0), item("moving")
    queue.put(moving, "reviewer")
    queue.put(moving, "reviewer")
    assert list(queue.offers("reviewer")) == ["moving"]
    queue.put(moving, "adjudicator")
    assert list(queue.offers("reviewer")) == []
    assert list(queue.offers("adjudicator")) == ["moving"]
    queue.drop("moving")
    assert len(queue) == 0
    assert "moving" not in queue


@given(st.lists(st.tuples(st.sampled_from(["reviewer", "fresh"]), st.floats(0, 1)), max_size=30))
def test_lanes_that_are_served_together_are_one_line(items: list[tuple[Lane, float]]) -> None:
    apart, one = Queue(24.0), Queue(24.0)
    for n, (lane, confidence) in enumerate(items):
        apart.put(item(f"x{n}", confidence=confidence), lane)
        one.put(item(f"x{n}", confidence=confidence), "reviewer")
    assert list(apart.offers("reviewer", "fresh")) == list(one.offers("reviewer"))
    assert apart.count("fresh") == [lane for lane, _ in items].count("fresh")


@given(st.permutations(range(12)))
def test_the_order_does_not_depend_on_the_order_of_arrival_at_the_desk(permutation: list[int]) -> None:
    items = [
        item(f"x{n}", arrived_hours=n % 3, confidence=n / 12, route="audit" if n % 4 == 0 else "review")
        for n in range(12)
    ]
    expected = shelved(Queue(24.0), *items)
    assert shelved(Queue(24.0), *(items[n] for n in permutation)) == expected
