"""`teachback models fetch`: what a machine without a network later will need."""

import typer

from teachback.infra.commands.operate import progress_of
from teachback.infra.console import context_of


def register(app: typer.Typer) -> None:
    """Hang the group into the app."""
    group = typer.Typer(help="The base model and the embedder.", no_args_is_help=True)
    group.command("fetch")(fetch)
    app.add_typer(group, name="models")


def fetch(context: typer.Context) -> None:
    """Fetch the models that aren't configured, and the local Kafka's jars, so that `teachback up` needs no network."""
    from teachback.infra import up
    from teachback.infra.parts import base_model, embedder

    shared = context_of(context)
    installation = shared.installation()
    with progress_of(shared, "Fetching") as say:
        up.fetch(installation, say)
    for name, folder in (("base", base_model(installation)), ("embedder", embedder(installation))):
        shared.out.print(f"{name:<10}{folder}", markup=False, soft_wrap=True)
