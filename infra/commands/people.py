"""`teachback review` and `teachback reviewers`: people at the queue."""

from typing import Annotated, Any

import typer

from teachback.infra import reviewers, supervise
from teachback.infra.console import Context, context_of, default, table
from teachback.infra.reviewers import ReviewerError


def register(app: typer.Typer) -> None:
    """Hang the commands into the app."""
    app.command()(review)
    group = typer.Typer(help="Who may review.", no_args_is_help=True)
    group.command("add")(add)
    group.command("remove")(remove)
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
    role: Annotated[
        str | None,
        typer.Option(help=f"reviewer, adjudicator or admin {default('reviewer')}", show_default=False),
    ] = None,
    topic: Annotated[
        list[str] | None,
        typer.Option(help=f"A topic of expertise; repeat it. {default('all topics')}", show_default=False),
    ] = None,
) -> None:
    """Let somebody review. Prints their token, once; the desk is restarted to know it.

    Somebody who is known gets a new token, and the earlier one no longer works; role and topics stay unless given.
    """
    shared = context_of(context)
    home = shared.installation().home
    known = any(person.name == name for person in reviewers.read(home))
    token = reviewers.add(home, name, role, tuple(topic) if topic else None)
    person = next(person for person in reviewers.read(home) if person.name == name)
    about = f"{name} ({person.role}, {topics_of(person)})"
    if known:
        shared.out.print(f"{name} was known: the earlier token no longer works", soft_wrap=True)
    shared.out.print(f"{about} reviews with this token; it is shown only now:\n\n  {token}\n", soft_wrap=True)
    shared.out.print(f"  TEACHBACK_TOKEN={token} {shared.command('review')}\n", soft_wrap=True)
    restart_desk(shared)


def remove(context: typer.Context, name: Annotated[str, typer.Argument(help="As `reviewers list` has it.")]) -> None:
    """Let somebody review no more: their token no longer works, what they judged stays."""
    shared = context_of(context)
    reviewers.remove(shared.installation().home, name)
    shared.out.print(f"{name} may review no more")
    restart_desk(shared)


def list_all(context: typer.Context) -> None:
    """Everyone who may review."""
    shared = context_of(context)
    people = reviewers.read(shared.installation().home)
    if not people:
        shared.out.print(
            f"Nobody may review yet. `{shared.command('reviewers add NAME')}` adds somebody.", soft_wrap=True
        )
        return
    rows = table("", "name", "role", "topics")
    for person in people:
        rows.add_row(person.name, person.role, topics_of(person))
    shared.out.print(rows)


def topics_of(person: Any) -> str:
    """What a reviewer is given."""
    return ", ".join(person.topics) or "all topics"


def restart_desk(shared: Context) -> None:
    """Let the desk know: it reads who may review when it starts."""
    installation = shared.installation()
    if any(state.name == "desk" and state.pid for state in supervise.states(installation)):
        supervise.stop_parts(installation, ["desk"])
        supervise.start_part(installation, "desk")
        shared.out.print("The desk was restarted, and knows it.")
    else:
        shared.out.print(
            "No desk runs here; one that runs elsewhere has to be started again to know it.", soft_wrap=True
        )
