"""Texts as they are read for comparing: no letter, digit or sign may be read that no table knows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teachback.streams.consensus.agreement import compatible
from teachback.streams.consensus.figures import figures
from teachback.streams.consensus.plain import plain

ODD_LETTERS = [
    ("within 5 m\u0131nutes", "within 5 minutes"),  # dotless i
    ("5 M\u0130NUTES", "5 minutes"),  # dotted capital I
    ("5 mi\u0307nutes", "5 minutes"),  # … and what lower case makes of it
    ("5 qu\u0131d", "5 quid"),
    ("\u0131nr 5", "INR 5"),
    ("f\u0131ve days", "5 days"),
    ("5 m\u0131llion pounds", "5 million pounds"),
    ("5 \u212aGBP", "5 kGBP"),  # Kelvin sign
    ("5 minute\u017f", "5 minutes"),  # long s
    ("\uff15 \uff44\uff41\uff59\uff53", "5 days"),  # full width
    ("\u0665 days", "5 days"),  # Arabic
    ("\u0967\u096b days", "15 days"),  # Devanagari
    ("the fee isn\u00b4t due", "the fee isn't due"),  # acute accent as an apostrophe
    ("the fee isn\u02bct due", "the fee isn't due"),
    ("you can\u00adnot pay", "you cannot pay"),  # soft hyphen
    ("you can\u200bnot pay", "you cannot pay"),  # no width
    ("half an hour", "\u00bd an hour"),
    ("Open MON-FRI", "Open Mon-Fri"),
]

LOOK_ALIKE = [
    ("f\u0131ve days", "six days"),
    ("5 m\u0131llion pounds", "5 pounds"),
    ("5 m\u0130nutes", "5 hours"),
    ("The fee is £5\u00b2.", "The fee is £52."),  # a footnote
    ("The fee is £5\u2460.", "The fee is £51."),
    ("It takes 1\u00bd hours.", "It takes 11/2 hours."),
    ("It takes 1\u00bd hours.", "It takes 1 hour."),
    ("The fee isn\u00b4t due.", "The fee is due."),
    ("You can\u00adnot pay.", "You can pay."),
]


@pytest.mark.parametrize(("one", "other"), ODD_LETTERS)
def test_letters_and_digits_of_other_scripts_are_read_as_what_they_stand_for(one: str, other: str) -> None:
    assert compatible(one, other)


@pytest.mark.parametrize(("one", "other"), LOOK_ALIKE)
def test_odd_letters_hide_no_difference(one: str, other: str) -> None:
    assert not compatible(one, other)
    assert not compatible(other, one)


def test_every_letter_that_case_or_form_makes_ascii_can_be_read_where_words_are_looked_up() -> None:
    """What a pattern matches, some table must know: this tries every letter that could pass for one of theirs."""
    odd = [c for c in map(chr, range(0x80, 0x1FFFF)) if any(map(str.isascii, f"{c.lower()}{c.upper()}{plain(c)}"))]
    assert {"\u0130", "\u0131", "\u017f", "\u212a"} <= set(odd)
    for c in odd:
        figures(
            f"5 m{c}nutes 5 qu{c}d {c}nr 5 f{c}ve days 5 m{c}llion 3{c} 5 p{c} {c}nce {c}ay 5 {c}uesday £{c} {c}:30pm"
        )


PIECES = (
    "a", "an", "one", "two", "hundred", "thousand", "minus", "5", "1.000", "1,000.5", "007", "£", "$", "€", "p", "%",
    "k", "m", "-", "–", "/", ".", ",", ":", "'", "(", ")", "+", "@", "\n", "\u0131", "\u0130", "\u0307", "\u212a",
    "\u00bd", "\u00b2", "\u0665", "st", "th", "am", "pm", "may", "May", "Mon", "Sat", "day", "days", "monthly",
    "once", "half", "up", "to", "over", "under", "not", "isn't", "un", "available", "unavailable", "unless", "if",
    "and", "but", "or", "from", "until", "www.", "1.", "2)", "x@y.z", "é",
)  # fmt: skip
TEXTS = st.text() | st.lists(st.sampled_from(PIECES) | st.just(" "), max_size=30).map("".join)


@given(TEXTS, TEXTS)
def test_any_two_texts_can_be_compared_either_way_and_each_with_itself(one: str, other: str) -> None:
    assert compatible(one, other) == compatible(other, one)
    assert compatible(one, one)


def test_white_space_is_one_blank_and_one_end_of_line() -> None:
    assert plain(" a\u00a0\tb \r\n\n \u2028 c ") == "a b\nc"
