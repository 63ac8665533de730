"""The real path: decisions and outcomes in, a calibration, a certificate and a withdrawal out."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import numpy as np
import pytest

from teachback.schemas import Calibration, Certificate, Policy, Promise, Rule
from teachback.schemas.event import now
from teachback.streams.calibration.decide import Event, State, certificate, claims_of, next_event
from teachback.streams.calibrations import in_force
from teachback.streams.guarantee import alpha_of, missing, side
from tests.streams.calibration.test_evidence import HOUR, START, outcome, scored

POLICY = Policy(
    id="p1", bot="demo", created=now(), version=1, threshold=0.8, audit_rate=0.1, audit_salt="salt-salt",
    promise=Promise(target=0.1, steps=5),
)  # fmt: skip
ENOUGH = missing(0, 0, 0.1, alpha_of(1, 1 - 0.95))
CERTIFY = [id_ for id_ in (f"a{number}" for number in range(2000)) if side(id_) == "certify"]
FIRST = 60  # reviews before the first fit
FUTURE = int(now().timestamp() * 1000) + 2000 * HOUR


def begun(policy: Policy = POLICY) -> State:
    """A bot with enough reviewed answers for a first fit: right exactly when the cosine is above a half."""
    state = State("demo")
    state.note_policy(policy)
    drawn = np.random.default_rng(0)
    for number, cosine in enumerate(np.round(drawn.random(FIRST), 3)):
        record = scored(f"r{number}", START + number, route="review", signals={"qa_cosine": float(cosine)})
        state.evidence.note_scored(record)
        state.evidence.note_outcome(outcome(f"r{number}", bool(cosine > 0.5), START + HOUR))
    return state


def audited(state: State, ids: list[str], at: int, *, acceptable: bool = True, adapter: str = "base") -> None:
    """Audits of trusted answers, a second apart from `at` ms on, each settled a minute later."""
    for number, id_ in enumerate(ids):
        when = at + 1000 * number
        state.evidence.note_scored(scored(id_, when, adapter=adapter, signals={"qa_cosine": 0.95}))
        state.evidence.note_outcome(outcome(id_, acceptable, when + 60_000))


def publish(state: State, now_ms: int = FUTURE) -> list[Event]:
    """All that is due, one event after the other, each folded before the next is decided."""
    events: list[Event] = []
    while (event := next_event(state, 50, now_ms)) is not None:
        events.append(event)
        state.note_own(event)
        assert len(events) < 20, "it does not come to rest"
    return events


def certified() -> tuple[State, Certificate]:
    state = begun()
    audited(state, CERTIFY[:ENOUGH], START + 2 * HOUR)
    _, proof = publish(state)
    assert isinstance(proof, Certificate)
    return state, proof


def withdrawn() -> tuple[State, Certificate, Certificate]:
    state, proof = certified()
    audited(state, CERTIFY[ENOUGH : ENOUGH + 60], after(proof), acceptable=False)
    gone = next_event(state, 50, FUTURE)
    assert isinstance(gone, Certificate)
    # On the log a withdrawal is younger than the audits that it rests on; here they lie a minute ahead of the clock.
    gone = msgspec.structs.replace(gone, created=proof.created + timedelta(hours=1))
    state.note_own(gone)
    return state, proof, gone


def after(event: Event) -> int:
    return int(event.created.timestamp() * 1000) + 1000


def test_nothing_is_due_without_a_policy_or_without_labels() -> None:
    assert next_event(State("demo"), 50, FUTURE) is None
    empty = State("demo")
    empty.note_policy(POLICY)
    assert next_event(empty, 50, FUTURE) is None


def test_enough_labels_make_a_calibration_and_then_it_rests() -> None:
    (event,) = publish(begun())
    assert isinstance(event, Calibration) and (event.version, event.labels) == (1, FIRST)


def test_too_few_labels_make_none() -> None:
    assert next_event(begun(), FIRST + 1, FUTURE) is None


def test_one_clean_audit_too_few_gives_no_certificate_and_the_last_one_does() -> None:
    state = begun()
    audited(state, CERTIFY[: ENOUGH - 1], START + 2 * HOUR)
    assert [type(event) for event in publish(state)] == [Calibration]
    audited(state, [CERTIFY[ENOUGH - 1]], START + 3 * HOUR)
    (proof,) = publish(state)
    assert isinstance(proof, Certificate) and proof.state == "certified"
    assert (proof.audits, proof.errors, proof.unresolved, proof.attempt) == (ENOUGH, 0, 0, 1)
    assert proof.e_value >= 1 / proof.alpha
    assert (proof.adapter, proof.calibration, proof.policy, proof.population) == ("base", 1, 1, POLICY.population)
    assert (proof.target, proof.confidence) == (0.1, 0.95)


def test_audits_that_do_not_certify_give_no_certificate_however_many() -> None:
    state = begun()
    learn = [id_ for id_ in (f"a{number}" for number in range(2000)) if side(id_) == "calibrate"]
    audited(state, learn[: 2 * ENOUGH], START + 2 * HOUR)
    assert not any(isinstance(event, Certificate) for event in publish(state))


def test_audits_that_nobody_settles_are_errors_and_give_no_certificate() -> None:
    state = begun()
    audited(state, CERTIFY[:ENOUGH], START + 2 * HOUR)
    state.evidence.note_scored(scored(CERTIFY[ENOUGH], START + HOUR, signals={"qa_cosine": 0.95}))
    assert not any(isinstance(event, Certificate) for event in publish(state))
    audited(state, CERTIFY[ENOUGH + 1 : 3 * ENOUGH], START + 5 * HOUR)
    (proof,) = publish(state)
    assert isinstance(proof, Certificate) and (proof.errors, proof.unresolved) == (1, 1)


def test_a_policy_without_a_promise_gets_no_certificate() -> None:
    state = begun(msgspec.structs.replace(POLICY, promise=None))
    audited(state, CERTIFY[:ENOUGH], START + 2 * HOUR)
    assert [type(event) for event in publish(state)] == [Calibration]


def test_the_certificate_routes_its_adapter_and_a_new_adapter_has_none() -> None:
    state, proof = certified()
    found = in_force(state.standing, POLICY, "base")
    assert (found.certificate, found.threshold, found.weights.version) == (proof.id, proof.threshold, 1)
    state.evidence.note_scored(scored("n1", after(proof), adapter="new", calibration=1))
    assert publish(state) == []
    assert in_force(state.standing, POLICY, "new").certificate is None


def test_a_new_adapter_earns_its_certificate_by_its_own_audits() -> None:
    state, proof = certified()
    audited(state, CERTIFY[ENOUGH : 2 * ENOUGH], after(proof), adapter="new")
    (own,) = [event for event in publish(state) if isinstance(event, Certificate)]
    assert (own.adapter, own.attempt, own.audits) == ("new", 1, ENOUGH)
    assert set(state.standing.certificates) == {"base", "new"}


def test_many_wrong_audits_withdraw_it_and_the_policys_threshold_is_back() -> None:
    state, proof, gone = withdrawn()
    assert gone.state == "withdrawn" and gone.adapter == "base" and gone.id != proof.id
    assert gone.reason is not None and "10.0%" in gone.reason
    found = in_force(state.standing, POLICY, "base")
    assert (found.certificate, found.threshold) == (None, POLICY.threshold)


def test_errors_at_the_rate_that_is_promised_do_not_withdraw_it() -> None:
    state, proof = certified()
    for number in range(20):
        audited(state, [CERTIFY[ENOUGH + number]], after(proof) + number * HOUR, acceptable=number % 10 != 0)
    assert not any(isinstance(event, Certificate) and event.state == "withdrawn" for event in publish(state))


def test_after_a_withdrawal_old_audits_prove_nothing_and_new_ones_are_a_further_attempt() -> None:
    state, _, gone = withdrawn()
    assert publish(state) == []
    audited(state, CERTIFY[500 : 500 + 2 * ENOUGH], after(gone))
    again = next_event(state, 50, FUTURE)
    assert isinstance(again, Certificate) and again.state == "certified"
    assert (again.attempt, again.errors) == (2, 0)
    assert again.alpha == pytest.approx(alpha_of(2, 1 - 0.95), abs=1e-9)
    assert again.audits == missing(0, 0, 0.1, alpha_of(2, 1 - 0.95))


def test_a_stricter_target_or_other_rules_end_the_promise() -> None:
    state, proof = certified()
    stricter = msgspec.structs.replace(POLICY, version=2, promise=Promise(target=0.01, steps=5))
    ruled = msgspec.structs.replace(POLICY, version=2, rules=(Rule(name="fees", topic="fees"),))
    for policy in (stricter, ruled):
        assert in_force(state.standing, policy, "base").certificate is None
        assert in_force(state.standing, policy, "base").threshold == policy.threshold
    state.note_policy(ruled)
    assert publish(state) == []  # audits under the other rules are no evidence for these
    assert in_force(state.standing, POLICY, "base").certificate == proof.id


def test_a_state_read_again_from_the_log_decides_the_same() -> None:
    first, proof = certified()
    again = begun()
    audited(again, CERTIFY[:ENOUGH], START + 2 * HOUR)
    for event in (first.newest, proof):
        assert event is not None
        again.note_own(event)
    assert next_event(again, 50, FUTURE) is None
    assert again.standing == first.standing


def test_another_bots_calibrations_are_not_its_own() -> None:
    first, proof = certified()
    other = State("other")
    other.note_own(proof)
    assert other.newest is None and not other.standing.certificates
    assert first.newest is not None


def test_a_claim_that_proves_nothing_makes_no_certificate() -> None:
    state = begun()
    publish(state)
    (only,), evidence = claims_of(state, POLICY, "base", FUTURE)
    with pytest.raises(ValueError, match="nothing is certified"):
        certificate("demo", "base", only, evidence, POLICY)
