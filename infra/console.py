"""What every command shares: the configuration, and how things are shown."""

from pathlib import Path

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from teachback.infra.settings import Installation, load


class Context(msgspec.Struct, frozen=True):
    """What every command gets."""

    config: Path | None
    out: Console

    def installation(self) -> Installation:
        """The configuration, read now. Raises SettingsError."""
        return load(self.config)


def context_of(context: typer.Context) -> Context:
    """The context that the root command made."""
    found: Context = context.obj
    return found


def table(title: str, *columns: str) -> Table:
    """A table in the house's look."""
    found = Table(title=title, title_justify="left", title_style="bold", box=None, padding=(0, 2), pad_edge=False)
    for column in columns:
        found.add_column(column, header_style="dim")
    return found


def as_json(value: object) -> str:
    """Structs and plain values as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2).decode()
