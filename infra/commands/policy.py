"""`teachback policy show | set | history`: what people decide about the loop."""

import time
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
import typer
from rich.text import Text

from teachback.infra import policy
from teachback.infra.away import answering
from teachback.infra.commands.whatif import reading
from teachback.infra.console import as_json, context_of, show_table, table
from teachback.infra.policy import PolicyError
from teachback.infra.whatif import options as its
from teachback.infra.whatif import record
from teachback.infra.whatif.asked import Asked, positive
from teachback.infra.whatif.change import Change
from teachback.infra.whatif.words import told_in_a_line
from teachback.schemas import Policy
from teachback.schemas.topics import DAY_MS
from teachback.schemas.wire import Cluster, TopicMismatch

PATTERN_NOTE = (
    "A pattern is searched in every question. Where a search takes too long, as that of (a+)+b may, the exchange goes "
    "to review with the reason `undecided`: keep it plain."
)


def register(app: typer.Typer) -> None:
    """Hang the group into the app."""
    group = typer.Typer(help="Threshold, audits, rules: changed while everything runs.", no_args_is_help=True)
    group.command("show")(show)
    group.command("set")(change)
    group.command("history")(history)
    app.add_typer(group, name="policy")


def show(context: typer.Context, json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """The policy in force."""
    shared = context_of(context)
    installation = shared.installation()
    found = policy.current(answering(installation), installation.bot)
    if found is None:
        raise PolicyError(f"bot {installation.bot!r} has no policy yet; `teachback up` publishes the default")
    if json:
        shared.out.print_json(as_json(visible(found)))
        return
    rows = table("", "", "", "")
    rows.show_header = False
    for name in record.MEANS:
        rows.add_row(name, record.told(name, getattr(found, name)), Text(record.MEANS[name], "dim"))
    show_table(shared.out, f"policy {found.version} of {found.bot}, {found.created:%Y-%m-%d %H:%M} UTC", rows)
    if found.reason:
        shared.out.print(f"\nreason: {found.reason}", soft_wrap=True)


def visible(found: Policy) -> dict[str, object]:
    """A policy for programs, defaults told; without its salt, which would tell which answers are audited."""
    nested = {
        "rules": [msgspec.structs.asdict(rule) for rule in found.rules],
        "promise": None if found.promise is None else msgspec.structs.asdict(found.promise),
    }
    return msgspec.structs.asdict(found) | nested | {"audit_salt": record.HIDDEN}


def change(
    context: typer.Context,
    *,
    threshold: its.Threshold = None,
    audit_rate: its.AuditRate = None,
    overlap: its.Overlap = None,
    budget: its.Budget = None,
    audit_hours: Annotated[
        float | None,
        its.option(
            "--audit-hours",
            parser=its.parsing(positive),
            metavar="HOURS",
            help="An audit that is open for longer counts as wrong in a certificate.",
        ),
    ] = None,
    thumbs_down: Annotated[
        Literal["review", "ignore"] | None,
        its.option("--thumbs-down", help="What a thumb down on an accepted answer does."),
    ] = None,
    feedback_days: Annotated[
        float | None,
        its.option(
            "--feedback-days",
            parser=its.parsing(positive),
            metavar="DAYS",
            help="How long after an exchange its feedback is joined to it; at most 30.",
        ),
    ] = None,
    weight: its.Weights = None,
    rule: its.RuleName = None,
    topic: its.RuleTopic = None,
    pattern: its.RulePattern = None,
    escalated: its.RuleEscalated = None,
    remove_rule: its.RemoveRules = None,
    promise: its.Promised = None,
    target: its.Target = None,
    confidence: its.Confidence = None,
    start: its.Start = None,
    reason: Annotated[str | None, its.option("--reason", help="Why, for the record.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would change, and publish nothing.")] = False,
) -> None:
    """Publish a new version of the policy; workers take it up with their next batch.

    Tells what the change would have done with the last 24 hours' traffic; `teachback whatif` tells more.
    """
    asked = Asked(
        threshold=threshold,
        audit_rate=audit_rate,
        overlap=overlap,
        budget=budget,
        audit_hours=audit_hours,
        thumbs_down=thumbs_down,
        feedback_days=feedback_days,
        weights=tuple(weight or ()),
        rule=rule,
        topic=topic,
        pattern=pattern,
        escalated=escalated,
        remove_rules=tuple(remove_rule or ()),
        promise=promise,
        target=target,
        confidence=confidence,
        start=start,
    )
    if not asked:
        raise PolicyError("nothing to change: give --threshold, --audit-rate or another option; --help lists them")
    shared = context_of(context)
    installation = shared.installation()
    cluster = answering(installation)
    before = in_force(cluster, installation.bot, dry_run)
    after = policy.changed(before, asked.changes(before) | ({"reason": reason} if reason else {}))
    if not policy.differences(before, after):
        shared.out.print(f"nothing changes: version {before.version} says that already, and nothing is published")
        return
    for line in record.changes_told(before, after):
        shared.out.print(line, soft_wrap=True)
    for line in consequences(cluster, before, after):
        shared.out.print(line, soft_wrap=True)
    if pattern is not None:
        shared.out.print(PATTERN_NOTE, soft_wrap=True)
    if dry_run:
        shared.out.print(f"nothing is published; without --dry-run it would be version {after.version}")
        return
    policy.publish(cluster, after)
    shared.out.print(f"policy {after.version} is published")


def in_force(cluster: Cluster, bot: str, dry_run: bool) -> Policy:
    """The policy that is changed; where there is none yet, the default, which only a true change publishes."""
    if dry_run:
        return policy.current(cluster, bot) or policy.default(bot)
    return policy.ensure_policy(cluster, bot)


def consequences(cluster: Cluster, before: Policy, after: Policy) -> list[str]:
    """What the change would have done in the last 24 hours; nothing of a change that routes nothing."""
    from teachback.infra.history import read_decisions, read_history
    from teachback.infra.whatif.effect import effect

    asked = Change.between(before, after)
    if not asked:
        return []
    until = int(time.time() * 1000)
    since = until - DAY_MS
    try:
        with reading() as say:
            found = read_history(cluster, before.bot, since, until, say)
        decisions = read_decisions(cluster, before.bot)
    except (PolicyError, TopicMismatch) as exc:
        return [f"what it would have done in the last 24 h is not known: {exc}"]
    if not len(found):
        return ["no exchange was scored in the last 24 h, so there is nothing to compare with"]
    return [f"the last 24 h: {told_in_a_line(effect(found, decisions, asked, since, until))}"]


def history(
    context: typer.Context, json: Annotated[bool, typer.Option("--json", help="For programs.")] = False
) -> None:
    """Every version of the policy: when, what it changed, and why."""
    from teachback.infra.history import read_decisions

    shared = context_of(context)
    installation = shared.installation()
    found = read_decisions(answering(installation), installation.bot).policies
    if json:
        shared.out.print_json(as_json([visible(one.event) for one in found]))
        return
    if not found:
        raise PolicyError(f"bot {installation.bot!r} has no policy yet; `teachback up` publishes the default")
    rows = table("", "version", "when (UTC)", "what changed", "reason")
    for one, said in zip(found, record.versions_told([one.event for one in found]), strict=True):
        when = f"{datetime.fromtimestamp(one.time / 1000, UTC):%Y-%m-%d %H:%M}"
        rows.add_row(str(one.event.version), when, said, one.event.reason or "")
    show_table(shared.out, f"policies of {installation.bot}", rows)
