"""kill -9 of two scoring workers while the policy and the calibration change; every decision is then read back.

`python -m tests.integration.test_kill_scoring CLUSTER` (JSON) is one worker, without an embedder.
"""

from __future__ import annotations

import logging
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from teachback.schemas import Calibration, Exchange, Policy, ReviewRequest, Scored
from teachback.schemas.log import Record, Tail
from teachback.schemas.wire import Cluster, admin, encode, producer
from teachback.streams.batches import Leg, StreamSettings, make_app, run
from teachback.streams.calibrations import Calibrations, Standing, in_force
from teachback.streams.confidence import confidence
from teachback.streams.policies import Policies
from teachback.streams.route import route
from teachback.streams.scoring import Scorer
from tests.chaos.checker import Progress
from tests.chaos.fleet import Fleet
from tests.chaos.streams import drain, tend
from tests.integration.scoring_process import GROUP, at_work
from tests.kafka_fixture import KafkaCluster
from tests.streams.feedback.samples import BOT, exchange, policy
from tests.streams.test_calibrations import calibration

pytestmark = pytest.mark.kafka
PARTITIONS = 4
TOPICS = ("chat.exchanges", "chat.exchanges.dlq", "chat.scored", "review.requests", "loop.policy", "loop.calibration")
CHANGE_TOPICS = {Policy: "loop.policy", Calibration: "loop.calibration"}
CHUNK = 100  # exchanges between two looks at the clock
WAITS = 3  # every so many changes the one before is used first; the others may be passed over while nobody works
LONGEST_WAIT = 120.0  # seconds
ANSWERS = ("A transfer costs £5.", "I am not sure. It depends.", "Yes.", "It costs what a transfer costs.")


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is done to two workers, and how many exchanges they score meanwhile. Seconds between two kills: `gap`."""

    exchanges: int
    kills: int
    changes: int
    rate: float
    gap: float
    seed: int = 1


class Traffic(threading.Thread):
    """Exchanges at a steady rate, and a change of policy or calibration after every so many.

    `least` has, by exchange, the policy and the calibration that were acknowledged before it was sent.
    """

    def __init__(self, cluster: Cluster, plan: Plan) -> None:
        super().__init__(name="traffic", daemon=True)
        self._cluster = cluster
        self._plan = plan
        self._every = plan.exchanges // (plan.changes + 1)
        self._producer = producer(cluster)
        self.least: list[tuple[int, int]] = []
        self.policies: dict[int, Policy] = {}
        self.calibrations: dict[int, Calibration] = {}
        self.times: dict[tuple[str, int], int] = {}  # (topic, version) → broker time
        self.change()

    def run(self) -> None:
        started = time.monotonic()
        progress = progress_of(self._cluster)
        for number in range(self._plan.exchanges):
            if number and number % self._every == 0:
                if number // self._every % WAITS == 0:
                    self._until_used(progress)
                self.change()
            event = sample(number)
            self._producer.produce(self._cluster.topic("chat.exchanges"), encode(event), event.conversation)
            self.least.append((len(self.policies), len(self.calibrations)))
            if number % CHUNK == 0:
                self._producer.flush(60)
                time.sleep(max(0.0, number / self._plan.rate - (time.monotonic() - started)))
        assert self._producer.flush(60) == 0

    def _until_used(self, progress: Progress) -> None:
        """Wait until some exchange that was sent after the last change is decided."""
        assert self._producer.flush(60) == 0
        until = time.monotonic() + LONGEST_WAIT
        while progress.lag() >= self._every:
            assert time.monotonic() < until, "the workers came no further"
            time.sleep(0.2)

    def change(self) -> None:
        """Publish the next version of the one that has fewer; it is acknowledged when this returns."""
        if len(self.policies) <= len(self.calibrations):
            version = len(self.policies) + 1
            self.policies[version] = policy(version=version, threshold=0.3 + 0.4 * (version % 2), audit_rate=0.05)
            self._publish(self.policies[version])
        else:
            version = len(self.calibrations) + 1
            self.calibrations[version] = calibration(version, BOT)
            self._publish(self.calibrations[version])

    def _publish(self, event: Policy | Calibration) -> None:
        name = CHANGE_TOPICS[type(event)]
        acknowledged: list[int] = []
        self._producer.produce(
            self._cluster.topic(name),
            encode(event),
            event.bot,
            on_delivery=lambda error, message: acknowledged.append(message.timestamp()[1]),
        )
        assert self._producer.flush(60) == 0
        (self.times[name, event.version],) = acknowledged


def progress_of(cluster: Cluster) -> Progress:
    """How far the workers are."""
    return Progress(cluster.bootstrap, cluster.prefix + GROUP, cluster.topic("chat.exchanges"))


def sample(number: int) -> Exchange:
    """One of the exchanges; its number says which."""
    return exchange(f"e{number}", conversation=f"c{number % 1009}", answer=ANSWERS[number % len(ANSWERS)])


class Scorers(Fleet):
    """Two scoring workers under the chaos runs' supervisor."""

    def __init__(self, cluster: Cluster, log: Path) -> None:
        module = "tests.integration.test_kill_scoring"
        self._command = [sys.executable, "-m", module, msgspec.json.encode(cluster).decode()]
        self._log = log.open("ab")
        self.exits = Counter()
        self.stopped = set()
        self.workers = [self._start() for _ in range(2)]


@contextmanager
def scorers(cluster: Cluster, log: Path) -> Iterator[Scorers]:
    """Two workers that are gone afterwards, whatever happens."""
    ships = Scorers(cluster, log)
    try:
        yield ships
    finally:
        ships.close()


def both_work(client: AdminClient, group: str) -> bool:
    """Whether both have partitions; a coordinator that is not there yet has no group."""
    try:
        return at_work(client, group) == 2
    except KafkaException:
        return False


def break_and_check(kafka: KafkaCluster, prefix: str, plan: Plan, log: Path) -> str:
    """Feed, kill, drain, end; then hold every decision to its claim. Returns what was counted, in words."""
    cluster = Cluster(bootstrap=kafka.bootstrap, prefix=prefix, partitions=PARTITIONS)
    topics = {cluster.topic(name): cluster.partitions_of(name) for name in TOPICS}
    kafka.create_all(topics, message_timestamp_type="LogAppendTime")
    started, draw = time.monotonic(), random.Random(plan.seed)
    traffic = Traffic(cluster, plan)
    progress = progress_of(cluster)
    client = admin(cluster)
    with scorers(cluster, log) as ships:
        while not both_work(client, cluster.prefix + GROUP):
            tend(ships, 0.3)
        traffic.start()
        for _ in range(plan.kills):
            tend(ships, draw.uniform(0.5, 1.5) * plan.gap)
            ships.kill(draw.choice(ships.running()))
        while traffic.is_alive():
            tend(ships, 0.5)
        lag = drain(ships, progress)
        ends, exits = ships.end(), dict(ships.exits)
    assert lag == 0, log.read_text()[-5000:]
    assert exits.get(-9) == plan.kills and set(ends) <= {0, -15}, (exits, ends)
    routes = check_decisions(cluster, traffic, plan)
    return (
        f"{plan.exchanges:,} exchanges, {plan.kills} kill -9 of two workers, {len(traffic.policies)} policies and "
        f"{len(traffic.calibrations)} calibrations, {time.monotonic() - started:.0f} s: none missing, none twice; "
        f"{dict(routes)}; exits {exits}"
    )


def check_decisions(cluster: Cluster, traffic: Traffic, plan: Plan) -> Counter[str]:
    """Every exchange has one decision, the one that its versions make; they never go back; requests agree."""
    with Tail(cluster, "chat.scored", (Scored,)) as tail:
        decided = [(record, record.event) for record in tail.catch_up() if record.event is not None]
    with Tail(cluster, "review.requests", (ReviewRequest,)) as tail:
        asked = Counter(record.event.id for record in tail.catch_up() if record.event is not None)
    times = Counter(event.id for _, event in decided)
    assert len(times) == plan.exchanges and set(times.values()) == {1}, (len(times), times.most_common(3))
    assert asked == Counter(event.id for _, event in decided if event.route != "accept")
    check_versions(decided, traffic, plan)
    for _, event in decided:
        rules = traffic.policies[event.policy]
        standing = Standing({n: one for n, one in traffic.calibrations.items() if n <= event.calibration})
        force = in_force(standing, rules, event.adapter)
        score = confidence(event.signals, force.weights)
        again = route(sample(int(event.id[1:])), score, rules, force.threshold)
        assert (event.confidence, event.route, event.reasons, event.threshold) == (score, *again, force.threshold)
    return Counter(event.route for _, event in decided)


def check_versions(decided: list[tuple[Record[Scored], Scored]], traffic: Traffic, plan: Plan) -> None:
    """What a score names was on its topic before, is no older than the exchange, and never goes back in the log."""
    newest: dict[int, list[tuple[int, int]]] = {}
    for record, event in decided:
        policy_, calibration_ = traffic.least[int(event.id[1:])]
        assert event.policy >= policy_ and event.calibration >= calibration_, event
        for name, version in (("loop.policy", event.policy), ("loop.calibration", event.calibration)):
            assert (version == 0 and name == "loop.calibration") or traffic.times[name, version] <= record.timestamp
        newest.setdefault(record.partition, []).append((event.policy, event.calibration))
    assert len(newest) == PARTITIONS
    for versions in newest.values():
        assert all(a[0] <= b[0] and a[1] <= b[1] for a, b in pairwise(versions))
    policies, calibrations = ({getattr(event, name) for _, event in decided} for name in ("policy", "calibration"))
    assert policies <= set(traffic.policies) and calibrations <= {0, *traffic.calibrations}
    assert max(policies) == len(traffic.policies) and max(calibrations) == len(traffic.calibrations)
    used = min(len(policies), len(calibrations))
    assert used >= plan.changes // WAITS // 2, used  # those that the traffic waited for are half policies


def test_three_kills_lose_nothing_double_nothing_and_never_bring_back_an_old_policy(
    kafka: KafkaCluster, prefix: str, tmp_path: Path
) -> None:
    plan = Plan(exchanges=5_000, kills=3, changes=9, rate=400.0, gap=3.5)
    break_and_check(kafka, prefix, plan, tmp_path / "log")


@pytest.mark.acceptance
def test_thirty_kills_over_200_000_exchanges(kafka: KafkaCluster, prefix: str, tmp_path: Path) -> None:
    plan = Plan(exchanges=200_000, kills=30, changes=60, rate=900.0, gap=6.0)
    print(break_and_check(kafka, prefix, plan, tmp_path / "log"))


def score(cluster: Cluster) -> None:
    """Score until SIGTERM."""
    scorer = Scorer(cluster, Policies(cluster), Calibrations(cluster), None)
    settings = StreamSettings(cluster=cluster, group=GROUP, max_batch=200, session_timeout=6.0)
    run(make_app(settings, Leg(cluster.topic("chat.exchanges"), scorer.decode, scorer.handle)))


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s")
    score(msgspec.json.decode(sys.argv[1], type=Cluster))
