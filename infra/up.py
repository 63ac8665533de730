"""Bringing everything up in order: jars and models, Kafka, topics, a policy, then the parts; and seeing that they are.

Each step says what it does through `Say`, with a share done where that is known, so that a caller can show progress.
"""

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from teachback.infra import supervise, topics
from teachback.infra.parts import NAMES, kafka_settings
from teachback.infra.policy import ensure_policy
from teachback.infra.settings import Installation, SettingsError
from teachback.infra.supervise import SuperviseError
from teachback.schemas.wire import Cluster

READY_S = 600.0
TRIES = 4
USE_BASE = frozenset({"trainer", "chatbot"})
USE_EMBEDDER = frozenset({"scoring", "consensus", "trainer"})


class Say(Protocol):
    """Told what goes on: a step's name, and done of total when that can be said."""

    def __call__(self, step: str, done: int = 0, total: int = 0) -> None: ...


def fetch(installation: Installation, say: Say, names: Iterable[str] = NAMES) -> None:
    """Kafka's jars, and the named parts' models, unless configured or there already. Raises JarError, ModelError."""
    fetch_jars(installation, say)
    fetch_models(installation, say, names)


def fetch_jars(installation: Installation, say: Say) -> None:
    """Kafka's jars, for a local node, unless they are there. Raises JarError."""
    if installation.local_kafka:
        from teachback.infra.kafka.jars import ensure_jars

        ensure_jars(installation.cache, progress=lambda done, total: say("Fetching Apache Kafka", done, total))


def fetch_models(installation: Installation, say: Say, names: Iterable[str]) -> None:
    """The named parts' models, unless configured or there already. Raises ModelError."""
    from teachback.infra.models import ensure_base, ensure_embedder

    if installation.models.base is None and not USE_BASE.isdisjoint(names):
        ensure_base(installation.cache, lambda stage, done, total: say(f"Base model: {stage}", done, total))
    if installation.models.embedder is None and not USE_EMBEDDER.isdisjoint(names):
        ensure_embedder(installation.cache, lambda stage, done, total: say(f"Embedder: {stage}", done, total))


def up(installation: Installation, config: Path | None, say: Say, names: Iterable[str] = NAMES) -> Cluster:
    """Start what does not run yet, and return once Kafka serves, the topics are there and every part is ready.

    Raises SettingsError, SuperviseError, TopicMismatch, and what `fetch` raises.
    """
    wanted = list(names)
    if unknown := set(wanted) - set(NAMES):
        raise SettingsError([f"there is no part {name!r}; there are {', '.join(NAMES)}" for name in sorted(unknown)])
    early = [name for name in wanted if name not in USE_BASE]
    fetch_jars(installation, say)
    fetch_models(installation, say, early)
    supervise.start(installation, config)
    with ThreadPoolExecutor(1) as beside:  # the base is converted on one core, and this needs another
        starting = beside.submit(start_early, installation, wanted, early)
        fetch_models(installation, say, wanted)
        say("Starting Apache Kafka" if installation.local_kafka else "Making topics")
        cluster = starting.result()
    for name in wanted:
        supervise.start_part(installation, name)
    wait_ready(installation, wanted, say)
    return cluster


def start_early(installation: Installation, wanted: Iterable[str], early: Iterable[str]) -> Cluster:
    """Kafka, topics, a policy and the parts that can start `early`; before these, all settings are looked at."""
    if installation.local_kafka:
        start_kafka(installation)
    cluster = installation.cluster
    topics.apply(cluster)
    ensure_policy(cluster, installation.bot)
    for name in wanted:
        installation.part(name)
    for name in early:
        supervise.start_part(installation, name)
    return cluster


def start_kafka(installation: Installation) -> str:
    """Start the local node under the supervisor, and return its address once it serves. Raises SuperviseError."""
    from teachback.infra.kafka.node import status
    from teachback.infra.kafka.ready import wait_ready as wait_kafka

    supervise.start_part(installation, "kafka")
    settings = kafka_settings(installation)
    _until(
        lambda: status(settings.home).state == "running",
        settings.start_timeout_s,
        lambda: f"Kafka did not start; see {installation.home / 'logs' / 'kafka.log'}",
    )
    bootstrap = status(settings.home).bootstrap or ""
    wait_kafka(bootstrap, settings.start_timeout_s, lambda: None)
    return bootstrap


def wait_ready(installation: Installation, names: Iterable[str], say: Say) -> None:
    """Wait until every named part runs and those with an address answer.

    Raises SuperviseError, naming the log, when a part has ended `TRIES` times or none of them is ready in time.
    """
    waiting = list(names)
    total = len(waiting)
    lives: dict[str, set[int]] = {name: set() for name in waiting}

    def ready() -> bool:
        states = {state.name: state for state in supervise.states(installation)}
        if not states:
            raise SuperviseError(f"supervisord ended; see {installation.home / 'logs' / 'supervisord.log'}")
        for name in waiting:
            lives[name] |= {states[name].pid} - {0}
            if len(lives[name]) > TRIES:
                raise SuperviseError(f"{name} ends again and again; see {installation.home / 'logs' / f'{name}.log'}")
        waiting[:] = [name for name in waiting if not _ready(installation, name, states[name])]
        say("Waiting for the parts", total - len(waiting), total)
        return not waiting

    def why() -> str:
        logs = ", ".join(str(installation.home / "logs" / f"{name}.log") for name in waiting)
        return f"not ready after {READY_S:.0f} s: {', '.join(waiting)}; see {logs}"

    _until(ready, READY_S, why)


def address(installation: Installation, name: str) -> str | None:
    """Where a part serves HTTP; None for parts that don't."""
    if name not in {"desk", "chatbot"}:
        return None
    settings = installation.part(name)
    return f"http://{settings.host}:{settings.port}"


def _ready(installation: Installation, name: str, state: supervise.ProcessState) -> bool:
    if state.state in {"fatal", "unknown"}:
        raise SuperviseError(f"{name} keeps ending: {state.detail}; see {installation.home / 'logs' / f'{name}.log'}")
    if state.state not in {"running", "starting"}:
        return False
    url = address(installation, name)
    if url is None:
        return state.state == "running"
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _until(condition: Callable[[], bool], seconds: float, why: Callable[[], str]) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SuperviseError(why())
        time.sleep(0.25)
