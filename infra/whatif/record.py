"""A policy, and what changed from one version to the next, in words. Salts are never shown."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from teachback.infra.policy import differences
from teachback.infra.whatif.words import percent
from teachback.schemas import Policy, Rule
from teachback.schemas.policy import Promise

HIDDEN = "(hidden)"
SHARES = ("audit_rate",)
MEANS = {
    "threshold": "confidence below it is reviewed",
    "audit_rate": "of live traffic, drawn by lot",
    "audit_salt": "key of the lot",
    "overlap": "reviewers for each item, at least",
    "rules": "always reviewed",
    "weights": "topic to importance; 1 where absent",
    "replay_route": "old questions asked again",
    "promise": "certificates set the threshold",
    "budget": "review items a day (UTC), audits apart",
    "audit_hours": "hours until an open audit counts as wrong",
    "thumbs_down": "a thumb down on an accepted answer",
    "feedback_days": "days in which feedback is joined",
}


def told(name: str, value: Any) -> str:
    """A field's value, as one reads it."""
    if name == "audit_salt":
        return HIDDEN
    if value is None or value in ((), {}):
        return "none"
    if isinstance(value, dict):
        return ", ".join(f"{topic}={weight:g}" for topic, weight in sorted(value.items()))
    if isinstance(value, tuple):
        return "; ".join(rule_told(rule) for rule in value)
    return promise_told(value) if isinstance(value, Promise) else number_told(name, value)


def number_told(name: str, value: object) -> str:
    """A number, a share in per cent; or a word as it is."""
    if isinstance(value, float):
        return percent(value) if name in SHARES else f"{value:g}"
    return str(value)


def promise_told(promise: Promise) -> str:
    """`at most 3.0 % wrong, 95 % sure, from 20 % coverage in 50 steps`."""
    sure = f"at most {percent(promise.target)} wrong, {percent(promise.confidence)} sure"
    return f"{sure}, from {percent(promise.start)} coverage in {promise.steps} steps"


def rule_told(rule: Rule) -> str:
    """`fees: topic cards, pattern "fee|charge"`."""
    parts = []
    if rule.topic is not None:
        parts.append(f"topic {rule.topic}")
    if rule.pattern is not None:
        parts.append(f'pattern "{rule.pattern}"')
    if rule.escalated is not None:
        parts.append("escalated" if rule.escalated else "not escalated")
    return f"{rule.name}: {', '.join(parts)}"


def changes_told(before: Policy, after: Policy) -> list[str]:
    """`threshold 0.8 → 0.6`, for each field that differs."""
    found = []
    for name in differences(before, after):
        if name == "audit_salt":
            found.append("audit_salt changed: another part of traffic is drawn")
        else:
            found.append(f"{name} {told(name, getattr(before, name))} → {told(name, getattr(after, name))}")
    return found


def versions_told(policies: Sequence[Policy]) -> list[str]:
    """For each version, what it changed from the one before; for the first, what it set."""
    first = [
        f"threshold {told('threshold', one.threshold)}, audit_rate {told('audit_rate', one.audit_rate)}"
        for one in policies[:1]
    ]
    return first + ["\n".join(changes_told(before, after)) or "nothing" for before, after in pairwise(policies)]
