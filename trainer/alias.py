"""Which adapter serves: a fold over `models.adapters`, and the one event that takes a promotion back."""

import time
from collections.abc import Iterable

import msgspec

from teachback.schemas.event import now
from teachback.schemas.ids import derived
from teachback.schemas.log import Record, Tail
from teachback.schemas.training import AdapterAlias, AdapterRegistered
from teachback.schemas.wire import Cluster
from teachback.trainer.errors import LedgerError, RollbackRefused
from teachback.trainer.ledger import send

AdapterEvent = AdapterRegistered | AdapterAlias
KINDS: tuple[type[AdapterEvent], ...] = (AdapterRegistered, AdapterAlias)


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
            known = self.registered | {event.id: self.registered.get(event.id, event)}
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

    def rollback(self, to: str, reason: str | None) -> AdapterAlias:
        """The event that puts `to` in service again. Raises RollbackRefused for what never served, or serves now."""
        if to == self.champion:
            raise RollbackRefused(f"{to} is in service already")
        if to not in self.served:
            choice = ", ".join(sorted(self.served - {self.champion})) or "none"
            raise RollbackRefused(f"{to} has never been in service; to choose from: {choice}")
        return AdapterAlias(
            id=derived("alias", self.bot, len(self.changes), self.champion, to),
            bot=self.bot,
            created=now(),
            adapter=to,
            expected_previous=self.champion,
            cause="rollback",
            reason=reason,
        )


def adapters(cluster: Cluster, bot: str, timeout: float = 30.0) -> Lineage:
    """The bot's adapters and champion as the log has them now."""
    with Tail(cluster, "models.adapters", KINDS) as tail:
        return Lineage(bot).fold_all(tail.catch_up(timeout))


def rollback(cluster: Cluster, bot: str, to: str, reason: str | None = None, timeout: float = 30.0) -> Lineage:
    """Put an earlier adapter in service again, and return the lineage once that is in force.

    Raises RollbackRefused when `to` cannot be chosen, or when the champion was changed in the same moment: then look
    again. LedgerError when Kafka does not take the event.
    """
    with Tail(cluster, "models.adapters", KINDS) as tail:
        lineage = Lineage(bot).fold_all(tail.catch_up(timeout))
        change = lineage.rollback(to, reason)
        send(cluster, "models.adapters", change, "rollback", timeout)
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for record in tail.poll(0.2):
                if record.event is None:
                    continue
                lineage = lineage.fold(record.event)
                if record.event.id == change.id:
                    return _in_force(lineage, change)
    raise LedgerError(f"the rollback was sent, but is not on {cluster.topic('models.adapters')} after {timeout:g} s")


def _in_force(lineage: Lineage, change: AdapterAlias) -> Lineage:
    if not lineage.changes or lineage.changes[-1].id != change.id:
        raise RollbackRefused(
            f"the champion became {lineage.champion} before the rollback from {change.expected_previous}; look again"
        )
    return lineage
