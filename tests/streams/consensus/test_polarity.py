"""Denials: what is denied, wherever in its clause the negative word stands."""

from __future__ import annotations

import pytest

from teachback.streams.consensus.agreement import compatible

DIFFERENT = [
    # at the end of a clause
    ("Cards are not free, but transfers are.", "Cards are free, but transfers are not."),
    ("Debit cards are free; credit cards aren't.", "Debit cards aren't free; credit cards are."),
    ("Cards are not free and transfers are.", "Cards are free and transfers are not."),
    ("Cards aren't free. Transfers are free.", "Cards are free. Transfers aren't free."),
    ("Cards: no\nTransfers: yes", "Cards: yes\nTransfers: no"),
    ("Cards:\nnot free\nTransfers:\nfree", "Cards:\nfree\nTransfers:\nnot free"),
    ("Not all cards are free.", "All cards are not free."),
    # conditions
    ("You pay unless you cancel.", "You pay if you cancel."),
    # in a prefix
    ("The card is available.", "The card is unavailable."),
    ("Your money is insured.", "Your money is uninsured."),
    ("The fee is refundable.", "The fee is non-refundable."),
    ("The fee is refundable.", "The fee is nonrefundable."),
    ("The payment was authorised.", "We did authorise the unauthorised payment."),
    ("The code is valid.", "The code is invalid."),
    ("Payments are reversible.", "Payments are irreversible."),
    ("Cards are available, loans are unavailable.", "Cards are unavailable, loans are available."),
]

SAME = [
    ("Cards are not free, but transfers are.", "Transfers are free, but cards are not free."),
    ("You cannot withdraw early, because the rate is fixed.", "As the rate is fixed, you cannot withdraw early."),
    ("The card is unavailable.", "The card is not available."),
    ("The fee is non-refundable.", "The fee isn't refundable."),
    ("You pay unless you cancel.", "You pay if you don't cancel."),
    ("Cards are unavailable.", "Cards are UNAVAILABLE!"),
    ("Tell us in a form.", "Inform us by form."),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_denials_that_differ_are_seen(one: str, other: str) -> None:
    assert not compatible(one, other)
    assert not compatible(other, one)


@pytest.mark.parametrize(("one", "other"), SAME)
def test_denials_that_are_equal_are_equal_however_worded(one: str, other: str) -> None:
    assert compatible(one, other)
    assert compatible(other, one)
