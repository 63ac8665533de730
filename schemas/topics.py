"""The topics table, as data: who writes and reads each topic, its key, and how long it is kept."""

from typing import Literal, NamedTuple

from teachback.schemas.calibration import Calibration, Certificate
from teachback.schemas.event import Event
from teachback.schemas.exchange import Exchange, Feedback
from teachback.schemas.label import Label, ShardCommitted, SplitAssigned
from teachback.schemas.policy import Policy
from teachback.schemas.review import Outcome, ReviewRequest, Verdict
from teachback.schemas.scored import Scored
from teachback.schemas.training import AdapterAlias, AdapterRegistered, Run

TopicName = Literal[
    "chat.exchanges",
    "chat.feedback",
    "chat.scored",
    "review.requests",
    "review.verdicts",
    "review.outcomes",
    "labels.approved",
    "labels.shards",
    "labels.splits",
    "training.runs",
    "models.adapters",
    "loop.policy",
    "loop.calibration",
]
MAX_EVENT_BYTES = 4 << 20
"""Of what our own parts write. Chatbots' topics keep Kafka's default of 1 MiB, so that whatever follows from an
exchange (a request, a verdict with a correction, a panel's outcome, a dead letter with its reason) has room."""
DAY_MS = 24 * 60 * 60 * 1000
TEXT_LIMIT_DAYS = 30
CHATBOTS = "chatbots"


class Topic(NamedTuple):
    """One row of the table. `days` is the retention of a topic that is not compacted; None is for ever."""

    name: TopicName
    key: str
    events: tuple[type[Event], ...]
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    holds_text: bool
    cleanup: Literal["delete", "compact"]
    days: int | None
    partitions: int | None = None  # None: the installation's own number (`TEACHBACK_KAFKA_PARTITIONS`)
    dead_letters: bool = False

    @property
    def dlq(self) -> str:
        """The name of its dead-letter topic."""
        return f"{self.name}.dlq"

    def config(self) -> dict[str, str]:
        """Topic configuration for Apache Kafka. Times are the broker's, so that order needs no client clock."""
        common = {"message.timestamp.type": "LogAppendTime"}
        if self.holds_text and self.writers != (CHATBOTS,):
            common["max.message.bytes"] = str(MAX_EVENT_BYTES)
        if self.cleanup == "compact":
            return common | {"cleanup.policy": "compact", "max.compaction.lag.ms": str(7 * DAY_MS)}
        return common | {
            "cleanup.policy": "delete",
            "retention.ms": str(-1 if self.days is None else self.days * DAY_MS),
        }


TOPICS: tuple[Topic, ...] = (
    Topic(
        "chat.exchanges",
        "conversation",
        (Exchange,),
        (CHATBOTS,),
        ("scoring", "feedback"),
        True,
        "delete",
        30,
        None,
        True,
    ),
    Topic("chat.feedback", "conversation", (Feedback,), (CHATBOTS,), ("feedback",), True, "delete", 30, None, True),
    Topic(
        "chat.scored",
        "conversation",
        (Scored,),
        ("scoring",),
        ("calibration", "feedback", "what-if"),
        False,
        "delete",
        365,
    ),
    Topic("review.requests", "exchange", (ReviewRequest,), ("scoring", "feedback"), ("desk",), True, "compact", None),
    Topic("review.verdicts", "exchange", (Verdict,), ("desk",), ("consensus", "desk"), True, "delete", 30, None, True),
    Topic(
        "review.outcomes",
        "exchange",
        (Outcome,),
        ("consensus",),
        ("desk", "consensus", "calibration"),
        True,
        "compact",
        None,
    ),
    Topic(
        "labels.approved",
        "label",
        (Label,),
        ("consensus",),
        ("shards", "again", "scoring"),
        True,
        "compact",
        None,
        None,
        True,
    ),
    Topic("labels.shards", "bot", (ShardCommitted,), ("shards",), ("trainer",), False, "delete", None, 1),
    Topic("labels.splits", "bot", (SplitAssigned,), ("trainer",), ("trainer",), False, "delete", None, 1),
    Topic("training.runs", "bot", (Run,), ("trainer",), ("everyone",), False, "delete", None, 1),
    Topic(
        "models.adapters",
        "bot",
        (AdapterRegistered, AdapterAlias),
        ("trainer", "rollback"),
        ("chatbot", "trainer", "again"),
        False,
        "delete",
        None,
        1,
    ),
    Topic("loop.policy", "bot", (Policy,), ("people",), ("everyone",), False, "delete", None, 1),
    Topic(
        "loop.calibration",
        "bot",
        (Calibration, Certificate),
        ("calibration",),
        ("scoring", "what-if"),
        False,
        "delete",
        None,
        1,
    ),
)
DLQ_DAYS = 14
DLQ_CONFIG = {
    "message.timestamp.type": "LogAppendTime",
    "retention.ms": str(DLQ_DAYS * DAY_MS),
    "max.message.bytes": str(MAX_EVENT_BYTES),
}
BY_NAME: dict[str, Topic] = {topic.name: topic for topic in TOPICS}
