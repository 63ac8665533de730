"""The budget on a real Kafka: the policy changes while people work, and the desk is killed and started again."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from teachback.consumers.desk.feed import TOPICS
from teachback.consumers.desk.shapes import Overview
from teachback.consumers.review.client import DeskClient
from teachback.schemas.ids import verdict_id
from teachback.schemas.review import ReviewRequest, Verdict
from teachback.schemas.wire import Cluster
from tests.consumers.desk.making import BOT, MOMENT, policy, request
from tests.integration.desk_process import DeskProcess
from tests.integration.test_desk import Consensus, Desks, Log, crowd, desks, eventually
from tests.kafka_fixture import KafkaCluster

__all__ = ["desks"]
pytestmark = pytest.mark.kafka
NEEDED_SECONDS = 60.0


@pytest.fixture
def cluster(kafka: KafkaCluster, prefix: str) -> Cluster:
    """Its topics keep the producer's time, so that a test can write what the broker would have taken yesterday."""
    made = Cluster(bootstrap=kafka.bootstrap, prefix=prefix)
    partitions = {made.topic(name): made.partitions_of(name) for name in TOPICS}
    kafka.create_all(partitions, message_timestamp_type="CreateTime")
    return made


@pytest.fixture(autouse=True)
def _one_day() -> None:
    """The desk's day is the real one: begin no test that midnight would fall into."""
    now = datetime.now(UTC)
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    if (left := (midnight - now).total_seconds()) < NEEDED_SECONDS:
        time.sleep(left + 1)


def begun_yesterday(asked: ReviewRequest) -> Verdict:
    """A verdict of a reviewer who is not in the crowd."""
    return Verdict(
        id=verdict_id(asked.id, "yves", 0),
        bot=BOT,
        created=MOMENT,
        exchange=asked.id,
        reviewer="yves",
        role="reviewer",
        round=0,
        decision="approve",
        request=asked,
    )


class Staff:
    """Two reviewers who take turns and approve all that they are given."""

    def __init__(self, desk: DeskProcess) -> None:
        self.clients = [DeskClient(desk.url, f"token-reviewer{n}") for n in range(2)]

    def work_through(self) -> set[str]:
        """Judge until nothing is left; the exchanges."""
        done: set[str] = set()
        while True:
            offers = [(client, offer) for client in self.clients if (offer := client.lease()) is not None]
            if not offers:
                return done
            for client, offer in offers:
                client.verdict(offer.lease, "approve")
                done.add(offer.exchange)

    def counts(self) -> Overview:
        return self.clients[0].queue()

    def close(self) -> None:
        for client in self.clients:
            client.close()


def test_the_budget_holds_through_a_change_of_policy_and_kills_and_audits_are_beside_it(
    desks: Desks, cluster: Cluster
) -> None:
    log = Log(cluster)
    reviews = [request(f"x{n:02d}", confidence=n / 30) for n in range(30)]
    audits = [request(f"a{n}", route="audit") for n in range(5)]
    again = [request(f"again{n}", messages=reviews[0].messages) for n in range(3)]
    log.write("loop.policy", (BOT, policy(1, budget=4)))
    log.write("review.requests", *((each.id, each) for each in (*reviews, *audits)))
    old = int(time.time() - 86_400) * 1000
    log.write("review.verdicts", (reviews[29].id, begun_yesterday(reviews[29])), timestamp=old)
    desk = desks(*crowd(2))
    staff = Staff(desk)
    log.write("review.requests", *((each.id, each) for each in again))
    eventually(staff.counts, lambda counts: counts.attached == 3)
    with Consensus(log):
        first = staff.work_through()
        assert first == {each.id for each in audits} | {"x00", "x01", "x02", "x03", "x29"}
        counts = eventually(staff.counts, lambda counts: sum(counts.settled.values()) == len(first))
        assert (counts.today.begun, counts.today.overflow, counts.settled_by_attachment) == (4, 25, 3)

        desk.kill()
        desk.start()
        assert staff.work_through() == set()
        assert staff.counts() == counts

        log.write("loop.policy", (BOT, policy(3, budget=20)), (BOT, policy(2, budget=6)))
        eventually(staff.counts, lambda counts: counts.today.policy == 2)
        second = staff.work_through()
        assert second == {"x04", "x05"}
        counts = eventually(staff.counts, lambda counts: sum(counts.settled.values()) == len(first | second))
        assert (counts.today.budget, counts.today.begun, counts.today.overflow) == (6, 6, 23)

        desk.kill()
        desk.start()
        assert staff.work_through() == set()
        assert staff.counts() == counts
    staff.close()
    assert {verdict.exchange for verdict in log.verdicts()} == first | second
