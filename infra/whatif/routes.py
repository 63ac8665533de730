"""Where each exchange went, and where it would have gone: masks and numbers over the rows of a history."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from teachback.infra.history import ACCEPT, AUDIT, Decisions, History
from teachback.infra.history.columns import coded
from teachback.infra.whatif.change import Change
from teachback.infra.whatif.overflow import Served, served
from teachback.infra.whatif.rescore import rescored
from teachback.infra.whatif.rules import replayed_rules
from teachback.schemas import Policy
from teachback.streams.route import drawn

Mask = NDArray[np.bool_]
Numbers = NDArray[np.float64]


class Routes(NamedTuple):
    """One row an exchange. An exchange that is neither audited nor trusted is reviewed, if the budget reaches it."""

    audit: Mask
    trusted: Mask
    """Accepted unless the lot had drawn it: no rule, no replay, confidence not below the threshold."""
    named: Mask
    """Reviewed whatever the score: by a rule, or as a replay."""
    confidence: Numbers
    threshold: Numbers
    """nan where it is not known."""
    overlap: Numbers
    served: Served
    """Which reviews fit into the budget, and which answers would have."""

    @property
    def accept(self) -> Mask:
        """Rows that nobody looks at because they are trusted."""
        return self.trusted & ~self.audit

    @property
    def review(self) -> Mask:
        """Rows that are sent to reviewers, overflow included."""
        return ~self.trusted & ~self.audit

    @property
    def overflow(self) -> Mask:
        """Of the reviews, those that the day's budget does not reach."""
        return self.review & ~self.served.reached


def per_policy(history: History, decisions: Decisions, value: Callable[[Policy], Any], unknown: Any) -> Numbers:
    """A number that each row's own version of the policy states; `unknown` where the version is on no log."""
    versions, where = np.unique(history.policy, return_inverse=True)
    policies = [decisions.policy_of(int(version)) for version in versions]
    table = np.array([unknown if policy is None else value(policy) for policy in policies], dtype=np.float64)
    found: Numbers = table[where] if len(where) else np.empty(0)
    return found


def as_it_was(history: History, decisions: Decisions) -> Routes:
    """The recorded routes. What an audit would have been otherwise follows from its score and reasons."""
    stated = per_policy(history, decisions, lambda policy: policy.threshold, np.nan)
    threshold = np.where(np.isnan(history.threshold), stated, history.threshold)
    audit = history.route == AUDIT
    doubted = coded(history.reason, history.reasons, lambda said: any(one.startswith("confidence<") for one in said))
    named = history.ruled | history.replayed
    # Audits of earlier versions say nothing but that they are audits; and nan is never below.
    below = doubted | (history.confidence < threshold) | np.isnan(threshold)
    trusted = np.where(audit, ~named & ~below, history.route == ACCEPT)
    return Routes(
        audit=audit,
        trusted=trusted,
        named=named,
        confidence=history.confidence,
        threshold=threshold,
        overlap=per_policy(history, decisions, lambda policy: policy.overlap, 2),
        served=served(history, decisions, history.confidence, ~trusted & ~audit, Change()),
    )


def as_it_would_have_been(history: History, decisions: Decisions, change: Change, was: Routes) -> Routes:
    """The routes with a change applied to every row; without one of a field, what was recorded of it holds."""
    confidence, threshold, named = was.confidence, was.threshold, was.named
    if change.calibration is not UNSET:
        confidence = rescored(history, decisions, change.calibration)
    if change.threshold is not UNSET:
        threshold = np.full(len(history), float(change.threshold))
    if change.rules is not UNSET:
        named = replayed_rules(history, decisions, change.rules).named | history.replayed
    trusted = was.trusted
    if not (change.calibration is change.threshold is change.rules is UNSET):
        trusted = ~named & (confidence >= threshold)  # nan is never above
    audit = was.audit
    if change.audit_rate is not UNSET:
        audit = drawn_again(history, decisions, change.audit_rate)
    overlap = was.overlap if change.overlap is UNSET else np.full(len(history), float(change.overlap))
    reached = served(history, decisions, confidence, ~trusted & ~audit, change)
    return Routes(audit, trusted, named, confidence, threshold, overlap, reached)


def drawn_again(history: History, decisions: Decisions, rate: float) -> Mask:
    """The lot at another rate, by the salt of each row's own policy; where that is not known, as it was.

    Whoever is drawn at one rate is drawn at every higher one, so only those whose lot can change are drawn.
    """
    audit: Mask = history.route == AUDIT
    before = per_policy(history, decisions, lambda policy: policy.audit_rate, np.nan)
    open_ = history.live & np.where(audit, rate < before, rate > before)
    found = audit.copy()
    salts = {version: policy.audit_salt for version, policy in _policies(history, decisions)}
    for row in np.flatnonzero(open_):
        found[row] = drawn(salts[int(history.policy[row])], history.ids[row], rate)
    return found


def weights_of_audits(history: History, decisions: Decisions) -> Numbers:
    """How many live answers an audit of each row's policy stands for: 1 ÷ its audit rate.

    Where the rate is not known, or an audit has none that could have drawn it, the share that was drawn in fact.
    """
    rates = per_policy(history, decisions, lambda policy: policy.audit_rate, np.nan)
    audit, live = history.route == AUDIT, history.live
    for version in np.unique(history.policy[audit & ~(rates > 0)]):
        mine = live & (history.policy == version)
        rates[history.policy == version] = (audit & mine).sum() / mine.sum() if mine.any() else 1.0
    return np.divide(1.0, rates, out=np.zeros(len(history)), where=rates > 0)


def _policies(history: History, decisions: Decisions) -> Iterable[tuple[int, Policy]]:
    """The versions that routed, and what they were, where the log has them."""
    for version in np.unique(history.policy):
        if (policy := decisions.policy_of(int(version))) is not None:
            yield int(version), policy
