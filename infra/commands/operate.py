"""`teachback up | down | status | doctor | run`: running an installation."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from teachback.infra import doctor as diagnosis
from teachback.infra import parts, supervise
from teachback.infra.console import Context, as_json, command_line, context_of, from_here, show_table, table
from teachback.infra.failures import OUTSIDE
from teachback.infra.status import Overview, overview
from teachback.infra.threshold import told
from teachback.infra.up import Say

STYLES = {"running": "green", "starting": "yellow", "backoff": "yellow", "stopped": "dim", "fatal": "red"}
ONLY = typer.Option("--only", help="Start only these parts; repeat the option for several.", show_default=False)


def register(app: typer.Typer) -> None:
    """Hang the commands into the app."""
    app.command()(up)
    app.command()(down)
    app.command()(status)
    app.command()(doctor)
    app.command(hidden=True)(run)


def up(context: typer.Context, only: Annotated[list[str] | None, ONLY] = None) -> None:
    """Start everything that does not run yet: Kafka (unless one is configured), topics, and the parts of the loop."""
    from teachback.infra.up import address
    from teachback.infra.up import up as bring_up

    shared = context_of(context)
    installation = shared.installation()
    names = tuple(only) if only else parts.NAMES
    with progress_of(shared, "Starting") as say:
        cluster = bring_up(installation, shared.config, say, names)
    said = f"  Kafka {cluster.bootstrap} logs in {installation.home / 'logs'}"
    shared.out.print(Text.assemble(("up", "green"), said), soft_wrap=True)
    for name in names:
        if url := address(installation, name):
            shared.out.print(f"    {name:<8} {url}")
    status, down = shared.command("status"), shared.command("down")
    shared.out.print(f"    `{status}` shows the loop, `{down}` stops it", soft_wrap=True)


def down(context: typer.Context) -> None:
    """Stop everything that `teachback up` or `teachback demo` started here. Safe to repeat."""
    from teachback.infra.demo.home import installations

    shared = context_of(context)
    for installation in installations(shared.installation()):
        was = supervise.running(installation)
        supervise.shutdown(installation)
        said = "stopped" if was else "nothing was running"
        shared.out.print(f"{installation.home}: {said}", markup=False, soft_wrap=True)


def status(context: typer.Context, json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """What runs, since when, and how far the loop has come.

    Exit code 1: something keeps that from being known, and is told.
    """
    shared = context_of(context)
    found = overview(shared.installation())
    if json:
        shared.out.print_json(as_json(found))
    else:
        tell_status(shared, found)
    if found.problem:
        raise typer.Exit(1)


def tell_status(shared: Context, found: Overview) -> None:
    """Processes, then topics and champion, or why they are not known."""
    rows = table("", "process", "state", "pid", "up", "")
    for process in found.processes:
        pid, since = (str(process.pid), f"{process.uptime:.0f} s") if process.pid else ("", "")
        state = Text(process.state, STYLES.get(process.state, ""))
        rows.add_row(process.name, state, pid, since, process.does)
    show_table(shared.out, f"{found.bot}  ({found.home})", rows)
    if found.topics:
        counts = table("\ntopics", "name", "records")
        for name, count in found.topics.items():
            counts.add_row(name, f"{count:,}")
        shared.out.print(counts)
        shared.out.print(f"\nchampion  {found.champion or 'unknown: there is no topic models.adapters'}")
        if found.routing is not None:
            shared.out.print(f"threshold {told(found.routing)}", soft_wrap=True)
        if any(found.feedback.values()):
            fates = ", ".join(f"{count:,} {fate}" for fate, count in found.feedback.items() if count)
            shared.out.print(f"thumbs    {fates}", soft_wrap=True)
    if found.problem:
        shared.out.print(Text(found.problem, "red"), soft_wrap=True)
    elif not found.processes and not found.topics:
        shared.out.print(f"Nothing runs here. `{shared.command('up')}` starts it.", soft_wrap=True)
    if found.demo:
        shared.out.print(f"A demo runs: {command_line('status', from_here(found.demo))}", soft_wrap=True)


def doctor(context: typer.Context) -> None:
    """Check this machine and the configuration, and say what to do about what is missing."""
    shared = context_of(context)
    checks = diagnosis.checks(shared.config)
    rows = table("", "", "check", "finding")
    for check in checks:
        rows.add_row(Text("✓", "green") if check.good else Text("✗", "red"), check.name, check.finding)
    shared.out.print(rows)
    raise typer.Exit(0 if all(check.good for check in checks) else 1)


def run(
    context: typer.Context,
    part: Annotated[str, typer.Argument(help="kafka, or one of the parts.")],
    under: Annotated[Path | None, typer.Option(help="The supervisor's pid file: end when it ends.")] = None,
) -> None:
    """Be one part, in the foreground, until SIGTERM. This is what the supervisor runs."""
    if under is not None:
        supervise.lifeline(under)
    installation = context_of(context).installation()
    try:
        parts.run(part, installation)
    except OUTSIDE as exc:  # nobody reads a part's last words but in its log, where they must say where it was
        logging.getLogger(part).exception("%s ended", part)
        raise typer.Exit(1) from exc


@contextmanager
def progress_of(shared: Context, first: str) -> Iterator[Say]:
    """A progress bar that is gone at the end, and what tells it each step."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=shared.out, transient=True) as progress:
        task = progress.add_task(first, total=None)

        def say(step: str, done: int = 0, total: int = 0) -> None:
            progress.update(task, description=step, completed=done, total=total or None)

        yield say
