"""What a part of the report is made of."""

from typing import NamedTuple


class Sheet(NamedTuple):
    """A table: the heads, and rows of as many texts. `words` are the columns that are not numbers."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: frozenset[int] = frozenset({0})


class Section(NamedTuple):
    """One part. `empty` says why there is nothing to show; then there is neither picture nor table."""

    key: str
    title: str
    read: str
    found: str
    sheet: Sheet
    empty: str = ""
