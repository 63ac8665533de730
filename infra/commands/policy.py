"""`teachback policy show | set`: what people decide about the loop."""

import math
from typing import Annotated

import msgspec
import typer

from teachback.infra import policy
from teachback.infra.away import answering
from teachback.infra.console import context_of
from teachback.infra.policy import PolicyError


def register(app: typer.Typer) -> None:
    """Hang the group into the app."""
    group = typer.Typer(help="Threshold, audits, rules: changed while everything runs.", no_args_is_help=True)
    group.command("show")(show)
    group.command("set")(change)
    app.add_typer(group, name="policy")


def show(context: typer.Context) -> None:
    """The policy in force."""
    shared = context_of(context)
    installation = shared.installation()
    found = policy.current(answering(installation), installation.bot)
    if found is None:
        raise PolicyError(f"bot {installation.bot!r} has no policy yet; `teachback up` publishes the default")
    visible = msgspec.to_builtins(found)
    visible["audit_salt"] = "(hidden)"
    shared.out.print_json(data=visible)


def share(text: str) -> float:
    """A number from 0 to 1; `nan`, which every comparison lets pass, is none."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 <= found <= 1:
        raise typer.BadParameter(f"{text!r} is no number from 0 to 1")
    return found


def change(
    context: typer.Context,
    threshold: Annotated[
        float | None, typer.Option(parser=share, metavar="0…1", help="Confidence below it is reviewed.")
    ] = None,
    audit_rate: Annotated[
        float | None, typer.Option(parser=share, metavar="0…1", help="Share of live traffic audited.")
    ] = None,
    overlap: Annotated[int | None, typer.Option(min=1, max=9, help="Reviewers for each item, at least.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why, for the record.")] = None,
) -> None:
    """Publish a new version of the policy; workers take it up with their next batch."""
    shared = context_of(context)
    installation = shared.installation()
    given = {"threshold": threshold, "audit_rate": audit_rate, "overlap": overlap, "reason": reason}
    changes = {name: value for name, value in given.items() if value is not None}
    if not set(changes) - {"reason"}:
        raise PolicyError("nothing to change: give --threshold, --audit-rate or --overlap")
    found = policy.change(answering(installation), installation.bot, changes)
    shared.out.print(
        f"policy {found.version} is published: threshold {found.threshold:g}, audits {found.audit_rate:.1%}"
    )
