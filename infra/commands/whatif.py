"""`teachback whatif`: what another policy would have done with the traffic that was."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from teachback.infra.away import answering
from teachback.infra.console import as_json, context_of
from teachback.infra.policy import PolicyError, changed
from teachback.infra.whatif import options as its
from teachback.infra.whatif.asked import Asked
from teachback.infra.whatif.change import Change
from teachback.infra.whatif.times import moment
from teachback.infra.whatif.words import span_told
from teachback.schemas import Policy


def register(app: typer.Typer) -> None:
    """Hang the command into the app."""
    app.command()(whatif)


def when(text: str) -> int:
    """A moment in ms, from how long ago or from a date."""
    return moment(text, int(time.time() * 1000))


WHEN = {"parser": its.parsing(when), "metavar": "7d|DATE"}


def whatif(
    context: typer.Context,
    *,
    since: Annotated[int, typer.Option(help="From when on: 24h, 7d, 2w ago, or a date.", **WHEN)] = "7d",  # type: ignore[assignment]  # parsed
    until: Annotated[int | None, its.option("--until", help="Up to when; without it, now.", **WHEN)] = None,
    threshold: its.Threshold = None,
    audit_rate: its.AuditRate = None,
    overlap: its.Overlap = None,
    budget: its.Budget = None,
    weight: its.Weights = None,
    rule: its.RuleName = None,
    topic: its.RuleTopic = None,
    pattern: its.RulePattern = None,
    escalated: its.RuleEscalated = None,
    remove_rule: its.RemoveRules = None,
    target: its.Target = None,
    confidence: its.Confidence = None,
    start: its.Start = None,
    calibration: Annotated[
        int | None, its.option("--calibration", min=0, help="Score again by this version; 0 is the stated prior.")
    ] = None,
    plot: Annotated[
        Path | None, its.option("--plot", metavar="FILE.png", help="Write the risk–coverage curve as a picture.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """What another policy would have done with the same traffic: reviews, accepted, wrong answers let through.

    Without a change it tells what the policy in force did. Nothing is published.
    """
    if plot is not None and plot.suffix.lower() != ".png":
        raise typer.BadParameter(f"{str(plot)!r} is no name of a picture: it is written as PNG, so end it in .png")
    from teachback.infra.history import read_decisions, read_history, read_seconds
    from teachback.infra.whatif import terminal
    from teachback.infra.whatif.effect import effect

    asked = Asked(
        threshold=threshold,
        audit_rate=audit_rate,
        overlap=overlap,
        budget=budget,
        weights=tuple(weight or ()),
        rule=rule,
        topic=topic,
        pattern=pattern,
        escalated=escalated,
        remove_rules=tuple(remove_rule or ()),
        target=target,
        confidence=confidence,
        start=start,
    )
    shared = context_of(context)
    installation = shared.installation()
    cluster = answering(installation)
    decisions = read_decisions(cluster, installation.bot)
    change = change_asked(decisions.policy, installation.bot, asked, calibration)
    with reading() as say:
        history = read_history(cluster, installation.bot, since, until, say)
    until = int(time.time() * 1000) if until is None else until
    seconds = read_seconds(cluster, installation.bot, since, until)
    found = effect(history, decisions, change, since, until, seconds)
    if json:
        shared.out.print_json(as_json(found))
    elif not len(history):
        about = f"no exchange of {installation.bot!r} was scored, {span_told(found)}"
        shared.out.print(f"{about}: there is nothing to ask about. `--since` may go further back.", soft_wrap=True)
    else:
        terminal.show(shared.out, found)
    if plot is not None:
        from teachback.infra.whatif.picture import draw

        draw(found, plot)


def change_asked(policy: Policy | None, bot: str, asked: Asked, calibration: int | None) -> Change:
    """The change that the options mean, weights and rules beside those in force. Raises PolicyError."""
    if policy is None:
        raise PolicyError(f"bot {bot!r} has no policy yet, so nothing was ever routed; `teachback up` publishes one")
    changes = asked.changes(policy)
    change = Change.of(changed(policy, changes), changes)
    return change if calibration is None else msgspec.structs.replace(change, calibration=calibration)


@contextmanager
def reading() -> Iterator[Callable[[int, int], None]]:
    """A progress bar, at a terminal and gone at the end, and what tells it how far the reading is."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task("reading decisions", total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)
