"""`teachback confidence show | report`: what the confidences are made of, and what they are worth."""

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from teachback.infra.away import answering
from teachback.infra.commands.whatif import WHEN, reading
from teachback.infra.console import as_json, context_of, from_here
from teachback.infra.policy import PolicyError
from teachback.infra.whatif import options as its
from teachback.infra.wholefile import whole

NO_POLICY = "has no policy yet, so nothing is scored; `teachback up` publishes one"


def register(app: typer.Typer) -> None:
    """Hang the group into the app."""
    group = typer.Typer(help="How far answers are trusted, and what that trust is worth.", no_args_is_help=True)
    group.command("show")(show)
    group.command("report")(report)
    app.add_typer(group, name="confidence")


def show(context: typer.Context, json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """What scores and routes answers now: calibration, its quality, weights by size, threshold and who sets it.

    One part for the adapter in service, and one for each other adapter with a certificate in force.
    """
    from teachback.infra.confidence.standing import standings
    from teachback.infra.confidence.terminal import show_standings
    from teachback.infra.history import read_decisions
    from teachback.infra.status import current_champion

    shared = context_of(context)
    installation = shared.installation()
    cluster = answering(installation)
    decisions = read_decisions(cluster, installation.bot)
    found = standings(decisions, installation.bot, current_champion(cluster, installation.bot))
    if not found:
        raise PolicyError(f"bot {installation.bot!r} {NO_POLICY}")
    if json:
        shared.out.print_json(as_json(found))
    else:
        show_standings(shared.out, found)


def report(
    context: typer.Context,
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE.html", help="Where to write it; replaced if it is there.")
    ] = Path("confidence.html"),
    since: Annotated[int, typer.Option(help="From when on: 24h, 7d, 2w ago, or a date.", **WHEN)] = "30d",  # type: ignore[assignment]  # parsed
    until: Annotated[int | None, its.option("--until", help="Up to when; without it, now.", **WHEN)] = None,
) -> None:
    """Write one HTML page: whether confidences can be believed, and the promise that rests on them.

    Reliability, risk and coverage, scores by outcome, signals, audits over time, every certificate.

    The page is whole: it loads nothing, runs nothing, and can be mailed or printed.

    It holds figures and names only; no id and no text of an exchange.
    """
    if output.suffix.lower() not in {".html", ".htm"}:
        raise typer.BadParameter(f"{str(output)!r} is no name of a page: end it in .html")
    if not output.absolute().parent.is_dir():
        raise typer.BadParameter(f"there is no folder {str(output.parent)!r} to write it into")
    from teachback.infra.confidence.figures import figures
    from teachback.infra.confidence.page import page
    from teachback.infra.confidence.reading import read_state
    from teachback.infra.history import read_decisions, read_history
    from teachback.infra.status import current_champion

    shared = context_of(context)
    installation = shared.installation()
    cluster, bot = answering(installation), installation.bot
    with reading() as say:
        history = read_history(cluster, bot, since, until, say)
    with reading() as say:
        state = read_state(cluster, bot, say)
    decisions, champion = read_decisions(cluster, bot), current_champion(cluster, bot)
    found = figures(history, decisions, state, champion, since, int(time.time() * 1000) if until is None else until)
    written = page(found)
    whole(output, written)
    size = f"{len(written.encode()) / 1024:,.0f} kB, {len(history):,} exchanges"
    shared.out.print(Text.assemble(("written ", "green"), f"{from_here(output.absolute())} ({size})"), soft_wrap=True)
