"""Which reviews a day's budget reaches: doubt × importance, the largest first, each day (UTC) by itself."""

from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from teachback.infra.history import Decisions, History
from teachback.infra.history.columns import NONE
from teachback.infra.whatif.change import Change
from teachback.schemas.topics import DAY_MS


class Served(NamedTuple):
    """`reached`: rows that are urgent enough to be served on their day, would they be sent to reviewers."""

    reached: NDArray[np.bool_]
    limited: bool
    """Whether there was a budget on any day."""


def served(
    history: History,
    decisions: Decisions,
    confidence: NDArray[np.float64],
    review: NDArray[np.bool_],
    change: Change,
) -> Served:
    """What the budgets reach. The budget and the weights of a day are those of the policy of its last exchange.

    The desk serves through midnight and lets what waits grow more urgent; here no item is carried over to another day.
    """
    reached = np.ones(len(history), dtype=bool)
    limited = False
    for day in days(history):
        budget, weights = of_the_day(history, decisions, day, change)
        if budget is None:
            continue
        limited = True
        urgency = (1.0 - confidence[day]) * importance(history, day, weights)
        reached[day] = within(urgency, review[day], budget)
    return Served(reached, limited)


def within(urgency: NDArray[np.float64], review: NDArray[np.bool_], budget: int) -> NDArray[np.bool_]:
    """The `budget` most urgent reviews, the earlier of equals; and what else is at least as urgent as the last."""
    rows = np.flatnonzero(review)
    if len(rows) <= budget:
        return np.ones(len(urgency), dtype=bool)
    first = rows[np.argsort(-urgency[rows], kind="stable")[:budget]]
    last = urgency[first].min() if budget else np.inf
    reached = ~review & (urgency >= last)
    reached[first] = True
    return reached


def days(history: History) -> list[slice]:
    """The rows of each day (UTC) that has any, in order."""
    numbers = history.time // DAY_MS
    starts = np.flatnonzero(np.diff(numbers, prepend=numbers[:1] - 1)).tolist()
    return [slice(first, last) for first, last in pairwise([*starts, len(history)])]


def of_the_day(
    history: History, decisions: Decisions, day: slice, change: Change
) -> tuple[int | None, dict[str, float]]:
    """A day's budget (None: without limit) and topics' weights."""
    policy = decisions.policy_of(int(history.policy[day][-1]))
    budget = (policy.budget if policy else None) if change.budget is UNSET else change.budget
    weights = (policy.weights if policy else {}) if change.weights is UNSET else change.weights
    return budget, weights


def importance(history: History, day: slice, weights: Mapping[str, float]) -> NDArray[np.float64]:
    """Each row's topic's weight."""
    table = np.array([weights.get(topic, 1.0) for topic in history.topics] + [1.0])
    found: NDArray[np.float64] = table[history.topic[day]]  # NONE picks the last
    assert NONE == -1
    return found
