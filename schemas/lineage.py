"""Which adapter serves: a pure fold over `models.adapters`, the same for everyone who reads it."""

from collections.abc import Iterable

import msgspec

from teachback.schemas.log import Record
from teachback.schemas.training import AdapterAlias, AdapterRegistered

AdapterEvent = AdapterRegistered | AdapterAlias
ADAPTER_EVENTS: tuple[type[AdapterEvent], ...] = (AdapterRegistered, AdapterAlias)


def bare(bot: str) -> str:
    """The name of the base model without an adapter, the champion before the first promotion."""
    return f"{bot}@v0"


class Lineage(msgspec.Struct, frozen=True):
    """A bot's adapters, the changes of champion that took effect, and how many did not because another came first."""

    bot: str
    registered: dict[str, AdapterRegistered] = {}
    changes: tuple[AdapterAlias, ...] = ()
    ignored: int = 0

    @property
    def champion(self) -> str:
        """The adapter in service."""
        return self.changes[-1].adapter if self.changes else bare(self.bot)

    @property
    def served(self) -> frozenset[str]:
        """Every adapter that is or was in service."""
        return frozenset({bare(self.bot), *(change.adapter for change in self.changes)})

    def fold(self, event: AdapterEvent) -> "Lineage":
        """The lineage after one more event; another bot's changes nothing."""
        if event.bot != self.bot:
            return self
        if isinstance(event, AdapterRegistered):
            known = self.registered | {event.id: self.registered.get(event.id, event)}  # the oldest first
            return msgspec.structs.replace(self, registered=known)
        if event.expected_previous != self.champion:
            return msgspec.structs.replace(self, ignored=self.ignored + 1)
        return msgspec.structs.replace(self, changes=(*self.changes, event))

    def fold_all(self, records: Iterable[Record[AdapterEvent]]) -> "Lineage":
        """The lineage after some records of the topic."""
        lineage = self
        for record in records:
            if record.event is not None:
                lineage = lineage.fold(record.event)
        return lineage
