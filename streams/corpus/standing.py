"""Which labels stand: a fold over `labels.approved`, whatever the order of its partitions."""

from collections.abc import Iterable, Mapping

from teachback.schemas import Label
from teachback.schemas.log import Record


class Standing:
    """The ids of the labels that stand, and those that a later revision replaced."""

    def __init__(self) -> None:
        self._standing: dict[str, str] = {}  # label → bot
        self._superseded: set[str] = set()

    def take(self, records: Iterable[Record[Label]]) -> tuple[list[Label], list[tuple[str, str]]]:
        """The labels that are new, and (bot, label) of those that no longer stand, in order.

        A tombstone removes its label. A label removes the one that it supersedes, even when that one is read after it:
        the two may stand in different partitions. A label that stands already is the same one again.
        """
        new: dict[str, Label] = {}
        gone: list[tuple[str, str]] = []
        for record in records:
            label = record.event
            fallen = record.key if label is None else label.supersedes
            if label is not None and label.supersedes is not None:
                self._superseded.add(label.supersedes)
            if fallen is not None and (bot := self._standing.pop(fallen, None)) is not None:
                gone.append((bot, fallen))
                new.pop(fallen, None)
            if label is not None and label.id not in self._superseded and label.id not in self._standing:
                self._standing[label.id] = label.bot
                new[label.id] = label
        return list(new.values()), gone

    @property
    def bots(self) -> Mapping[str, str]:
        """Label → bot, of those that stand."""
        return self._standing

    def __contains__(self, label: str) -> bool:
        return label in self._standing
