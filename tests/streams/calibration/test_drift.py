"""Which audits the drift alarm listens to: those that came since, counted as those that certify are."""

from __future__ import annotations

import msgspec

from teachback.schemas import Certificate, Rule
from teachback.streams.calibration.decide import State, audits_since, next_event
from teachback.streams.guarantee import side
from tests.streams.calibration.test_decide import CERTIFY, POLICY, audited, certified, later, pass_time, publish, put
from tests.streams.calibration.test_evidence import HOUR, outcome, scored

DEADLINE = int(POLICY.audit_hours * HOUR)
TRUSTED = {"qa_cosine": 0.95}


def heard(state: State, proof: Certificate) -> list[bool]:
    """In the order of their scoring, whether each was wrong."""
    return audits_since(state, proof, state.time)


def test_an_open_audit_holds_back_all_later_ones_until_its_deadline() -> None:
    state, proof = certified()
    audited(state, CERTIFY[200:202], later(state))
    drawn = later(state)
    state.note(scored(CERTIFY[210], drawn, signals=TRUSTED))
    audited(state, CERTIFY[220:260], drawn + 1, acceptable=False)
    assert heard(state, proof) == [False, False]
    assert next_event(state, 50) is None
    pass_time(state, drawn + DEADLINE + 1)
    assert heard(state, proof) == [False, False, *[True] * 41]
    gone = next_event(state, 50)
    assert isinstance(gone, Certificate) and gone.state == "withdrawn"


def test_one_that_was_settled_too_late_counts_as_wrong() -> None:
    state, proof = certified()
    drawn = later(state)
    state.note(scored(CERTIFY[200], drawn, signals=TRUSTED))
    state.note(outcome(CERTIFY[200], True, drawn + DEADLINE + 1))
    assert heard(state, proof) == [True]


def test_its_deadline_is_that_of_the_policy_it_was_scored_under() -> None:
    state, proof = certified()
    put(state, msgspec.structs.replace(POLICY, version=2, audit_hours=1.0), later(state))
    drawn = later(state)
    for id_, version in ((CERTIFY[200], 1), (CERTIFY[201], 2)):
        state.note(scored(id_, drawn, policy=version, signals=TRUSTED))
        state.note(outcome(id_, True, drawn + 2 * HOUR))
    assert heard(state, proof) == [False, True]


def test_audits_under_other_rules_and_named_exchanges_say_nothing_about_it() -> None:
    state, proof = certified()
    put(state, msgspec.structs.replace(POLICY, version=2, rules=(Rule(name="fees", topic="fees"),)), later(state))
    audited(state, CERTIFY[200:260], later(state), policy=2, acceptable=False)
    state.note(scored(CERTIFY[300], later(state), signals=TRUSTED, reasons=("audit", "rule:fees")))
    assert heard(state, proof) == []
    assert publish(state) == []


def test_both_sides_are_listened_to_but_only_above_the_threshold_and_since_the_certificate() -> None:
    state, proof = certified()
    learns = next(id_ for id_ in (f"a{number}" for number in range(99)) if side(id_) == "calibrate")
    audited(state, [CERTIFY[200], learns], later(state))
    state.note(scored(CERTIFY[201], later(state), signals={"qa_cosine": -5.0}))
    state.note(outcome(CERTIFY[201], False, state.time))
    assert heard(state, proof) == [False, False]
