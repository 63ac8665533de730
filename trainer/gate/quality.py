"""How good a generated answer is, held against the agreed one: the same meaning, and the same figures."""

import re
from decimal import Decimal

WORDS = {
    word: Decimal(value)
    for value, word in enumerate(
        [
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
            "twenty",
        ],
        start=2,
    )
} | {
    word: Decimal(value)
    for value, word in zip((30, 40, 50, 60, 90), ["thirty", "forty", "fifty", "sixty", "ninety"], strict=True)
}
"""Numbers that people write out. Not "one": it is mostly no number."""

NUMBER = re.compile(r"\d+(?:[,\u00a0\u202f]\d{3})*(?:\.\d+)?|" + "|".join(rf"\b{word}\b" for word in WORDS))


def numbers(text: str) -> set[Decimal]:
    """The numbers in a text, as values: "£1,250.00" and "1250" hold the same one, "5 days" and "five days" too.

    Units are not looked at: the agreed answer's wording gives them, and the same number with another unit is rare.
    """
    return {WORDS.get(found) or as_number(found) for found in NUMBER.findall(text.lower())}


def as_number(digits: str) -> Decimal:
    """A number written in digits."""
    return Decimal(re.sub(r"[^\d.]", "", digits)).normalize()


def figures_kept(answer: str, reference: str) -> float | None:
    """The share of the reference's numbers that stand in the answer, 0 to 1; None when the reference has none."""
    wanted = numbers(reference)
    return len(wanted & numbers(answer)) / len(wanted) if wanted else None
