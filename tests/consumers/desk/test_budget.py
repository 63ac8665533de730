"""The review budget: so many items begun in a UTC day, audits apart, and the rest is overflow."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, datetime

import pytest

from teachback.consumers.desk.budget import DAY_MS, Budget
from teachback.consumers.desk.errors import LeaseLost
from teachback.consumers.desk.settings import Reviewer
from teachback.consumers.desk.state import DeskState
from teachback.schemas.review import Verdict
from tests.consumers.desk.making import ADA, ANN, BEN, CEM, Clock, fold, outcome, person, policy, request, settings
from tests.consumers.desk.recount import Said, begun_on
from tests.consumers.desk.test_state import judge, taken

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC).timestamp()
DAY = DAY_MS / 1000
DAN = person("dan")


class Desk:
    """A desk and its log, at noon at first. The broker keeps the same time."""

    def __init__(self, reviews: int, audits: int = 0, budget: int | None = None) -> None:
        self.wall, self.clock = Clock(NOON), Clock()
        self.requests = [request(f"x{n:03d}") for n in range(reviews)]
        self.requests += [request(f"a{n:03d}", route="audit") for n in range(audits)]
        self.said: list[Said] = []
        self.budgets = [budget]
        self.start()

    def start(self) -> None:
        """As after a kill -9: everything from the log, in any order."""
        people = (ANN, BEN, CEM, DAN, ADA)
        chosen = settings(*people, lease_seconds=60.0, skip_seconds=60.0, leases_each=100)
        self.state = DeskState(chosen, self.clock, first_token=int(self.clock.now * 1000), wall=self.wall)
        steps = [
            *(lambda r=r, n=n: self.state.note_request(r.id, r, n) for n, r in enumerate(self.requests)),
            *(lambda v=v, at=at: self.state.note_verdict(v, at) for v, at in self.said),
        ]
        for step in random.Random(7).sample(steps, len(steps)):
            step()
        for version, budget in enumerate(self.budgets, 1):
            self.state.note_policy(policy(version, budget))

    def decide(self, budget: int | None) -> None:
        self.budgets.append(budget)
        self.state.note_policy(policy(len(self.budgets), budget))

    def judge(self, who: Reviewer, decision: str = "approve") -> str:
        """Judge the next item; the feed reads the verdict back."""
        verdict = judge(self.state, who, taken(self.state, who), decision)
        self.said.append(Said(verdict, int(self.wall.now * 1000)))
        assert not self.state.note_verdict(*self.said[-1])
        self.state.note_outcome(verdict.exchange, fold(self.verdicts(verdict.exchange)))
        return verdict.exchange

    def verdicts(self, exchange: str) -> list[Verdict]:
        return [each.verdict for each in self.said if each.verdict.exchange == exchange]

    def work_through(self, *people: Reviewer) -> list[str]:
        """Judge until nobody is given anything any more; the items, in order."""
        done = []
        while who := next((each for each in people if self.state.waiting(each)), None):
            done.append(self.judge(who))
        assert all(self.state.lease(who) is None for who in people)
        return done

    def begun_today(self) -> set[str]:
        return begun_on(int(self.wall.now * 1000) // DAY_MS, self.said)


def reviews(exchanges: Iterable[str]) -> set[str]:
    return {exchange for exchange in exchanges if exchange.startswith("x")}


def test_all_audits_and_as_many_others_as_the_budget_says_are_served_each_day_and_the_rest_is_overflow() -> None:
    desk = Desk(reviews=60, audits=15, budget=10)
    assert desk.state.overflow == 50
    done = desk.work_through(ANN, BEN)
    assert {each for each in done if each.startswith("a")} == {f"a{n:03d}" for n in range(15)}
    assert desk.begun_today() == reviews(done)
    assert len(reviews(done)) == 10
    assert all(len(desk.verdicts(exchange)) == 2 for exchange in done), "second opinions cost nothing"
    assert (desk.state.budget.begun, desk.state.overflow) == (10, 50)
    desk.wall.now += DAY
    assert desk.state.overflow == 40
    assert len(reviews(desk.work_through(ANN, BEN))) == 10
    assert (desk.state.budget.begun, desk.state.overflow) == (10, 40)


def test_audits_are_served_first_and_never_refused() -> None:
    desk = Desk(reviews=3, audits=3, budget=0)
    assert {taken(desk.state, ANN).exchange for _ in range(3)} == {"a000", "a001", "a002"}
    assert desk.state.lease(ANN, [lease.id for lease in desk.state.leases.held_by("ann")]) is None
    assert (desk.state.budget.begun, desk.state.overflow, desk.state.waiting(BEN)) == (0, 3, 3)
    late = request("late", route="audit")
    desk.state.note_request(late.id, late, 9)
    assert taken(desk.state, ANN).exchange == "late"


def test_the_budget_counts_from_the_moment_that_it_is_changed() -> None:
    desk = Desk(reviews=9, budget=2)
    assert len(set(desk.work_through(ANN, BEN))) == 2
    desk.decide(5)
    assert (desk.state.overflow, desk.state.waiting(ANN)) == (4, 3)
    assert len(set(desk.work_through(ANN, BEN))) == 3
    desk.decide(1)
    assert (desk.state.overflow, desk.state.waiting(ANN)) == (4, 0)
    desk.decide(None)
    assert (desk.state.overflow, desk.state.waiting(ANN)) == (0, 4)


def test_a_desk_that_was_restarted_has_begun_as_many() -> None:
    desk = Desk(reviews=9, audits=2, budget=4)
    begun = {desk.judge(ANN) for _ in range(2 + 3)}
    desk.start()
    assert (desk.state.budget.begun, desk.state.overflow) == (3, 5)
    assert len(reviews(begun | set(desk.work_through(ANN, BEN)))) == 4
    desk.start()
    assert (desk.state.budget.begun, desk.state.overflow) == (4, 5)


def test_two_reviewers_who_race_for_the_last_place_are_given_the_same_item_and_nobody_another() -> None:
    desk = Desk(reviews=9, budget=1)
    assert taken(desk.state, ANN).exchange == taken(desk.state, BEN).exchange
    assert desk.state.lease(CEM) is None
    assert (desk.state.budget.begun, desk.state.overflow) == (1, 8)


def test_a_lease_that_runs_out_or_is_given_back_frees_its_place() -> None:
    desk = Desk(reviews=9, budget=1)
    first = taken(desk.state, ANN)
    desk.clock.now += 60
    desk.state.tick()
    assert (desk.state.budget.begun, desk.state.overflow) == (0, 8)
    second = taken(desk.state, BEN)
    assert second.exchange == first.exchange
    desk.state.skip(BEN, second.id, second.token)
    other = taken(desk.state, BEN)
    assert other.exchange != first.exchange
    assert desk.state.lease(CEM, []) is not None  # the second opinion on the same
    assert desk.state.budget.begun == 1


def test_who_comes_back_after_the_last_place_went_to_others_is_refused_and_told_why() -> None:
    desk = Desk(reviews=9, budget=1)
    late = taken(desk.state, ANN)
    desk.clock.now += 60
    passed_on = taken(desk.state, BEN)
    desk.state.skip(BEN, passed_on.id, passed_on.token)
    assert taken(desk.state, BEN).exchange != passed_on.exchange == late.exchange
    for attempt in (lambda: judge(desk.state, ANN, late), lambda: desk.state.heartbeat(ANN, late.id, 0, late.exchange)):
        with pytest.raises(LeaseLost, match="today's budget of 1 items went to others"):
            attempt()
    assert desk.state.budget.begun == 1


def test_who_comes_back_while_there_is_a_place_goes_on() -> None:
    desk = Desk(reviews=9, budget=1)
    late = taken(desk.state, ANN)
    desk.start()
    assert desk.state.heartbeat(ANN, late.id, late.token, late.exchange).exchange == late.exchange
    assert desk.state.lease(CEM) is not None
    assert desk.state.lease(DAN) is None


def test_what_was_begun_goes_on_to_its_second_and_third_reviewers_and_the_adjudicator() -> None:
    desk = Desk(reviews=9, budget=1)
    begun = desk.judge(ANN, "approve")
    desk.wall.now += DAY
    desk.decide(0)
    assert desk.judge(BEN, "reject") == begun
    assert desk.judge(CEM, "flag") == begun
    assert desk.state.lease(DAN) is None
    assert desk.judge(ADA, "reject") == begun
    assert (desk.state.budget.begun, desk.state.overflow) == (0, 8)


def test_an_item_counts_on_the_day_of_its_first_verdict_and_no_other() -> None:
    desk = Desk(reviews=9, budget=2)
    desk.judge(ANN)
    desk.wall.now += DAY
    assert desk.state.budget.begun == 0
    desk.judge(BEN)
    assert desk.state.budget.begun == 0
    desk.start()
    assert desk.state.budget.begun == 0
    assert len(set(desk.work_through(CEM))) == 2


def test_what_is_held_over_midnight_takes_a_place_of_the_new_day() -> None:
    desk = Desk(reviews=9, budget=2)
    desk.judge(ANN)
    held = taken(desk.state, BEN)
    while held.exchange == desk.said[0].verdict.exchange:
        held = taken(desk.state, BEN)
    desk.wall.now += DAY
    judge(desk.state, BEN, held)
    assert desk.state.budget.begun == 1


def test_the_day_turns_at_midnight_without_a_call() -> None:
    wall = Clock(datetime(2026, 11, 2, 23, 59, 59, tzinfo=UTC).timestamp())
    budget = Budget(wall)
    budget.limit = 1
    budget.note("x", int(wall.now * 1000))
    assert (budget.begun, budget.left) == (1, 0)
    wall.now += 1
    assert (budget.begun, budget.left) == (0, 1)


def test_the_broker_s_time_replaces_the_desk_s_and_the_earliest_of_it_counts() -> None:
    wall = Clock(NOON)
    budget = Budget(wall)
    budget.note("x", None)
    assert budget.begun == 1
    budget.note("x", int((NOON - DAY) * 1000))  # it was written yesterday, says the broker
    assert budget.begun == 0
    budget.note("x", int(NOON * 1000))  # a second opinion
    budget.note("x", None)
    assert budget.begun == 0


def test_a_desk_takes_the_broker_s_time_for_its_own_verdicts_too() -> None:
    """So it counts as its successor will: here the verdict was taken just before midnight, by the broker's time."""
    desk = Desk(reviews=9, budget=1)
    verdict = judge(desk.state, ANN, taken(desk.state, ANN))
    assert desk.state.budget.begun == 1
    assert not desk.state.note_verdict(verdict, int((NOON - DAY) * 1000))
    assert desk.state.budget.begun == 0


def test_a_broker_that_is_ahead_frees_no_place() -> None:
    """The desk's day is the old one for a moment; what the broker dates tomorrow must not be begun twice over."""
    wall = Clock(NOON)
    budget = Budget(wall)
    budget.note("x", int((NOON + DAY) * 1000))
    assert budget.begun == 1
    wall.now += DAY
    assert budget.begun == 1


def test_an_erased_item_that_was_begun_today_stays_counted() -> None:
    desk = Desk(reviews=9, budget=1)
    begun = desk.judge(ANN)
    desk.state.note_request(begun, None, 99)
    assert desk.state.lease(BEN) is None
    assert (desk.state.budget.begun, desk.state.overflow) == (1, 8)


def test_what_was_settled_before_its_request_is_read_is_neither_begun_nor_overflow() -> None:
    desk = Desk(reviews=0, budget=1)
    desk.state.note_outcome("x", outcome("x", "labelled"))
    made = request("x")
    desk.state.note_request(made.id, made, 1)
    assert (desk.state.budget.begun, desk.state.overflow) == (0, 0)


def test_what_waits_is_counted_up_to_what_is_left_of_the_budget() -> None:
    desk = Desk(reviews=9, audits=2, budget=3)
    assert (desk.state.waiting(ANN), desk.state.free) == (5, 5)
    desk.judge(ANN)
    desk.judge(ANN)
    assert reviews([desk.judge(ANN)])
    assert (desk.state.waiting(ANN), desk.state.waiting(BEN), desk.state.free) == (2, 5, 5)
