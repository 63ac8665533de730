"""Everything that the writer of certificates knows, read again from the log by anybody."""

from typing import Any

from teachback.infra.history.bounds import Bounds
from teachback.infra.history.scan import Progress, scan
from teachback.schemas import Calibration, Certificate, Event, Outcome, Policy, Scored
from teachback.schemas.log import Record
from teachback.schemas.wire import BadEvent, Cluster, decode, require_topics
from teachback.streams.calibration.decide import State

KINDS: dict[str, tuple[type[Event], ...]] = {
    "loop.calibration": (Calibration, Certificate),
    "loop.policy": (Policy,),
    "chat.scored": (Scored,),
    "review.outcomes": (Outcome,),
}


def read_state(cluster: Cluster, bot: str, progress: Progress | None = None) -> State:
    """The bot's state by the log as it stands now. `progress` is called with records read, and of how many.

    Raises TopicMismatch when a topic is missing, TimeoutError and KafkaException when Kafka does not answer.
    """
    require_topics(cluster, *KINDS)
    ranges = {topic: Bounds(cluster, topic).whole() for topic in KINDS}
    total = sum(one.end - one.start for some in ranges.values() for one in some)
    state, done = State(bot), 0
    for topic, some in ranges.items():
        for messages in scan(cluster, topic, some):
            for message in messages:
                if (record := _record(message, KINDS[topic])) is not None:
                    state.note(record)
            done += len(messages)
            if progress is not None:
                progress(done, total)
    return state


def lost_before(cluster: Cluster) -> int | None:
    """Up to when (ms) decisions were deleted from `chat.scored`, as far as the log tells; None when all are there."""
    return max(Bounds(cluster, "chat.scored").beginnings(), default=None)


def _record(message: Any, kinds: tuple[type[Event], ...]) -> Record[Event] | None:
    value, key = message.value(), message.key() or b""
    try:
        event = None if value is None else decode(value, *kinds)
    except BadEvent:
        return None
    return Record(event, key.decode(errors="replace"), message.partition(), message.offset(), message.timestamp()[1])
