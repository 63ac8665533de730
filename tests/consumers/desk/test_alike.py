"""What counts as the very same question and answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teachback.consumers.desk.alike import fingerprint, normalised
from teachback.schemas.exchange import Message, Passage
from tests.consumers.desk.making import request


def asked(*said: str, answer: str = "5 pounds.", **fields: object) -> bytes:
    """The fingerprint of an answer to a conversation: the user speaks first, then the bot, in turn."""
    messages = tuple(Message(role=("user", "assistant")[n % 2], content=text) for n, text in enumerate(said))  # type: ignore[arg-type]
    return fingerprint(request("x", messages=messages, answer=answer, **fields))


@pytest.mark.parametrize(
    "written",
    ["how much is a card?", "  How much\n is a\tcard? ", "HOW MUCH IS A CARD?", "How\u00a0much is a card\uff1f"],
)
def test_case_white_space_and_compatibility_forms_make_no_difference(written: str) -> None:
    assert asked(written) == asked("How much is a card?")
    assert asked("What?", answer=written) == asked("What?", answer="How much is a card?")


@pytest.mark.parametrize("written", ["How much is a card", "How much is the card?", "How much is a card?!"])
def test_any_other_character_does(written: str) -> None:
    assert asked(written) != asked("How much is a card?")


def test_a_follow_up_means_another_thing_after_other_messages() -> None:
    card, loan = asked("A card?", "Yes.", "And its price?"), asked("A loan?", "Yes.", "And its price?")
    assert card != loan
    assert card == asked("a card?", "yes.", "and its price?")
    assert card != asked("And its price?")


def test_the_answer_the_adapter_and_who_speaks_count_and_nothing_else_does() -> None:
    base = asked("How much?")
    assert asked("How much?", answer="6 pounds.") != base
    assert asked("How much?", adapter="harbour@v1") != base
    told = request("x", messages=(Message(role="system", content="How much?"),), answer="5 pounds.")
    assert fingerprint(told) != base
    passages = (Passage(id="p", content="Fees"),)
    other = asked("How much?", topic="fees", confidence=0.1, source="replay", passages=passages, conversation="c2")
    assert other == base


def test_texts_do_not_run_into_one_another() -> None:
    assert asked("a", "bc") != asked("ab", "c")
    assert asked("a", answer="b") != asked("a", "b", answer="")


@given(st.text())
def test_normalising_twice_is_as_once(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)
