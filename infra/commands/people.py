"""`teachback review` and `teachback reviewers`: people at the queue."""

from typing import Annotated

import typer

from teachback.infra import reviewers, supervise
from teachback.infra.console import context_of, table
from teachback.infra.reviewers import ReviewerError


def register(app: typer.Typer) -> None:
    """Hang the commands into the app."""
    app.command()(review)
    group = typer.Typer(help="Who may review.", no_args_is_help=True)
    group.command("add")(add)
    group.command("list")(list_all)
    app.add_typer(group, name="reviewers")


def review(
    context: typer.Context,
    url: Annotated[
        str | None, typer.Option(envvar="TEACHBACK_URL", help="The desk's address.", show_default=False)
    ] = None,
    token: Annotated[
        str | None, typer.Option(envvar="TEACHBACK_TOKEN", help="Your token, from `teachback reviewers add`.")
    ] = None,
) -> None:
    """Work the review queue in this terminal."""
    from teachback.consumers.review import run

    shared = context_of(context)
    if not token:
        raise ReviewerError("who are you? Give --token or TEACHBACK_TOKEN; `teachback reviewers add NAME` makes one")
    if url is None:
        desk = shared.installation().part("desk")
        url = f"http://{desk.host}:{desk.port}"
    run(url, token)


def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Lower-case, such as `ann` or `legal.1`.")],
    role: Annotated[str, typer.Option(help="reviewer, adjudicator or admin")] = "reviewer",
    topic: Annotated[list[str] | None, typer.Option(help="A topic of expertise; repeat it. None: all topics.")] = None,
) -> None:
    """Let somebody review. Prints their token, once; the desk is restarted to know them."""
    shared = context_of(context)
    installation = shared.installation()
    token = reviewers.add(installation.home, name, role, tuple(topic or ()))
    if any(state.name == "desk" and state.pid for state in supervise.states(installation)):
        supervise.stop_parts(installation, ["desk"])
        supervise.start_part(installation, "desk")
    shared.out.print(f"{name} ({role}) reviews with this token; it is shown only now:\n\n  {token}\n")
    shared.out.print(f"  {'TEACHBACK_TOKEN=' + token} teachback review", soft_wrap=True)


def list_all(context: typer.Context) -> None:
    """Everyone who may review."""
    shared = context_of(context)
    rows = table("", "name", "role", "topics")
    for person in reviewers.read(shared.installation().home):
        rows.add_row(person.name, person.role, ", ".join(person.topics) or "all")
    shared.out.print(rows)
