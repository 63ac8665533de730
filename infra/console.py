"""What every command shares: the configuration, and how things are shown."""

import shlex
from pathlib import Path

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from teachback.infra.settings import Installation, load


class Context(msgspec.Struct, frozen=True):
    """What every command gets. `out` reads no markup: what comes from outside may hold square brackets."""

    config: Path | None
    out: Console

    def installation(self) -> Installation:
        """The configuration, read now. Raises SettingsError."""
        return load(self.config)

    def command(self, words: str) -> str:
        """A command for this same installation, to be copied from the screen: `teachback --config FILE status`."""
        return command_line(words, self.config)


def context_of(context: typer.Context) -> Context:
    """The context that the root command made."""
    found: Context = context.obj
    return found


def command_line(words: str, config: Path | None) -> str:
    """`teachback` with some words behind it, for the installation of a configuration file."""
    return f"teachback --config {shlex.quote(str(config))} {words}" if config else f"teachback {words}"


def from_here(path: Path) -> Path:
    """A path as one would write it in the working directory."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def default(what: str) -> str:
    """How a default stands in the help, where its square brackets would be markup."""
    return escape(f"[default: {what}]")


def table(title: str, *columns: str) -> Table:
    """A table in the house's look."""
    found = Table(title=title, title_justify="left", title_style="bold", box=None, padding=(0, 2), pad_edge=False)
    for column in columns:
        found.add_column(column, header_style="dim", overflow="fold")  # a path is told whole
    return found


def show_table(out: Console, title: str, rows: Table) -> None:
    """Print a table below a title that may be longer than the table is wide."""
    out.print(Text(title, "bold"), soft_wrap=True)
    out.print(rows)


def as_json(value: object) -> str:
    """Structs and plain values as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2).decode()
