"""What runs and how far the loop has come, for `teachback status`."""

from pathlib import Path

import msgspec
from confluent_kafka import KafkaException, TopicPartition

from teachback.infra import supervise
from teachback.infra.away import KafkaAway, answering
from teachback.infra.demo.home import installations
from teachback.infra.doctor import home_problem
from teachback.infra.failures import told
from teachback.infra.history import read_decisions
from teachback.infra.parts import PARTS
from teachback.infra.settings import Installation
from teachback.infra.threshold import InForce, threshold_in_force
from teachback.schemas.lineage import ADAPTER_EVENTS, Lineage
from teachback.schemas.log import Tail
from teachback.schemas.topics import TOPICS
from teachback.schemas.wire import Cluster, consumer

DOES = {"kafka": "the log"} | {part.name: part.does for part in PARTS}
ANSWER_S = 5.0


class ProcessView(msgspec.Struct, frozen=True, kw_only=True):
    """One supervised process."""

    name: str
    state: str
    pid: int
    uptime: float
    does: str


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """`teachback status --json`. `topics` counts records by offsets, so compacted and expired ones included."""

    bot: str
    home: Path
    processes: tuple[ProcessView, ...]
    topics: dict[str, int]
    champion: str | None
    routing: InForce | None
    """What the champion is scored and routed by; None before the first policy."""
    feedback: dict[str, int]
    """What became of thumbs (`docs/feedback.md`); empty before the first."""
    problem: str | None
    """What keeps this from being known: a home that is none, or Kafka, which should be there and does not answer."""
    demo: Path | None
    """The configuration of a demo that runs below this home."""


def overview(installation: Installation) -> Overview:
    """Processes always; topics and champion when Kafka answers."""
    processes = tuple(
        ProcessView(name=s.name, state=s.state, pid=s.pid, uptime=s.uptime, does=DOES.get(s.name, ""))
        for s in supervise.states(installation)
    )
    topics: dict[str, int] = {}
    champion, routing = None, None
    feedback: dict[str, int] = {}
    problem = None if processes else home_problem(installation.home)
    if not installation.local_kafka or any(p.name == "kafka" and p.state == "running" for p in processes):
        try:
            cluster = answering(installation, ANSWER_S)
            topics = record_counts(cluster)
            champion = current_champion(cluster, installation.bot) if "models.adapters" in topics else None
            if champion is not None and {"loop.policy", "loop.calibration"} <= topics.keys():
                routing = threshold_in_force(read_decisions(cluster, installation.bot), installation.bot, champion)
            feedback = thumbs(installation.part("feedback").store)
        except (KafkaAway, KafkaException, TimeoutError) as exc:
            problem = told(exc)
    return Overview(
        bot=installation.bot,
        home=installation.home,
        processes=processes,
        topics=topics,
        champion=champion,
        routing=routing,
        feedback=feedback,
        problem=problem,
        demo=running_demo(installation),
    )


def thumbs(store: Path) -> dict[str, int]:
    """What the feedback process counted; empty where there is no store, or none that can be read."""
    if not store.exists():
        return {}
    from teachback.streams.feedback.errors import StoreError
    from teachback.streams.feedback.store import counts  # imports Faust

    try:
        return counts(store)
    except StoreError:
        return {}


def running_demo(installation: Installation) -> Path | None:
    """The configuration file of a demo that runs below this home."""
    running = (demo.home / "teachback.toml" for demo in installations(installation)[1:] if supervise.running(demo))
    return next(running, None)


def record_counts(cluster: Cluster, timeout: float = ANSWER_S) -> dict[str, int]:
    """Topic → how many offsets were ever written, transaction markers included. Raises KafkaException."""
    reader = consumer(cluster, "status")
    try:
        known = reader.list_topics(timeout=timeout).topics
        counts: dict[str, int] = {}
        for topic in TOPICS:
            name = cluster.topic(topic.name)
            if name in known:
                places = [TopicPartition(name, partition) for partition in known[name].partitions]
                counts[topic.name] = sum(reader.get_watermark_offsets(place, timeout)[1] for place in places)
        return counts
    finally:
        reader.close()


def current_champion(cluster: Cluster, bot: str) -> str:
    """The adapter in service, as the log has it."""
    with Tail(cluster, "models.adapters", ADAPTER_EVENTS) as tail:
        return Lineage(bot).fold_all(tail.catch_up(10)).champion
