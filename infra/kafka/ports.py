"""Free ports for a server that must find them free again."""

from __future__ import annotations

import random
import socket
from collections.abc import Mapping

from teachback.infra.kafka.errors import PortTakenError
from teachback.infra.kafka.settings import HOST

# Below every system's range of ephemeral ports. A port from that range, left for a moment by a broker that restarts,
# can be taken by any outgoing connection, even by a client that tries to reconnect to it and reaches itself.
RANGE = range(20_000, 32_000)


def free_ports(count: int) -> list[int]:
    """`count` different ports on the loopback that nobody listens on now."""
    found: list[int] = []
    for port in random.SystemRandom().sample(RANGE, len(RANGE)):
        if is_free(port):
            found.append(port)
        if len(found) == count:
            return found
    raise PortTakenError(f"no {count} free ports on {HOST} between {RANGE.start} and {RANGE.stop}")


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` now."""
    with socket.socket() as probe:
        # As Java does: connections of a former server that linger in TIME_WAIT are no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def check_free(ports: Mapping[str, int]) -> None:
    """Raise PortTakenError, naming the setting, for the first port that is in use."""
    for setting, port in ports.items():
        if not is_free(port):
            raise PortTakenError(
                f"{HOST}:{port}, the local Kafka's `{setting}`, is in use. Stop what listens there, or set `{setting}`."
            )
