"""The desk on a real Kafka, as a process that is killed, stalled and replaced while people work."""

from __future__ import annotations

import gc
import hashlib
import random
import threading
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest

from teachback.consumers.desk.feed import TOPICS
from teachback.consumers.desk.settings import Reviewer
from teachback.consumers.desk.shapes import Leased, Offer
from teachback.consumers.review.client import DeskClient
from teachback.consumers.review.errors import ItemGone, Unreachable
from teachback.schemas.event import Event
from teachback.schemas.log import Tail
from teachback.schemas.review import Verdict
from teachback.schemas.wire import Cluster, encode, headers, producer
from tests.consumers.desk.making import fold, person, request, settings
from tests.integration.desk_process import DeskProcess, free_port
from tests.kafka_fixture import KafkaCluster
from tests.stall import stall, wake

pytestmark = pytest.mark.kafka
STUCK_SECONDS = 240.0
T = TypeVar("T")
Desks = Callable[..., DeskProcess]
Reviewers = Callable[..., DeskClient]


@pytest.fixture
def cluster(kafka: KafkaCluster, prefix: str) -> Cluster:
    made = Cluster(bootstrap=kafka.bootstrap, prefix=prefix)
    kafka.create_all({made.topic(name): made.partitions_of(name) for name in TOPICS})
    return made


@pytest.fixture
def desks(cluster: Cluster, tmp_path: Path) -> Iterator[Desks]:
    """Makes started desks on ports of their own; all end with the test."""
    started: list[DeskProcess] = []

    def start(*people: Reviewer, **fields: Any) -> DeskProcess:
        desk = DeskProcess(settings(*people, cluster=cluster, port=free_port(), **fields), tmp_path)
        started.append(desk)
        return desk.start()

    yield start
    for desk in started:
        desk.kill()
    with warnings.catch_warnings():  # httpcore leaves a socket to the collector now and then when its server is killed
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def reviewer() -> Iterator[Reviewers]:
    """Makes clients of the reviewers of a `crowd`, by number; all are closed with the test."""
    with ExitStack() as made:

        def client(desk: DeskProcess, number: int, patience: float = 60.0) -> DeskClient:
            return made.enter_context(DeskClient(desk.url, f"token-reviewer{number}", patience=patience))

        yield client


class Log:
    """The topics as a test writes and reads them."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._producer = producer(cluster)

    def write(self, topic: str, *events: tuple[str, Event], timestamp: int = 0) -> None:
        """`timestamp` (ms; 0 is now) counts in topics that keep the producer's time, as ours do not."""
        name = self.cluster.topic(topic)
        for key, event in events:
            sent = [*headers(event, "test")]
            self._producer.produce(name, key=key, value=encode(event), headers=sent, timestamp=timestamp)
        assert self._producer.flush(30) == 0

    def ask(self, count: int, **fields: Any) -> None:
        made = [request(f"x{n:04d}", confidence=n / count, **fields) for n in range(count)]
        self.write("review.requests", *((each.id, each) for each in made))

    def verdicts(self) -> list[Verdict]:
        with Tail(self.cluster, "review.verdicts", (Verdict,)) as tail:
            return [record.event for record in tail.catch_up() if record.event is not None]


class Consensus(threading.Thread):
    """A small stand-in for the real one: folds verdicts into outcomes while the test runs."""

    def __init__(self, log: Log) -> None:
        super().__init__(daemon=True)
        self.log, self.done = log, threading.Event()

    def run(self) -> None:
        cast: dict[str, list[Verdict]] = defaultdict(list)
        with Tail(self.log.cluster, "review.verdicts", (Verdict,)) as tail:
            while not self.done.is_set():
                news = [record.event for record in tail.poll(0.1) if record.event is not None]
                for verdict in news:
                    cast[verdict.exchange].append(verdict)
                self.log.write("review.outcomes", *((x, fold(cast[x])) for x in {v.exchange for v in news}))

    def __enter__(self) -> Consensus:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.join()


class Worker:
    """A reviewer at work: differs from others now and then, skips now and then, sends verdicts twice now and then."""

    def __init__(self, url: str, name: str) -> None:
        self.name = name
        self.random = random.Random(name)
        self.client = DeskClient(url, f"token-{name}", patience=60.0)
        self.acknowledged: list[str] = []

    def step(self) -> bool:
        """Judge or skip one item; False when there is none."""
        offer = self.client.lease()
        if offer is None:
            return False
        if self.random.random() < 0.05:
            self.client.skip(offer.lease)
            return True
        try:
            self.acknowledged.append(self.judge(offer))
            if self.random.random() < 0.1:
                assert self.judge(offer) == self.acknowledged[-1]
        except ItemGone:
            pass
        return True

    def judge(self, offer: Offer) -> str:
        own = int(hashlib.sha256(f"{self.name}{offer.exchange}".encode()).hexdigest(), 16)
        if own % 5 == 0:
            return self.client.verdict(offer.lease, "edit", answer=f"It costs {own % 7} pounds.", comment="wrong fee")
        return self.client.verdict(offer.lease, "approve")


def eventually(look: Callable[[], T], enough: Callable[[T], bool]) -> T:
    """What `look` sees, as soon as it is enough."""
    deadline = time.monotonic() + STUCK_SECONDS
    while not enough(seen := look()):
        assert time.monotonic() < deadline, f"waited for long, and still: {seen}"
        time.sleep(0.02)
    return seen


def until_settled(workers: list[Worker], meanwhile: Callable[[], None]) -> None:
    """All workers judge in parallel until nothing is open; `meanwhile` runs beside them."""
    over = threading.Event()

    def work(worker: Worker) -> None:
        while not over.is_set():
            if not worker.step():
                time.sleep(0.1)

    with ThreadPoolExecutor(len(workers) + 1) as pool:
        jobs = [pool.submit(work, worker) for worker in workers]
        try:
            meanwhile()
            eventually(workers[0].client.queue, lambda counts: not counts.open or any(job.done() for job in jobs))
        finally:
            over.set()
        for job in jobs:
            job.result()


def crowd(reviewers: int, adjudicators: int = 2) -> list[Reviewer]:
    plain = [person(f"reviewer{n}") for n in range(reviewers)]
    return plain + [person(f"adjudicator{n}", role="adjudicator") for n in range(adjudicators)]


def check_work(log: Log, workers: list[Worker], items: int) -> None:
    """What must be true of the topic after any accident."""
    written = log.verdicts()
    ids = Counter(verdict.id for verdict in written)
    for worker in workers:
        assert [id_ for id_ in worker.acknowledged if ids[id_] != 1] == []
    pairs = Counter((verdict.exchange, verdict.reviewer) for verdict in written)
    assert [pair for pair, count in pairs.items() if count > 1] == []
    by_item: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in written:
        by_item[verdict.exchange].append(verdict)
    assert len(by_item) == items
    assert all(fold(verdicts).status != "open" for verdicts in by_item.values())
    assert all(fold(verdicts[:-1]).status == "open" for verdicts in by_item.values()), "more people than needed"


def work_through_kills(desks: Desks, cluster: Cluster, items: int, people: int, kills: int) -> None:
    log = Log(cluster)
    log.ask(items)
    staff = crowd(people - 2)
    desk = desks(*staff, skip_seconds=1.0)  # one adjudicator may have reviewed what the other has skipped
    workers = [Worker(desk.url, who.name) for who in staff]

    def acknowledged() -> int:
        return sum(len(worker.acknowledged) for worker in workers)

    def kill_now_and_then() -> None:
        for n in range(1, kills + 1):
            eventually(acknowledged, (n * items * 2 // (kills + 1)).__le__)
            desk.kill()
            desk.start()

    with Consensus(log):
        until_settled(workers, kill_now_and_then)
    for worker in workers:
        worker.client.close()
    check_work(log, workers, items)
    assert desk.stop() == 0


def test_every_acknowledged_verdict_is_written_once_though_the_desk_is_killed(desks: Desks, cluster: Cluster) -> None:
    work_through_kills(desks, cluster, items=60, people=20, kills=1)


@pytest.mark.acceptance
def test_every_acknowledged_verdict_of_300_items_is_written_once_through_five_kills(
    desks: Desks, cluster: Cluster
) -> None:
    work_through_kills(desks, cluster, items=300, people=20, kills=5)


def insist(desk: DeskProcess, client: DeskClient, lease: Leased) -> str | None:
    """What a desk acknowledges to someone who rejects an item again and again until the desk is gone; None is best."""
    deadline = time.monotonic() + STUCK_SECONDS
    while desk.process.poll() is None:
        assert time.monotonic() < deadline, "the desk goes on"
        try:
            return client.verdict(lease, "reject")
        except Unreachable:
            time.sleep(0.001)
    return None


def test_a_stalled_desk_that_wakes_up_after_its_successor_commits_and_acknowledges_nothing(
    desks: Desks, reviewer: Reviewers, cluster: Cluster
) -> None:
    """The successor has only opened: nothing in the topic tells the sleeper of it, and Kafka's fencing must."""
    log, staff = Log(cluster), crowd(8)
    log.ask(20)
    stalled = desks(*staff)
    clients = [reviewer(stalled, n, patience=0.0) for n in range(8)]
    offers = [offer for client in clients if (offer := client.lease()) is not None]
    assert len(offers) == 8
    first = clients[0].verdict(offers[0].lease, "approve")  # it is at work before it stalls
    stall(stalled.process)
    with ThreadPoolExecutor(7) as pool:
        posts = [
            pool.submit(insist, stalled, client, offer.lease)
            for client, offer in zip(clients[1:], offers[1:], strict=True)
        ]
        successor = desks(*staff)
        wake(stalled.process)
        assert [post.result() for post in posts] == [None] * 7
    assert stalled.process.returncode > 0
    assert "another desk of this bot has taken over" in stalled.log.read_text()
    assert [verdict.id for verdict in log.verdicts()] == [first]
    sent = [reviewer(successor, n).verdict(offers[n].lease, "reject") for n in range(1, 8)]  # where they count
    assert sorted(verdict.id for verdict in log.verdicts()) == sorted([first, *sent])
    assert successor.stop() == 0


def test_a_stalled_desk_that_nobody_asks_to_write_learns_of_its_successor_from_the_topic(
    desks: Desks, reviewer: Reviewers, cluster: Cluster
) -> None:
    log, staff = Log(cluster), crowd(2)
    log.ask(4)
    stalled = desks(*staff)
    stall(stalled.process)
    successor = desks(*staff)
    offer = reviewer(successor, 0).lease()
    assert offer is not None
    kept = reviewer(successor, 0).verdict(offer.lease, "approve")
    wake(stalled.process)
    assert stalled.process.wait(STUCK_SECONDS) > 0
    assert "another desk of this bot has taken over" in stalled.log.read_text()
    assert [verdict.id for verdict in log.verdicts()] == [kept]
    assert successor.stop() == 0


def order_for(url: str, name: str) -> list[str]:
    """The exchanges that one person is given first, in order."""
    with DeskClient(url, f"token-{name}") as client:
        offers: list[Offer] = []
        while len(offers) < 4 and (offer := client.lease([each.lease.id for each in offers])) is not None:
            offers.append(offer)
        return [offer.exchange for offer in offers]


def test_a_restart_gives_the_same_queue_and_a_heartbeat_takes_a_lease_up_again(desks: Desks, cluster: Cluster) -> None:
    log, staff = Log(cluster), crowd(3, adjudicators=1)
    log.ask(12)
    log.write("review.requests", ("a1", request("a1", route="audit")), ("a2", request("a2", route="audit")))
    desk = desks(*staff)
    with Consensus(log), DeskClient(desk.url, "token-reviewer0") as one, DeskClient(desk.url, "token-reviewer1") as two:
        for client in (one, two):
            for _ in range(3):
                offer = client.lease()
                assert offer is not None
                client.verdict(offer.lease, "approve" if client is one else "reject")
        before = eventually(one.queue, lambda counts: counts.free == 14)  # a third reviewer is asked for those three
        held = one.lease()
        assert held is not None
        desk.kill()
        desk.start()
        again = one.heartbeat(held.lease)
        assert (again.id, again.exchange) == (held.lease.id, held.exchange)
        today = msgspec.structs.replace(before.today, begun=before.today.begun + 1)
        assert one.queue() == msgspec.structs.replace(before, leased=1, today=today)
        first = order_for(desk.url, "reviewer2")
        desk.kill()
        desk.start()
        assert order_for(desk.url, "reviewer2") == first
        assert one.verdict(again, "approve")
    assert len(log.verdicts()) == 7
