"""Amounts: a number, what it counts, and its value to the last digit. Pure.

A number that can be read in two ways, or in none, has no value and is taken as written: `1.000` is a thousand to one
half of Europe and one to the other, `1.2.3` is a version.
"""

import re
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from typing import Literal, NamedTuple

Kind = Literal[
    "money", "percent", "duration", "count", "number",  # amounts
    "period",  # a unit without a number: `a month`, `monthly`
    "ordinal", "date", "weekday", "time",
    "code",  # digits that are no amount, and words that stand for some: `A4`, `0800`, `1/2`, `half`, `dozens`
    "address",
]  # fmt: skip
SCALES = {
    "hundred": 10**2, "k": 10**3, "thousand": 10**3, "lakh": 10**5, "m": 10**6, "mn": 10**6, "mln": 10**6,
    "million": 10**6, "crore": 10**7, "bn": 10**9, "billion": 10**9, "tn": 10**12, "trillion": 10**12,
}  # fmt: skip

_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)  # the default context rounds to 28 digits
_NUMBER = re.compile(r"([\d.,]+)\s?(\w*)")
_GROUPED = re.compile(r"[1-9]\d{0,2}(?:,\d{2,3})*,\d{3}(?:\.\d+)?")  # in India by two: 1,00,000
_CONTINENTAL = re.compile(r"[1-9]\d{0,2}(?:(?:\.\d{3})+,\d+|(?:\.\d{3}){2,})")
_DECIMAL = re.compile(r"(?![1-9]\d{0,2}\.\d{3}$)\d+(?:[.,]\d+)?")


class Figure(NamedTuple):
    """A figure in one spelling, such as `("money", "4.5 GBP")`."""

    kind: Kind
    what: str


class Amount(NamedTuple):
    """A number as written, scale included (`1,000`, `2k`), and what it counts: `factor` times `unit`."""

    number: str
    negative: bool = False
    kind: Kind = "number"
    unit: str = ""
    factor: Decimal = Decimal(1)

    def counting(self, other: "Amount") -> "Amount":
        """The same number of what `other` counts."""
        return self._replace(kind=other.kind, unit=other.unit, factor=other.factor)

    def figure(self) -> Figure:
        """The amount in one spelling."""
        sign = "-" if self.negative else ""
        return Figure(self.kind, f"{sign}{_value(self.number, self.factor)} {self.unit}".rstrip())


def _value(number: str, factor: Decimal) -> str:
    match = _NUMBER.fullmatch(number)
    assert match is not None, number
    times = _EXACT.multiply(factor, Decimal(SCALES.get(match[2], 1)))
    digits = _unambiguous(match[1])
    if digits is None:
        return match[1] if times == 1 else f"{match[1]}*{times:f}"
    return format(_EXACT.normalize(_EXACT.multiply(Decimal(digits), times)), "f")


def _unambiguous(digits: str) -> str | None:
    """`1,000.50`, `1.000,50` and `4,5` with a decimal point and nothing else; None if it can't be told."""
    if _GROUPED.fullmatch(digits):
        return digits.replace(",", "")
    if _CONTINENTAL.fullmatch(digits):
        return digits.replace(".", "").replace(",", ".")
    return digits.replace(",", ".") if _DECIMAL.fullmatch(digits) else None
