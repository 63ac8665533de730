"""What can go wrong with the local Kafka.

LocalKafkaError
├── JarError             a jar could not be fetched
│   └── JarMismatchError     … or is not the one in the lock file
├── JavaError            no Java, or one that is too old
├── HomeError            the home folder cannot be written, or its disk is full
├── PortTakenError       somebody else listens on the port
├── AlreadyRunningError  a node already runs from this home
└── StartError           the broker ended, or did not become ready in time
"""

from __future__ import annotations


class LocalKafkaError(Exception):
    """Anything that keeps the local Kafka from working; the message says what to do."""


class JarError(LocalKafkaError):
    """A locked jar could not be fetched."""


class JarMismatchError(JarError):
    """A fetched jar's SHA-256 differs from the lock file's."""


class JavaError(LocalKafkaError):
    """No Java that can run this Kafka."""


class HomeError(LocalKafkaError):
    """The home folder cannot hold the node's files."""


class PortTakenError(LocalKafkaError):
    """A port that the node needs is in use."""


class AlreadyRunningError(LocalKafkaError):
    """A node runs from this home folder already."""


class StartError(LocalKafkaError):
    """The broker process ended early, or was not ready in time."""
