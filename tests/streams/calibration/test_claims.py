"""Which audits count, in which order they enter, and what an attempt comes to by them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
import numpy as np
import pytest

from teachback.schemas import Calibration, Policy, Promise, Quality, Rule, Step, Term
from teachback.streams.calibration.attempts import Attempt
from teachback.streams.calibration.claims import Claim, Counted, best, certifying, claim, counted, coverage
from teachback.streams.calibration.evidence import Known, Settled
from teachback.streams.guarantee import Found, Stand, alpha_of, missing, side
from tests.streams.calibration.test_evidence import HOUR, START

CERTIFY = [id_ for id_ in (f"x{number}" for number in range(600)) if side(id_) == "certify"]
DEADLINE = 72.0
POLICY = Policy(
    id="p1", bot="demo", created=datetime(2026, 3, 4, tzinfo=UTC), version=1, threshold=0.8, audit_rate=0.1,
    audit_salt="salt-salt", promise=Promise(target=0.1),
)  # fmt: skip
OTHER = msgspec.structs.replace(POLICY, version=2, rules=(Rule(name="fees", topic="fees"),))


def audit(place: int, *, cosine: float = 0.8, ruled: bool = False, policy: int = 1) -> Known:
    """The certifying audit number `place`, an hour after the one before."""
    at = START + place * HOUR
    return Known(CERTIFY[place], at, (0, place), "base", "audit", ruled, policy, 0, {"qa_cosine": cosine})


def in_time(audits: Sequence[Known], *, wrong: Sequence[int] = ()) -> dict[str, Settled]:
    return {one.id: Settled(i not in wrong, one.time + HOUR) for i, one in enumerate(audits)}


def count(audits: Sequence[Known], settled: dict[str, Settled], now_ms: int) -> Counted:
    return counted(audits, settled, {1: POLICY, 2: OTHER}, POLICY.population, now_ms)


def calibration(version: int) -> Calibration:
    """It trusts a high cosine."""
    return Calibration(
        id=f"c{version}", bot="demo", created=datetime.fromtimestamp(START / 1000, UTC), version=version,
        intercept=0.0, terms=(Term(signal="qa_cosine", weight=10.0, centre=0.5, scale=1.0, missing=0.0),), labels=50,
        audits=0, wrong=0, sha256="0", quality=Quality(n=50, wrong=0, ece=0.0, brier=0.0),
        walk=(Step(coverage=0.4, threshold=0.9), Step(coverage=1.0, threshold=0.1)), traffic=100,
    )  # fmt: skip


def test_an_unsettled_audit_before_its_deadline_holds_back_all_later_ones() -> None:
    audits = [audit(i) for i in range(5)]
    settled = in_time(audits)
    del settled[audits[2].id]
    found = count(audits, settled, audits[4].time + 2 * HOUR)
    assert [one.id for one in found.audits] == CERTIFY[:2]


def test_past_its_deadline_it_counts_as_wrong_and_the_later_ones_enter() -> None:
    audits = [audit(i) for i in range(5)]
    settled = in_time(audits)
    del settled[audits[2].id]
    at_deadline = audits[2].time + int(DEADLINE * HOUR)
    assert len(count(audits, settled, at_deadline).audits) == 2
    found = count(audits, settled, at_deadline + 1)
    assert [one.id for one in found.audits] == CERTIFY[:5]
    assert found.wrong.tolist() == found.unresolved.tolist() == [False, False, True, False, False]


def test_an_outcome_after_the_deadline_changes_nothing() -> None:
    audits = [audit(0)]
    late = {audits[0].id: Settled(True, audits[0].time + int(DEADLINE * HOUR) + 1)}
    found = count(audits, late, audits[0].time + 100 * HOUR)
    assert (found.wrong.tolist(), found.unresolved.tolist()) == ([True], [True])
    just = {audits[0].id: Settled(True, audits[0].time + int(DEADLINE * HOUR))}
    assert count(audits, just, audits[0].time + 100 * HOUR).wrong.tolist() == [False]


def test_a_wrong_answer_settled_in_time_is_wrong_but_not_unresolved() -> None:
    audits = [audit(i) for i in range(3)]
    found = count(audits, in_time(audits, wrong=[1]), START + 10 * HOUR)
    assert (found.wrong.tolist(), found.unresolved.tolist()) == ([False, True, False], [False] * 3)


def test_audits_of_other_rules_of_named_exchanges_and_of_the_other_side_neither_count_nor_hold_back() -> None:
    learns = next(id_ for id_ in (f"y{number}" for number in range(99)) if side(id_) == "calibrate")
    other = [audit(0, policy=2), audit(1, ruled=True), audit(2)._replace(id=learns)]
    audits = [*other, audit(3)]
    found = count(certifying(audits), in_time(audits[3:]), START + 10 * HOUR)
    assert [one.id for one in found.audits] == [CERTIFY[3]]


def test_a_longer_deadline_of_a_later_policy_makes_no_late_outcome_right() -> None:
    audits = [audit(0), audit(1, policy=2)]
    late = {one.id: Settled(True, one.time + 80 * HOUR) for one in audits}
    longer = msgspec.structs.replace(POLICY, version=2, audit_hours=100.0)
    found = counted(audits, late, {1: POLICY, 2: longer}, POLICY.population, audits[1].time + 200 * HOUR)
    assert (found.wrong.tolist(), found.unresolved.tolist()) == ([True, False], [True, False])


def test_an_audit_under_a_policy_that_nobody_knows_neither_counts_nor_holds_back() -> None:
    audits = [audit(0, policy=9), audit(1)]
    assert [one.id for one in count(audits, in_time(audits[1:]), START + 10 * HOUR).audits] == [CERTIFY[1]]


def test_an_erased_outcome_counts_as_wrong_once_its_deadline_has_passed() -> None:
    audits = [audit(0), audit(1)]
    settled = in_time(audits)
    del settled[audits[0].id]  # what a tombstone does
    assert count(audits, settled, START + 10 * HOUR).audits == ()
    assert count(audits, settled, START + 100 * HOUR).wrong.tolist() == [True, False]


def test_an_attempt_is_certified_by_enough_clean_audits_and_by_its_own_share_of_alpha() -> None:
    alpha = alpha_of(2, 1 - 0.95)
    enough = missing(0, 0, 0.1, alpha)
    audits = [audit(i, cosine=0.9) for i in range(enough)]
    for n, step in ((enough - 1, None), (enough, 1)):
        made = claim(Attempt(2, calibration(1), 0), count(audits[:n], in_time(audits), START + 10**4 * HOUR), POLICY)
        assert made.alpha == pytest.approx(alpha)
        assert (made.found.certified and made.found.certified.step) == step


def test_only_audits_scored_after_a_withdrawal_count_for_what_is_tried_after_it() -> None:
    audits = [audit(i) for i in range(60)]
    found = claim(
        Attempt(1, calibration(1), audits[49].time), count(audits, in_time(audits), START + 999 * HOUR), POLICY
    )
    assert found.found.next is not None and found.found.next.audits == 10


@pytest.mark.parametrize("walk", [(), (0.1, 0.9), (0.5, 0.5)], ids=["no traffic", "rising", "level"])
def test_a_calibration_whose_thresholds_do_not_fall_or_are_none_proves_nothing(walk: tuple[float, ...]) -> None:
    audits = [audit(i, cosine=0.9) for i in range(200)]
    steps = tuple(Step(coverage=0.5, threshold=threshold) for threshold in walk)
    foreign = msgspec.structs.replace(calibration(1), walk=steps)
    found = claim(Attempt(1, foreign, 0), count(audits, in_time(audits), START + 10**4 * HOUR), POLICY).found
    assert found == (None, None)


def test_a_calibration_whose_confidences_are_no_numbers_proves_nothing() -> None:
    audits = [audit(i, cosine=0.9) for i in range(200)]
    terms = tuple(
        Term(signal="qa_cosine", weight=weight, centre=0.0, scale=1e-300, missing=0.0) for weight in (1e300, -1e300)
    )
    foreign = msgspec.structs.replace(calibration(1), terms=terms)
    found = claim(Attempt(1, foreign, 0), count(audits, in_time(audits), START + 10**4 * HOUR), POLICY).found
    assert found == (None, None)


def test_a_policy_without_a_promise_has_no_claim() -> None:
    silent = msgspec.structs.replace(POLICY, promise=None)
    with pytest.raises(ValueError, match="promises nothing"):
        claim(Attempt(1, calibration(1), 0), count([], {}, START), silent)


def test_the_claim_that_covers_most_is_the_best_and_of_equals_the_newest() -> None:
    def made(number: int, step: int | None) -> Claim:
        stand = None if step is None else Stand(step, 100, 0, 9.0)
        return Claim(Attempt(number, calibration(number), 0), 0.01, Found(stand, None))

    assert best([]) is None
    assert best([made(1, None)]) is None
    chosen = best([made(1, 1), made(2, 0), made(3, 1), made(4, None)])
    assert chosen is not None and chosen.attempt.number == 3
    assert (coverage(made(1, None)), coverage(made(1, 0)), coverage(made(1, 1))) == (0.0, 0.4, 1.0)


def test_nothing_counts_before_there_are_audits() -> None:
    found = count([], {}, START)
    assert found.audits == () and found.wrong.dtype == np.bool_
