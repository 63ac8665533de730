"""Where an exchange goes: a pure function of the exchange, its score and the policy.

The lot for an audit is drawn over all live traffic before anyone looks at the score, so audits are a uniform sample and
every number estimated from them needs no weights.
"""

import hashlib
import hmac
import re
from functools import lru_cache
from typing import NamedTuple

from teachback.schemas import Exchange, Policy, Rule
from teachback.schemas.scored import Route


class Routed(NamedTuple):
    """The route, and why, in words that a program can read."""

    route: Route
    reasons: tuple[str, ...]


def route(exchange: Exchange, confidence: float, policy: Policy, threshold: float) -> Routed:
    """Audit by lot, else review when a rule or the threshold says so, else accept.

    An audit names, after `audit`, what would have sent it to review: only the others are evidence about what is
    accepted.
    """
    reasons = [f"rule:{rule.name}" for rule in policy.rules if matches(rule, exchange)]
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


def matches(rule: Rule, exchange: Exchange) -> bool:
    """Whether every condition that the rule states holds; a rule without conditions matches nothing."""
    if rule.topic is None and rule.pattern is None and rule.escalated is None:
        return False
    if rule.escalated is not None and rule.escalated != exchange.escalated:
        return False
    if rule.topic is not None and rule.topic != exchange.topic:
        return False
    return rule.pattern is None or _compiled(rule.pattern).search(exchange.question) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)
