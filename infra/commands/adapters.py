"""`teachback adapters list | show | rollback` and `teachback runs`: what was trained, judged and served."""

from typing import Annotated

import typer

from teachback.infra.console import as_json, context_of, table
from teachback.infra.settings import SettingsError

OUTCOMES = {"promoted": "green", "rejected": "red", "inconclusive": "yellow", "held": "yellow", "failed": "red"}


def register(app: typer.Typer) -> None:
    """Hang the commands into the app."""
    group = typer.Typer(help="Adapters, and which of them serves.", no_args_is_help=True)
    group.command("list")(list_all)
    group.command("show")(show)
    group.command("rollback")(rollback)
    app.add_typer(group, name="adapters")
    app.command()(runs)


def list_all(context: typer.Context) -> None:
    """Every adapter; the one in service is marked."""
    from teachback.trainer.alias import adapters

    shared = context_of(context)
    installation = shared.installation()
    lineage = adapters(installation.cluster, installation.bot)
    rows = table(f"adapters of {installation.bot}", "", "adapter", "made", "trained on", "beat", "sha256")
    rows.add_row("●" if not lineage.changes else "", f"{installation.bot}@v0", "", "the bare base model", "", "")
    for name, event in lineage.registered.items():
        mark = "[green]●[/]" if name == lineage.champion else ""
        made, sha = f"{event.created:%Y-%m-%d %H:%M}", event.sha256[:12]
        rows.add_row(mark, name, made, f"{event.dataset.train} labels", event.parent or "", sha)
    shared.out.print(rows)


def show(context: typer.Context, adapter: Annotated[str, typer.Argument(help="Such as `support@v3`.")]) -> None:
    """Everything the log says about one adapter: lineage, data, and the gate's record."""
    from teachback.trainer.alias import adapters
    from teachback.trainer.history import runs as all_runs

    shared = context_of(context)
    installation = shared.installation()
    lineage = adapters(installation.cluster, installation.bot)
    event = lineage.registered.get(adapter)
    if event is None:
        raise SettingsError(
            [f"there is no adapter {adapter!r}; there are {', '.join(lineage.registered) or 'none yet'}"]
        )
    judged = [run.last for run in all_runs(installation.cluster, installation.bot) if run.last.adapter == adapter]
    changes = [change for change in lineage.changes if change.adapter == adapter]
    shared.out.print_json(as_json({"adapter": event, "runs": judged, "served": changes}))


def rollback(
    context: typer.Context,
    to: Annotated[str, typer.Argument(help="An adapter that served before; `bot@v0` is the bare base.")],
    reason: Annotated[str | None, typer.Option(help="Why, for the record.")] = None,
) -> None:
    """Put an earlier adapter back in service: one event, taken up by the chatbot within a second."""
    from teachback.trainer.alias import rollback as roll_back

    shared = context_of(context)
    installation = shared.installation()
    lineage = roll_back(installation.cluster, installation.bot, to, reason)
    shared.out.print(f"{lineage.champion} is in service")


def runs(context: typer.Context) -> None:
    """Every training run and what the gate said."""
    from teachback.trainer.history import runs as all_runs

    shared = context_of(context)
    installation = shared.installation()
    rows = table(f"runs of {installation.bot}", "run", "state", "labels", "adapter", "why")
    for run in (view.last for view in all_runs(installation.cluster, installation.bot)):
        style = OUTCOMES.get(run.state, "")
        state = f"[{style}]{run.state}[/]" if style else run.state
        why = run.gate.explanation if run.gate else run.reason or ""
        rows.add_row(run.id[:8], state, f"{run.dataset.train} + {run.dataset.eval} locked", run.adapter or "", why)
    shared.out.print(rows)
