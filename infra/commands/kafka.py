"""`teachback kafka start | stop | status`: the local node alone."""

import typer

from teachback.infra import supervise
from teachback.infra.away import NODE
from teachback.infra.console import context_of
from teachback.infra.settings import SettingsError


def register(app: typer.Typer) -> None:
    """Hang the group into the app."""
    group = typer.Typer(help="The local Apache Kafka: one KRaft node on this machine.", no_args_is_help=True)
    group.command()(start)
    group.command()(stop)
    group.command()(status)
    app.add_typer(group, name="kafka")


def start(context: typer.Context) -> None:
    """Start the local node, fetching its jars at the first time; it stays until `teachback kafka stop`."""
    from teachback.infra.kafka.jars import ensure_jars
    from teachback.infra.up import start_kafka

    shared = context_of(context)
    installation = shared.installation()
    if not installation.local_kafka:
        raise SettingsError([f"kafka.bootstrap is {installation.kafka.bootstrap}: there is no local node to start"])
    with shared.out.status("Fetching Apache Kafka, the first time only …"):
        ensure_jars(installation.cache)
    supervise.start(installation, shared.config)
    with shared.out.status("Starting Apache Kafka …"):
        bootstrap = start_kafka(installation)
    shared.out.print(f"Kafka serves at {bootstrap}")


def stop(context: typer.Context) -> None:
    """Stop the local node; the data stays."""
    shared = context_of(context)
    installation = shared.installation()
    if not installation.local_kafka:
        raise SettingsError([f"kafka.bootstrap is {installation.kafka.bootstrap}: there is no local node to stop"])
    if supervise.running(installation):
        supervise.stop_parts(installation, ["kafka"])
        if not any(state.pid for state in supervise.states(installation)):
            supervise.shutdown(installation)
    shared.out.print("Kafka is stopped")


def status(context: typer.Context) -> None:
    """Whether the local node runs, and where."""
    from teachback.infra.kafka.node import status as node_status

    shared = context_of(context)
    found = node_status(shared.installation().home / "kafka")
    where = f" at {found.bootstrap}, process {found.pid}" if found.state == "running" else ""
    shared.out.print(f"{NODE[found.state]}{where}")
    raise typer.Exit(0 if found.state == "running" else 3)
