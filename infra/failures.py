"""Errors whose message is all that a user needs: what was wrong, where, and what to do."""

from confluent_kafka import KafkaException

from teachback.infra.away import TO_DO, KafkaAway, reason
from teachback.infra.demo.errors import DemoError
from teachback.infra.kafka.errors import LocalKafkaError
from teachback.infra.models import ModelError
from teachback.infra.policy import PolicyError
from teachback.infra.reviewers import ReviewerError
from teachback.infra.settings import SettingsError
from teachback.infra.supervise import SuperviseError
from teachback.schemas.wire import WireError

OUTSIDE: tuple[type[Exception], ...] = (KafkaException, OSError)
"""What others raise: `told` adds what to do. Kafka's silence is a TimeoutError, which is an OSError."""


def failures() -> tuple[type[Exception], ...]:
    """The errors of commands, and those of the parts that are installed."""
    found: list[type[Exception]] = [
        *OUTSIDE,
        DemoError,
        KafkaAway,
        LocalKafkaError,
        ModelError,
        PolicyError,
        ReviewerError,
        SettingsError,
        SuperviseError,
        WireError,
    ]
    try:
        from teachback.consumers.review.errors import ReviewError
        from teachback.producers.errors import ProducerError
        from teachback.trainer.errors import TrainerError
    except ImportError:
        return tuple(found)
    return (*found, ReviewError, ProducerError, TrainerError)


def told(exc: Exception) -> str:
    """What a user is told of one of `failures()`."""
    if isinstance(exc, KafkaException):
        return f"Kafka can't be used: {reason(exc)}; {TO_DO}"
    if isinstance(exc, TimeoutError) and exc.errno is None:
        return f"Kafka does not answer: {str(exc) or 'it took too long'}; {TO_DO}"
    return _of_the_system(exc) if isinstance(exc, OSError) else str(exc)


def _of_the_system(exc: OSError) -> str:
    what = f"{exc.filename}: {exc.strerror}" if exc.filename else str(exc)
    if isinstance(exc, NotADirectoryError | FileExistsError):
        return f"{what}; a folder is needed there: move the file away, or choose another `home`"
    if isinstance(exc, PermissionError):
        return f"{what}; mend its permissions, or choose another `home`"
    return what
