"""The parts of the report in words and tables: how to read each, what it says, and its numbers."""

from collections.abc import Sequence

from teachback.infra.confidence.events import calibrations, certificates
from teachback.infra.confidence.figures import Figures
from teachback.infra.confidence.measures import Bin, CurvePoint, Share, at_coverages
from teachback.infra.confidence.sheets import Section, Sheet
from teachback.infra.confidence.signals import SignalRow
from teachback.infra.confidence.tallies import Day, coarser
from teachback.infra.confidence.tell import counted, day, decimal, named, percent
from teachback.schemas import Quality

FEW = 100
COVERAGES = tuple(step / 10 for step in range(1, 11))


def sections(figures: Figures) -> tuple[Section, ...]:
    """All parts, in the order of the page."""
    return (
        answered(figures),
        told(figures),
        risk(figures),
        scores(figures),
        signals(figures),
        audits(figures),
        certificates(figures),
        calibrations(figures),
    )


def answered(figures: Figures) -> Section:
    """Which adapters answered, and how much of it was audited."""
    rows = tuple(
        (a.name, f"{a.live:,}", f"{a.audits:,}", f"{a.settled:,}", f"{a.wrong:,}", percent(a.wrong / a.settled))
        if a.settled
        else (a.name, f"{a.live:,}", f"{a.audits:,}", "0", "0", "–")
        for a in figures.adapters
    )
    found = f"{named(figures.guarantee.champion)} is in service."
    if figures.counts.others:
        others = counted(figures.counts.others, "exchange")
        found += (
            f" {others} besides, which no customer asked (imports, replays, generated), and which count nowhere here."
        )
    return Section(
        "adapters",
        "Who answered",
        "An adapter is one trained version of the bot. Wrong means that reviewers edited or rejected the answer; only "
        "audits, which are drawn by lot, give the share fairly.",
        found,
        Sheet(("adapter", "live answers", "audits", "settled", "wrong", "share wrong"), rows),
        "" if rows else "No customer's question was answered in this time.",
    )


def told(figures: Figures) -> Section:
    """The reliability diagram."""
    rows = (*(_bin_row("audits", b) for b in figures.audits), *(_bin_row("reviews", b) for b in figures.reviews))
    return Section(
        "reliability",
        "Can the confidence be taken at its word?",
        "Each dot stands for audited answers of similar confidence. On the dashed line, as many were acceptable as "
        "the confidence said; below it, the bot was too sure of itself. Bars are 95 % intervals: where a bar "
        "touches the line, the difference may be chance. Grey diamonds are reviewed answers, which were picked for "
        "being doubtful and are no fair sample.",
        _told_found(figures.told),
        Sheet(("", "confidence", "answers", "told", "acceptable (95 %)"), rows),
        "" if figures.audits else "No audit of this time has been settled yet, so nobody can say.",
    )


def risk(figures: Figures) -> Section:
    """The risk–coverage curve."""
    rows = tuple(
        (percent(p.coverage), decimal(p.threshold, 4), f"{p.wrong.n:,}", f"{p.wrong.k:,}", _share(p.wrong))
        for p in at_coverages(figures.curve, COVERAGES)
    )
    adapter = named(figures.guarantee.adapter)
    return Section(
        "risk",
        "What if only the most trusted answers were accepted?",
        "From left to right, more and more answers are accepted, the most trusted first; the line is the share of "
        "wrong ones among them. The band is a 95 % interval for each point by itself. The dashed line is what is to "
        "be promised; a diamond is the certified point: accepting up to there keeps the promise.",
        _risk_found(figures),
        Sheet(("accepted", "threshold", "audits", "wrong", "share wrong (95 %)"), rows),
        "" if rows else f"No audit of {adapter} that may judge this calibration has been settled yet.",
    )


def scores(figures: Figures) -> Section:
    """The histogram of confidences by outcome."""
    h = coarser(figures.histogram)
    rows = tuple(
        (f"{low:.1f}–{high:.1f}", f"{right:,}", f"{wrong:,}", f"{unseen:,}")
        for low, high, right, wrong, unseen in zip(h.edges, h.edges[1:], h.right, h.wrong, h.unseen, strict=False)
    )
    total = figures.counts.live
    line = "" if figures.threshold is None else f" The threshold in force is {figures.threshold:.4g}."
    return Section(
        "scores",
        "How are confidences spread?",
        "The further right, the surer. Three rows, each with a scale of its own: answers that people found "
        "acceptable, those they found wrong, and those that nobody has judged. A useful confidence has the wrong "
        "ones on the left.",
        f"{counted(total, 'live answer')}; {percent(figures.counts.accepted / total)} went out without a look.{line}"
        if total
        else "",
        Sheet(("confidence", "acceptable", "wrong", "nobody judged"), rows),
        "" if total else "No live answer has been scored in this time.",
    )


def signals(figures: Figures) -> Section:
    """Importances, and each signal alone."""
    rows = tuple(
        (
            s.name,
            "–" if s.weight is None else f"{s.weight:+.2f}".replace("-", "−"),
            percent(s.part),
            percent(s.missing),
            decimal(s.alone.value, 2)
            + ("" if s.alone.low is None else f" ({s.alone.low:.2f}–{decimal(s.alone.high, 2)})"),
        )
        for s in figures.signals
    )
    version = (
        f"calibration {figures.calibration}" if figures.calibration else "the stated prior, learnt from nothing yet"
    )
    return Section(
        "signals",
        "What does the confidence look at?",
        "Above: how much each signal moves the confidence; blue, more of it means more trust; orange, less. Below: "
        "how well each tells acceptable from wrong answers when used alone. 0.5 is a coin; the further from it, on "
        "either side, the better. Reviewed answers are among these, and they were picked for doubt, so signals look "
        "weaker than they are.",
        _signals_found(figures, version),
        Sheet(("signal", "weight", "part", "missing", "AUROC (95 %)"), rows),
        "" if rows else "No signal has been recorded in this time.",
    )


def audits(figures: Figures) -> Section:
    """Audits over time."""
    it, rows = figures.counts, tuple(_day_row(d) for d in figures.days if d.drawn)
    open_ = it.audits - it.settled
    span = figures.days[0].days if figures.days else 1
    unit = "day" if span == 1 else f"{span} days"
    return Section(
        "days",
        "Audits over time",
        "Audits are drawn by lot among all live answers, whatever their score, and reviewers judge them first. One "
        f"bar is one {unit} (UTC), by when the answer was given. Grey ones wait; after their deadline they count as "
        "wrong.",
        f"{it.audits:,} drawn, {it.settled:,} settled, {it.wrong:,} wrong; {open_:,} not settled yet.",
        Sheet(("from", "drawn", "acceptable", "wrong", "not settled"), rows),
        "" if rows else "No audit was drawn in this time. The policy's audit rate decides how many are.",
    )


def _bin_row(kind: str, b: Bin) -> tuple[str, ...]:
    return (kind, f"{b.lowest:.3f}–{b.highest:.3f}", f"{b.right.n:,}", percent(b.told), _share(b.right))


def _share(share: Share) -> str:
    """`4.8 % (1.6–11 %)`."""
    return f"{percent(share.value)} ({percent(share.low).removesuffix(' %')}–{percent(share.high)})"


def _day_row(d: Day) -> tuple[str, ...]:
    return (day(d.begins), f"{d.drawn:,}", f"{d.right:,}", f"{d.wrong:,}", f"{d.open:,}")


def _told_found(it: Quality | None) -> str:
    if it is None:
        return ""
    right = percent(1 - it.wrong / it.n)
    caution = " So few audits may mislead." if it.n < FEW else ""
    return (
        f"{counted(it.n, 'settled audit')}, {right} acceptable. Told and found differ by {decimal(100 * it.ece, 1)} "
        f"percentage points on average (ECE); Brier score {decimal(it.brier)}, AUROC {decimal(it.auroc)}.{caution}"
    )


def _risk_found(figures: Figures) -> str:
    half = at_coverages(figures.curve, (0.5, 1.0))
    if not half:
        return ""
    said = [
        f"of {'all' if p.coverage == 1 else f'the most trusted {percent(p.coverage)}'}, {percent(p.wrong.value)} "
        "were wrong"
        for p in half
    ]
    adapter = named(figures.guarantee.adapter)
    last: Sequence[CurvePoint] = figures.curve[-1:]
    caution = " So few audits may mislead." if last[0].wrong.n < FEW else ""
    return f"{adapter}: {'; '.join(said)}.{caution}"


def _signals_found(figures: Figures, version: str) -> str:
    used = [s for s in figures.signals if s.part]
    best = max((s for s in figures.signals if s.alone.value is not None), key=_strength, default=None)
    said = [f"In force is {version}."]
    if used:
        said.append(f"{named(used[0].name)} moves it most.")
    if best is not None:
        said.append(f"By itself, {named(best.name)} tells most (AUROC {decimal(best.alone.value, 2)}).")
    elif figures.signals:
        said.append(
            "Nothing can be said of signals alone: that takes answers found acceptable and answers found wrong."
        )
    return " ".join(said)


def _strength(row: SignalRow) -> float:
    return abs((0.5 if row.alone.value is None else row.alone.value) - 0.5)
