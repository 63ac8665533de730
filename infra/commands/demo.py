"""`teachback demo`: the loop turned once, in front of you."""

import io
import os
import signal
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from teachback.infra.console import Context, context_of, table
from teachback.infra.demo.report import Report
from teachback.infra.settings import NOT_SETTINGS

NOT_PROMOTED = 3
SHOWN = 3
Sabotage = Literal["none", "shuffled"]


def register(app: typer.Typer) -> None:
    """Hang the command into the app."""
    app.command()(demo)


def demo(
    context: typer.Context,
    data: Annotated[
        Path | None, typer.Option(help="Your questions and answers: CSV, JSONL or Parquet.", show_default=False)
    ] = None,
    question: Annotated[str | None, typer.Option(help="Its column of questions; found when not given.")] = None,
    answer: Annotated[str | None, typer.Option(help="Its column of answers; found when not given.")] = None,
    limit: Annotated[
        int | None, typer.Option(min=80, help="Questions asked live. [default: 231]", show_default=False)
    ] = None,
    stay: Annotated[
        bool | None,
        typer.Option("--stay/--stop", help="Leave everything running. [default: at a terminal]", show_default=False),
    ] = None,
    sabotage: Annotated[
        Sabotage, typer.Option(help="Give the reviewers other questions' answers, to see it caught.")
    ] = "none",
    screenshot: Annotated[
        Path | None, typer.Option(help="Save the last screen as an SVG picture.", hidden=True)
    ] = None,
    data_check: Annotated[bool, typer.Option(help="Switch the data check off, to see what the gate does.")] = True,
) -> None:
    """Turn the whole loop once, on this machine: chatbot, Kafka, review, QLoRA, gate, swap. The reviewers are scripted.

    Exit code 0: promoted. 3: the loop turned, but nothing was promoted. 1: something failed.
    """
    from teachback.infra import supervise
    from teachback.infra.demo import home
    from teachback.infra.demo.board import Board
    from teachback.infra.demo.script import LIMIT, harbour_bank, own_data, shuffled
    from teachback.infra.demo.show import Show
    from teachback.infra.demo.story import Story, settings_for

    shared = context_of(context)
    script = own_data(data, question, answer, limit) if data else harbour_bank(limit or LIMIT)
    if sabotage == "shuffled":
        script = shuffled(script)
    installation = home.installation_of(shared.installation())
    home.fresh(installation)
    sections = settings_for(script)
    sections["trainer"]["data_check"] = data_check
    sections["models"] = {
        name: str(folder.absolute()) for name, folder in msgspec.structs.asdict(installation.models).items() if folder
    }
    config = home.configure(installation, sections)
    forget_variables(os.environ)
    configured = Context(config, shared.out).installation()
    board = Board(script.title)
    keep = sys.stdin.isatty() if stay is None else stay
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    finished = False
    show = Show(board, shared.out)
    story = Story(script, configured, config, board, show.tell)
    try:
        with show:
            report = story.tell()
        finished = True
    except BaseException:
        for stage in board.stages.values():
            if stage.state == "running":
                board.finish(stage.key, failed=True)
        raise
    finally:
        with undisturbed():
            try:
                story.close()
            finally:
                if not (finished and keep):
                    supervise.shutdown(configured)
    tell_end(shared.out, report, configured.home, keep)
    if screenshot:
        picture = Console(record=True, width=132, file=io.StringIO(), force_terminal=True)
        picture.print(show.draw())
        tell_end(picture, report, configured.home, keep)
        picture.save_svg(str(screenshot), title="make demo")
    if not report.promoted:
        raise typer.Exit(NOT_PROMOTED)


def forget_variables(environ: MutableMapping[str, str]) -> None:
    """Remove settings: they are meant for the user's installation, and would go over the demo's own file."""
    for name in [name for name in environ if name.startswith("TEACHBACK_") and name not in NOT_SETTINGS]:
        del environ[name]


@contextmanager
def undisturbed() -> Iterator[None]:
    """A second Ctrl-C must not leave processes behind by interrupting their end."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def tell_end(out: Console, report: Report, home: Path, stays: bool) -> None:
    """What happened, in plain words."""
    _tell_gate(out, report)
    _tell_answers(out, report)
    _tell_figures(out, report)
    _tell_places(out, home, stays)


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

    out.print(
        f"\nThe report is {home / 'report.json'}; logs in {home / 'logs'}; labels (Delta) in {home / 'labels'};",
        soft_wrap=True,
    )
    out.print(f"adapters in {home / 'registry'}.", soft_wrap=True)
    if not stays:
        out.print("Everything is stopped. At a terminal, or with --stay, it would go on running.")
        return
    desk = load(home / "teachback.toml").part("desk")
    out.print(f"Everything still runs. The review desk: http://{desk.host}:{desk.port}; `teachback down` stops it all.")


def _short(text: str, most: int = 220) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= most else flat[: most - 1] + "…"
