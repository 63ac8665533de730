"""The threshold that a promise would have certified, by the audits of the time asked about.

The walk, the evidence and the share of α are those of the service (`streams/guarantee`). An audit that was not settled
`audit_hours` after it was drawn counts as wrong.
"""

import msgspec
import numpy as np

from teachback.infra.history import AUDIT, WRONG, Decisions, History
from teachback.infra.whatif.routes import Mask, Routes
from teachback.schemas.policy import Promise
from teachback.streams.guarantee import alpha_of, missing, side, walk, walk_of

HOUR_MS = 3_600_000
AUDIT_HOURS = 72.0


class Promised(msgspec.Struct, frozen=True, kw_only=True):
    """How far the walk came. Without a threshold nothing is certified: the policy's own holds."""

    threshold: float | None
    coverage: float
    """Share of live traffic at or above the threshold; 0 without one."""
    audits: int
    """Audits that certify at or above the threshold; without one, at or above the first that the walk tries."""
    errors: int
    unresolved: int
    """Of the errors, those past their deadline."""
    lacking: int
    """How many more audits, all of them right, the first step that is not certified needs; 0 when all are."""


def promised(history: History, decisions: Decisions, routes: Routes, promise: Promise, until: int) -> Promised:
    """What would stand certified at the end, were one adapter and its first calibration in service for all of the time.

    In service the certificate comes within that time, and each adapter starts anew, so it may come later.
    """
    live = history.live
    steps = walk_of(routes.confidence[live], promise.start, promise.steps)
    audits, overdue = certifying(history, decisions, routes, until)
    wrong = overdue | (history.verdict == WRONG)
    alpha = alpha_of(1, 1.0 - promise.confidence)
    thresholds = [step.threshold for step in steps]
    found = walk(routes.confidence[audits], wrong[audits], thresholds, promise.target, alpha)
    lacking = missing(found.next.audits, found.next.errors, promise.target, alpha) if found.next else 0
    stand = found.certified or found.next
    if stand is None:  # no traffic, no walk
        return Promised(threshold=None, coverage=0.0, audits=0, errors=0, unresolved=0, lacking=lacking)
    step = steps[stand.step]
    mine = audits & (routes.confidence >= step.threshold)
    return Promised(
        threshold=step.threshold if found.certified else None,
        coverage=step.coverage if found.certified else 0.0,
        audits=int(mine.sum()),
        errors=int((mine & wrong).sum()),
        unresolved=int((mine & overdue).sum()),
        lacking=lacking,
    )


def certifying(history: History, decisions: Decisions, routes: Routes, until: int) -> tuple[Mask, Mask]:
    """The audits that certify, those that calibration may see left out; and rows that are open past their deadline."""
    hours = decisions.policy.audit_hours if decisions.policy else AUDIT_HOURS
    overdue = ~history.settled & (history.time < until - hours * HOUR_MS)
    audits = history.live & ~routes.named & (history.route == AUDIT) & (history.settled | overdue)
    for row in np.flatnonzero(audits):
        audits[row] = side(history.ids[row]) == "certify"
    return audits, overdue
