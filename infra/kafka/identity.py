"""What a node remembers about itself between runs: `node.json` in its home."""

from __future__ import annotations

import base64
import uuid
from pathlib import Path

import msgspec

from teachback.infra.kafka.errors import HomeError
from teachback.infra.kafka.ports import free_ports
from teachback.infra.kafka.settings import KafkaSettings
from teachback.infra.wholefile import whole

FILE = "node.json"


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """The content of `node.json`."""

    cluster_id: str
    """22 characters of URL-safe base64: Kafka's form of a UUID."""
    port: int
    controller_port: int
    formatted: bool
    """Whether formatting ended well; until then there is no data to lose."""


def new_cluster_id() -> str:
    """A random id in Kafka's form. It never begins with a dash, which Kafka's tools would take for an option."""
    while True:
        chosen = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode("ascii").rstrip("=")
        if not chosen.startswith("-"):
            return chosen


def settle(settings: KafkaSettings, home: Path) -> Identity:
    """What the node is: as it was, or new, with the ports that are asked for now. Remembers it."""
    known = read(home)
    if known is None:
        port, controller = free_ports(2)
        known = Identity(cluster_id=new_cluster_id(), port=port, controller_port=controller, formatted=False)
    chosen = msgspec.structs.replace(
        known,
        port=settings.port or known.port,
        controller_port=settings.controller_port or known.controller_port,
    )
    write(home, chosen)
    return chosen


def read(home: Path) -> Identity | None:
    """What `home` remembers, or None before the first start. Raises HomeError when the file is damaged."""
    path = home / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Identity)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise HomeError(f"{path} is not a node's record: {error}. Restore it; its cluster id is in data/.") from error


def write(home: Path, identity: Identity) -> None:
    """Replace the file in one step."""
    whole(home / FILE, msgspec.json.encode(identity).decode() + "\n")
