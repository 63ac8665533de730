"""What a day's budget reaches."""

from __future__ import annotations

import random

import numpy as np

from teachback.infra.history import AUDIT
from teachback.infra.whatif.change import Change
from teachback.infra.whatif.overflow import days, within
from teachback.infra.whatif.routes import as_it_was, as_it_would_have_been
from teachback.schemas.topics import DAY_MS
from tests.infra.whatif.making import decisions, policy, traffic

STRICT = policy(threshold=0.8, audit_rate=0.1)


def test_days_are_the_rows_of_each_day_with_traffic() -> None:
    history = traffic(100, STRICT, days=3).history()
    kept = history.rows(history.time // DAY_MS != history.time[50] // DAY_MS)
    found = [set((kept.time[rows] // DAY_MS).tolist()) for rows in days(kept)]
    assert found == [{int(kept.time[0]) // DAY_MS}, {int(kept.time[-1]) // DAY_MS}]
    assert days(history.rows(slice(0))) == []


def test_a_budget_serves_the_most_urgent_and_says_what_else_would_have_been() -> None:
    dice = random.Random(5)
    for _ in range(200):
        urgency = np.array([dice.choice([0.1, 0.2, 0.3, 0.5, 0.9]) for _ in range(30)])
        review = np.array([dice.random() < 0.6 for _ in range(30)])
        budget = dice.randrange(35)
        reached = within(urgency, review, budget)
        ranked = sorted(np.flatnonzero(review).tolist(), key=lambda row: (-urgency[row], row))
        assert set(np.flatnonzero(reached & review).tolist()) == set(ranked[:budget])
        if budget and len(ranked) > budget:
            last = urgency[ranked[budget - 1]]
            assert reached[~review].tolist() == (urgency[~review] >= last).tolist()
    assert within(np.array([0.5, 0.9]), np.array([True, False]), 0).tolist() == [False, False]


def test_each_day_has_its_own_budget_and_topics_their_weight() -> None:
    made = traffic(2000, STRICT, days=2)
    history, known = made.history(), decisions(STRICT)
    was = as_it_was(history, known)
    assert not was.overflow.any() and not was.served.limited
    weights = {"cards": 5.0}
    then = as_it_would_have_been(history, known, Change(budget=100, weights=weights), was)
    for rows in days(history):
        review = np.flatnonzero(then.review[rows])
        topics = [history.topics[code] if code >= 0 else None for code in history.topic[rows][review]]
        urgency = (1 - history.confidence[rows][review]) * [weights.get(topic or "", 1.0) for topic in topics]
        served = ~then.overflow[rows][review]
        assert served.sum() == 100
        assert urgency[served].min() >= urgency[~served].max()
    assert not (then.overflow & (history.route == AUDIT)).any()


def test_a_budget_that_was_in_force_holds_until_it_is_asked_about() -> None:
    limited = policy(threshold=0.8, audit_rate=0.1, budget=50)
    history, known = traffic(1000, limited, days=2).history(), decisions(limited)
    was = as_it_was(history, known)
    assert (was.review & ~was.overflow).sum() == 2 * 50
    then = as_it_would_have_been(history, known, Change(budget=None), was)
    assert not then.overflow.any() and not then.served.limited
    stricter = as_it_would_have_been(history, known, Change(threshold=0.9), was)
    assert (stricter.review & ~stricter.overflow).sum() == 2 * 50
