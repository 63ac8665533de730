"""Counts for people who look, kept up to date item by item so that looking costs nothing."""

from collections import Counter

from teachback.consumers.desk.item import Item


class Tally:
    """How many items are in which state, and who gave how many verdicts."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.verdicts: Counter[str] = Counter()
        self._counted: dict[str, tuple[tuple[str, str], ...]] = {}

    def count_verdict(self, reviewer: str) -> None:
        """One more verdict of this person."""
        self.verdicts[reviewer] += 1

    def forget(self, exchange: str) -> None:
        """Count an item no more: nobody has to judge it."""
        self.counts.subtract(self._counted.pop(exchange, ()))

    def update(self, item: Item) -> None:
        """Count an item as it is now, instead of as it was."""
        self.forget(item.exchange)
        if facts := _facts(item):
            self._counted[item.exchange] = facts
            self.counts.update(facts)

    def of(self, kind: str) -> dict[str, int]:
        """The counts of one kind, without zeros."""
        return {value: n for (name, value), n in sorted(self.counts.items()) if name == kind and n}


def _facts(item: Item) -> tuple[tuple[str, str], ...]:
    if item.is_open:
        assert item.request is not None
        return ("open", item.capacity), ("route", item.request.route), ("source", item.request.source)
    if item.outcome is None or item.status == "open":
        return ()
    agreed = item.outcome.agreed
    return ("settled", item.status), *(() if agreed is None else (("agreed", str(agreed)),))
