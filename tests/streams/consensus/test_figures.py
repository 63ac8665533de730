"""Figures: what is equal however it is written, and what must not vanish or be mixed up."""

from __future__ import annotations

import pytest

from teachback.streams.consensus.agreement import compatible
from teachback.streams.consensus.figures import figures
from teachback.streams.consensus.polarity import opposed

LONG = 40_000  # what the desk allows a corrected answer

DIFFERENT = [
    # a unit without a number
    ("It costs £5 per month.", "It costs £5 per year."),
    ("It costs £5 a day.", "It costs £5 a week."),
    ("It costs £5/month.", "It costs £5/year."),
    ("It costs £5 pcm.", "It costs £5 p.a."),
    ("We charge it monthly.", "We charge it yearly."),
    ("It takes half an hour.", "It takes an hour."),
    ("It takes an hour.", "It takes a day."),
    ("The next working day.", "The next day."),
    ("It arrives today.", "It arrives tomorrow."),
    # how often, and which
    ("You may change it once a day.", "You may change it twice a day."),
    ("You may try it once.", "You may try it."),
    ("You may try it 3 times a day.", "You may try it 3 days."),
    ("The first payment is free.", "The second payment is free."),
    ("The 1st payment is free.", "The 2nd payment is free."),
    ("The third payment is free.", "The payment is free."),
    ("Twice the fee.", "Triple the fee."),
    # what looks like a list
    ("Your answer is\n10. Then call us.", "Your answer is\n20. Then call us."),
    ("Your answer is\n1. Then call us.", "Your answer is. Then call us."),
    ("Your answers are\n2. Then\n3. Then call us.", "Your answers are. Then. Then call us."),
    ("Your answers are\n1.\n2.\nCall us.", "Your answers are. Call us."),
    ("1. Pay\n2. Call\n5. Wait", "Pay, call, wait"),
    # numbers that can be read in two ways
    ("It costs 1.000 pounds.", "It costs 1 pound."),
    ("It costs 1.000 pounds.", "It costs 1000 pounds."),
    ("It costs 1.500k pounds.", "It costs 1.5k pounds."),
    ("It takes 1.000 hours.", "It takes 1 hour."),
    ("The rate is 0,125%.", "The rate is 125%."),
    ("Choose 1,2,3.", "Choose 123."),
    ("Version 1.2.3.", "Version 123."),
    # digits, scales and currencies
    ("Points: 1234567890123456789012345678901.", "Points: 1234567890123456789012345678902."),
    ("The rate is 0.1234567890123456789012345678901%.", "The rate is 0.1234567890123456789012345678902%."),
    ("A limit of £5 trillion.", "A limit of £5."),
    ("A limit of £5 hundred.", "A limit of £5."),
    ("A limit of £5b.", "A limit of £5."),
    ("A limit of £5b.", "A limit of $5b."),
    ("A few hundred pounds.", "A few thousand pounds."),
    ("It costs A$5.", "It costs US$5."),
    ("It costs ₩5.", "It costs ₽5."),
    ("It costs 5 PLN.", "It costs 5 CZK."),
    # ranges take their neighbour's unit, and its size
    ("It takes 3-5 weeks.", "It takes 3 days to 5 weeks."),
    ("It costs 3-5p.", "It costs £3 to 5p."),
    # months whose names are words
    ("Pay in May.", "Pay in March."),
    ("Pay by Jan.", "Pay by Feb."),
    ("Open mon-fri.", "Open mon-sat."),
    # text glued to what was read
    ("Use £5abc9.", "Use £5abd9."),
    ("The code is £5x.", "The code is £5y."),
]

SAME = [
    ("It costs £5 per month.", "It costs £5 monthly."),
    ("It costs £5 a month.", "It costs £5/month."),
    ("It costs £5 a year.", "It costs £5 per annum."),
    ("It costs £5 yearly.", "It costs £5 p.a."),
    ("The next business day.", "The next working day."),
    ("You may change it twice a day.", "You may change it two times a day."),
    ("The first payment is free.", "The 1st payment is free."),
    ("Once you have signed, it is yours.", "When you have signed, it is yours."),
    ("You see it at once.", "You see it straight away."),
    ("1) Pay\nsoon\n2) Call\n\n3) Wait", "Pay soon, call, wait"),
    ("Cards:\n1. Pay\n2. Call\nLoans:\n1. Ask\n2. Wait", "Cards: pay, call. Loans: ask, wait"),
    ("It costs 1.000 pounds.", "It costs GBP 1.000."),
    ("It costs 1.000,50 euros.", "It costs €1000.50."),
    ("It costs 1.000.000 euros.", "It costs €1m."),
    ("It costs 1,00,000 rupees.", "It costs ₹100000."),
    ("The rate is 0.500%.", "The rate is 0.5%."),
    ("It takes 3-5 weeks.", "It takes 21 to 35 days."),
    ("It costs 30-50p.", "It costs £0.30 to £0.50."),
    ("It costs US$5.", "It costs 5 dollars."),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_figures_that_differ_are_seen(one: str, other: str) -> None:
    assert figures(one) != figures(other)
    assert not compatible(one, other)


@pytest.mark.parametrize(("one", "other"), SAME)
def test_figures_that_are_equal_are_equal_however_written(one: str, other: str) -> None:
    assert figures(one) == figures(other)
    assert compatible(one, other)


@pytest.mark.parametrize(
    "unit",
    [
        "a", "1", "\n", " ", ".", "-", "@", "_", "£", "'", "é", "a.", "a@", "1.", "1,", "1 ", "1/", "a1", "1a", "a-",
        "1-", "a 1", "a\n", "1\n", "1.\n", "£1", "1%", "not ", "not a,", "no\n", "a hundred ", "one ", "two ",
        "twenty-", "twenty ", "and ", "may ", "1 may ", "may 1 ", "minus ", "up to ", "over 1 ", "1 or ", "once ",
        "day ", "un", "unavailable available ", "www.", "http://", "1:", "(", "\u0307", "\u00bd", "in ", "out in ",
    ],
)  # fmt: skip
def test_the_longest_text_is_read_whatever_it_repeats(unit: str) -> None:
    """No assertion of time: were work to grow with the square of a text's length, some of these would take minutes."""
    text = unit * (LONG // len(unit))
    figures(text)
    assert not opposed(text, text)
