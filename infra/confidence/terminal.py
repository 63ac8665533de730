"""Confidence and promises in a terminal."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from teachback.infra.confidence.guarantee import Guarantee
from teachback.infra.confidence.standing import AdapterStanding
from teachback.infra.confidence.tell import clean, counted, decimal, named, percent
from teachback.infra.confidence.verify import Counts, Recount
from teachback.infra.confidence.words import headline, words
from teachback.infra.console import show_table, table
from teachback.schemas.calibration import Term

WIDTH = 92
BAR = 24
STYLES = {"holds": "green", "fails": "bold red", "gone": "yellow"}


def show_standings(out: Console, rows: Sequence[AdapterStanding]) -> None:
    """What is in force, adapter by adapter."""
    for place, row in enumerate(rows):
        if place:
            out.print()
        lines = table("", "", "")
        lines.show_header = False
        for label, said in _lines(row):
            lines.add_row(Text(label, "dim"), said)
        show_table(out, f"{named(row.adapter)}{'  in service' if row.serving else ''}", lines)
        out.print()
        out.print(_weights(row))


def _lines(row: AdapterStanding) -> Iterable[tuple[str, str]]:
    it, quality = row.routing, row.quality
    if it.certified:
        yield "threshold", f"{it.threshold:g}, set by a certificate: {it.promise}"
        yield "certificate", f"{named(row.certificate or '', 80)} (`teachback guarantee` explains it)"
    else:
        asked = f"; asked for, and not certified yet: {it.promise}" if it.promise else "; no promise is asked for"
        yield "threshold", f"{it.threshold:g}, set by policy {it.policy}{asked}"
    if quality is None:
        yield "calibration", "0, the stated prior: chosen, not fitted, and tested on nobody's answers here"
        return
    learnt = f"{counted(row.labels, 'label')}, {row.audits:,} of them audits; {row.wrong:,} were wrong"
    yield "calibration", f"{it.calibration}, fitted to {learnt}"
    before = row.forerunner
    yield (
        "ECE",
        _beside(quality.ece, before.ece if before else None, "mean gap between told and found; lower is better"),
    )
    yield "Brier", _beside(quality.brier, before.brier if before else None, "mean squared error; lower is better")
    yield "AUROC", _beside(quality.auroc, before.auroc if before else None, "right told from wrong; 0.5 is a coin")
    yield "", f"cross-validated on {counted(quality.n, 'answer')}, {quality.wrong:,} wrong"


def _beside(value: float | None, before: float | None, means: str) -> str:
    was = "" if before is None else f", the version before on the same answers {decimal(before)}"
    return f"{decimal(value)}{was} ({means})"


def _weights(row: AdapterStanding) -> Table:
    unit = "a standard deviation of the signal" if row.quality else "its own unit, so they can't be compared"
    found = table(
        f"weights, log-odds for {unit}; intercept {_signed(row.intercept)}", "signal", "weight", "missing", ""
    )
    most = max((abs(term.weight) for term in row.terms), default=0.0)
    for term in row.terms:
        found.add_row(clean(term.signal), _signed(term.weight), _signed(term.missing), _bar(term, most))
    for column in found.columns[1:3]:
        column.justify = "right"
    return found


def _bar(term: Term, most: float) -> Text:
    length = round(BAR * abs(term.weight) / most) if most else 0
    return Text("█" * length, "blue" if term.weight >= 0 else "dark_orange")


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def show_guarantee(out: Console, found: Guarantee) -> None:
    """One adapter's promise in sentences."""
    out.print(Text(headline(found), "bold green" if found.stands else "bold yellow"), width=_width(out))
    for paragraph in words(found):
        out.print()
        out.print(Text(paragraph.title, "bold"))
        for line in paragraph.lines:
            out.print(Text(line), width=_width(out))
        for point in paragraph.points:
            grid = Table.grid(padding=(0, 1))
            grid.add_row("•", Text(point))
            out.print(grid, width=_width(out))


def _width(out: Console) -> int:
    return min(out.width, WIDTH)


def show_recounts(out: Console, found: Sequence[Recount]) -> None:
    """Every certificate, what it states and what the log gives, and what is wrong with it."""
    if not found:
        out.print("no certificate has been issued yet: there is nothing to recount")
        return
    rows = table("", "when (UTC)", "event", "adapter", "stated", "counted from the log", "")
    for one in found:
        event = f"{one.state}{', in force' if one.stands else ''}"
        said = Text("the log is too short" if one.finding == "gone" else one.finding, STYLES[one.finding])
        rows.add_row(
            f"{one.when:%Y-%m-%d %H:%M}", event, clean(one.adapter), _counts(one.stated), _counts(one.counted), said
        )
    show_table(out, "certificates, counted again", rows)
    for one in found:
        for problem in one.problems:
            out.print(Text(f"{one.when:%Y-%m-%d %H:%M} {named(one.id)}: {clean(problem)}", STYLES[one.finding]))
    out.print()
    out.print(Text(summary(found)), soft_wrap=True)


def summary(found: Sequence[Recount]) -> str:
    """All findings in a sentence."""
    kinds = [(sum(one.finding == kind for one in found), kind) for kind in ("holds", "fails", "gone")]
    told = {"holds": "borne out by the log", "fails": "not borne out", "gone": "older than what the log keeps"}
    return "; ".join(f"{count:,} {told[kind]}" for count, kind in kinds if count)


def _counts(it: Counts | None) -> str:
    if it is None:
        return "–"
    late = f", {it.unresolved:,} unsettled" if it.unresolved else ""
    evidence = "" if it.e_value is None else f", evidence {it.e_value:,.4g}"
    share = f" ({percent(it.errors / it.audits)})" if it.audits and it.e_value is None else ""
    return f"{it.errors:,} of {it.audits:,} wrong{share}{late}{evidence}"
