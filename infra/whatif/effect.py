"""`effect`: the same traffic under the policy that was, and under another."""

from datetime import UTC, datetime

import msgspec
from msgspec import UNSET

from teachback.infra.history import Decisions, History
from teachback.infra.whatif.change import Change
from teachback.infra.whatif.curve import Point, risk_coverage
from teachback.infra.whatif.figures import Day, Figures, by_day, figures
from teachback.infra.whatif.notes import notes
from teachback.infra.whatif.promise import Promised, promised
from teachback.infra.whatif.routes import as_it_was, as_it_would_have_been, weights_of_audits
from teachback.schemas.topics import DAY_MS


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """What was, and what would have been. Times are RFC 3339."""

    bot: str
    since: datetime
    until: datetime
    days: float
    """How long the bot had a policy within that time; figures a day are totals divided by it."""
    exchanges: int
    live: int
    change: Change
    was: Figures
    then: Figures
    daily: tuple[Day, ...]
    risk_coverage: tuple[Point, ...]
    """By the confidences and rules that would have been."""
    promised: Promised | None = None
    notes: tuple[str, ...] = ()
    """What these figures can't know, in sentences."""


def effect(
    history: History,
    decisions: Decisions,
    change: Change,
    since: int,
    until: int,
    seconds: float | None = None,
) -> Effect:
    """The figures of `since` ≤ time < `until` (ms) as it was and with the change. Pure.

    `history` holds the rows of that time, as `read_history` gives them. `seconds` is a verdict's median time, for
    reviewers' hours. Raises HistoryError for a calibration that never was.
    """
    weights = weights_of_audits(history, decisions)
    was = as_it_was(history, decisions)
    then = as_it_would_have_been(history, decisions, change, was)
    found = None
    if change.promise is not UNSET and change.promise is not None:
        found = promised(history, decisions, then, change.promise, until)
        if found.threshold is not None:
            certified = msgspec.structs.replace(change, threshold=found.threshold)
            then = as_it_would_have_been(history, decisions, certified, was)
    return Effect(
        bot=history.bot,
        since=datetime.fromtimestamp(since / 1000, UTC),
        until=datetime.fromtimestamp(until / 1000, UTC),
        days=(until - serving_since(decisions, since, until)) / DAY_MS,
        exchanges=len(history),
        live=int(history.live.sum()),
        change=change,
        was=figures(history, was, weights, seconds),
        then=figures(history, then, weights, seconds),
        daily=by_day(history, was, then),
        risk_coverage=risk_coverage(history, then, weights),
        promised=found,
        notes=notes(history, decisions, change, was),
    )


def serving_since(decisions: Decisions, since: int, until: int) -> int:
    """From when on there could be traffic: nothing is routed before the first policy."""
    first = decisions.policies[0].time if decisions.policies else since
    return first if since < first < until else since
