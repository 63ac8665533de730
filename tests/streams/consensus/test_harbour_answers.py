"""The demo's facts: the same answer with a friendly beginning stays the same, a slip is another answer."""

from __future__ import annotations

from itertools import combinations

from teachback.infra.demo.people import LEAD_INS
from teachback.infra.harbour import facts
from teachback.streams.consensus.agreement import compatible


def test_a_friendly_beginning_changes_no_answer() -> None:
    changed = [fact.answer for fact in facts() for lead in LEAD_INS if not compatible(fact.answer, lead + fact.answer)]
    assert changed == []


def test_a_friendly_beginning_is_as_good_as_another() -> None:
    pairs = list(combinations(LEAD_INS, 2))
    changed = [fact.answer for fact in facts() for a, b in pairs if not compatible(a + fact.answer, b + fact.answer)]
    assert changed == []


def test_every_slip_is_seen_through_any_beginning() -> None:
    unseen = [
        fact.sloppy_edit
        for fact in facts()
        for lead in ("", *LEAD_INS)
        if compatible(fact.answer, lead + fact.sloppy_edit)
    ]
    assert unseen == []


def test_no_two_facts_say_the_same() -> None:
    answers = [fact.answer for fact in facts()]
    assert [pair for pair in combinations(answers, 2) if compatible(*pair)] == []
