"""The real path: decisions and outcomes in, a calibration, a certificate and a withdrawal out."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import pytest

from teachback.schemas import Calibration, Certificate, Policy, Promise, Rule
from teachback.schemas.event import now
from teachback.schemas.log import Record
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
_offsets = itertools.count(10**6)


def put(state: State, event: Any, at: int | None = None) -> None:
    """Onto the log at a broker time, ms, by default the newest there is; and read."""
    state.note(Record(event, "demo", 0, next(_offsets), state.time if at is None else at))


def pass_time(state: State, at: int) -> None:
    """Nothing of interest happens until `at`, ms."""
    state.note(scored(f"t{next(_offsets)}", at, source="replay"))


def begun(policy: Policy = POLICY) -> State:
    """A bot with enough reviewed answers for a first fit: right exactly when the cosine is above a half."""
    state = State("demo")
    put(state, policy, START - HOUR)
    drawn = np.random.default_rng(0)
    for number, cosine in enumerate(np.round(drawn.random(FIRST), 3)):
        state.note(scored(f"r{number}", START + number, route="review", signals={"qa_cosine": float(cosine)}))
        state.note(outcome(f"r{number}", bool(cosine > 0.5), START + HOUR))
    return state


def fitted(policy: Policy = POLICY) -> State:
    """The same with its first calibration: audits from now on may certify."""
    state = begun(policy)
    (first,) = publish(state)
    assert isinstance(first, Calibration)
    return state


def audited(
    state: State, ids: list[str], at: int, *, acceptable: bool = True, adapter: str = "base", policy: int = 1
) -> None:
    """Audits of trusted answers, a second apart from `at` ms on, each settled a minute later."""
    for number, id_ in enumerate(ids):
        when = at + 1000 * number
        state.note(scored(id_, when, adapter=adapter, policy=policy, signals={"qa_cosine": 0.95}))
        state.note(outcome(id_, acceptable, when + 60_000))


def publish(state: State, slow: timedelta = timedelta(0)) -> list[Event]:
    """All that is due, one event after the other, each read back before the next is decided.

    The writer's clock is `slow`, which must not matter.
    """
    events: list[Event] = []
    while (event := next_event(state, 50)) is not None:
        event = msgspec.structs.replace(event, created=event.created - slow)
        events.append(event)
        put(state, event, state.time + 1)
        assert len(events) < 20, "it does not come to rest"
    return events


def certified() -> tuple[State, Certificate]:
    state = fitted()
    audited(state, CERTIFY[:ENOUGH], START + 2 * HOUR)
    (proof,) = publish(state)
    assert isinstance(proof, Certificate)
    return state, proof


def withdrawn() -> tuple[State, Certificate, Certificate]:
    state, proof = certified()
    audited(state, CERTIFY[ENOUGH : ENOUGH + 60], later(state), acceptable=False)
    gone = next_event(state, 50)
    assert isinstance(gone, Certificate)
    put(state, gone)
    return state, proof, gone


def later(state: State) -> int:
    """An hour after the newest record."""
    return state.time + HOUR


def test_nothing_is_due_without_a_policy_or_without_labels() -> None:
    assert next_event(State("demo"), 50) is None
    empty = State("demo")
    put(empty, POLICY, START)
    assert next_event(empty, 50) is None


def test_enough_labels_make_a_calibration_and_then_it_rests() -> None:
    (event,) = publish(begun())
    assert isinstance(event, Calibration) and (event.version, event.labels) == (1, FIRST)


def test_too_few_labels_make_none() -> None:
    assert next_event(begun(), FIRST + 1) is None


def test_one_clean_audit_too_few_gives_no_certificate_and_the_last_one_does() -> None:
    state = fitted()
    published = datetime.fromtimestamp(state.time / 1000, UTC)
    audited(state, CERTIFY[: ENOUGH - 1], START + 2 * HOUR)
    assert publish(state) == []
    audited(state, [CERTIFY[ENOUGH - 1]], START + 3 * HOUR)
    (proof,) = publish(state)
    assert isinstance(proof, Certificate) and proof.state == "certified"
    assert (proof.audits, proof.errors, proof.unresolved, proof.attempt) == (ENOUGH, 0, 0, 1)
    assert proof.e_value >= 1 / proof.alpha and proof.since == published
    assert (proof.adapter, proof.calibration, proof.policy, proof.population) == ("base", 1, 1, POLICY.population)
    assert (proof.target, proof.confidence) == (0.1, 0.95)


def test_audits_from_before_the_calibration_give_no_certificate_however_many() -> None:
    state = begun()
    audited(state, CERTIFY[: 3 * ENOUGH], START + 2 * HOUR)
    assert [type(event) for event in publish(state)] == [Calibration]


def test_audits_that_do_not_certify_give_no_certificate_however_many() -> None:
    state = fitted()
    learn = [id_ for id_ in (f"a{number}" for number in range(2000)) if side(id_) == "calibrate"]
    audited(state, learn[: 2 * ENOUGH], START + 2 * HOUR)
    assert not any(isinstance(event, Certificate) for event in publish(state))


def test_audits_that_nobody_settles_are_errors_and_give_no_certificate() -> None:
    state = fitted()
    audited(state, CERTIFY[:ENOUGH], START + 3 * HOUR)
    state.note(scored(CERTIFY[ENOUGH], START + 2 * HOUR, signals={"qa_cosine": 0.95}))
    audited(state, CERTIFY[ENOUGH + 1 : 3 * ENOUGH], START + 5 * HOUR)
    assert not any(isinstance(event, Certificate) for event in publish(state))
    pass_time(state, START + 2 * HOUR + int(POLICY.audit_hours * HOUR))
    assert publish(state) == []
    pass_time(state, state.time + 1)
    (proof,) = publish(state)
    assert isinstance(proof, Certificate) and (proof.errors, proof.unresolved) == (1, 1)


def test_a_policy_without_a_promise_gets_no_certificate() -> None:
    state = fitted(msgspec.structs.replace(POLICY, promise=None))
    audited(state, CERTIFY[:ENOUGH], START + 2 * HOUR)
    assert publish(state) == []


def test_the_certificate_routes_its_adapter_and_a_new_adapter_has_none() -> None:
    state, proof = certified()
    found = in_force(state.standing, POLICY, "base")
    assert (found.certificate, found.threshold, found.weights.version) == (proof.id, proof.threshold, 1)
    state.note(scored("n1", later(state), adapter="new", calibration=1))
    assert publish(state) == []
    assert in_force(state.standing, POLICY, "new").certificate is None


def test_a_new_adapter_earns_its_certificate_by_its_own_audits() -> None:
    state, _ = certified()
    audited(state, CERTIFY[ENOUGH : 2 * ENOUGH], later(state), adapter="new")
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
    state, _ = certified()
    for number in range(20):
        audited(state, [CERTIFY[ENOUGH + number]], later(state), acceptable=number % 10 != 0)
    assert not any(isinstance(event, Certificate) and event.state == "withdrawn" for event in publish(state))


def test_after_a_withdrawal_old_audits_prove_nothing_and_new_ones_are_a_further_attempt() -> None:
    state, _, _ = withdrawn()
    at = state.time
    assert publish(state) == []
    audited(state, CERTIFY[500 : 500 + 2 * ENOUGH], later(state))
    again = next_event(state, 50)
    assert isinstance(again, Certificate) and again.state == "certified"
    assert (again.attempt, again.errors) == (2, 0)
    assert again.since == datetime.fromtimestamp(at / 1000, UTC)
    assert again.alpha == pytest.approx(alpha_of(2, 1 - 0.95), abs=1e-9)
    assert again.audits == missing(0, 0, 0.1, alpha_of(2, 1 - 0.95))


def test_a_stricter_target_or_other_rules_end_the_promise() -> None:
    state, proof = certified()
    stricter = msgspec.structs.replace(POLICY, version=2, promise=Promise(target=0.01, steps=5))
    ruled = msgspec.structs.replace(POLICY, version=2, rules=(Rule(name="fees", topic="fees"),))
    for policy in (stricter, ruled):
        assert in_force(state.standing, policy, "base").certificate is None
        assert in_force(state.standing, policy, "base").threshold == policy.threshold
    put(state, ruled)
    assert publish(state) == []  # audits under the other rules are no evidence for these
    assert in_force(state.standing, POLICY, "base").certificate == proof.id


def test_a_state_read_again_from_the_log_decides_the_same() -> None:
    first, _ = certified()
    again = begun()
    audited(again, CERTIFY[:ENOUGH], START + 2 * HOUR)
    for event, time in first.own:
        put(again, event, time)
    assert next_event(again, 50) is None
    assert again.standing == first.standing


def test_another_bots_calibrations_are_not_its_own() -> None:
    first, proof = certified()
    other = State("other")
    put(other, proof, START)
    assert other.newest is None and not other.standing.certificates
    assert first.newest is not None


def test_a_claim_that_proves_nothing_makes_no_certificate() -> None:
    state = begun()
    publish(state)
    (only,), evidence = claims_of(state, POLICY, "base", state.time)
    with pytest.raises(ValueError, match="nothing is certified"):
        certificate("demo", "base", only, evidence, POLICY)
