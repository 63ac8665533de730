"""The policy on the log: versions count up, and of two changes at once one is refused."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from teachback.infra import policy
from teachback.infra.policy import PolicyError, change, current, ensure_policy
from teachback.schemas import Policy
from teachback.schemas.wire import Cluster, TopicMismatch
from tests.kafka_fixture import KafkaCluster

pytestmark = pytest.mark.kafka
BOT = "harbour"


@pytest.fixture
def cluster(kafka: KafkaCluster, prefix: str) -> Cluster:
    kafka.create(f"{prefix}loop.policy", 1)
    return Cluster(bootstrap=kafka.bootstrap, prefix=prefix)


def test_the_first_policy_is_strict_and_published_once(cluster: Cluster) -> None:
    assert current(cluster, BOT) is None
    first = ensure_policy(cluster, BOT)
    assert (first.version, first.threshold, first.audit_rate) == (1, policy.THRESHOLD, policy.AUDIT_RATE)
    assert ensure_policy(cluster, BOT) == first == current(cluster, BOT)
    other = ensure_policy(cluster, "other")
    assert other.audit_salt != first.audit_salt
    assert current(cluster, BOT) == first


def test_a_change_counts_the_version_up_and_keeps_what_was_not_named(cluster: Cluster) -> None:
    first = change(cluster, BOT, {"threshold": 0.5, "reason": "we have evidence"})
    assert (first.version, first.threshold, first.reason) == (2, 0.5, "we have evidence")
    second = change(cluster, BOT, {"audit_rate": 0.2})
    assert (second.version, second.threshold, second.audit_rate) == (3, 0.5, 0.2)
    assert (second.audit_salt, second.reason) == (first.audit_salt, None)
    assert current(cluster, BOT) == second


@pytest.mark.parametrize("changes", [{"threshold": 2.0}, {"overlap": 0}, {"audit_rate": "often"}])
def test_a_value_that_cannot_be_is_refused_and_changes_nothing(cluster: Cluster, changes: dict[str, Any]) -> None:
    before = ensure_policy(cluster, BOT)
    with pytest.raises(PolicyError, match="can't be a policy"):
        change(cluster, BOT, changes)
    assert current(cluster, BOT) == before


def test_of_two_changes_at_once_the_second_is_told_and_ignored(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ensure_policy(cluster, BOT)
    publish = policy._publish

    def overtaken(where: Cluster, mine: Policy) -> None:
        publish(where, msgspec.structs.replace(mine, threshold=0.25))  # somebody else's, with the same version
        publish(where, mine)

    monkeypatch.setattr(policy, "_publish", overtaken)
    with pytest.raises(PolicyError, match="version 2 at the same time"):
        change(cluster, BOT, {"threshold": 0.75})
    found = current(cluster, BOT)
    assert found is not None
    assert (found.version, found.threshold, found.audit_salt) == (2, 0.25, before.audit_salt)


def test_without_the_topic_it_says_what_to_do(kafka: KafkaCluster, prefix: str) -> None:
    with pytest.raises(TopicMismatch, match="teachback topics apply"):
        current(Cluster(bootstrap=kafka.bootstrap, prefix=prefix), BOT)
