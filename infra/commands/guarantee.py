"""`teachback guarantee`: what is promised about answers that nobody looks at, and whether the log bears it out."""

import time
from collections.abc import Sequence
from typing import Annotated

import typer

from teachback.infra.away import answering
from teachback.infra.commands.whatif import reading
from teachback.infra.console import Context, as_json, context_of
from teachback.infra.policy import PolicyError
from teachback.infra.whatif import options as its
from teachback.schemas.topics import DAY_MS

RECENT_DAYS = 7


def register(app: typer.Typer) -> None:
    """Hang the command into the app."""
    app.command()(guarantee)


def guarantee(
    context: typer.Context,
    *,
    adapter: Annotated[
        str | None,
        its.option("--adapter", help="Of this adapter alone; without it, of all that answer or are certified."),
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Count every certificate again from the log instead.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """What is promised about the answers that nobody looks at: on what evidence, and what it leaves out.

    Where nothing is promised it says why, and how many clean audits are missing.

    With --verify every certificate is counted again from the log: weights, signals, reviewers' verdicts.

    Exit code 1 of --verify: the log does not bear one out, or no longer can one that is in force.
    """
    shared = context_of(context)
    if verify:
        recount(shared, adapter, json)
    else:
        explain(shared, adapter, json)


def explain(shared: Context, adapter: str | None, json: bool) -> None:
    """The promise for each adapter that is asked about."""
    from teachback.infra.confidence.guarantee import About, adapters
    from teachback.infra.confidence.guarantee import guarantee as promised
    from teachback.infra.confidence.reading import lost_before, read_state
    from teachback.infra.confidence.terminal import show_guarantee
    from teachback.infra.history import read_decisions, read_history
    from teachback.infra.status import current_champion

    installation = shared.installation()
    cluster, bot = answering(installation), installation.bot
    now = int(time.time() * 1000)
    since = max(now - RECENT_DAYS * DAY_MS, (lost_before(cluster) or 0) + 1)
    with reading() as say:
        recent = read_history(cluster, bot, since, None, say)
    with reading() as say:
        state = read_state(cluster, bot, say)
    decisions, champion = read_decisions(cluster, bot), current_champion(cluster, bot)
    known = adapters(recent, state, champion)
    names = known if adapter is None else chosen(adapter, known)
    found = [promised(About(decisions, state, recent, name, now), champion) for name in names]
    if json:
        shared.out.print_json(as_json(found))
        return
    for place, one in enumerate(found):
        if place:
            shared.out.print()
            shared.out.rule(style="dim")
        show_guarantee(shared.out, one)


def recount(shared: Context, adapter: str | None, json: bool) -> None:
    """Every certificate again, from the log."""
    from teachback.infra.confidence.reading import lost_before, read_state
    from teachback.infra.confidence.terminal import show_recounts
    from teachback.infra.confidence.verify import verify

    installation = shared.installation()
    cluster = answering(installation)
    with reading() as say:
        state = read_state(cluster, installation.bot, say)
    found = verify(state, lost_before(cluster))
    if adapter is not None:
        names = chosen(adapter, tuple(dict.fromkeys(one.adapter for one in found)))
        found = tuple(one for one in found if one.adapter in names)
    if json:
        shared.out.print_json(as_json(found))
    else:
        show_recounts(shared.out, found)
    if any(one.bad for one in found):
        raise typer.Exit(1)


def chosen(adapter: str, known: Sequence[str]) -> tuple[str]:
    """The one asked for. Raises PolicyError for one that the log does not know, naming those that it does."""
    if adapter not in known:
        raise PolicyError(f"the log says nothing of adapter {adapter!r}; it knows {', '.join(known) or 'none'}")
    return (adapter,)
