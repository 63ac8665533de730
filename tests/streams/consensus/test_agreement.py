"""Whether two answers say the same. The embedder here finds everything alike: what tells texts apart is the rest."""

from __future__ import annotations

import numpy as np
import pytest

from teachback.streams.consensus.agreement import WORDS_AT_ONCE, Agreement, Vectors, normalised


def everything_alike(texts: list[str], /) -> Vectors:
    return np.ones((len(texts), 3))


def by_first_word(texts: list[str], /) -> Vectors:
    """Texts are alike when they begin with the same word."""
    words = sorted({text.split()[0] for text in texts})
    return np.eye(len(words))[[words.index(text.split()[0]) for text in texts]] * 7.0


def never(texts: list[str], /) -> Vectors:
    raise AssertionError(f"the embedder was asked about {texts}")


DIFFERENT = [
    # figures
    ("The fee is £4.50.", "The fee is £4.05."),
    ("The fee is £4.50.", "The fee is £450."),
    ("The fee is £4.50.", "The fee is $4.50."),
    ("The fee is £4.50.", "The fee is 4.50%."),
    ("It costs £4 and 50 days.", "It costs £4.50 a day."),
    ("The rate is 5%.", "The rate is -5%."),
    ("The rate is 3.5 percent.", "The rate is 35 percent."),
    ("It takes 3 days.", "It takes 3 weeks."),
    ("It takes 3 days.", "It takes 3 working days."),
    ("It takes three days.", "It takes thirteen days."),
    ("It takes 3-5 days.", "It takes 3-6 days."),
    ("You get 1,000 points.", "You get 1000000 points."),
    ("The card costs £5, the transfer £10.", "The card costs £10, the transfer £5."),
    ("3 days for cards, 2 weeks for loans.", "2 weeks for cards, 3 days for loans."),
    ("You may have two cards.", "You may have cards."),
    ("A fee of £10 applies.", "A fee applies."),
    # dates and times
    ("Pay by 4 March 2026.", "Pay by 3 April 2026."),
    ("Pay by 4 March 2026.", "Pay by 4 March 2027."),
    ("Pay by 2026-03-04.", "Pay by 04/03/2026."),
    ("Pay by Monday.", "Pay by Tuesday."),
    ("We open at 9 am.", "We open at 9 pm."),
    ("Mon-Fri 9:00-17:00", "Mon-Sat 9:00-17:00"),
    ("In April.", "In June."),
    # addresses and codes
    ("Call 0800 123 456.", "Call 0800 123 465."),
    ("Write to help@harbour.example.", "Write to loans@harbour.example."),
    ("Use form A4.", "Use form A5."),
    # denials and limits
    ("You can close it online.", "You cannot close it online."),
    ("You can close it online.", "You can't close it online."),
    ("You can close it online.", "You can’t close it online."),
    ("You can close it online.", "You can never close it online."),
    ("It is refundable.", "It isnt refundable."),
    ("There is a fee.", "There is no fee."),
    ("You cannot pay in. You cannot pay out.", "You can pay in. You can pay out."),
    ("You can withdraw cash but not deposit it.", "You can deposit cash but not withdraw it."),
    ("You need at least £500.", "You need at most £500."),
    ("You need more than £500.", "You need less than £500."),
    ("Cancel before 4 March 2026.", "Cancel after 4 March 2026."),
    # nothing but signs
    ("👍", "👎 no"),
]

SAME = [
    # typing
    ("Our cards are free.", "our  cards\nare FREE"),
    ("Don’t share it!", "don't share it"),
    ("“Free” – always", '"free" - always'),
    ("\uff26\uff52\uff45\uff45", "free"),
    ("Cafe\u0301", "Café"),
    # figures written differently
    ("The fee is £4.50.", "The fee is GBP 4.50."),
    ("The fee is £4.50.", "The fee is 4.50 pounds."),
    ("The fee is £4.50.", "The fee is £4.5"),
    ("The fee is 50p.", "The fee is £0.50."),
    ("The fee is €4,50.", "The fee is 4.50 EUR."),
    ("The limit is £1,000.", "The limit is £1000."),
    ("The limit is £1k.", "The limit is 1000 pounds."),
    ("The limit is £2 million.", "The limit is £2,000,000."),
    ("The rate is 5%.", "The rate is five per cent."),
    ("The rate is −5 %.", "The rate is minus 5%."),
    ("You may have two cards.", "You may have 2 cards."),
    ("Twenty-five points.", "25 points."),
    ("Two hundred and five points.", "205 points."),
    ("It takes 2 weeks.", "It takes 14 days."),
    ("It takes three to five working days.", "It takes 3–5 working days."),
    ("It takes 3-5 business days.", "It takes between 3 and 5 working days."),
    ("A 12-month term.", "A term of one year."),
    ("It costs £3-5.", "It costs £3 to £5."),
    ("One of our staff will call.", "Our staff will call."),
    ("£5 within 3 days.", "Within 3 days, £5."),
    # dates and times written differently
    ("Pay by 4 March 2026.", "Pay by 2026-03-04."),
    ("Pay by March 4th, 2026.", "Pay by the 4th of March 2026."),
    ("Pay by 13/03/2026.", "Pay by 13 Mar 2026."),
    ("Pay by 04/03/2026.", "By 04/03/2026, pay."),
    ("We open at 5 pm.", "We open at 17:00."),
    ("We open at 5 p.m. on Mondays.", "On Monday we open at 5:00pm."),
    ("We open at noon.", "We open at 12:00."),
    # denials and limits written differently
    ("You cannot close it.", "You can't close it."),
    ("You cannot close it online.", "Closing it online is not possible."),
    ("No fee applies.", "It comes without a fee."),
    ("You need at least £500.", "You need no less than £500."),
    ("Up to 3 cards.", "No more than 3 cards."),
    ("Don't worry, it is free.", "It is free."),
    ("Not only cards but also loans.", "Cards and also loans."),
    ("Neither cards nor loans.", "Not cards or loans."),
    ("1. Open the app.\n2. Tap Cards.", "Open the app, tap Cards."),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_a_difference_that_counts_is_seen_however_close_the_meaning(one: str, other: str) -> None:
    agreement = Agreement(everything_alike, 0.9)
    assert not agreement.same(one, other)
    assert not agreement.same(other, one)


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_said_in_other_signs_is_the_same(one: str, other: str) -> None:
    agreement = Agreement(everything_alike, 0.9)
    assert agreement.same(one, other)
    assert agreement.same(other, one)


def test_every_text_says_the_same_as_itself() -> None:
    agreement = Agreement(never, 0.9)
    assert all(agreement.same(text, text) for pair in DIFFERENT + SAME for text in pair)


def test_texts_that_differ_by_typing_alone_need_no_embedder() -> None:
    assert Agreement(never, 0.9).same("Our cards are free.", "our cards are  FREE!")


def test_figures_that_differ_need_no_embedder() -> None:
    assert not Agreement(never, 0.9).same("It costs £4.50", "It costs £4.05")


def test_other_meanings_differ_though_no_figure_does() -> None:
    agreement = Agreement(by_first_word, 0.9)
    assert not agreement.same("Close the account online.", "Order a card online.")
    assert agreement.same("Close the account online.", "Close it on the web.")


def test_the_threshold_is_a_cosine_and_vectors_need_no_unit_length() -> None:
    def half(texts: list[str], /) -> Vectors:
        return np.array([[2.0, 0.0], [3.0, 4.0]])  # cosine 0.6

    assert Agreement(half, 0.59).same("this way", "that way")
    assert not Agreement(half, 0.61).same("this way", "that way")


def test_signs_without_words_are_compared_by_meaning() -> None:
    assert normalised("?!") == normalised("...") == ""
    assert not Agreement(by_first_word, 0.9).same("?!", "...")


def test_the_end_of_a_long_text_is_read() -> None:
    """A sentence model reads only the beginning: two texts with the same first pages would be alike to it."""
    beginning = "word " * WORDS_AT_ONCE
    one, other = beginning + "alpha " * WORDS_AT_ONCE, beginning + "omega " * WORDS_AT_ONCE
    assert not Agreement(by_first_word, 0.9).same(one, other)
    assert Agreement(by_first_word, 0.9).same(one, one + "alpha")


def test_the_medoid_is_the_text_closest_to_all() -> None:
    place = {"left side": 0.0, "nearly left": 0.2, "between them": 0.5, "right side": 1.2}

    def on_a_circle(texts: list[str], /) -> Vectors:
        return np.array([[np.cos(place[text]), np.sin(place[text])] for text in texts])

    assert Agreement(on_a_circle, 0.9).medoid(list(place)) == "between them"


def test_the_medoid_of_two_is_the_shorter_whatever_their_order() -> None:
    agreement = Agreement(everything_alike, 0.9)
    texts = ["Cards are free of charge.", "Cards are free."]
    assert agreement.medoid(texts) == agreement.medoid(texts[::-1]) == "Cards are free."
