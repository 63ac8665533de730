"""`teachback topics apply | show`: the topics of the table on the cluster."""

import typer

from teachback.infra import topics
from teachback.infra.console import context_of, table


def register(app: typer.Typer) -> None:
    """Hang the group into the app."""
    group = typer.Typer(help="The topics that the loop is made of.", no_args_is_help=True)
    group.command("apply")(apply)
    group.command("show")(show)
    app.add_typer(group, name="topics")


def apply(context: typer.Context) -> None:
    """Make the topics that are missing. Changes nothing else; refuses a changed partition count by name."""
    shared = context_of(context)
    made = topics.apply(shared.installation().cluster)
    for name in made:
        shared.out.print(f"made {name}")
    if not made:
        shared.out.print("all topics are there")


def show(context: typer.Context) -> None:
    """Every topic of the table beside what the cluster has."""
    shared = context_of(context)
    cluster = shared.installation().cluster
    rows = table(f"topics on {cluster.bootstrap}", "topic", "partitions", "found", "configuration")
    for state in topics.show(cluster):
        found = "[red]missing[/]" if state.found is None else str(state.found)
        right = found if state.found in {None, state.wanted} else f"[red]{found}[/]"
        config = ", ".join(f"{key}={value}" for key, value in state.config.items())
        rows.add_row(state.full_name, str(state.wanted), right, f"[dim]{config}[/]")
    shared.out.print(rows)
