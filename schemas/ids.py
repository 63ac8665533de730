"""Deterministic ids: UUIDv5 of the stage and what it was made from. The same input twice is the same event twice."""

import hashlib
import uuid
from collections.abc import Iterable

NAMESPACE = uuid.UUID("6f1d5a52-6f0e-5d0c-9b0c-7d3c1f9a4e21")


def derived(stage: str, *parts: str | int) -> str:
    """A UUIDv5 (RFC 9562, section 5.5) of a stage's name and the ids that the event derives from.

    Parts are joined by a control character that identifiers cannot hold, so that ("a", "bc") and ("ab", "c") differ.
    """
    return str(uuid.uuid5(NAMESPACE, "\x1f".join((stage, *map(str, parts)))))


def verdict_id(exchange: str, reviewer: str, round_: int) -> str:
    """One verdict for each exchange, reviewer and round."""
    return derived("verdict", exchange, reviewer, round_)


def label_id(exchange: str, revision: int) -> str:
    """One label for each exchange and revision."""
    return derived("label", exchange, revision)


def run_id(bot: str, dataset: str, configuration: str) -> str:
    """One run for each bot, data set and configuration (both SHA-256)."""
    return derived("run", bot, dataset, configuration)


def shard_id(topic_id: str, partition: int, last_offset: int) -> str:
    """One shard for each topic incarnation, partition and last offset."""
    return derived("shard", topic_id, partition, last_offset)


def replay_id(exchange: str, adapter: str) -> str:
    """One replayed exchange for each old exchange and new adapter."""
    return derived("replay", exchange, adapter)


def sha256_of(parts: Iterable[str]) -> str:
    """SHA-256, in hex, over strings in the order given, each ended by a newline."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode() + b"\n")
    return digest.hexdigest()
