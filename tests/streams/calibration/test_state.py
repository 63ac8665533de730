"""The writer's state: what it ignores, and when it needs no look."""

from __future__ import annotations

import logging

import msgspec
import pytest

from teachback.schemas import Certificate, Rule
from teachback.streams.calibration.decide import State, next_event
from tests.streams.calibration.test_decide import (
    CERTIFY,
    ENOUGH,
    POLICY,
    audited,
    begun,
    certified,
    fitted,
    later,
    pass_time,
    publish,
    put,
    withdrawn,
)
from tests.streams.calibration.test_evidence import HOUR, outcome, scored


def test_its_clock_is_the_newest_broker_time_that_it_read() -> None:
    state = State("demo")
    pass_time(state, 50)
    pass_time(state, 30)
    assert state.time == 50


def test_events_that_are_read_twice_change_nothing() -> None:
    state, proof, gone = withdrawn()
    own = list(state.own)
    for event in (own[0].event, gone):
        put(state, event)
    assert state.own == own and state.withdrawals("base") == 1
    first, again = certified(), fitted()
    for id_ in CERTIFY[:ENOUGH] * 2:
        audited(again, [id_], first[0].evidence.known[id_].time)
    assert [one.audits for one in publish(again) if isinstance(one, Certificate)] == [proof.audits]


def test_a_certificate_of_a_calibration_that_is_not_there_is_ignored_and_said(caplog: pytest.LogCaptureFixture) -> None:
    state, proof = certified()
    lost = msgspec.structs.replace(proof, id="lost", calibration=7)
    with caplog.at_level(logging.WARNING):
        put(state, lost)
    assert "lost" in caplog.text
    assert state.standing.certificates["base"] == proof and publish(state) == []


def test_where_the_first_calibrations_are_gone_it_begins_anew(caplog: pytest.LogCaptureFixture) -> None:
    state = begun()
    first, proof = (one.event for one in certified()[0].own)
    with caplog.at_level(logging.WARNING):
        put(state, msgspec.structs.replace(first, version=5))
        put(state, msgspec.structs.replace(proof, calibration=5))
    assert caplog.text.count("ignored") == 2
    (event,) = publish(state)
    assert getattr(event, "version", None) == 1


def test_the_certificate_of_an_adapter_out_of_service_is_still_watched() -> None:
    state, _ = certified()
    state.note(scored("n1", later(state), adapter="new", route="accept", calibration=1))
    assert publish(state) == [] and state.evidence.adapter == "new"
    audited(state, CERTIFY[200:260], later(state) - 2 * HOUR, acceptable=False)
    state.note(scored("n2", later(state), adapter="new", route="accept", calibration=1))
    (gone,) = publish(state)
    assert isinstance(gone, Certificate) and (gone.state, gone.adapter) == ("withdrawn", "base")


def test_only_a_policy_that_is_the_next_and_this_bots_is_noted() -> None:
    state = begun()
    for policy in (
        msgspec.structs.replace(POLICY, version=3),
        msgspec.structs.replace(POLICY, version=2, bot="other"),
        msgspec.structs.replace(POLICY, version=2, rules=(Rule(name="broken", pattern="("),)),
    ):
        put(state, policy)
    assert set(state.policies) == {1}


def test_when_nothing_is_due_it_looks_again_only_when_something_may_have_changed() -> None:
    state, _ = certified()
    assert next_event(state, 50) is None and not state.stirred()
    state.note(scored("n1", later(state), route="accept"))
    state.note(scored("n2", later(state), route="review"))
    state.note(outcome("n2", True, state.time))
    assert not state.stirred()
    state.note(scored(CERTIFY[400], later(state)))
    assert state.stirred()
    assert next_event(state, 50) is None and not state.stirred()
    state.note(scored("n3", later(state), route="accept"))
    assert not state.stirred()
    state.note(outcome(CERTIFY[400], True, state.time))
    assert state.stirred()


def test_it_looks_again_when_an_audit_passes_its_deadline() -> None:
    state, _ = certified()
    drawn = later(state)
    state.note(scored(CERTIFY[400], drawn))
    assert next_event(state, 50) is None
    pass_time(state, drawn + int(POLICY.audit_hours * HOUR))
    assert not state.stirred()
    pass_time(state, state.time + 1)
    assert state.stirred()


def test_it_looks_again_when_another_policy_or_adapter_comes() -> None:
    state, _ = certified()
    assert next_event(state, 50) is None and not state.stirred()
    put(state, msgspec.structs.replace(POLICY, version=2))
    assert state.stirred()
    assert next_event(state, 50) is None and not state.stirred()
    state.note(scored("n1", later(state), adapter="new", route="accept"))
    assert state.stirred()
