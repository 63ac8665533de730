"""What the figures can't know about a change, in sentences."""

from collections.abc import Iterator

import numpy as np
from msgspec import UNSET

from teachback.infra.history import AUDIT, Decisions, History
from teachback.infra.whatif.change import Change
from teachback.infra.whatif.routes import Routes, per_policy
from teachback.infra.whatif.rules import replayed_rules


def notes(history: History, decisions: Decisions, change: Change, was: Routes) -> tuple[str, ...]:
    """The sentences that apply, most important first."""
    return (
        *about_rules(history, decisions, change),
        *about_audits(history, decisions, was),
        *about_records(history, was),
    )


def about_rules(history: History, decisions: Decisions, change: Change) -> Iterator[str]:
    """Rules that need what `chat.scored` does not keep."""
    if change.rules is UNSET:
        return
    if untold := replayed_rules(history, decisions, change.rules).untold:
        yield (
            "chat.scored holds no text, so a rule with a pattern or on escalation can't be replayed where it was not "
            f"in force: there {', '.join(untold)} is taken to name nothing. It would have sent more to review."
        )


def about_audits(history: History, decisions: Decisions, was: Routes) -> Iterator[str]:
    """Traffic that no audit stands for, and audits that are open."""
    live = history.live
    rates = per_policy(history, decisions, lambda policy: policy.audit_rate, np.nan)
    if blind := int((live & (rates == 0)).sum()):
        yield (
            f"{blind:,} of {int(live.sum()):,} live exchanges came while the audit rate was 0: no audit speaks for "
            "them, and the estimates take them to be like the rest."
        )
    late = int(((history.route == AUDIT) & ~history.settled).sum())
    if late:
        yield (
            f"{late:,} audits are not settled. The first interval leaves them out; the second one counts them as right "
            "at its lower end, and as wrong at its upper one."
        )


def about_records(history: History, was: Routes) -> Iterator[str]:
    """Records that say less than they should."""
    if untold := int(((history.route == AUDIT) & np.isnan(was.threshold)).sum()):
        yield (
            f"{untold:,} audits do not say what threshold was in force, nor does the log of policies: as it was, they "
            "count as answers that would have been reviewed."
        )
    if history.bad:
        yield f"{history.bad:,} records of chat.scored were no valid decisions, and are left out."
