"""The figures in a text: what must be equal, to the digit, before two answers can say the same. Pure.

Written differently, the same: `two` and `2`; `£4.50`, `GBP 4.50`, `4.50 pounds` and `450p`; `1,000` and `1000`; `5 %`
and `five per cent`; `2 weeks` and `14 days`; `4 March 2026` and `2026-03-04`; `5 pm` and `17:00`; `3-5 days` and `3 to
5 days`; `£5 a month` and `£5 monthly`; `first` and `1st`; `twice` and `2 times`.

What cannot be told is taken as written: `04/03/2026` is the fourth of March or the third of April, so it equals only
itself. When in doubt two texts differ: that costs a third reviewer, the other mistake costs a wrong label.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise

from teachback.streams.consensus.amounts import Amount, Figure, Kind
from teachback.streams.consensus.limits import limit
from teachback.streams.consensus.numerals import spelt_in_digits
from teachback.streams.consensus.pattern import ADVERBS, CURRENCIES, FIGURE, MONTHS, ORDINALS, SHORT, TIMES, UNITS
from teachback.streams.consensus.plain import TEXTS_KEPT, plain

_BETWEEN = re.compile(r"\s*(-|to|and|or)\s*")
_MINUS = re.compile(r"\bminus\s+(?=[\d£$€])")
_LIST_MARKER = re.compile(r"(\d{1,2})[.)]\s+(?=\S)")


@lru_cache(TEXTS_KEPT)
def figures(text: str) -> Mapping[Kind, tuple[str, ...]]:
    """The figures of each kind, in the order of the text, each behind the sign of its limit (`>500 GBP`).

    In order, because `£5 by card, £10 by post` and `£10 by card, £5 by post` have the same figures; of each kind by
    itself, because `£5 within 3 days` and `within 3 days, £5` cannot be mixed up.
    """
    found: dict[Kind, list[str]] = {}
    for figure in _scan(_prepared(text)):
        found.setdefault(figure.kind, []).append(figure.what)
    return {kind: tuple(whats) for kind, whats in found.items()}


def _prepared(text: str) -> str:
    return _MINUS.sub("-", spelt_in_digits("\n".join(_without_markers(plain(text).split("\n")))))


def _without_markers(lines: list[str]) -> Iterator[str]:
    """The lines without the numbers of lists: markers that count 1, 2, … and have text behind them, at least two."""
    lists: list[dict[int, int]] = []  # of each list, where the text of its lines begins
    for i, line in enumerate(lines):
        if (marker := _LIST_MARKER.match(line)) is None:
            continue
        if int(marker[1]) == 1:
            lists.append({})
        if lists and int(marker[1]) == len(lists[-1]) + 1:
            lists[-1][i] = marker.end()
    begins = {i: begin for each in lists if len(each) > 1 for i, begin in each.items()}
    return (line[begins.get(i, 0) :] for i, line in enumerate(lines))


def _scan(text: str) -> list[Figure]:
    matches = [match for match in FIGURE.finditer(text) if match.lastgroup != "word"]
    read = [_read(match) for match in matches]
    ends = [0, *(match.end() for match in matches)]
    limits = [limit(text, floor, *match.span()) for floor, match in zip(ends, matches, strict=False)]
    for i, (left, right) in enumerate(pairwise(matches)):
        if (link := _BETWEEN.fullmatch(text, left.end(), right.start())) is None:
            continue
        read[i], read[i + 1] = _alike(read[i], read[i + 1])
        if limits[i] == "from" and link[1] in {"-", "to"}:  # `from Monday to Friday` is `Monday to Friday`
            limits[i] = ""
    found = (each.figure() if isinstance(each, Amount) else each for each in read)
    return [Figure(figure.kind, sign + figure.what) for sign, figure in zip(limits, found, strict=True)]


def _alike(first: Figure | Amount, second: Figure | Amount) -> tuple[Figure | Amount, Figure | Amount]:
    """The two ends of a range: `3-5 days` are days, `£3-5` are pounds."""
    if isinstance(first, Amount) and isinstance(second, Amount):
        if first.kind == "number":
            return first.counting(second), second
        if second.kind == "number" and first.kind in {"money", "percent"}:
            return first, second.counting(first)
    return first, second


def _read(match: re.Match[str]) -> Figure | Amount:
    """What one match says; the readers are tried in the order of the pattern."""
    group = {name: value for name, value in match.groupdict().items() if value is not None}
    return next(found for read in (_date, _time, _amount, _unit, _as_written) for found in read(group))


def _date(g: dict[str, str]) -> Iterator[Figure]:
    if "iy" in g:
        yield Figure("date", f"{int(g['iy'])}-{int(g['im'])}-{int(g['id'])}")
    for year, month, day in (("dy", "dm", "dd"), ("my", "mm", "md"), ("oy", "om", ""), ("", "month", "")):
        if month in g:
            number = MONTHS.index(g[month][:3]) + 1
            yield Figure("date", f"{g.get(year, '?')}-{number}-{int(g[day]) if day in g else '?'}")
    if "sa" in g:
        yield Figure("date", _numeric_date(int(g["sa"]), int(g["sb"]), int(g["sy"])))
    if "weekday" in g:
        yield Figure("weekday", g["weekday"][:3])
    if "relative" in g:
        yield Figure("date", g["relative"])


def _numeric_date(first: int, second: int, year: int) -> str:
    year += 2000 if year < 100 else 0
    if first > 12 >= second:
        return f"{year}-{second}-{first}"
    if second > 12 >= first:
        return f"{year}-{first}-{second}"
    return f"{first}/{second}/{year}"


def _time(g: dict[str, str]) -> Iterator[Figure]:
    if "h12" in g:
        hour = int(g["h12"]) % 12 + (12 if g["half"] == "p" else 0)
        yield Figure("time", f"{hour}:{int(g.get('m12', '0')):02}")
    if "h24" in g:
        yield Figure("time", f"{int(g['h24'])}:{g['m24']}")
    if "noon" in g:
        yield Figure("time", "0:00" if g["noon"] == "midnight" else "12:00")


def _amount(g: dict[str, str]) -> Iterator[Figure | Amount]:
    for number, sign, name in (("n1", "s1", "cur1"), ("n2", "s2", "cur2")):
        if number in g:
            currency = CURRENCIES.get(g[name], g[name])
            unit, factor = ("GBP", Decimal("0.01")) if currency == "penny" else (currency, Decimal(1))
            yield Amount(g[number], g[sign] != "", "money", unit, factor)
    if "n3" in g:
        yield Amount(g["n3"], g["s3"] != "", "percent")
    if "n4" in g:
        size, unit = UNITS[g["unit"]]
        unit = f"working {unit}" if "working" in g else unit
        yield Amount(g["n4"], False, "count" if unit == "times" else "duration", unit, Decimal(size))
    if "n5" in g:
        leading_zero = len(g["n5"]) > 1 and g["n5"].startswith("0") and g["n5"].isdigit()
        # a telephone number, an account: its digits matter, not its size
        yield Figure("code", g["n5"]) if leading_zero else Amount(g["n5"], g["s5"] != "")


def _unit(g: dict[str, str]) -> Iterator[Figure | Amount]:
    if "alone" in g:
        name = g["alone"].removesuffix("s")
        yield Figure("period", f"{'working ' if 'at_work' in g else ''}{SHORT.get(name, name)}")
    if "short" in g:
        yield Figure("period", SHORT.get(g["short"], g["short"]))
    if "adverb" in g:
        yield Figure("period", ADVERBS[g["adverb"]])
    if "times" in g:
        yield Amount(TIMES[g["times"]], False, "count", "times")
    if "nth" in g:
        yield Figure("ordinal", g["nth"].lstrip("0"))
    if "ordinal" in g:
        yield Figure("ordinal", str(ORDINALS.index(g["ordinal"]) + 1))


def _as_written(g: dict[str, str]) -> Iterator[Figure]:
    if "address" in g:
        yield Figure("address", g["address"].rstrip(".,;:!?)'\""))
    if "vague" in g:
        yield Figure("code", "1/2" if g["vague"] == "half" else g["vague"])
    if "code" in g:
        yield Figure("code", g["code"])
