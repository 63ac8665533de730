"""Numbers and moments as people read them."""

from datetime import datetime
from math import isfinite


def percent(share: float | None) -> str:
    """A share in per cent: two figures that say something, never more."""
    if share is None or not isfinite(share):
        return "–"
    value = round(100 * share, 6)
    if 99 < value < 100:
        value = min(value, 99.9)  # what is not all does not read as 100 %
    whole = 10 <= value <= 99 or value == round(value)
    digits = 0 if whole else 1 if value >= 0.1 else 2
    return f"{value:.{digits}f} %"


def counted(n: int, what: str) -> str:
    """`1 audit`, `1,212 audits`; `more` has no plural."""
    return f"{n:,} {what}{'' if n == 1 or what == 'more' else 's'}"


def times(value: float) -> str:
    """How many times: `0.4 times`, `131 times`, `more than a million times`."""
    if value >= 1e6:
        return "more than a million times"
    return f"{value:,.0f} times" if value >= 10 else f"{value:.2g} times"


def ordinal(n: int) -> str:
    """`2nd`, `3rd`, `11th`."""
    ending = "th" if n % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{ending}"


def when(moment: datetime) -> str:
    """A moment in UTC, as in a letter."""
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"


def day(moment: datetime) -> str:
    """A day, short."""
    return f"{moment.day} {moment:%b %Y}"


def decimal(value: float | None, digits: int = 3) -> str:
    """A number with some decimals; a dash for what is not known."""
    return "–" if value is None or not isfinite(value) else f"{value:.{digits}f}"


def clean(text: str) -> str:
    """Text from outside in one line, without what moves the cursor or turns the direction of writing."""
    return "".join(" " if c.isspace() else c if c.isprintable() else "�" for c in text)


def named(text: str, most: int = 60) -> str:
    """A name from outside, within a sentence."""
    found = clean(text)
    return found if len(found) <= most else found[: most - 1] + "…"
