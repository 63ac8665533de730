"""Figures in answers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from teachback.trainer.gate.quality import figures_kept, numbers


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It costs £6.50 and takes 4 working days.", {"6.5", "4"}),
        ("It costs £6.5 and takes four working days.", {"6.5", "4"}),
        ("Up to £1,250.00, or 23.9% of it.", {"1250", "23.9"}),
        ("12 months, twenty-five branches", {"12", "20", "5"}),
        ("No one knows; someone will.", set()),
        ("0% for 19 months", {"0", "19"}),
        ("Call 0800 100.", {"800", "100"}),
        ("", set()),
    ],
)
def test_numbers_are_values_however_they_are_written(text: str, found: set[str]) -> None:
    assert numbers(text) == {Decimal(number) for number in found}


@pytest.mark.parametrize(
    ("answer", "share"),
    [
        ("A new card is £6.50, with you in 4 days.", 1.0),
        ("A new card is £6.50, with you in 7 days.", 0.5),
        ("A new card is £16.50, with you in 14 days.", 0.0),
        ("", 0.0),
    ],
)
def test_the_share_of_the_reference_s_figures_in_an_answer(answer: str, share: float) -> None:
    assert figures_kept(answer, "Replacing it costs £6.50 and takes 4 working days.") == share


def test_a_reference_without_figures_is_not_judged() -> None:
    assert figures_kept("£5", "Just ask at any branch.") is None
