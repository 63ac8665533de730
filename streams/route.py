"""Where an exchange goes: a pure function of the exchange, its score and the policy.

The lot for an audit is drawn over all live traffic before anyone looks at the score, so audits are a uniform sample and
every number estimated from them needs no weights.
"""

import hashlib
import hmac
import re
from functools import lru_cache
from typing import NamedTuple

import regex  # type: ignore[import-untyped]

from teachback.schemas import Exchange, Policy, Rule
from teachback.schemas.scored import Route

PATIENCE_SECONDS = 0.03  # for one pattern in one question; the search looks at the clock now and then


class Routed(NamedTuple):
    """The route, and why, in words that a program can read."""

    route: Route
    reasons: tuple[str, ...]


def route(exchange: Exchange, confidence: float, policy: Policy, threshold: float) -> Routed:
    """Audit by lot, else review when a rule or the threshold says so, else accept.

    An audit names, after `audit`, what would have sent it to review: only the others are evidence about what is
    accepted.
    """
    reasons = [reason for rule in policy.rules for reason in held(rule, exchange)]
    if exchange.source == "replay":
        reasons.append("replay")
    if confidence < threshold:
        reasons.append(f"confidence<{threshold:g}")
    if exchange.source == "live" and drawn(policy.audit_salt, exchange.id, policy.audit_rate):
        return Routed("audit", ("audit", *reasons))
    return Routed("review" if reasons else "accept", tuple(reasons))


def drawn(salt: str, exchange: str, rate: float) -> bool:
    """Whether HMAC-SHA256(salt, exchange id), read as a number in [0, 1), is below the rate."""
    digest = hmac.new(salt.encode(), exchange.encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 < rate


def held(rule: Rule, exchange: Exchange) -> tuple[str, ...]:
    """The reasons that a rule gives: its name, when every condition that it states holds; none without a condition.

    A pattern that has not come to an end in time counts as found, and says so in a second reason: somebody should look
    where the rule could not, and no question may hold up the stream.
    """
    if rule.topic is None and rule.pattern is None and rule.escalated is None:
        return ()
    if rule.escalated is not None and rule.escalated != exchange.escalated:
        return ()
    if rule.topic is not None and rule.topic != exchange.topic:
        return ()
    try:
        found = rule.pattern is None or searched(rule.pattern, exchange.question, PATIENCE_SECONDS)
    except TimeoutError:
        return (f"rule:{rule.name}", f"undecided:{rule.name}")
    return (f"rule:{rule.name}",) if found else ()


def searched(pattern: str, text: str, patience: float) -> bool:
    """Whether the pattern is somewhere in the text, case ignored. Raises TimeoutError after some `patience` seconds.

    Other threads run meanwhile. Python's own `re` can't be interrupted, and lets nobody else run: one pattern that
    backtracks would stop the heartbeats, and with them the worker.
    """
    return _compiled(pattern).search(text, timeout=patience, concurrent=True) is not None


def compilable(pattern: str) -> str | None:
    """What is wrong with a pattern; None when it can be used. It has to be one for Python's `re`, too."""
    try:
        re.compile(pattern, re.IGNORECASE)
        _compiled(pattern)
    except (re.error, regex.error, ValueError, OverflowError, RecursionError, MemoryError) as exc:
        return str(exc) or type(exc).__name__
    return None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> "regex.Pattern[str]":
    return regex.compile(pattern, regex.IGNORECASE)
