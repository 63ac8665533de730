"""The bot's adapters as the log has them, and the one event that takes a promotion back."""

import time

from teachback.schemas.event import now
from teachback.schemas.ids import derived
from teachback.schemas.lineage import ADAPTER_EVENTS, Lineage
from teachback.schemas.log import Tail
from teachback.schemas.training import AdapterAlias
from teachback.schemas.wire import Cluster, require_topics
from teachback.trainer.errors import LedgerError, RollbackRefused
from teachback.trainer.ledger import send


def rollback_of(lineage: Lineage, to: str, reason: str | None) -> AdapterAlias:
    """The event that puts `to` in service again. Raises RollbackRefused for what never served, or serves now."""
    if to == lineage.champion:
        raise RollbackRefused(f"{to} is in service already")
    if to not in lineage.served:
        choice = ", ".join(sorted(lineage.served - {lineage.champion})) or "none"
        raise RollbackRefused(f"{to} has never been in service; to choose from: {choice}")
    return AdapterAlias(
        id=derived("alias", lineage.bot, len(lineage.changes), lineage.champion, to),
        bot=lineage.bot,
        created=now(),
        adapter=to,
        expected_previous=lineage.champion,
        cause="rollback",
        reason=reason,
    )


def adapters(cluster: Cluster, bot: str, timeout: float = 30.0) -> Lineage:
    """The bot's adapters and champion as the log has them now. Raises TopicMismatch when Kafka or the topic is away."""
    require_topics(cluster, "models.adapters", timeout=timeout)
    with Tail(cluster, "models.adapters", ADAPTER_EVENTS) as tail:
        return Lineage(bot).fold_all(tail.catch_up(timeout))


def rollback(cluster: Cluster, bot: str, to: str, reason: str | None = None, timeout: float = 30.0) -> Lineage:
    """Put an earlier adapter in service again, and return the lineage once that is in force.

    Raises RollbackRefused when `to` cannot be chosen, or when the champion was changed in the same moment: then look
    again. LedgerError when Kafka does not take the event, TopicMismatch when it or the topic is away.
    """
    require_topics(cluster, "models.adapters", timeout=timeout)
    with Tail(cluster, "models.adapters", ADAPTER_EVENTS) as tail:
        lineage = Lineage(bot).fold_all(tail.catch_up(timeout))
        change = rollback_of(lineage, to, reason)
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
