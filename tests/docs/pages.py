"""The documentation as data: pages, links, headings, code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]

FENCE = re.compile(r"^(?P<fence>`{3,})(?P<kind>\w*)\n(?P<code>.*?)^(?P=fence)$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


class Link(NamedTuple):
    """A link's place in the source, its path (empty for the same page) and its anchor (or empty)."""

    page: Path
    path: str
    anchor: str


def fences(text: str, *kinds: str) -> list[str]:
    """The code blocks of the given kinds."""
    return [match["code"] for match in FENCE.finditer(text) if match["kind"] in kinds]


def links(page: Path) -> Iterator[Link]:
    """Links to somewhere in the repository."""
    text = INLINE.sub("", FENCE.sub("", page.read_text(encoding="utf-8")))
    for target in LINK.findall(text):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            yield Link(page, path, anchor)


def anchors(page: Path) -> set[str]:
    """What links can name on a page: its headings, lower-case, blanks as hyphens, punctuation gone."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    plain = (heading.replace("`", "").strip().lower() for heading in HEADING.findall(text))
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}


def shell(page: Path) -> Iterator[str]:
    """Command lines: those of shell blocks, without comments, and everything in backticks."""
    text = page.read_text(encoding="utf-8")
    for block in fences(text, "sh"):
        yield from (line.partition(" #")[0].strip() for line in block.splitlines())
    yield from INLINE.findall(FENCE.sub("", text))


def table(page: Path, heading: str) -> dict[str, str]:
    """The first two columns of the table under a heading, backticks removed."""
    text = page.read_text(encoding="utf-8")
    section = re.split(r"^#+ ", text.split(f"# {heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return {row[0].strip().strip("`"): row[1].strip().strip("`") for row in rows}
