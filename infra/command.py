"""The `teachback` command."""

import logging
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from teachback.infra.commands import (
    adapters,
    confidence,
    demo,
    guarantee,
    kafka,
    models,
    operate,
    people,
    policy,
    replay,
    topics,
    whatif,
)
from teachback.infra.console import Context
from teachback.infra.failures import failures, told

app = typer.Typer(
    name="teachback",
    help="Turn a production chatbot's live traffic into a better chatbot.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
for group in (demo, operate, replay, people, adapters, policy, whatif, confidence, guarantee, topics, kafka, models):
    group.register(app)


def tell_version(wanted: bool) -> None:
    """Print the version and end, when that is all that is wanted."""
    if wanted:
        typer.echo(f"teachback {version('teachback')}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option(help="Configuration file; without it teachback.toml, if there.", show_default=False)
    ] = None,
    _: Annotated[
        bool, typer.Option("--version", callback=tell_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Turn a production chatbot's live traffic into a better chatbot."""
    # no markup: square brackets in what comes from outside are what they are
    context.obj = Context(config.absolute() if config else None, Console(highlight=False, markup=False))


def main() -> None:
    """Entry point: an error that a user can mend is one message and exit code 1, without a traceback."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    for chatty in ("httpx", "httpcore", "faust", "faiss", "aiokafka", "mode", "sentence_transformers", "transformers"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except failures() as exc:
        console = Console(stderr=True, highlight=False)
        console.print("teachback:", style="bold red", end=" ")
        console.print(told(exc), markup=False, soft_wrap=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
