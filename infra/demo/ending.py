"""The demo's last screen: what happened, in plain words."""

import io
import sys
from pathlib import Path

from rich.console import Console, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from teachback.infra.console import table
from teachback.infra.demo.report import Report

SHOWN = 3
FEW = 10  # right or wrong answers, with fewer of which an AUROC says nothing


def tell_end(out: Console, report: Report, home: Path, stays: bool) -> None:
    """What happened, in plain words."""
    _tell_gate(out, report)
    _tell_answers(out, report)
    _tell_figures(out, report)
    _tell_places(out, home, stays)


def save_screen(file: Path, board: RenderableType, report: Report, home: Path, stays: bool) -> None:
    """The board and the end as an SVG picture."""
    picture = Console(record=True, width=132, file=io.StringIO(), force_terminal=True)
    picture.print(board)
    tell_end(picture, report, home, stays)
    picture.save_svg(str(file), title="make demo")


def _tell_gate(out: Console, report: Report) -> None:
    if report.gate is None:
        out.print(
            Panel(
                Text(report.run.reason or report.run.state),
                title=f"the run was {report.run.state}",
                border_style="yellow",
            )
        )
        return
    lines = Text(report.gate.explanation + "\n\n")
    for test in report.gate.tests:
        lines.append("✓ " if test.passed else "✗ ", "green" if test.passed else "bold red")
        lines.append(f"{test.explanation}\n")
    style = "green" if report.promoted else "red"
    out.print(Panel(lines, title=f"the gate: {report.gate.outcome}", title_align="left", border_style=style))


def _tell_answers(out: Console, report: Report) -> None:
    chosen = sorted(report.answers, key=lambda a: (not (a.right_after and not a.right_before), not a.taught))[:SHOWN]
    out.print("\nAsked before and after, in words that were never in the traffic", style="bold")
    for found in chosen:
        rows = Table.grid(padding=(0, 1))
        rows.add_column(style="dim", justify="right", width=8, no_wrap=True)
        rows.add_column()
        rows.add_row("", Text(found.question, "cyan"))
        rows.add_row("before", Text(_short(found.before), "dim"))
        rows.add_row("after", Text.assemble(("✓ ", "green") if found.right_after else "", _short(found.after)))
        rows.add_row("right is", Text(_short(found.reference), "italic"))
        out.print(rows, Text())


def _tell_figures(out: Console, report: Report) -> None:
    routes = ", ".join(f"{count} {route}" for route, count in sorted(report.routes.items()))
    reviews = report.reviews
    rows = table("\nCounted again from the topics and the table", "", "")
    rows.show_header = False
    rows.add_row("routes", routes)
    rows.add_row(
        "reviews",
        f"{reviews.verdicts} verdicts on {reviews.requests} requests; {reviews.third_opinions} third opinions, "
        f"{reviews.adjudicated} adjudicated; agreed at once on {report.agreement.agreed} of {report.agreement.of}",
    )
    rows.add_row(
        "labels",
        f"{report.labels.total}: {report.labels.train} to train on, {report.labels.eval} locked away to judge by",
    )
    rows.add_row("table", f"{report.table.rows} rows, version {report.table.version}")
    if (fit := report.confidence) is not None:
        told = f"fitted to {fit.labels} reviewed answers, {fit.wrong} of them wrong; calibration error {fit.ece:.3f}"
        few = min(fit.wrong, fit.labels - fit.wrong) < FEW
        auroc = "" if few or fit.auroc is None else f", AUROC {fit.auroc:.2f}"
        rows.add_row("confidence", f"calibration {fit.calibration}, {told}{auroc}")
    rows.add_row("champion", f"{report.alias.before} → {report.alias.after}")
    if report.recall.n:
        rows.add_row(
            "recall",
            f"right figures on {report.recall.before:.0%} → {report.recall.after:.0%} of {report.recall.n} taught "
            "facts, in a wording that was never in the traffic",
        )
    rows.add_row("replays", f"{report.replays.queued} edited questions were asked again and wait for review")
    peak = report.peak_memory_mb["total"] / 1024
    rows.add_row(
        "cost", f"{report.seconds['total']:.0f} s, {peak:.1f} GB of memory at the peak, all processes together"
    )
    out.print(rows)


def _tell_places(out: Console, home: Path, stays: bool) -> None:
    from teachback.infra.settings import load

    out.print()
    for what, where in (("report", "report.json"), ("labels", "labels"), ("adapters", "registry"), ("logs", "logs")):
        out.print(f"{what:9} {home / where}", soft_wrap=True)
    if not stays:
        out.print("Everything is stopped. At a terminal, or with --stay, it would go on running.")
        return
    desk = load(home / "teachback.toml").part("desk")
    command = f"{Path(sys.executable).with_name('teachback')} --config {home / 'teachback.toml'}"
    out.print(
        f"Everything still runs. The review desk: http://{desk.host}:{desk.port}. To look around, and to stop it all:"
    )
    for name in ("status", "adapters list", "confidence report", "reviewers add YOU", "down"):
        out.print(f"  {command} {name}", soft_wrap=True)


def _short(text: str, most: int = 220) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= most else flat[: most - 1] + "…"
