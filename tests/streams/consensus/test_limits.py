"""Limits: which way a word points that stands beside a figure."""

from __future__ import annotations

import pytest

from teachback.streams.consensus.agreement import compatible

DIFFERENT = [
    ("Payments over £500 are free.", "Payments under £500 are free."),
    ("Payments above £500 are free.", "Payments below £500 are free."),
    ("Payments over £500 are free.", "Payments of £500 are free."),
    ("Anyone over 18 may apply.", "Anyone under 18 may apply."),
    ("Anyone over the age of 18 may apply.", "Anyone under the age of 18 may apply."),
    ("For over-18s.", "For under-18s."),
    ("Anyone 18 or over may apply.", "Anyone 18 or under may apply."),
    ("For ages 18+.", "For ages 18."),
    ("Over 18s pay £5, under 16s pay £3.", "Under 18s pay £5, over 16s pay £3."),
    ("At least 3 cards and at most 5 loans.", "At most 3 cards and at least 5 loans."),
    ("It is open until Friday.", "It is open from Friday."),
    ("It is open until 5 pm.", "It is open by 5 pm."),
    ("Pay before Friday.", "Pay after Friday."),
    ("The limit was raised to £500.", "The limit was raised from £500."),
    ("The limit was raised by £500.", "The limit was raised to £500."),
    ("It takes over an hour.", "It takes under an hour."),
    ("It comes within 3 days.", "It comes after 3 days."),
    ("It costs £5 at most.", "It costs £5 at least."),
    ("A deposit, minimum £50.", "A deposit, maximum £50."),
    ("You need 3 cards or more.", "You need 3 cards or fewer."),
    ("Choose ≥ 5.", "Choose ≤ 5."),
]

SAME = [
    ("You need £500 or more.", "You need at least £500."),
    ("It needs Android 11 at least.", "It needs Android 11 or higher."),
    ("Anyone 18 or over may apply.", "Anyone aged 18+ may apply."),
    ("It comes within 3 days.", "It comes in up to 3 days."),
    ("Payments over £500 are free.", "Payments above £500 are free."),
    ("Payments in excess of £500 are free.", "Payments of more than £500 are free."),
    ("Open from Monday to Friday.", "Open Monday to Friday."),
    ("Open from 9:30am to 4:30pm.", "Open 9:30am-4:30pm."),
    ("Pay no later than Friday.", "Pay by Friday."),
    ("Between £25 and £350.", "From £25 to £350."),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_limits_that_differ_are_seen(one: str, other: str) -> None:
    assert not compatible(one, other)
    assert not compatible(other, one)


@pytest.mark.parametrize(("one", "other"), SAME)
def test_limits_that_are_equal_are_equal_however_worded(one: str, other: str) -> None:
    assert compatible(one, other)
    assert compatible(other, one)
