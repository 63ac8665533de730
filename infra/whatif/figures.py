"""Routes, counted: totals of the time asked about, and of each day."""

from datetime import UTC, datetime

import msgspec
import numpy as np

from teachback.infra.history import AUDIT, WRONG, History
from teachback.infra.whatif.overflow import days
from teachback.infra.whatif.routes import Mask, Numbers, Routes
from teachback.infra.whatif.wrong import Wrong, wrong


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Totals of the whole time."""

    audits: int
    reviews: int
    """Sent to reviewers, audits apart, overflow included."""
    overflow: int
    """Of the reviews, those beyond the budget: nobody looks at them."""
    accepted: int
    accepted_share: float | None
    """Of live traffic; None without any."""
    hours: float | None
    """Reviewers' time, audits included, by the median time of a verdict; None where that is not known."""
    threshold: float | None
    """The last that was in force; None where it is not known."""
    coverage: float | None
    """Share of live traffic that would be accepted, were no lot drawn."""
    wrong: Wrong
    """Among live answers accepted."""
    overflow_wrong: Wrong | None
    """Among live overflow; None without a budget."""
    unseen_wrong: Wrong
    """Among both: all live answers that nobody looked at."""


class DayRoutes(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of one day."""

    audits: int
    reviews: int
    overflow: int
    accepted: int


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """One day (UTC) that had traffic."""

    date: str
    exchanges: int
    was: DayRoutes
    then: DayRoutes


def figures(history: History, routes: Routes, weights: Numbers, seconds: float | None) -> Figures:
    """The totals. `weights`: how many answers an audit in each row stands for; `seconds`: of a verdict, if known."""
    live = history.live
    known = routes.threshold[~np.isnan(routes.threshold)]
    missed = ~routes.trusted & ~routes.served.reached
    return Figures(
        **msgspec.structs.asdict(count(routes, slice(None))),
        accepted_share=share(routes.accept & live, live),
        hours=None if seconds is None else work(routes) * seconds / 3600,
        threshold=float(known[-1]) if len(known) else None,
        coverage=share(routes.trusted & live, live),
        wrong=wrong_among(history, weights, routes.accept, routes.trusted),
        overflow_wrong=wrong_among(history, weights, routes.overflow, missed) if routes.served.limited else None,
        unseen_wrong=wrong_among(history, weights, routes.accept | routes.overflow, routes.trusted | missed),
    )


def by_day(history: History, was: Routes, then: Routes) -> tuple[Day, ...]:
    """The days that had traffic."""
    return tuple(
        Day(
            date=f"{datetime.fromtimestamp(int(history.time[rows][0]) / 1000, UTC):%Y-%m-%d}",
            exchanges=rows.stop - rows.start,
            was=count(was, rows),
            then=count(then, rows),
        )
        for rows in days(history)
    )


def count(routes: Routes, rows: slice) -> DayRoutes:
    """The routes of some rows, counted."""
    masks = (routes.audit, routes.review, routes.overflow, routes.accept)
    audits, reviews, overflow, accepted = (int(mask[rows].sum()) for mask in masks)
    return DayRoutes(audits=audits, reviews=reviews, overflow=overflow, accepted=accepted)


def wrong_among(history: History, weights: Numbers, unseen: Mask, kind: Mask) -> Wrong:
    """Wrong answers among the `unseen` live ones, from the audits of the same `kind`."""
    audits = (history.route == AUDIT) & history.live & kind
    return wrong(
        int((unseen & history.live).sum()),
        weights[audits],
        history.verdict[audits] == WRONG,
        history.settled[audits],
    )


def work(routes: Routes) -> float:
    """Verdicts that reviewers give: each item's overlap, over all that is served."""
    return float(routes.overlap[routes.audit | (routes.review & ~routes.overflow)].sum())


def share(part: Mask, whole: Mask) -> float | None:
    """The part's share of the whole, or None of nothing."""
    total = int(whole.sum())
    return int(part.sum()) / total if total else None
