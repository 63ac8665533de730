"""Risk–coverage: of the most trusted share of live traffic, how many answers are wrong, as the audits tell."""

import msgspec
import numpy as np

from teachback.infra.history import AUDIT, WRONG, History
from teachback.infra.whatif.routes import Numbers, Routes
from teachback.infra.whatif.wrong import interval

STEPS = 50


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One threshold: what it would accept of live traffic, were no lot drawn, and what audits found there."""

    threshold: float
    coverage: float
    audits: int
    """Settled audits at or above the threshold."""
    errors: int
    risk: float
    low: float
    high: float
    """At 95 %, for this threshold alone; not for all at once."""


def risk_coverage(history: History, routes: Routes, weights: Numbers, steps: int = STEPS) -> tuple[Point, ...]:
    """Points at even steps of coverage, strict to loose; where no audit is settled there is none.

    What rules or replays send to reviewers is accepted by no threshold, so coverage may end below 1.
    """
    live = history.live
    open_ = live & ~routes.named
    scores = np.sort(routes.confidence[open_])[::-1]
    if not len(scores):
        return ()
    audits = np.flatnonzero(open_ & (history.route == AUDIT) & history.settled)
    audits = audits[np.argsort(-routes.confidence[audits], kind="stable")]
    found = []
    for threshold in thresholds(scores, steps):
        n = int(np.searchsorted(-routes.confidence[audits], -threshold, side="right"))
        accepted = int(np.searchsorted(-scores, -threshold, side="right"))
        if n:
            mine = audits[:n]
            wrong = history.verdict[mine] == WRONG
            low, high = interval(weights[mine], wrong)
            risk = float(weights[mine][wrong].sum() / weights[mine].sum())
            found.append(
                Point(
                    threshold=threshold,
                    coverage=accepted / int(live.sum()),
                    audits=n,
                    errors=int(wrong.sum()),
                    risk=risk,
                    low=low,
                    high=high,
                )
            )
    return tuple(found)


def thresholds(scores: Numbers, steps: int) -> list[float]:
    """Those that accept 1/steps, 2/steps, … of the scores, which fall; equal ones once."""
    places = np.unique(np.ceil(np.arange(1, steps + 1) / steps * len(scores)).astype(np.int64)) - 1
    return list(dict.fromkeys(scores[places].tolist()))
