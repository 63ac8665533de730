"""Errors whose message is all that a user needs: what was wrong, where, and what to do."""

from teachback.infra.demo.errors import DemoError
from teachback.infra.kafka.errors import LocalKafkaError
from teachback.infra.models import ModelError
from teachback.infra.policy import PolicyError
from teachback.infra.reviewers import ReviewerError
from teachback.infra.settings import SettingsError
from teachback.infra.supervise import SuperviseError
from teachback.schemas.wire import WireError


def failures() -> tuple[type[Exception], ...]:
    """The errors of commands, and those of the parts that are installed."""
    found: list[type[Exception]] = [
        DemoError,
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
