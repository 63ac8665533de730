"""How attempts are numbered over calibrations, policies and withdrawals, so that α is spent once."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from teachback.schemas import Calibration, Certificate, Policy, Promise, Rule
from teachback.schemas.event import now
from teachback.streams.calibration.attempts import Asked, Attempt, First, Own, Timed, asked_of, attempts, live
from teachback.streams.guarantee import alpha_of
from tests.streams.calibration.test_claims import POLICY, calibration

FEES, CARDS = ((Rule(name=topic, topic=topic),) for topic in ("fees", "cards"))


def policy(
    version: int, *, target: float | None = 0.1, confidence: float = 0.95, rules: tuple[Rule, ...] = ()
) -> Policy:
    promise = None if target is None else Promise(target=target, confidence=confidence)
    return msgspec.structs.replace(POLICY, version=version, promise=promise, rules=rules)


def withdrawal(adapter: str = "base") -> Certificate:
    return Certificate(
        id="w", bot="demo", created=now(), state="withdrawn", adapter=adapter, calibration=1, policy=1, population="p",
        target=0.1, confidence=0.95, attempt=1, alpha=0.03, threshold=0.9, coverage=0.4, audits=100, errors=0,
        e_value=40.0,
    )  # fmt: skip


def tried(*events: Calibration | Certificate | Policy, first: First = First()) -> list[Attempt]:  # noqa: B008
    """The attempts after these events, a millisecond after the other from 1 on."""
    timed = list(enumerate(events, 1))
    policies = [Timed(event, at) for at, event in timed if isinstance(event, Policy)]
    own: list[Timed[Own]] = [Timed(event, at) for at, event in timed if not isinstance(event, Policy)]
    return attempts(policies, own, "base", first)


def numbered(found: Sequence[Attempt]) -> list[tuple[int, int, int]]:
    return [(one.number, one.calibration.version, one.since) for one in found]


def test_every_version_is_an_attempt_from_the_one_under_which_the_adapter_first_answered() -> None:
    events = (policy(1), calibration(1), calibration(2), calibration(3))
    assert numbered(tried(*events, first=First(1, 2))) == [(1, 2, 3), (2, 3, 4)]


def test_an_attempt_rests_on_audits_since_its_calibration_was_published_alone() -> None:
    """What was reviewed before it, and so what it was fitted to, hung on audits that certified a threshold."""
    assert [one.since for one in tried(policy(1), calibration(1), calibration(2))] == [2, 3]


def test_the_prior_is_never_an_attempt() -> None:
    assert tried(policy(1)) == []
    assert numbered(tried(policy(1), calibration(1))) == [(1, 1, 2)]


def test_without_a_promise_nothing_is_tried() -> None:
    assert tried(policy(1, target=None), calibration(1), calibration(2)) == []


@pytest.mark.parametrize(
    "other", [policy(2, rules=FEES), policy(2, target=0.2)], ids=["another population", "another target"]
)
def test_what_is_asked_for_next_goes_on_counting_with_the_newest_version(other: Policy) -> None:
    found = tried(policy(1), calibration(1), calibration(2), other, calibration(3))
    assert numbered(found) == [(1, 1, 2), (2, 2, 3), (3, 2, 4), (4, 3, 5)]
    assert [one.asked for one in found] == [asked_of(POLICY)] * 2 + [asked_of(other)] * 2


def test_whoever_goes_back_finds_the_attempts_as_they_were_and_opens_only_those_that_were_never_tried() -> None:
    events = (policy(1), calibration(1), policy(2, rules=FEES), calibration(2))
    there = tried(*events)
    again = tried(*events, policy(3))
    assert again[: len(there)] == there
    assert numbered(again[len(there) :]) == [(4, 2, 5)]
    assert numbered(live(again, asked_of(policy(3)), 0)) == [(1, 1, 2), (4, 2, 5)]
    assert len(tried(*events, policy(3), policy(4, rules=FEES), policy(5))) == len(again)


def test_another_confidence_or_an_equal_policy_opens_nothing() -> None:
    found = tried(policy(1), calibration(1), policy(2, confidence=0.99), policy(3), policy(4, confidence=0.5))
    assert numbered(found) == [(1, 1, 2)]


def test_a_promise_that_was_taken_back_and_is_made_again_is_gone_on_with() -> None:
    found = tried(policy(1), calibration(1), policy(2, target=None), calibration(2), policy(3))
    assert numbered(found) == [(1, 1, 2), (2, 2, 5)]


def test_a_first_promise_rests_on_audits_since_it_was_made() -> None:
    """Whoever made it may have looked at the earlier ones."""
    assert numbered(tried(policy(1, target=None), calibration(1), policy(2), calibration(2))) == [(1, 1, 3), (2, 2, 4)]


def test_after_a_withdrawal_the_newest_version_then_and_later_ones_are_further_attempts() -> None:
    found = tried(policy(1), calibration(1), calibration(2), withdrawal(), calibration(3))
    assert numbered(found) == [(1, 1, 2), (2, 2, 3), (3, 2, 4), (4, 3, 5)]
    assert numbered(live(found, asked_of(POLICY), 1)) == [(3, 2, 4), (4, 3, 5)]


def test_attempts_go_on_counting_over_several_withdrawals() -> None:
    found = tried(policy(1), calibration(1), calibration(2), withdrawal(), withdrawal())
    assert numbered(found) == [(1, 1, 2), (2, 2, 3), (3, 2, 4), (4, 2, 5)]


def test_a_withdrawal_ends_the_attempts_for_everything_that_was_ever_asked_for() -> None:
    found = tried(policy(1), calibration(1), policy(2, rules=FEES), withdrawal(), policy(3))
    assert numbered(live(found, asked_of(policy(3)), 1)) == [(4, 1, 5)]


def test_another_adapters_withdrawal_changes_nothing() -> None:
    assert numbered(tried(policy(1), calibration(1), withdrawal("new"))) == [(1, 1, 2)]


def test_what_was_asked_for_before_the_adapter_first_answered_costs_it_nothing() -> None:
    events = (policy(1), calibration(1), policy(2, rules=FEES), policy(3, rules=CARDS), calibration(2))
    assert numbered(tried(*events, policy(4), first=First(3, 2))) == [(1, 2, 5), (2, 2, 6)]
    assert numbered(tried(*events, policy(4), first=First(4, 2))) == [(1, 2, 5)]


def test_no_number_is_given_twice_and_none_changes_whatever_comes_later() -> None:
    events = (
        policy(1), calibration(1), policy(2, rules=FEES), calibration(2), withdrawal(), policy(3),
        policy(4, target=0.2), calibration(3), policy(5), withdrawal(), policy(6, rules=FEES), calibration(4),
        policy(7, target=None), calibration(5), policy(8),
    )  # fmt: skip
    whole = tried(*events)
    for count in range(len(events) + 1):
        some = tried(*events[:count])
        assert some == whole[: len(some)]
    assert [one.number for one in whole] == list(range(1, len(whole) + 1))
    assert sum(alpha_of(one.number, 0.05) for one in whole) < 0.05


def test_of_equal_times_the_policy_comes_first() -> None:
    policies = [Timed(policy(1), 1), Timed(policy(2, rules=FEES), 2)]
    own: list[Timed[Own]] = [Timed(calibration(1), 2)]
    assert numbered(attempts(policies, own, "base", First())) == [(1, 1, 2)]


def test_nothing_is_alive_where_nothing_is_asked_for() -> None:
    found = tried(policy(1), calibration(1))
    assert live(found, None, 0) == [] and live(found, Asked("other", 0.1), 0) == []
