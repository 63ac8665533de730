"""`teachback demo`: the loop turned once, in front of you."""

import os
import signal
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from teachback.infra.console import Context, context_of, default
from teachback.infra.settings import NOT_SETTINGS

if TYPE_CHECKING:
    from teachback.infra.demo.report import Report
    from teachback.infra.demo.show import Show
    from teachback.infra.demo.story import Story

NOT_PROMOTED = 3
Sabotage = Literal["none", "shuffled"]


def register(app: typer.Typer) -> None:
    """Hang the command into the app."""
    app.command()(demo)


def demo(
    context: typer.Context,
    data: Annotated[
        Path | None,
        typer.Option(help="Your questions and answers: CSV, JSON, JSON Lines or Parquet.", show_default=False),
    ] = None,
    question: Annotated[str | None, typer.Option(help="Its column of questions; found when not given.")] = None,
    answer: Annotated[str | None, typer.Option(help="Its column of answers; found when not given.")] = None,
    limit: Annotated[
        int | None, typer.Option(min=80, help=f"Questions asked live. {default('231')}", show_default=False)
    ] = None,
    stay: Annotated[
        bool | None,
        typer.Option("--stay/--stop", help=f"Leave everything running. {default('at a terminal')}", show_default=False),
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
    from teachback.infra.demo import home
    from teachback.infra.demo.board import Board
    from teachback.infra.demo.ending import save_screen, tell_end
    from teachback.infra.demo.script import LIMIT, harbour_bank, own_data, shuffled
    from teachback.infra.demo.settings import settings_for
    from teachback.infra.demo.show import Show
    from teachback.infra.demo.story import Story

    shared = context_of(context)
    script = own_data(data, question, answer, limit) if data else harbour_bank(limit or LIMIT)
    if sabotage == "shuffled":
        script = shuffled(script)
    installation = home.installation_of(shared.installation())
    home.fresh(installation)
    config = home.configure(installation, settings_for(script, installation.models, data_check))
    forget_variables(os.environ)
    configured = Context(config, shared.out).installation()
    board = Board(script.title)
    show = Show(board, shared.out)
    keep = sys.stdin.isatty() if stay is None else stay
    report = told(Story(script, configured, config, board, show.tell), show, keep)
    tell_end(shared.out, report, configured.home, keep)
    if screenshot:
        save_screen(screenshot, show.draw(), report, configured.home, keep)
    if not report.promoted:
        raise typer.Exit(NOT_PROMOTED)


def told(story: "Story", show: "Show", keep: bool) -> "Report":
    """Play it to its end on the screen. Whatever happens, its threads end; its processes too, unless all went well and
    they are to be kept."""
    from teachback.infra import supervise

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    finished = False
    try:
        with show:
            report = story.tell()
        finished = True
    except BaseException:
        story.board.fail()
        raise
    finally:
        with undisturbed():
            try:
                story.close()
            finally:
                if not (finished and keep):
                    supervise.shutdown(story.demo)
    return report


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
