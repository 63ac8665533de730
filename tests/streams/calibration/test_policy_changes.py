"""What a change of the policy does to a promise: no change of mind gives α back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from teachback.schemas import Calibration, Certificate, Policy, Promise, Rule
from teachback.streams.calibration.decide import State
from teachback.streams.calibrations import in_force, keeps
from teachback.streams.guarantee import alpha_of, missing
from tests.streams.calibration.test_decide import (
    CERTIFY,
    ENOUGH,
    POLICY,
    audited,
    begun,
    certified,
    later,
    publish,
    put,
)
from tests.streams.calibration.test_evidence import HOUR, START, outcome, scored

RULES = (Rule(name="fees", topic="fees"),)


def changed(state: State, version: int, **fields: Any) -> Policy:
    policy = msgspec.structs.replace(POLICY, version=version, **fields)
    put(state, policy, later(state))
    return policy


def only(state: State) -> Certificate:
    (proof,) = publish(state)
    assert isinstance(proof, Certificate) and proof.state == "certified"
    return proof


def test_a_certificate_under_other_rules_has_a_share_of_alpha_that_nobody_used() -> None:
    state, before = certified()
    ruled = changed(state, 2, rules=RULES)
    assert publish(state) == []  # audits under the other rules are no evidence for these
    enough = missing(0, 0, 0.1, alpha_of(2, 0.05))
    audited(state, CERTIFY[200 : 200 + enough - 1], later(state), policy=2)
    assert publish(state) == []
    audited(state, CERTIFY[900:901], later(state), policy=2)
    proof = only(state)
    assert (before.attempt, proof.attempt, proof.audits) == (1, 2, enough)
    assert proof.alpha == pytest.approx(alpha_of(2, 0.05), abs=1e-9)
    assert keeps(proof, ruled) and proof.since is not None


def test_whoever_goes_back_to_earlier_rules_has_the_earlier_proof_at_once_at_the_same_share() -> None:
    state, before = certified()
    changed(state, 2, rules=RULES)
    audited(state, CERTIFY[200 : 200 + 2 * ENOUGH], later(state), policy=2)
    assert only(state).attempt == 2
    back = changed(state, 3)
    again = only(state)
    same = ("attempt", "alpha", "audits", "errors", "e_value", "threshold", "calibration", "population")
    assert [getattr(again, name) for name in same] == [getattr(before, name) for name in same]
    assert (again.policy, keeps(again, back)) == (3, True)


def test_another_target_rests_on_audits_since_it_was_asked_for() -> None:
    """Whoever chose it may have looked at the earlier ones."""
    state, _ = certified()
    audited(state, CERTIFY[200:600], later(state))
    assert publish(state) == []
    changed(state, 2, promise=Promise(target=0.05, steps=5))
    assert publish(state) == []
    enough = missing(0, 0, 0.05, alpha_of(2, 0.05))
    audited(state, CERTIFY[600 : 600 + enough], later(state), policy=2)
    proof = only(state)
    assert (proof.attempt, proof.target, proof.audits) == (2, 0.05, enough)


def test_more_confidence_is_asked_of_the_same_attempt() -> None:
    state, before = certified()
    surer = changed(state, 2, promise=Promise(target=0.1, steps=5, confidence=0.999))
    assert in_force(state.standing, surer, "base").certificate is None
    assert publish(state) == []
    audited(state, CERTIFY[200:300], later(state), policy=2)
    proof = only(state)
    assert (proof.attempt, before.attempt, proof.confidence) == (1, 1, 0.999)
    assert proof.audits == missing(0, 0, 0.1, alpha_of(1, 1 - 0.999)) > before.audits


def test_a_promise_that_is_taken_back_earns_nothing_and_one_made_again_goes_on() -> None:
    state, proof = certified()
    without = changed(state, 2, promise=None)
    audited(state, CERTIFY[200:400], later(state), policy=2)
    assert publish(state) == []
    assert in_force(state.standing, without, "base").certificate is None
    again = changed(state, 3)
    assert publish(state) == []
    assert in_force(state.standing, again, "base").certificate == proof.id


def test_a_certificate_that_is_not_in_force_is_withdrawn_all_the_same() -> None:
    state, proof = certified()
    changed(state, 2, promise=None)
    audited(state, CERTIFY[200:260], later(state), policy=2, acceptable=False)
    (gone,) = publish(state)
    assert isinstance(gone, Certificate) and (gone.state, gone.policy) == ("withdrawn", proof.policy)


def test_a_longer_deadline_makes_no_late_audit_right() -> None:
    state, _ = certified()
    changed(state, 2, rules=RULES)
    drawn = later(state)
    for id_ in CERTIFY[200:400]:
        state.note(scored(id_, drawn, policy=2, signals={"qa_cosine": 0.95}))
        state.note(outcome(id_, True, drawn + int((POLICY.audit_hours + 1) * HOUR)))
    changed(state, 3, rules=RULES, audit_hours=1000.0)
    assert publish(state) == []


@pytest.mark.parametrize("slow", [timedelta(days=-400), timedelta(0), timedelta(days=400)])
def test_a_writer_whose_clock_is_wrong_decides_the_same_and_comes_to_rest(slow: timedelta) -> None:
    state = begun()
    decided = publish(state, slow)
    audited(state, CERTIFY[:ENOUGH], START + 2 * HOUR)
    decided += publish(state, slow)
    audited(state, CERTIFY[200:260], later(state), acceptable=False)
    decided += publish(state, slow)
    audited(state, CERTIFY[300 : 300 + 2 * ENOUGH], later(state))
    decided += publish(state, slow)
    assert isinstance(decided[0], Calibration)
    said = [(one.state, one.attempt, one.audits) for one in decided if isinstance(one, Certificate)]
    second = missing(0, 0, 0.1, alpha_of(2, 0.05))
    assert said == [("certified", 1, ENOUGH), ("withdrawn", 1, ENOUGH), ("certified", 2, second)]
