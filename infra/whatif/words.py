"""Figures in words: counts, shares and estimates as a person reads them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from teachback.infra.whatif.effect import Effect
    from teachback.infra.whatif.figures import Figures
    from teachback.infra.whatif.wrong import Wrong


def per(found: "Effect") -> str:
    """What counts are of: a day, or the whole time when it is shorter."""
    hours = 24 * found.days
    if found.days >= 1:
        return "a day"
    return f"in {hours:.1f} h" if hours >= 1 else f"in {max(1, round(60 * hours))} min"


def span_told(found: "Effect") -> str:
    """The time asked about."""
    return f"{found.since:%Y-%m-%d %H:%M} – {found.until:%Y-%m-%d %H:%M} UTC"


def counted(value: float) -> str:
    """A count: whole from ten up, one decimal below where there is one."""
    return f"{value:,.0f}" if value >= 9.95 or value == round(value) else f"{value:.1f}"


def percent(share: float | None) -> str:
    """A share in per cent, as precise as it is small."""
    if share is None:
        return "–"
    return f"{share:.0%}".replace("%", " %") if share >= 0.1 or share == 0 else f"{share:.1%}".replace("%", " %")


def threshold_told(figures: "Figures") -> str:
    """The threshold in force, beside its mark in a picture."""
    return "threshold unknown" if figures.threshold is None else f"threshold {figures.threshold:.4g}"


def wrong_told(wrong: "Wrong", rate: float = 1.0) -> str:
    """`9 (3–21)`: how many wrong answers, and the interval; what can't be said is said to be so. `rate` divides."""
    if not wrong.answers:
        return "0"
    low, high = (counted(bound * wrong.answers / rate) for bound in (wrong.low, wrong.high))
    if wrong.count is None:
        return f"unknown, up to {high}: no audit is settled"
    if not wrong.enough:
        return f"{low}–{high}: too few audits ({wrong.audits})"
    return f"{counted(wrong.count / rate)} ({low}–{high})"


def wrong_open_told(wrong: "Wrong", rate: float = 1.0) -> str:
    """The bounds were all open audits right, and were they all wrong."""
    return "–".join(counted(bound * wrong.answers / rate) for bound in (wrong.low_open, wrong.high_open))


def promise_told(found: "Effect") -> Iterator[str]:
    """What the audits would have certified, when a promise was asked about."""
    if (it := found.promised) is None:
        return
    rests = f"{it.errors} wrong of {it.audits} audits, {it.unresolved} of them past their deadline"
    if it.threshold is None:
        yield (
            f"The promise: nothing would be certified ({rests}); {it.lacking} more audits without an error would be "
            "needed at the strictest threshold. The policy's own threshold holds."
        )
    else:
        yield (
            f"The promise: {it.threshold:.4g} would be certified ({rests}), accepting {percent(it.coverage)} of "
            "live traffic. The figures take it to have held from the beginning; it would have come later."
        )


def told_in_a_line(found: "Effect") -> str:
    """`reviews 412 → 655 a day, accepted 61 % → 44 %, wrong let through about 9 (3–21) → 4 (1–14)`."""
    rate = found.days if found.days >= 1 else 1.0
    was, then = found.was, found.then
    parts = [
        f"reviews {counted(was.reviews / rate)} → {counted(then.reviews / rate)} {per(found)}",
        f"accepted {percent(was.accepted_share)} → {percent(then.accepted_share)}",
        f"wrong let through about {wrong_told(was.unseen_wrong, rate)} → {wrong_told(then.unseen_wrong, rate)}",
    ]
    if was.audits != then.audits:
        parts.insert(0, f"audits {counted(was.audits / rate)} → {counted(then.audits / rate)} {per(found)}")
    if was.overflow or then.overflow:
        parts.insert(-2, f"beyond the budget {counted(was.overflow / rate)} → {counted(then.overflow / rate)}")
    return ", ".join(parts)
