"""Requests that are alike: one is judged, and the others wait for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teachback.consumers.desk.errors import LeaseLost
from teachback.consumers.desk.state import DeskState
from teachback.schemas.exchange import Message
from teachback.schemas.review import Outcome, ReviewRequest
from tests.consumers.desk.making import ANN, BEN, CEM, Clock, outcome, policy, request, settings
from tests.consumers.desk.recount import Asked, Said, leaders
from tests.consumers.desk.test_state import judge, taken

SAME = (Message(role="user", content="How much is a card?"),)


def desk() -> tuple[DeskState, Clock]:
    clock = Clock()
    return DeskState(settings(), clock), clock


def ask(state: DeskState, exchange: str, arrived: int, **fields: Any) -> ReviewRequest:
    made = request(exchange, **({"messages": SAME} | fields))
    state.note_request(exchange, made, arrived)
    return made


def offered(state: DeskState) -> set[str]:
    return set(state.queue.offers("adjudicator", "reviewer", "fresh"))


def counts(state: DeskState) -> tuple[int, int]:
    return state.duplicates.counts["attached"], state.duplicates.counts["settled"]


def test_what_is_asked_and_answered_again_attaches_to_the_earliest_and_is_not_offered() -> None:
    state, _ = desk()
    for n, exchange in enumerate(["later", "first", "last"]):
        ask(state, exchange, [7, 3, 9][n])
    assert offered(state) == {"first"}
    assert counts(state) == (2, 0)
    assert state.tally.of("open") == {"reviewer": 1}
    assert state.tally.of("route") == {"review": 1}


def test_arrivals_in_the_same_millisecond_are_told_apart_by_their_ids() -> None:
    state, _ = desk()
    for exchange in ("b", "a", "c"):
        ask(state, exchange, 5)
    assert offered(state) == {"a"}


def test_another_adapter_s_answer_and_a_replay_of_it_are_items_of_their_own() -> None:
    state, _ = desk()
    ask(state, "old", 1)
    ask(state, "new", 2, adapter="harbour@v1", source="replay")
    ask(state, "newer", 3, adapter="harbour@v1")
    assert offered(state) == {"old", "new"}
    assert state.duplicates.leader_of("newer") == "new"


def test_audits_attach_to_nothing_and_nothing_attaches_to_them() -> None:
    state, _ = desk()
    ask(state, "audit", 1, route="audit")
    ask(state, "review", 2)
    ask(state, "another", 3, route="audit")
    assert offered(state) == {"audit", "review", "another"}
    assert counts(state) == (0, 0)


def test_what_is_attached_is_settled_with_its_leader_without_a_word_of_its_own() -> None:
    state, _ = desk()
    ask(state, "a", 1)
    ask(state, "b", 2)
    verdicts = [judge(state, who, taken(state, who)) for who in (ANN, BEN)]
    assert {verdict.exchange for verdict in verdicts} == {"a"}
    state.note_outcome("a", outcome("a", "labelled", verdicts))
    ask(state, "c", 3)  # what comes after the end, too
    assert counts(state) == (0, 2)
    assert state.tally.of("settled") == {"labelled": 1}
    assert state.lease(CEM) is None
    state.note_outcome("a", outcome("a", "open", verdicts, round=1, need="adjudicator"))
    assert counts(state) == (2, 0)


def test_when_the_leader_is_erased_the_next_one_leads() -> None:
    state, _ = desk()
    for n, exchange in enumerate("abc"):
        ask(state, exchange, n)
    state.note_outcome("a", outcome("a", "labelled"))
    state.note_request("a", None, 9)
    assert offered(state) == {"b"}
    assert counts(state) == (1, 0)
    state.note_request("b", None, 10)
    state.note_request("c", None, 11)
    assert offered(state) == set()
    assert counts(state) == (0, 0)


def test_an_item_that_was_judged_leads_though_a_like_one_came_earlier_and_is_read_later() -> None:
    state, _ = desk()
    ask(state, "b", 2)
    judge(state, ANN, taken(state, ANN))
    ask(state, "a", 1)
    assert offered(state) == {"b"}
    assert state.duplicates.leader_of("a") == "b"
    assert taken(state, BEN).exchange == "b"


def test_work_on_an_item_that_attaches_meanwhile_is_taken_and_then_it_leads() -> None:
    state, _ = desk()
    ask(state, "b", 2)
    held = taken(state, ANN)
    ask(state, "a", 1)
    assert offered(state) == {"a"}
    assert state.heartbeat(ANN, held.id, held.token, "b") is not None
    judge(state, ANN, held)
    assert offered(state) == {"b"}


def test_a_lost_lease_on_what_attached_meanwhile_is_not_taken_up_again() -> None:
    state, clock = desk()
    ask(state, "b", 2)
    held = taken(state, ANN)
    ask(state, "a", 1)
    clock.now += 1000
    with pytest.raises(LeaseLost, match="judged as another item"):
        judge(state, ANN, held)
    assert offered(state) == {"a"}


def test_what_attaches_takes_no_budget_and_is_no_overflow() -> None:
    state, _ = desk()
    state.note_policy(policy(1, budget=1))
    for n in range(5):
        ask(state, f"same{n}", n)
    ask(state, "other", 9, answer="Another answer.")
    assert state.overflow == 1
    taken(state, ANN)
    assert (state.budget.begun, state.overflow) == (1, 1)


Step = Callable[[DeskState], object]


@st.composite
def logs(draw: st.DrawFn) -> tuple[list[Asked], list[Said], dict[str, Outcome], list[list[Step]]]:
    """What stands on the log in the end, and what is read of each key in order, among it what was erased."""
    asked: list[Asked] = []
    said: list[Said] = []
    outcomes: dict[str, Outcome] = {}
    read: list[list[Step]] = []
    for n in range(draw(st.integers(1, 8))):
        text = draw(st.sampled_from(["One.", "Two."]))
        route = draw(st.sampled_from(["review", "review", "audit"]))
        made, arrived = request(f"x{n}", messages=SAME, answer=text, route=route), draw(st.integers(0, 3))
        steps: list[Step] = [lambda s, r=made, at=arrived: s.note_request(r.id, r, at)]  # type: ignore[misc]
        if draw(st.integers(0, 4)) == 0:
            steps.append(lambda s, r=made: s.note_request(r.id, None, 9))  # type: ignore[misc]
        else:
            asked.append(Asked(made, arrived))
        read.append(steps)
        if draw(st.integers(0, 2)) == 0:
            judged, _ = desk()
            judged.note_request(made.id, made, arrived)
            verdict = judge(judged, ANN, taken(judged, ANN))
            said.append(Said(verdict, 5))
            read.append([lambda s, v=verdict: s.note_verdict(v, 5)])  # type: ignore[misc]
            if draw(st.booleans()):
                status = draw(st.sampled_from(["open", "labelled", "rejected"]))
                outcomes[made.id] = outcome(made.id, status, [verdict], need="reviewer" if status == "open" else None)
                read.append([lambda s, o=outcomes[made.id]: s.note_outcome(o.exchange, o)])  # type: ignore[misc]
    return asked, said, outcomes, read


@given(logs(), st.randoms())
def test_who_leads_is_a_function_of_the_log_whatever_is_read_first(
    log: tuple[list[Asked], list[Said], dict[str, Outcome], list[list[Step]]], chance: Any
) -> None:
    asked, said, outcomes, read = log
    state, _ = desk()
    waiting = [list(steps) for steps in read]
    while waiting := [steps for steps in waiting if steps]:
        chance.choice(waiting).pop(0)(state)
    expected = leaders(asked, said, outcomes)
    found = {each.request.id: state.duplicates.leader_of(each.request.id) for each in asked}
    assert {exchange: leader for exchange, leader in found.items() if leader} == expected
    stand = {each.request.id for each in asked} - expected.keys()
    assert offered(state) == {exchange for exchange in stand if state.items[exchange].missing}
    settled = [leader for leader in expected.values() if leader in outcomes and outcomes[leader].status != "open"]
    assert counts(state) == (len(expected) - len(settled), len(settled))
    assert sum(state.tally.of("route").values()) == sum(state.items[exchange].is_open for exchange in stand)
