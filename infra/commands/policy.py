"""`teachback policy show | set`: what people decide about the loop."""

from typing import Annotated

import msgspec
import typer

from teachback.infra import policy
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
    found = policy.current(installation.cluster, installation.bot)
    if found is None:
        raise PolicyError(f"bot {installation.bot!r} has no policy yet; `teachback up` publishes the default")
    visible = msgspec.to_builtins(found)
    visible["audit_salt"] = "(hidden)"
    shared.out.print_json(data=visible)


def change(
    context: typer.Context,
    threshold: Annotated[float | None, typer.Option(min=0, max=1, help="Confidence below it is reviewed.")] = None,
    audit_rate: Annotated[float | None, typer.Option(min=0, max=1, help="Share of live traffic audited.")] = None,
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
    found = policy.change(installation.cluster, installation.bot, changes)
    shared.out.print(
        f"policy {found.version} is published: threshold {found.threshold:g}, audits {found.audit_rate:.1%}"
    )
