"""`teachback topics apply | show`: the topics of the table on the cluster."""

import typer
from rich.text import Text

from teachback.infra import topics
from teachback.infra.away import answering
from teachback.infra.console import context_of, show_table, table


def register(app: typer.Typer) -> None:
    """Hang the group into the app."""
    group = typer.Typer(help="The topics that the loop is made of.", no_args_is_help=True)
    group.command("apply")(apply)
    group.command("show")(show)
    app.add_typer(group, name="topics")


def apply(context: typer.Context) -> None:
    """Make the topics that are missing. Changes nothing else; refuses a changed partition count by name."""
    shared = context_of(context)
    made = topics.apply(answering(shared.installation()))
    for name in made:
        shared.out.print(f"made {name}")
    if not made:
        shared.out.print("all topics are there")


def show(context: typer.Context) -> None:
    """Every topic of the table beside what the cluster has."""
    shared = context_of(context)
    cluster = answering(shared.installation())
    rows = table("", "topic", "partitions", "found", "configuration")
    for state in topics.show(cluster):
        said = "missing" if state.found is None else str(state.found)
        found = Text(said, "" if state.found == state.wanted else "red")
        config = ", ".join(f"{key}={value}" for key, value in state.config.items())
        rows.add_row(state.full_name, str(state.wanted), found, Text(config, "dim"))
    show_table(shared.out, f"topics on {cluster.bootstrap}", rows)
