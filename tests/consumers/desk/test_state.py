"""Who is given what, and what becomes of it: the desk without topics and without HTTP."""

from __future__ import annotations

import pytest

from teachback.consumers.desk.errors import AlreadyJudged, LeaseLost, NoChange, NoSuchLease, NotYours, TooMany
from teachback.consumers.desk.leases import Lease
from teachback.consumers.desk.settings import Reviewer
from teachback.consumers.desk.shapes import Judged
from teachback.consumers.desk.state import DeskState
from teachback.schemas.ids import verdict_id
from teachback.schemas.review import Verdict
from tests.consumers.desk.making import ADA, ANN, BEN, CEM, Clock, fold, outcome, person, request, settings

ABE = person("abe", role="adjudicator")


def desk(*people: Reviewer, items: int = 1, **fields: object) -> tuple[DeskState, Clock]:
    clock = Clock()
    state = DeskState(settings(*people, **fields), clock)
    for n in range(items):
        state.note_request(f"x{n}", request(f"x{n}"), n)
    return state, clock


def taken(state: DeskState, who: Reviewer) -> Lease:
    lease = state.lease(who, [each.id for each in state.leases.held_by(who.name)])
    assert lease is not None
    return lease


def judge(
    state: DeskState, who: Reviewer, lease: Lease, decision: str = "approve", answer: str | None = None
) -> Verdict:
    judged = Judged(token=lease.token, exchange=lease.exchange, decision=decision, answer=answer)  # type: ignore[arg-type]
    verdict = state.judge(who, lease.id, judged).verdict
    assert verdict is not None
    return verdict


def test_a_verdict_is_about_what_was_shown_even_if_the_same_id_comes_again() -> None:
    state, _ = desk()
    shown = taken(state, ANN)
    state.note_request("x0", request("x0", answer="It costs 50 pounds."), 9)
    assert judge(state, ANN, shown).request.answer == request("x0").answer
    state.note_request("x0", None, 10)
    state.note_request("x0", request("x0", answer="It costs 50 pounds."), 11)
    assert state.items["x0"].request == request("x0", answer="It costs 50 pounds.")


def test_no_more_people_are_given_an_item_than_its_overlap_asks_for() -> None:
    state, _ = desk()
    assert taken(state, ANN).exchange == taken(state, BEN).exchange == "x0"
    assert state.lease(CEM) is None


def test_an_acknowledged_verdict_counts_before_consensus_has_seen_it() -> None:
    state, _ = desk()
    for who in (ANN, BEN):
        judge(state, who, taken(state, who))
    assert state.lease(CEM) is None
    assert state.waiting(CEM) == 0


def test_a_third_reviewer_is_asked_when_two_differ_and_then_the_adjudicator() -> None:
    state, _ = desk()
    verdicts = [judge(state, ANN, taken(state, ANN)), judge(state, BEN, taken(state, BEN), "edit", "It costs £6.")]
    state.note_outcome("x0", fold(verdicts))
    verdicts.append(judge(state, CEM, taken(state, CEM), "reject"))
    state.note_outcome("x0", fold(verdicts))
    assert all(state.lease(who) is None for who in (ANN, BEN, CEM))
    settled = judge(state, ADA, taken(state, ADA), "edit", "It costs £5.")
    assert settled.role == "adjudicator"
    state.note_outcome("x0", fold([*verdicts, settled]))
    assert state.tally.of("open") == {}
    assert state.tally.of("settled") == {"labelled": 1}


def test_nobody_is_given_an_item_again_that_they_have_judged() -> None:
    state, _ = desk()
    judge(state, ANN, taken(state, ANN))
    assert state.lease(ANN) is None


def test_the_same_verdict_again_is_the_same_verdict_and_another_one_is_refused() -> None:
    state, _ = desk()
    lease = taken(state, ANN)
    verdict = judge(state, ANN, lease, "edit", "It costs £5.")
    assert verdict.id == verdict_id("x0", "ann", 0)
    again = Judged(token=lease.token, exchange="x0", decision="edit", answer="It costs £5.")
    assert state.judge(ANN, lease.id, again) == (verdict.id, None)
    with pytest.raises(AlreadyJudged):
        state.judge(ANN, lease.id, Judged(token=lease.token, exchange="x0", decision="approve"))


def test_the_same_verdict_is_known_again_by_a_desk_that_was_restarted() -> None:
    before, _ = desk()
    lease = taken(before, ANN)
    verdict = judge(before, ANN, lease)
    after, _ = desk()
    after.note_verdict(verdict)
    after.note_outcome("x0", outcome("x0", "labelled", [verdict]))
    again = Judged(token=lease.token, exchange="x0", decision="approve")
    assert after.judge(ANN, lease.id, again) == (verdict.id, None)


def test_a_lease_that_ran_out_frees_the_item_for_others() -> None:
    state, clock = desk(lease_seconds=60.0)
    taken(state, ANN)
    taken(state, BEN)
    clock.now += 60
    assert taken(state, CEM).exchange == "x0"


def test_a_verdict_after_the_time_is_taken_while_the_place_is_free_and_refused_after() -> None:
    state, clock = desk(lease_seconds=60.0)
    late, later = taken(state, ANN), taken(state, BEN)
    clock.now += 61
    judge(state, ANN, late)
    taken(state, CEM)
    with pytest.raises(LeaseLost):
        judge(state, BEN, later)


def test_a_heartbeat_takes_a_lease_up_again_after_a_restart() -> None:
    before, _ = desk()
    lease = taken(before, ANN)
    after, _ = desk()
    again = after.heartbeat(ANN, lease.id, lease.token, "x0")
    assert (again.id, again.exchange, again.reviewer) == (lease.id, "x0", "ann")
    taken(after, BEN)
    assert after.lease(CEM) is None
    assert judge(after, ANN, again).seconds is None


def test_a_heartbeat_takes_nothing_up_where_no_place_is_left() -> None:
    before, _ = desk()
    lease = taken(before, ANN)
    after, _ = desk()
    taken(after, BEN)
    taken(after, CEM)
    with pytest.raises(LeaseLost):
        after.heartbeat(ANN, lease.id, lease.token, "x0")


def test_a_lease_serves_nobody_but_its_holder() -> None:
    state, _ = desk()
    lease = taken(state, ANN)
    with pytest.raises(NotYours):
        state.heartbeat(BEN, lease.id, lease.token, "x0")
    with pytest.raises(NotYours):
        state.skip(BEN, lease.id, lease.token)
    state.skip(ANN, lease.id, lease.token)
    with pytest.raises(NoSuchLease):
        state.heartbeat(BEN, lease.id, lease.token, "x0")


def test_a_skipped_item_goes_to_others_at_once_and_comes_back_after_a_while() -> None:
    state, clock = desk(items=1, skip_seconds=100.0)
    lease = taken(state, ANN)
    state.skip(ANN, lease.id, lease.token)
    assert state.lease(ANN) is None
    assert taken(state, BEN).exchange == "x0"
    clock.now += 100
    assert taken(state, ANN).exchange == "x0"


def test_a_heartbeat_that_comes_after_its_skip_takes_nothing_up_again() -> None:
    state, _ = desk(items=1)
    lease = taken(state, ANN)
    state.skip(ANN, lease.id, lease.token)
    with pytest.raises(NoSuchLease, match="gave the item back"):
        state.heartbeat(ANN, lease.id, lease.token, "x0")
    assert state.lease(ANN) is None


def test_a_lease_whose_answer_was_lost_is_given_again_and_the_older_window_is_told() -> None:
    state, _ = desk(items=3)
    lost = state.lease(ANN)
    found = state.lease(ANN)
    assert lost is not None and found is not None
    assert (found.exchange, found.id) == (lost.exchange, lost.id)
    with pytest.raises(LeaseLost, match="another window"):
        state.heartbeat(ANN, lost.id, lost.token, lost.exchange)
    other = state.lease(ANN, holding=[found.id])
    assert other is not None
    assert other.exchange != found.exchange


def test_one_person_cannot_take_the_whole_queue() -> None:
    state, _ = desk(items=9, leases_each=3)
    for _ in range(3):
        taken(state, ANN)
    with pytest.raises(TooMany):
        taken(state, ANN)


def test_an_expert_is_given_their_topics_and_what_has_none() -> None:
    expert = person("eve", topics=("cards",))
    state, _ = desk(expert, items=0)
    for topic in ("cards", "loans", None):
        state.note_request(str(topic), request(str(topic), topic=topic), 0)
    assert {taken(state, expert).exchange for _ in range(2)} == {"cards", "None"}
    assert state.waiting(expert) == 0


def test_a_request_for_a_settled_exchange_reopens_nothing_whatever_comes_first() -> None:
    late, _ = desk()
    late.note_outcome("x0", outcome("x0", "labelled"))
    late.note_request("x0", request("x0"), 99)
    early, _ = desk(items=0)
    early.note_outcome("x0", outcome("x0", "rejected"))
    early.note_request("x0", request("x0"), 99)
    assert late.lease(ANN) is None
    assert early.lease(ANN) is None


def test_a_new_round_asks_everyone_again() -> None:
    state, _ = desk()
    verdicts = [judge(state, who, taken(state, who)) for who in (ANN, BEN)]
    state.note_outcome("x0", fold(verdicts))
    assert state.lease(ANN) is None
    state.note_outcome("x0", outcome("x0", "open", round=1, need="reviewer"))
    again = judge(state, ANN, taken(state, ANN), "reject")
    assert (again.round, again.id) == (1, verdict_id("x0", "ann", 1))


def test_work_on_an_item_that_was_settled_meanwhile_is_refused() -> None:
    state, _ = desk()
    lease = taken(state, ANN)
    state.note_outcome("x0", outcome("x0", "labelled"))
    with pytest.raises(LeaseLost, match="settled"):
        judge(state, ANN, lease)
    assert len(state.leases) == 0


def test_an_erased_request_is_neither_offered_nor_kept_on_lease() -> None:
    state, _ = desk()
    lease = taken(state, ANN)
    state.note_request("x0", None, 5)
    assert state.lease(BEN) is None
    with pytest.raises(NoSuchLease):
        state.heartbeat(ANN, lease.id, lease.token, "x0")


def test_an_edit_that_changes_nothing_is_refused() -> None:
    state, _ = desk()
    lease = taken(state, ANN)
    with pytest.raises(NoChange):
        judge(state, ANN, lease, "edit", " A replacement card costs 5 pounds. ")
    judge(state, ANN, lease, "approve")


def test_the_only_adjudicator_is_kept_free_until_every_reviewer_has_judged() -> None:
    state, _ = desk(ANN, BEN, CEM, ADA)
    assert state.lease(ADA) is None
    few, _ = desk(ANN, ADA)
    assert few.lease(ADA) is None
    judge(few, ANN, taken(few, ANN))
    assert taken(few, ADA).capacity == "adjudicator"
    two, _ = desk(ANN, BEN, CEM, ADA, ABE)
    assert taken(two, ADA).capacity == "reviewer"


def test_two_reviewers_and_one_adjudicator_settle_a_three_way_difference() -> None:
    state, _ = desk(ANN, BEN, ADA)
    cast = []
    for who, decision in ((ANN, "approve"), (BEN, "reject"), (ADA, "edit")):
        cast.append(judge(state, who, taken(state, who), decision, "6 pounds." if decision == "edit" else None))
        state.note_outcome("x0", fold(cast))
    assert [verdict.role for verdict in cast] == ["reviewer", "reviewer", "adjudicator"]
    assert not state.items["x0"].is_open


def test_an_adjudicator_at_work_goes_on_when_it_turns_out_that_one_is_needed() -> None:
    state, _ = desk(ANN, BEN, ADA)
    cast = [judge(state, ANN, taken(state, ANN), "approve"), judge(state, BEN, taken(state, BEN), "reject")]
    state.note_outcome("x0", outcome("x0", "open", cast, need="reviewer"))
    begun = taken(state, ADA)
    state.note_outcome("x0", outcome("x0", "open", cast, need="adjudicator"))
    assert state.heartbeat(ADA, begun.id, begun.token, "x0").capacity == "adjudicator"


def test_a_first_opinion_settles_nothing_even_where_there_are_adjudicators_only() -> None:
    state, _ = desk(ADA, ABE)
    assert judge(state, ADA, taken(state, ADA), "reject").role == "reviewer"
    assert judge(state, ABE, taken(state, ABE), "reject").role == "adjudicator"


def test_an_adjudicator_is_given_what_only_they_can_settle_first() -> None:
    state, _ = desk(ANN, ADA, ABE, items=0)
    state.note_request("audit", request("audit", route="audit"), 0)
    state.note_request("stuck", request("stuck", confidence=0.99), 0)
    state.note_outcome("stuck", outcome("stuck", "open", need="adjudicator"))
    assert taken(state, ADA).exchange == "stuck"
    assert taken(state, ADA).exchange == "audit"


def test_time_from_lease_to_verdict_is_measured_across_heartbeats() -> None:
    state, clock = desk(lease_seconds=60.0)
    lease = taken(state, ANN)
    for _ in range(3):
        clock.now += 40
        lease = state.heartbeat(ANN, lease.id, lease.token, "x0")
    assert judge(state, ANN, lease).seconds == 120.0
