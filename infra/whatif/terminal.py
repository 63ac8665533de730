"""What-if in a terminal: figures side by side, notes, and the risk–coverage curve in characters."""

from collections.abc import Callable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from teachback.infra.console import show_table, table
from teachback.infra.whatif.effect import Effect
from teachback.infra.whatif.figures import Figures
from teachback.infra.whatif.words import (
    counted,
    per,
    percent,
    promise_told,
    span_told,
    threshold_told,
    wrong_open_told,
    wrong_told,
)
from teachback.infra.whatif.wrong import Wrong

WIDTH, HEIGHT = 78, 20
DAYS_SHOWN = 14
Told = Callable[[Figures], str]


def show(out: Console, found: Effect) -> None:
    """Everything: title, figures, days, curve (at a terminal only), notes."""
    show_table(out, f"{found.bot}  {span_told(found)}, {found.exchanges:,} exchanges", figures_table(found))
    if 1 < len(found.daily) <= DAYS_SHOWN:
        out.print()
        out.print(days_table(found))
    if out.is_terminal and found.risk_coverage:
        out.print()
        out.print(Text.from_ansi(curve(found, min(out.width, WIDTH))))
    for note in (*promise_told(found), *found.notes):
        out.print()
        out.print(Text(note, "dim"))


def figures_table(found: Effect) -> Table:
    """A line for each figure; what would have been stands beside what was, where something would."""
    columns = [found.was, found.then] if found.change else [found.was]
    rows = table("", "", *["as it was", "as it would have been"][: len(columns)])
    for label, told, style in lines(found):
        rows.add_row(label, *(told(figures) for figures in columns), style=style)
    for column in rows.columns[1:]:
        column.justify = "right"
    return rows


def lines(found: Effect) -> list[tuple[str, Told, str]]:
    """Label, what it tells of figures, and style. Lines that would say nothing are left out."""
    unit = per(found)
    rate = found.days if found.days >= 1 else 1.0
    both = (found.was, found.then)
    rows: list[tuple[str, Told, str]] = [
        (f"audits {unit}", lambda it: counted(it.audits / rate), ""),
        (f"reviews {unit}", lambda it: counted(it.reviews / rate), "bold"),
    ]
    if any(it.overflow for it in both):
        rows.append((f"  of these beyond the budget {unit}", lambda it: counted(it.overflow / rate), ""))
    rows += [
        (f"accepted {unit}", lambda it: counted(it.accepted / rate), ""),
        ("accepted, of live traffic", lambda it: percent(it.accepted_share), "bold"),
    ]
    if any(it.hours is not None for it in both):
        rows.append((f"reviewers' hours {unit}", lambda it: "?" if it.hours is None else counted(it.hours / rate), ""))
    rows += wrong_lines(
        f"wrong among accepted {unit}", rate, lambda it: it.wrong, any(it.wrong.unresolved for it in both)
    )
    if any(it.overflow_wrong for it in both):
        rows += wrong_lines(f"wrong beyond the budget {unit}", rate, lambda it: it.overflow_wrong, False)
    return rows


def wrong_lines(
    label: str, rate: float, of: Callable[[Figures], Wrong | None], open_: bool
) -> list[tuple[str, Told, str]]:
    """The estimate, what the open audits leave possible, and what it rests on."""

    def tell(told: Callable[[Wrong], str]) -> Told:
        def line(it: Figures) -> str:
            wrong = of(it)
            return told(wrong) if wrong else ""

        return line

    rows = [(label, tell(lambda wrong: wrong_told(wrong, rate)), "bold")]
    if open_:
        rows.append(("  were open audits all right, all wrong", tell(lambda wrong: wrong_open_told(wrong, rate)), ""))
    rows.append(("  of settled audits wrong", tell(lambda wrong: f"{wrong.errors:,} of {wrong.audits:,}"), "dim"))
    return rows


def days_table(found: Effect) -> Table:
    """Reviews and accepted of each day."""
    rows = table("", "day (UTC)", "exchanges", "audits", "reviews", "accepted")
    for day in found.daily:
        pairs = (
            (day.was.audits, day.then.audits),
            (day.was.reviews, day.then.reviews),
            (day.was.accepted, day.then.accepted),
        )
        rows.add_row(day.date, f"{day.exchanges:,}", *(arrow(was, then) for was, then in pairs))
    for column in rows.columns[1:]:
        column.justify = "right"
    return rows


def arrow(was: int, then: int) -> str:
    """A count, and what it would have become."""
    return f"{was:,}" if was == then else f"{was:,} → {then:,}"


def curve(found: Effect, width: int, height: int = HEIGHT) -> str:
    """Risk over coverage in characters, with escape sequences for colour; the interval's bounds are dotted."""
    import plotext  # type: ignore[import-untyped]

    points = found.risk_coverage
    coverage = [100 * point.coverage for point in points]
    figure = plotext.figure
    figure.clear()
    figure.plot_size(width, height)
    figure.theme("colorless")
    figure.title("wrong answers among the most trusted, by audits; 95 % bounds dotted")
    for bound in ([point.low for point in points], [point.high for point in points]):
        figure.draw(figure.signal(coverage, [100 * value for value in bound], marker="·"))
    figure.draw(figure.signal(coverage, [100 * point.risk for point in points], marker="hd").lines())
    for label, colour, figures in marks(found):
        if figures.coverage is not None:
            figure.line(100 * figures.coverage, "vertical", pixel=colour, label=label)
    figure.ruler("x").lim(0, 100)
    figure.ruler("x").ticks(range(0, 101, 20))
    figure.label("accepted, % of live traffic", "x")
    figure.label("wrong, %", "y")
    return str(figure.build().string())


def marks(found: Effect) -> list[tuple[str, str, Figures]]:
    """The thresholds to mark on the curve: name, colour, figures."""
    was = (f"was: {threshold_told(found.was)}", "blue", found.was)
    then = (f"then: {threshold_told(found.then)}", "red", found.then)
    return [was, then] if found.change else [was]
