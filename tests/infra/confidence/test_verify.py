"""Certificates counted again: an honest one holds, and every way of bending one is told."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from teachback.infra.confidence.terminal import summary
from teachback.infra.confidence.verify import Recount, verify
from teachback.schemas import Certificate
from teachback.streams.calibration.claims import best
from teachback.streams.calibration.decide import State, certificate, claims_of
from teachback.streams.calibration.evidence import Known, Settled
from tests.infra.confidence import made

ADAPTER = f"{made.BOT}@v2"


@pytest.fixture
def state() -> State:
    """Audits enough for a certificate, and none issued yet."""
    return made.state(made.history(6000, audit_rate=0.5, settled=1.0, wrong=0.03), made.decisions())


def earned(state: State) -> Certificate:
    policy = state.policy
    assert policy is not None
    claims, evidence = claims_of(state, policy, ADAPTER, made.UNTIL)
    claim = best(claims)
    assert claim is not None
    return certificate(made.BOT, ADAPTER, claim, evidence, policy)


def recounted(state: State, event: Certificate, lost_before: int | None = None) -> Recount:
    state.note_own(event, made.UNTIL)
    return verify(state, lost_before)[-1]


def test_a_certificate_that_the_log_bears_out_holds(state: State) -> None:
    honest = earned(state)
    found = recounted(state, honest)
    assert (found.finding, found.problems, found.bad, found.stands) == ("holds", (), False, True)
    assert found.counted == found.stated
    assert found.counted is not None and found.counted.audits == honest.audits > 100


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"errors": 0}, "wrong, the log gives"),
        ({"audits": 5000}, "5,000 audits, the log gives"),
        ({"e_value": 1e9}, "evidence of 1e+09, the log gives"),
        ({"alpha": 0.05}, "not the share of α of attempt 1"),
        ({"attempt": 2}, "claims to be number 2"),
        ({"threshold": 0.123}, "is none that calibration 2 fixed beforehand"),
        ({"coverage": 0.999}, "is none that calibration 2 fixed beforehand"),
        ({"calibration": 1}, "was another calibration's"),
        ({"target": 0.01}, "asked for another promise"),
        ({"population": "others"}, "has other rules"),
        ({"policy": 7}, "names policy 7, which is not on the log"),
        ({"since": datetime(2026, 5, 1, tzinfo=UTC)}, "from another moment on"),
        ({"target": 0.0}, "no share between 0 and 1"),
        ({"confidence": 1.0}, "no share between 0 and 1"),
    ],
)
def test_a_certificate_that_states_anything_else_fails(state: State, change: dict[str, object], said: str) -> None:
    found = recounted(state, msgspec.structs.replace(earned(state), **change))
    assert found.finding == "fails" and found.bad
    assert said in " ".join(found.problems)


def test_a_certificate_fails_when_its_evidence_is_overturned(state: State) -> None:
    honest = earned(state)
    for id_, settled in list(state.evidence.settled.items())[:3000]:
        state.evidence.settled[id_] = settled._replace(acceptable=False)
    found = recounted(state, honest)
    assert found.finding == "fails" and found.counted is None
    assert "do not prove it" in " ".join(found.problems)


def test_audits_drawn_after_a_certificate_are_no_evidence_for_it(state: State) -> None:
    honest = earned(state)
    state.note_own(honest, made.SINCE)
    (found,) = verify(state)
    assert found.finding == "fails"


def test_where_the_log_has_lost_audits_the_certificate_is_gone_and_not_refuted(state: State) -> None:
    honest = earned(state)
    kept = {id_: one for id_, one in state.evidence.known.items() if one.time > made.UNTIL - 3 * made.DAY}
    state.evidence.known = kept
    found = recounted(state, honest, lost_before=made.UNTIL - 3 * made.DAY)
    assert (found.finding, found.bad) == ("gone", True)  # in force, and nobody can recount it
    later = msgspec.structs.replace(honest, id="gone", state="withdrawn")
    state.note_own(later, made.UNTIL)
    first, _ = verify(state, made.UNTIL)
    assert (first.finding, first.bad) == ("gone", False)


def test_a_lie_about_its_own_alpha_is_no_matter_of_lost_records(state: State) -> None:
    found = recounted(state, msgspec.structs.replace(earned(state), alpha=0.05), lost_before=made.UNTIL)
    assert found.finding == "fails"


def later_audits(state: State, wrong: int, right: int) -> None:
    for number in range(wrong + right):
        time = made.UNTIL + (number + 1) * 1000
        known = Known(f"late{number}", time, (0, 10_000 + number), ADAPTER, "audit", False, 1, 2, {"qa_cosine": 1.0})
        state.evidence.known[known.id] = known
        state.evidence.settled[known.id] = Settled(number >= wrong, time + 1)
    state.time = made.UNTIL + made.DAY


def test_a_withdrawal_holds_when_the_alarm_rings_again(state: State) -> None:
    honest = earned(state)
    state.note_own(honest, made.UNTIL)
    later_audits(state, wrong=8, right=2)
    state.note_own(msgspec.structs.replace(honest, id="gone", state="withdrawn", reason="drift"), made.UNTIL + made.DAY)
    first, last = verify(state)
    assert (first.finding, first.stands) == ("holds", False)
    assert last.finding == "holds" and last.stated is None
    assert last.counted is not None and last.counted.errors == last.counted.audits  # the wrong ones came first


def test_a_withdrawal_without_an_alarm_fails(state: State) -> None:
    honest = earned(state)
    state.note_own(honest, made.UNTIL)
    later_audits(state, wrong=0, right=20)
    state.note_own(msgspec.structs.replace(honest, id="gone", state="withdrawn"), made.UNTIL + made.DAY)
    assert [one.finding for one in verify(state)] == ["holds", "fails"]
    assert "quiet over 20 audits" in verify(state)[-1].problems[0]
    assert summary(verify(state)) == "1 borne out by the log; 1 not borne out"


def test_a_log_without_certificates_has_nothing_to_verify(state: State) -> None:
    assert verify(state) == ()
