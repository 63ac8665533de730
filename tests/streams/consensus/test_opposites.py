"""Opposites: a word in one text where the other has its contrary."""

from __future__ import annotations

import pytest

from teachback.streams.consensus.agreement import compatible

DIFFERENT = [
    ("You can pay in at the counter.", "You can pay out at the counter."),
    ("Switch the card on.", "Switch the card off."),
    ("Payments to Harbour are free.", "Payments from Harbour are free."),
    ("We raised the limit.", "We lowered the limit."),
    ("The limit goes up, the fee goes down.", "The limit goes down, the fee goes up."),
    ("Debit cards are free.", "Credit cards are free."),
    ("You must send the form.", "You may send the form."),
    ("If you go over the limit, call us.", "If you go under the limit, call us."),
    ("Insurance is included.", "Insurance is excluded."),
    ("The last payment is free.", "The next payment is free."),
    ("Opening the account takes a form.", "Closing the account takes a form."),
    ("It is free at weekends.", "It is free on weekdays."),
]

SAME = [
    ("You can send money to us from abroad.", "We accept your money from abroad."),
    ("Before you travel, take cash out.", "Take cash out before you travel."),
    ("Open the app, then close it.", "Open the app and then close it."),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_a_word_and_its_contrary_are_told_apart(one: str, other: str) -> None:
    assert not compatible(one, other)
    assert not compatible(other, one)


@pytest.mark.parametrize(("one", "other"), SAME)
def test_a_word_that_one_text_merely_leaves_out_is_no_contrary(one: str, other: str) -> None:
    assert compatible(one, other)
    assert compatible(other, one)
