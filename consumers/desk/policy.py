"""The policy in force for the desk's bot, of which it takes the budget. The rule is that of every reader."""

import re

from teachback.schemas.policy import Policy


def in_force(current: Policy | None, event: Policy) -> Policy | None:
    """The policy after `event`. One whose version is not the next is ignored, so that two writers can't race."""
    following = (current.version if current else 0) + 1
    return event if event.version == following and _usable(event) else current


def _usable(policy: Policy) -> bool:
    """Whether every pattern compiles. Scoring passes over one that does not; the desk must go by the same policy."""
    try:
        for rule in policy.rules:
            re.compile(rule.pattern or "")
    except (re.error, ValueError, OverflowError, RecursionError):
        return False
    return True
