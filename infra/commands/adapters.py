"""`teachback adapters list | show | rollback` and `teachback runs`: what was trained, judged and served."""

from typing import Annotated

import typer
from rich.text import Text

from teachback.infra.away import answering
from teachback.infra.console import as_json, context_of, show_table, table
from teachback.infra.settings import SettingsError
from teachback.schemas.lineage import Lineage, bare

OUTCOMES = {"promoted": "green", "rejected": "red", "inconclusive": "yellow", "held": "yellow", "failed": "red"}
BARE = "the bare base model"


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
    lineage = adapters(answering(installation), installation.bot)
    rows = table("", "", "adapter", "made", "trained on", "beat", "sha256")
    rows.add_row(mark(lineage, bare(lineage.bot)), bare(lineage.bot), "", BARE, "", "")
    for name, event in lineage.registered.items():
        made, sha = f"{event.created:%Y-%m-%d %H:%M}", event.sha256[:12]
        rows.add_row(mark(lineage, name), name, made, f"{event.dataset.train} labels", event.parent or "", sha)
    show_table(shared.out, f"adapters of {installation.bot}", rows)


def mark(lineage: Lineage, name: str) -> Text:
    """What stands before the adapter in service."""
    return Text("●" if name == lineage.champion else "", "green")


def show(context: typer.Context, adapter: Annotated[str, typer.Argument(help="Such as `support@v3`.")]) -> None:
    """Everything the log says about one adapter: lineage, data, and the gate's record."""
    from teachback.trainer.alias import adapters
    from teachback.trainer.history import runs as all_runs

    shared = context_of(context)
    installation = shared.installation()
    cluster = answering(installation)
    lineage = adapters(cluster, installation.bot)
    described: object = lineage.registered.get(adapter)
    if adapter == bare(lineage.bot):
        described = {"id": adapter, "is": BARE}
    if described is None:
        known = ", ".join((bare(lineage.bot), *lineage.registered))
        raise SettingsError([f"there is no adapter {adapter!r}; there are {known}"])
    judged = [run.last for run in all_runs(cluster, installation.bot) if run.last.adapter == adapter]
    changes = [change for change in lineage.changes if change.adapter == adapter]
    shared.out.print_json(as_json({"adapter": described, "runs": judged, "served": changes}))


def rollback(
    context: typer.Context,
    to: Annotated[str, typer.Argument(help="An adapter that served before; `bot@v0` is the bare base.")],
    reason: Annotated[str | None, typer.Option(help="Why, for the record.")] = None,
) -> None:
    """Put an earlier adapter back in service: one event, taken up by the chatbot within a second."""
    from teachback.trainer.alias import rollback as roll_back

    shared = context_of(context)
    installation = shared.installation()
    lineage = roll_back(answering(installation), installation.bot, to, reason)
    shared.out.print(f"{lineage.champion} is in service")


def runs(context: typer.Context) -> None:
    """Every training run and what the gate said."""
    from teachback.trainer.history import runs as all_runs

    shared = context_of(context)
    installation = shared.installation()
    rows = table("", "run", "state", "labels", "adapter", "why")
    for run in (view.last for view in all_runs(answering(installation), installation.bot)):
        state = Text(run.state, OUTCOMES.get(run.state, ""))
        why = run.gate.explanation if run.gate else run.reason or ""
        rows.add_row(run.id[:8], state, f"{run.dataset.train} + {run.dataset.eval} locked", run.adapter or "", why)
    show_table(shared.out, f"runs of {installation.bot}", rows)
