"""Whose file the store is. One that is damaged, or was filled from another topic, is set aside and made anew."""

import logging
from collections.abc import Mapping
from pathlib import Path

from teachback.streams.feedback.batch import Position
from teachback.streams.feedback.errors import StoreDamaged, StoreError
from teachback.streams.feedback.store import Store

log = logging.getLogger(__name__)


def open_store(path: Path, identity: Mapping[str, str]) -> Store:
    """The store of `identity` (bot and topic ids), or a new one that has to be told where to `begin`."""
    try:
        store = Store(path)
    except StoreDamaged as damaged:
        set_aside(path, str(damaged))
        return Store(path)
    found = store.identity
    if not found or found == identity:
        return store
    names = sorted(name for name in found.keys() | identity.keys() if found.get(name) != identity.get(name))
    return anew(store, f"{path} was filled from another {', '.join(names)} (recreated, or another installation's)")


def anew(store: Store, why: str) -> Store:
    """A new store in the place of one that is of no use."""
    store.close()
    set_aside(store.path, why)
    return Store(store.path)


def beyond(positions: Mapping[Position, int], ends: Mapping[Position, int]) -> list[str]:
    """Where the store has read more than there is: the topic lost its end, and has other records there now."""
    return [
        f"{topic}[{partition}] was read up to {next_} and ends at {ends[topic, partition]}"
        for (topic, partition), next_ in positions.items()
        if next_ > ends[topic, partition]
    ]


def set_aside(path: Path, why: str) -> Path:
    """Move the file out of the way, in the place of one that was set aside before; returns where it is."""
    aside = path.with_name(f"{path.name}.set-aside")
    log.warning("%s; it is now %s, and a new one is filled from the log", why, aside)
    try:
        _move(path, aside)
    except OSError as exc:
        raise StoreError(f"cannot set {path} aside: {exc}") from exc
    return aside


def _move(path: Path, aside: Path) -> None:
    journal = path.with_name(f"{path.name}-wal")
    if journal.exists():  # first: beside a new file SQLite would take it for the new file's
        journal.replace(aside.with_name(f"{aside.name}-wal"))
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    path.replace(aside)
