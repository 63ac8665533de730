"""Results as Markdown tables that are readable in a terminal too, and their place in a page of the documentation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

BEGIN = "<!-- bench:begin -->"
END = "<!-- bench:end -->"
SECTION = "## The last published run of `make bench`"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first two columns are set left, figures right."""
    widths = [max(len(line[column]) for line in (head, *rows)) for column in range(len(head))]
    rule = ["-" * width if column < 2 else "-" * (width - 1) + ":" for column, width in enumerate(widths)]

    def line(cells: Sequence[str]) -> str:
        placed = [
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return f"| {' | '.join(placed)} |"

    return "\n".join([line(head), line(rule), *map(line, rows)])


def put(page: Path, text: str) -> None:
    """Replace what stands between the markers; a page without markers gets them, in a section at its end."""
    before = page.read_text(encoding="utf-8") if page.exists() else "# Benchmarks\n"
    block = f"{BEGIN}\n{text.strip()}\n{END}"
    if BEGIN in before and END in before:
        head, _, rest = before.partition(BEGIN)
        after = head + block + rest.partition(END)[2]
    else:
        after = f"{before.rstrip()}\n\n{SECTION}\n\n{block}\n"
    page.write_text(after, encoding="utf-8")
