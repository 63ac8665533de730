"""The figures in a text: what must be equal, to the digit, before two answers can say the same. Pure.

Written differently, the same: `two` and `2`; `£4.50`, `GBP 4.50`, `4.50 pounds` and `450p`; `1,000` and `1000`; `5 %`
and `five per cent`; `2 weeks` and `14 days`; `4 March 2026` and `2026-03-04`; `5 pm` and `17:00`; `3-5 days` and `3 to
5 days`.

What cannot be told is taken as written: `04/03/2026` is the fourth of March or the third of April, so it equals only
itself. When in doubt two texts differ: that costs a third reviewer, the other mistake costs a wrong label.
"""

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from typing import Literal, NamedTuple

from teachback.streams.consensus.numerals import spelt_in_digits

Kind = Literal["money", "percent", "duration", "date", "weekday", "time", "number", "code", "address"]


class Figure(NamedTuple):
    """A figure in one spelling, such as `("money", "GBP 4.5")`."""

    kind: Kind
    what: str


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    "|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_NUMBER = r"\d+(?:[.,]\d+)*(?:\s?(?:k|m|bn|thousand|million|billion)(?!\w))?"
_SIGN = r"(?:(?<![\w.)])-(?=[\d£$€¥₹]))?"
_CURRENCIES = {
    "£": "GBP", "gbp": "GBP", "pound": "GBP", "pounds": "GBP", "quid": "GBP",
    "$": "USD", "usd": "USD", "dollar": "USD", "dollars": "USD", "bucks": "USD",
    "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR",
    "¥": "JPY", "jpy": "JPY", "yen": "JPY", "₹": "INR", "inr": "INR", "rupee": "INR", "rupees": "INR",
    "chf": "CHF", "franc": "CHF", "francs": "CHF", "cad": "CAD", "aud": "AUD", "sek": "SEK", "nok": "NOK",
    "p": "GBP/100", "penny": "GBP/100", "pence": "GBP/100", "cent": "cent", "cents": "cent",
}  # fmt: skip
_BEFORE = r"(?:[£$€¥₹]|\b(?:gbp|usd|eur|jpy|inr|chf|cad|aud|sek|nok))"
_AFTER = rf"(?:[£$€¥₹](?!\s?\d)|(?:{'|'.join(name for name in _CURRENCIES if name.isalpha())})\b)"
_UNITS = {
    "second": (1, "s"), "sec": (1, "s"), "minute": (60, "s"), "min": (60, "s"), "hour": (3600, "s"), "hr": (3600, "s"),
    "day": (1, "day"), "night": (1, "night"), "week": (7, "day"), "fortnight": (14, "day"),
    "month": (1, "month"), "quarter": (3, "month"), "year": (12, "month"), "yr": (12, "month"),
}  # fmt: skip
_SHORT_DAYS = r"(?-i:\b(?:Mon|Tues?|Wed|Thu(?:rs?)?|Fri|Sat|Sun)\b)"  # in lower case some of them are other words

_PATTERN = re.compile(
    rf"""
    (?P<address>(?:https?://|www\.)\S+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+)
  | \b(?P<iy>\d{{4}})-(?P<im>\d\d?)-(?P<id>\d\d?)\b
  | \b(?P<dd>\d\d?)(?:st|nd|rd|th)?(?:\s+of)?[\s-]+(?P<dm>{_MONTH})\b\.?(?:,?[\s-]+(?P<dy>\d{{4}})\b)?
  | \b(?P<mm>{_MONTH})\b\.?\s+(?:the\s+)?(?P<md>\d\d?)(?:st|nd|rd|th)?(?![\w:])(?:,?\s+(?P<my>\d{{4}})\b)?
  | \b(?P<om>{_MONTH})\b\.?,?\s+(?P<oy>\d{{4}})\b
  | \b(?P<sa>\d\d?)[/.](?P<sb>\d\d?)[/.](?P<sy>\d{{4}}|\d\d)\b
  | \b(?P<month>january|february|april|june|july|august|september|october|november|december)\b
  | (?P<weekday>\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|{_SHORT_DAYS})
  | \b(?P<h12>\d\d?)(?:[:.](?P<m12>\d\d))?\s?(?P<half>[ap])\.?m\b\.?
  | \b(?P<h24>[01]?\d|2[0-3]):(?P<m24>[0-5]\d)\b
  | (?P<noon>\b(?:noon|midday|midnight)\b)
  | (?P<s1>{_SIGN})(?P<cur1>{_BEFORE})\s?(?P<n1>{_NUMBER})
  | (?P<s2>{_SIGN})(?<![\w.])(?P<n2>{_NUMBER})\s?(?P<cur2>{_AFTER})
  | (?P<s3>{_SIGN})(?<![\w.])(?P<n3>{_NUMBER})\s?(?P<percent>%|percent\b|per\scent\b|pct\b)
  | (?<![\w.])(?P<n4>{_NUMBER})[\s-]?(?:(?P<working>working|business|banking)[\s-]|calendar[\s-])?
      (?P<unit>seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|nights?|weeks?|fortnights?|months?|quarters?|years?|yrs?)\b
  | (?P<s5>{_SIGN})(?<![\w.])(?P<n5>{_NUMBER})(?![\w/])
  | (?P<code>\w*\d[\w/]*)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_BETWEEN = re.compile(r"\s*(?:-|to|and|or)\s*")
_LIST_MARKER = re.compile(r"^\s*\d{1,2}[.)]\s+", re.MULTILINE)
_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"))
_SCALES = {"k": 10**3, "thousand": 10**3, "m": 10**6, "million": 10**6, "bn": 10**9, "billion": 10**9}


def figures(text: str) -> dict[Kind, tuple[str, ...]]:
    """The figures of each kind, in the order of the text.

    In order, because `£5 by card, £10 by post` and `£10 by card, £5 by post` have the same figures; of each kind by
    itself, because `£5 within 3 days` and `within 3 days, £5` cannot be mixed up.
    """
    found: dict[Kind, list[str]] = {}
    for figure in _scan(text):
        found.setdefault(figure.kind, []).append(figure.what)
    return {kind: tuple(whats) for kind, whats in found.items()}


def _scan(text: str) -> list[Figure]:
    plain = unicodedata.normalize("NFKC", text).translate(_DASHES)
    plain = spelt_in_digits(re.sub(r"\bminus\s+(?=[\d£$€])", "-", _LIST_MARKER.sub("", plain), flags=re.IGNORECASE))
    matches = list(_PATTERN.finditer(plain))
    read = [_figure(match) for match in matches]
    for i in range(len(read) - 1):  # a range: `3-5 days` are days, and `£3-5` are pounds
        if _BETWEEN.fullmatch(plain, matches[i].end(), matches[i + 1].start()):
            read[i], read[i + 1] = _alike(read[i], read[i + 1])
    return read


def _alike(first: Figure, second: Figure) -> tuple[Figure, Figure]:
    if first.kind == "number" and second.kind == "duration":
        unit = second.what.split(" ", 1)[1]
        return Figure("duration", f"{first.what} {unit}"), second
    if first.kind == "number" and second.kind in {"money", "percent"}:
        return Figure(second.kind, _with_unit(second.what, first.what)), second
    if second.kind == "number" and first.kind in {"money", "percent"}:
        return first, Figure(first.kind, _with_unit(first.what, second.what))
    return first, second


def _with_unit(model: str, value: str) -> str:
    unit, space, _ = model.rpartition(" ")
    return f"{unit}{space}{value}"


def _figure(match: re.Match[str]) -> Figure:
    """The figure of one match; the readers are tried in the order of the pattern."""
    group = {name: value for name, value in match.groupdict().items() if value is not None}
    return next(figure for read in (_date, _time, _amount, _as_written) for figure in read(group))


def _date(g: dict[str, str]) -> Iterator[Figure]:
    if "iy" in g:
        yield Figure("date", f"{int(g['iy'])}-{int(g['im'])}-{int(g['id'])}")
    for year, month, day in (("dy", "dm", "dd"), ("my", "mm", "md"), ("oy", "om", ""), ("", "month", "")):
        if month in g:
            number = _MONTHS.index(g[month][:3].lower()) + 1
            yield Figure("date", f"{g.get(year, '?')}-{number}-{int(g[day]) if day in g else '?'}")
    if "sa" in g:
        yield Figure("date", _numeric_date(int(g["sa"]), int(g["sb"]), int(g["sy"])))
    if "weekday" in g:
        yield Figure("weekday", g["weekday"][:3].lower())


def _numeric_date(first: int, second: int, year: int) -> str:
    year += 2000 if year < 100 else 0
    if first > 12 >= second:
        return f"{year}-{second}-{first}"
    if second > 12 >= first:
        return f"{year}-{first}-{second}"
    return f"{first}/{second}/{year}"


def _time(g: dict[str, str]) -> Iterator[Figure]:
    if "h12" in g:
        hour = int(g["h12"]) % 12 + (12 if g["half"].lower() == "p" else 0)
        yield Figure("time", f"{hour}:{int(g.get('m12', '0')):02}")
    if "h24" in g:
        yield Figure("time", f"{int(g['h24'])}:{g['m24']}")
    if "noon" in g:
        yield Figure("time", "0:00" if g["noon"].lower() == "midnight" else "12:00")


def _amount(g: dict[str, str]) -> Iterator[Figure]:
    for number, sign, currency in (("n1", "s1", "cur1"), ("n2", "s2", "cur2")):
        if number in g:
            unit, value = _CURRENCIES[g[currency].lower()], _value(g[number], g[sign])
            yield Figure("money", f"GBP {_text(value / 100)}" if unit == "GBP/100" else f"{unit} {_text(value)}")
    if "n3" in g:
        yield Figure("percent", _text(_value(g["n3"], g["s3"])))
    if "n4" in g:
        factor, unit = _UNITS[g["unit"].lower().removesuffix("s")]
        yield Figure("duration", f"{_text(_value(g['n4'], '') * factor)} {'working ' if 'working' in g else ''}{unit}")
    if "n5" in g:
        leading_zero = len(g["n5"]) > 1 and g["n5"].startswith("0") and g["n5"].isdigit()
        if leading_zero:  # a telephone number, an account: its digits matter, not its size
            yield Figure("code", g["n5"])
        else:
            yield Figure("number", _text(_value(g["n5"], g["s5"])))


def _as_written(g: dict[str, str]) -> Iterator[Figure]:
    if "address" in g:
        yield Figure("address", g["address"].rstrip(".,;:!?)'\"").casefold())
    if "code" in g:
        yield Figure("code", g["code"].casefold())


def _value(number: str, sign: str) -> Decimal:
    """The value of `1,000.50`, `1.000,50`, `4,5` or `2k`."""
    match = re.match(r"([\d.,]+)\s?(\w*)", number)
    assert match is not None
    digits, scale = match[1], _SCALES.get(match[2].lower(), 1)
    commas, points = digits.count(","), digits.count(".")
    if commas and points:
        decimal = max(digits.rfind(","), digits.rfind("."))
        digits = re.sub("[.,]", "", digits[:decimal]) + "." + re.sub("[.,]", "", digits[decimal + 1 :])
    elif commas == 1 and not re.fullmatch(r"\d{1,3},\d{3}", digits):
        digits = digits.replace(",", ".")
    elif commas or points > 1:
        digits = re.sub("[.,]", "", digits)
    return Decimal(digits) * scale * (-1 if sign else 1)


def _text(value: Decimal) -> str:
    return format(value.normalize(), "f")
