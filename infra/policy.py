"""Publishing what people decide: one event on `loop.policy`, taken up by every worker without a restart."""

import math
import re
import secrets
from typing import Any

import msgspec

from teachback.schemas import Policy, Promise, Rule
from teachback.schemas.event import now
from teachback.schemas.ids import derived
from teachback.schemas.log import Tail
from teachback.schemas.wire import Cluster, encode, headers, producer, require_topics
from teachback.streams.policies import fold, usable
from teachback.streams.route import compilable, searched

# Strict until there is evidence: nearly everything is reviewed.
THRESHOLD = 0.8
AUDIT_RATE = 0.1
PROBE_LENGTH, PROBE_SECONDS = 2000, 0.2
COMMON = ("a", "0", " ", "a ", "x@", "-")  # what patterns repeat
NOWHERE = "\x00"  # ends a probe so that a pattern which wants the end does not find it
OWN = ("id", "bot", "created", "version", "reason")
"""Fields of a version, rather than of what was decided."""


class PolicyError(Exception):
    """A policy can't be published, or the past can't be asked about it; the message says why, and what to do.

    PolicyError
    └── HistoryError   the log does not reach back so far (`infra/history`)
    """


def current(cluster: Cluster, bot: str) -> Policy | None:
    """The policy in force, or None before the first. Raises TopicMismatch when Kafka or the topic is not there."""
    require_topics(cluster, "loop.policy")
    with Tail(cluster, "loop.policy", (Policy,)) as tail:
        return fold({}, (record.event for record in tail.catch_up() if record.event)).get(bot)


def ensure_policy(cluster: Cluster, bot: str) -> Policy:
    """The policy in force; without one, the strict default with a fresh audit salt is published."""
    found = current(cluster, bot)
    if found is None:
        _publish(cluster, default(bot))
        found = current(cluster, bot)  # another's, when two did this at once
    if found is None:
        raise PolicyError(f"bot {bot!r} has no policy, though one was published; look at topic loop.policy")
    return found


def default(bot: str) -> Policy:
    """The first policy of a new bot, with an audit salt of its own."""
    return Policy(
        id=derived("policy", bot, 1),
        bot=bot,
        created=now(),
        version=1,
        threshold=THRESHOLD,
        audit_rate=AUDIT_RATE,
        audit_salt=secrets.token_hex(16),
        promise=Promise(),
        reason="the default: strict until audits have proved a threshold",
    )


def changed(before: Policy, changes: dict[str, Any]) -> Policy:
    """The next version: `before` with some fields changed; a reason holds for its own version only.

    Raises PolicyError for values that can't be.
    """
    version = before.version + 1
    settled = {"version": version, "created": now(), "id": derived("policy", before.bot, version)}
    fields = msgspec.to_builtins(before) | {"reason": None} | msgspec.to_builtins(changes) | settled
    try:
        policy = msgspec.convert(fields, Policy)
    except msgspec.ValidationError as exc:
        raise PolicyError(f"this can't be a policy: {exc}") from exc
    if problems := [*_problems(policy)]:
        raise PolicyError("; ".join(problems))
    if not usable(policy):
        raise PolicyError("a rule's pattern is no regular expression that Python can use; correct it")
    return policy


def differences(before: Policy, after: Policy) -> tuple[str, ...]:
    """The fields in which two policies decide differently."""
    fields = (name for name in Policy.__struct_fields__ if name not in OWN)
    return tuple(name for name in fields if getattr(before, name) != getattr(after, name))


def change(cluster: Cluster, bot: str, changes: dict[str, Any]) -> Policy:
    """The policy in force with some fields changed, published; where that changes nothing, the one in force.

    Raises PolicyError for values that can't be, and when somebody else's change came first.
    """
    before = ensure_policy(cluster, bot)
    after = changed(before, changes)
    return publish(cluster, after) if differences(before, after) else before


def publish(cluster: Cluster, policy: Policy) -> Policy:
    """Publish a version. Raises PolicyError when somebody else's of the same number came first."""
    _publish(cluster, policy)
    found = current(cluster, policy.bot)
    if found is None or (found.version == policy.version and found != policy):
        raise PolicyError(
            f"somebody else published version {policy.version} at the same time; look at it, then try again"
        )
    return policy


def _problems(policy: Policy) -> list[str]:
    """What the types let pass: numbers that are none, rules without a condition or with one that never holds."""
    found = [
        f"the weight of topic {topic!r} is {weight:g}: give a number from 0 up"
        for topic, weight in policy.weights.items()
        if not (math.isfinite(weight) and weight >= 0)
    ]
    if not math.isfinite(policy.audit_hours):
        found.append(f"audit_hours is {policy.audit_hours:g}: give a finite number")
    names = [rule.name for rule in policy.rules]
    found += [f"there are two rules called {name!r}" for name in sorted(set(names)) if names.count(name) > 1]
    return [*found, *(problem for rule in policy.rules for problem in rule_problems(rule))]


def rule_problems(rule: Rule) -> list[str]:
    """What keeps a rule from being one."""
    if rule.topic is None and rule.pattern is None and rule.escalated is None:
        return [
            f"rule {rule.name!r} states no condition; give it a topic, a pattern, or whether the customer escalated"
        ]
    if rule.topic == "" or rule.pattern == "":
        return [f"rule {rule.name!r} has an empty topic or pattern; leave it out, or say what it matches"]
    if wrong := compilable(rule.pattern or ""):
        return [f"rule {rule.name!r}: its pattern is no regular expression that Python can use: {wrong}"]
    if rule.pattern and (repeated := slow_on(rule.pattern)) is not None:
        return [
            f"rule {rule.name!r}: its pattern takes too long on a question of {PROBE_LENGTH:,} times {repeated!r}; "
            "leave out repetitions within repetitions, such as `(a+)+`"
        ]
    return []


def slow_on(pattern: str) -> str | None:
    """A text that the pattern takes too long on when it is repeated; None when none was found, which proves nothing.

    A worker gives up on such a search and has people look: one slow rule would send them whatever somebody pastes.
    """
    own: list[str] = re.findall(r"[^\W_]+|\s", pattern)
    probes: list[str] = [*COMMON, *own, *"".join(own)]
    for repeated in dict.fromkeys(probes):
        try:
            searched(pattern, repeated * PROBE_LENGTH + NOWHERE, PROBE_SECONDS)
        except TimeoutError:
            return repeated
    return None


def _publish(cluster: Cluster, policy: Policy) -> None:
    writer = producer(cluster)
    failed: list[str] = []
    writer.produce(
        cluster.topic("loop.policy"),
        encode(policy),
        policy.bot.encode(),
        headers=[*headers(policy, "policy")],
        on_delivery=lambda error, _: failed.append(error.str()) if error else None,
    )
    if writer.flush(30) or failed:
        raise PolicyError(f"Kafka did not take the policy: {failed[0] if failed else 'no answer in 30 s'}")
