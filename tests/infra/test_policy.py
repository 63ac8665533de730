"""The policy on the log: versions count up, and of two changes at once one is refused; and the commands for it."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from teachback.infra import policy
from teachback.infra.history import Decisions, History, HistoryError, Timed
from teachback.infra.policy import PolicyError, change, changed, current, default, ensure_policy
from teachback.schemas import Policy, Rule
from teachback.schemas.policy import Promise
from teachback.schemas.wire import Cluster, TopicMismatch
from tests.infra.test_command import Teachback, teachback
from tests.infra.whatif.making import traffic
from tests.kafka_fixture import KafkaCluster

__all__ = ["teachback"]
BOT = "harbour"


@pytest.fixture
def cluster(kafka: KafkaCluster, prefix: str) -> Cluster:
    kafka.create(f"{prefix}loop.policy", 1)
    return Cluster(bootstrap=kafka.bootstrap, prefix=prefix)


@pytest.mark.kafka
def test_the_first_policy_is_strict_and_published_once(cluster: Cluster) -> None:
    assert current(cluster, BOT) is None
    first = ensure_policy(cluster, BOT)
    assert (first.version, first.threshold, first.audit_rate) == (1, policy.THRESHOLD, policy.AUDIT_RATE)
    assert ensure_policy(cluster, BOT) == first == current(cluster, BOT)
    other = ensure_policy(cluster, "other")
    assert other.audit_salt != first.audit_salt
    assert current(cluster, BOT) == first


@pytest.mark.kafka
def test_a_change_counts_the_version_up_and_keeps_what_was_not_named(cluster: Cluster) -> None:
    first = change(cluster, BOT, {"threshold": 0.5, "reason": "we have evidence"})
    assert (first.version, first.threshold, first.reason) == (2, 0.5, "we have evidence")
    second = change(cluster, BOT, {"audit_rate": 0.2})
    assert (second.version, second.threshold, second.audit_rate) == (3, 0.5, 0.2)
    assert (second.audit_salt, second.reason) == (first.audit_salt, None)
    assert current(cluster, BOT) == second


@pytest.mark.kafka
@pytest.mark.parametrize("changes", [{"threshold": 2.0}, {"overlap": 0}, {"audit_rate": "often"}])
def test_a_value_that_cannot_be_is_refused_and_changes_nothing(cluster: Cluster, changes: dict[str, Any]) -> None:
    before = ensure_policy(cluster, BOT)
    with pytest.raises(PolicyError, match="can't be a policy"):
        change(cluster, BOT, changes)
    assert current(cluster, BOT) == before


@pytest.mark.kafka
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


@pytest.mark.kafka
def test_without_the_topic_it_says_what_to_do(kafka: KafkaCluster, prefix: str) -> None:
    with pytest.raises(TopicMismatch, match="teachback topics apply"):
        current(Cluster(bootstrap=kafka.bootstrap, prefix=prefix), BOT)


@pytest.mark.kafka
def test_a_change_that_changes_nothing_publishes_nothing(cluster: Cluster) -> None:
    first = ensure_policy(cluster, BOT)
    assert change(cluster, BOT, {"threshold": first.threshold, "reason": "again"}) == first == current(cluster, BOT)


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"^(([a-z])+.)+[A-Z]([a-z])+$", r"(x+x+)+y"])
def test_a_pattern_that_backtracks_without_end_is_refused(pattern: str) -> None:
    with pytest.raises(PolicyError, match="takes too long"):
        changed(default(BOT), {"rules": (Rule(name="slow", pattern=pattern),)})


@pytest.mark.parametrize("pattern", ["fee|charge", r"\b(lost|stolen)\b.*\bcard\b", r"\s+$", r"\d{4}[ -]?\d{4}"])
def test_a_pattern_that_people_write_is_taken(pattern: str) -> None:
    assert changed(default(BOT), {"rules": (Rule(name="r", pattern=pattern),)}).rules[0].pattern == pattern


class FakeLog:
    """`loop.policy` in memory, and a day of traffic."""

    def __init__(self) -> None:
        self.policies: list[Policy] = [default("support")]
        self.history: History | HistoryError = traffic(800, self.policies[0]).history()

    def current(self, *_: object) -> Policy | None:
        return self.policies[-1] if self.policies else None

    def publish(self, _: Cluster, found: Policy) -> None:
        self.policies.append(found)

    def decisions(self, *_: object) -> Decisions:
        return Decisions(tuple(Timed(one, 1_780_000_000_000 + one.version) for one in self.policies))

    def read(self, *_: object) -> History:
        if isinstance(self.history, HistoryError):
            raise self.history
        return self.history


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> FakeLog:
    found = FakeLog()
    monkeypatch.setattr("teachback.infra.commands.policy.answering", lambda _: Cluster(bootstrap="nowhere"))
    monkeypatch.setattr(policy, "current", found.current)
    monkeypatch.setattr(policy, "_publish", found.publish)
    monkeypatch.setattr("teachback.infra.history.read_decisions", found.decisions)
    monkeypatch.setattr("teachback.infra.history.read_history", found.read)
    return found


def test_every_field_that_a_person_should_change_can_be_set(teachback: Teachback, log: FakeLog) -> None:
    status, printed, complained = teachback(
        *("policy", "set", "--threshold", "0.6", "--audit-rate", "0.05", "--overlap", "3", "--budget", "120"),
        *("--audit-hours", "48", "--thumbs-down", "ignore", "--feedback-days", "3", "--weight", "cards=2"),
        *("--weight", "loans=0.5", "--rule", "fees", "--topic", "cards", "--pattern", "fee|charge", "--not-escalated"),
        *("--promise", "--target", "0.05", "--confidence", "0.9", "--start", "0.3", "--reason", "enough reviewers"),
    )
    assert (status, complained) == (0, "")
    assert "policy 2 is published" in printed and "threshold 0.8 → 0.6" in printed
    assert "the reason `undecided`" in printed
    assert msgspec.to_builtins(log.policies[1]) == msgspec.to_builtins(log.policies[0]) | {
        "id": log.policies[1].id,
        "created": log.policies[1].created.isoformat().replace("+00:00", "Z"),
        "version": 2,
        "threshold": 0.6,
        "audit_rate": 0.05,
        "overlap": 3,
        "budget": 120,
        "audit_hours": 48.0,
        "thumbs_down": "ignore",
        "feedback_days": 3.0,
        "weights": {"cards": 2.0, "loans": 0.5},
        "rules": ({"name": "fees", "topic": "cards", "pattern": "fee|charge", "escalated": False},),
        "promise": {"target": 0.05, "confidence": 0.9, "start": 0.3},
        "reason": "enough reviewers",
    }


def test_what_was_set_can_be_taken_back(teachback: Teachback, log: FakeLog) -> None:
    rules = (Rule(name="fees", pattern="fee"),)
    full = {"budget": 5, "weights": {"cards": 2.0}, "rules": rules, "promise": Promise()}
    log.policies.append(changed(log.policies[0], full))
    teachback("policy", "set", "--budget", "none", "--weight", "cards=1", "--remove-rule", "fees", "--no-promise")
    found = log.policies[2]
    assert (found.version, found.budget, found.weights, found.rules, found.promise) == (3, None, {}, (), None)


def test_a_change_tells_what_it_would_have_done_in_the_last_day(teachback: Teachback, log: FakeLog) -> None:
    _, printed, _ = teachback("policy", "set", "--threshold", "0.5")
    (line,) = [line for line in printed.splitlines() if line.startswith("the last 24 h: ")]
    assert "reviews " in line and "accepted " in line and "wrong let through about " in line and "→" in line


def test_a_dry_run_says_it_and_publishes_nothing(teachback: Teachback, log: FakeLog) -> None:
    status, printed, _ = teachback("policy", "set", "--threshold", "0.5", "--dry-run")
    assert status == 0
    assert "the last 24 h: " in printed and "nothing is published; without --dry-run it would be version 2" in printed
    assert len(log.policies) == 1


def test_a_dry_run_before_the_first_policy_publishes_not_even_that(teachback: Teachback, log: FakeLog) -> None:
    log.policies.clear()
    _, printed, _ = teachback("policy", "set", "--threshold", "0.5", "--dry-run")
    assert "threshold 0.8 → 0.5" in printed and not log.policies


def test_what_says_the_same_is_not_published(teachback: Teachback, log: FakeLog) -> None:
    status, printed, _ = teachback("policy", "set", "--threshold", "0.8", "--weight", "cards=1", "--reason", "r")
    assert status == 0 and "nothing changes: version 1 says that already" in printed
    assert len(log.policies) == 1


@pytest.mark.parametrize(
    ("history", "said"),
    [
        (None, "no exchange was scored in the last 24 h"),
        (HistoryError("chat.scored has lost it"), "is not known: chat.scored has lost it"),
    ],
)
def test_a_change_goes_through_where_the_past_says_nothing(
    teachback: Teachback, log: FakeLog, history: HistoryError | None, said: str
) -> None:
    log.history = history or traffic(1, log.policies[0]).history().rows(slice(0))
    status, printed, _ = teachback("policy", "set", "--threshold", "0.5")
    assert status == 0 and said in printed
    assert log.policies[1].threshold == 0.5


def test_a_change_that_routes_nothing_asks_no_history(teachback: Teachback, log: FakeLog) -> None:
    log.history = HistoryError("asked")
    _, printed, _ = teachback("policy", "set", "--feedback-days", "2")
    assert "24 h" not in printed and log.policies[1].feedback_days == 2.0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--rule", "fees"), "'fees' states no condition"),
        (("--rule", "fees", "--pattern", "(fee"), "no regular expression"),
        (("--topic", "cards"), "name it with --rule NAME"),
        (("--remove-rule", "fees"), "there is no rule 'fees' to remove; there are none"),
        (("--no-promise", "--target", "0.1"), "leave --target"),
        (("--feedback-days", "31"), "can't be a policy"),
        (("--reason", "because"), "nothing to change"),
    ],
)
def test_a_policy_that_cannot_be_is_one_message(
    teachback: Teachback, log: FakeLog, arguments: tuple[str, ...], said: str
) -> None:
    status, printed, complained = teachback("policy", "set", *arguments)
    assert (status, printed) == (1, "")
    assert complained.startswith("teachback: ") and said in complained
    assert len(log.policies) == 1


def test_the_policy_is_shown_to_people_and_to_programs_without_its_salt(
    teachback: Teachback, log: FakeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = (Rule(name="fees", pattern="[fee]"),)
    log.policies.append(changed(log.policies[0], {"rules": rules, "promise": Promise(), "reason": "why [not]"}))
    monkeypatch.setenv("COLUMNS", "200")
    _, printed, _ = teachback("policy", "show")
    for text in ("policy 2 of support", "at most 3.0 % wrong, 95 % sure", 'fees: pattern "[fee]"', "reason: why [not]"):
        assert text in " ".join(printed.split())
    _, for_programs, _ = teachback("policy", "show", "--json")
    found = json.loads(for_programs)
    assert (found["version"], found["promise"]["target"], found["audit_salt"]) == (2, 0.03, "(hidden)")
    assert log.policies[0].audit_salt not in printed + for_programs


def test_every_field_of_a_policy_is_shown_with_what_it_means() -> None:
    from teachback.infra.whatif.record import MEANS

    assert set(MEANS) == set(Policy.__struct_fields__) - set(policy.OWN)


def test_the_history_names_what_each_version_changed(teachback: Teachback, log: FakeLog) -> None:
    salt = "a new salt for the lot"
    log.policies.append(changed(log.policies[0], {"threshold": 0.6, "budget": 9, "reason": "less to do"}))
    log.policies.append(changed(log.policies[1], {"audit_salt": salt}))
    _, printed, _ = teachback("policy", "history")
    said = " ".join(printed.split())
    assert "1 2026-05-28" in said and "threshold 0.8 → 0.6 less to do" in said and "budget none → 9" in said
    assert "audit_salt changed" in said and salt not in said
    found = json.loads(teachback("policy", "history", "--json")[1])
    assert [one["version"] for one in found] == [1, 2, 3]
    assert {one["audit_salt"] for one in found} == {"(hidden)"}
