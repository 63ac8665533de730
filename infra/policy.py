"""Publishing what people decide: one event on `loop.policy`, taken up by every worker without a restart."""

import secrets
from typing import Any

import msgspec

from teachback.schemas import Policy
from teachback.schemas.event import now
from teachback.schemas.ids import derived
from teachback.schemas.log import Tail
from teachback.schemas.wire import Cluster, encode, headers, producer, require_topics
from teachback.streams.policies import fold, usable

# Strict until there is evidence: nearly everything is reviewed.
THRESHOLD = 0.8
AUDIT_RATE = 0.1


class PolicyError(Exception):
    """A policy can't be published; the message says why."""


def current(cluster: Cluster, bot: str) -> Policy | None:
    """The policy in force, or None before the first. Raises TopicMismatch when Kafka or the topic is not there."""
    require_topics(cluster, "loop.policy")
    with Tail(cluster, "loop.policy", (Policy,)) as tail:
        return fold({}, (record.event for record in tail.catch_up() if record.event)).get(bot)


def ensure_policy(cluster: Cluster, bot: str) -> Policy:
    """The policy in force; without one, the strict default with a fresh audit salt is published."""
    found = current(cluster, bot)
    if found is None:
        _publish(cluster, _first(bot))
        found = current(cluster, bot)  # another's, when two did this at once
    if found is None:
        raise PolicyError(f"bot {bot!r} has no policy, though one was published; look at topic loop.policy")
    return found


def change(cluster: Cluster, bot: str, changes: dict[str, Any]) -> Policy:
    """Publish the policy in force with some fields changed; a reason holds for its own version only.

    Raises PolicyError for values that can't be, and when somebody else's change came first.
    """
    before = ensure_policy(cluster, bot)
    version = before.version + 1
    settled = {"version": version, "created": now(), "id": derived("policy", bot, version)}
    fields = msgspec.to_builtins(before) | {"reason": None} | changes | settled
    try:
        policy = msgspec.convert(fields, Policy)
    except msgspec.ValidationError as exc:
        raise PolicyError(f"this can't be a policy: {exc}") from exc
    if not usable(policy):
        raise PolicyError("a rule's pattern is no regular expression that Python can use; correct it")
    _publish(cluster, policy)
    found = current(cluster, bot)
    if found is None or (found.version == policy.version and found != policy):
        raise PolicyError(
            f"somebody else published version {policy.version} at the same time; look at it, then try again"
        )
    return policy


def _first(bot: str) -> Policy:
    return Policy(
        id=derived("policy", bot, 1),
        bot=bot,
        created=now(),
        version=1,
        threshold=THRESHOLD,
        audit_rate=AUDIT_RATE,
        audit_salt=secrets.token_hex(16),
        reason="the default: strict until there is evidence",
    )


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
