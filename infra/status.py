"""What runs and how far the loop has come, for `teachback status`."""

from pathlib import Path

import msgspec
from confluent_kafka import KafkaException, TopicPartition

from teachback.infra import supervise
from teachback.infra.away import KafkaAway, answering
from teachback.infra.demo.home import installations
from teachback.infra.doctor import home_problem
from teachback.infra.failures import told
from teachback.infra.parts import PARTS
from teachback.infra.settings import Installation
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
    champion, problem = None, None if processes else home_problem(installation.home)
    if not installation.local_kafka or any(p.name == "kafka" and p.state == "running" for p in processes):
        try:
            cluster = answering(installation, ANSWER_S)
            topics = record_counts(cluster)
            champion = current_champion(cluster, installation.bot) if "models.adapters" in topics else None
        except (KafkaAway, KafkaException, TimeoutError) as exc:
            problem = told(exc)
    return Overview(
        bot=installation.bot,
        home=installation.home,
        processes=processes,
        topics=topics,
        champion=champion,
        problem=problem,
        demo=running_demo(installation),
    )


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
