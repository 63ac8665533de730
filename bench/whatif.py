"""Asking the past: `read_history` beside plain loops over the same records, and what an answer then takes.

    python -m bench.whatif [--records 1000000] [--rounds 3] [--bootstrap HOST:PORT]

Fills `chat.scored` with decisions of twelve signals each, and `review.outcomes` with one for every tenth; without
`--bootstrap` on a Kafka of its own. The references consume the same records with the same client, 10,000 at a time, and
only decode them, by `json.loads` or by msgspec into `Scored`: no columns, no first of each id, no outcomes. Everything
runs by turns; the best of the rounds counts. Prints records a second, and the ratio to each reference.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from confluent_kafka import OFFSET_BEGINNING, TopicPartition
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]

from bench.table import table
from teachback.infra.cache import default_cache
from teachback.infra.history import Decisions, History, Timed, read_history
from teachback.infra.kafka.node import Node
from teachback.infra.kafka.settings import KafkaSettings
from teachback.infra.topics import wanted
from teachback.infra.whatif.change import Change
from teachback.infra.whatif.effect import effect
from teachback.schemas import Event, Outcome, Policy, Scored
from teachback.schemas.review import Judgment
from teachback.schemas.wire import Cluster, admin, consumer, encode, producer
from teachback.streams.route import drawn

BOT = "bench"
SALT = "a salt for the benchmark"
THRESHOLD, AUDIT_RATE = 0.8, 0.05
DAY_MS = 86_400_000
ANSWER = "A card payment within the euro area costs nothing. Elsewhere the fee is 1.5 per cent of the amount. " * 3
SIGNALS = (
    "mean_logprob",
    "min_logprob",
    "entropy",
    "log_words",
    "cut_off",
    "hedging",
    "disagreement",
    "qa_cosine",
    "support",
    "nearest_approved",
    "nearest_rejected",
    "density",
)


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bootstrap", help="without it, a Kafka of its own")
    given = parser.parse_args()
    with kafka(given.bootstrap) as bootstrap:
        cluster = Cluster(bootstrap=bootstrap, prefix=f"bench{uuid.uuid4().hex[:8]}.")
        size = fill(cluster, given.records)
        best, history = measure(cluster, given.records, given.rounds)
    print(f"{given.records:,} records of {size:,.0f} bytes on {cluster.partitions} partitions\n")
    print(report(best, given.records))
    print(f"\npeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GiB\n")
    for name, seconds in answers(history):
        print(f"{name:48} {seconds:6.2f} s")


@contextmanager
def kafka(bootstrap: str | None) -> Iterator[str]:
    """A Kafka that runs already, or one of this run's own."""
    if bootstrap:
        yield bootstrap
        return
    with tempfile.TemporaryDirectory() as home, Node(KafkaSettings(home=Path(home), cache=default_cache())) as node:
        yield node.bootstrap


def fill(cluster: Cluster, count: int) -> float:
    """Make the topics as the table has them, write the records, and return their mean size in bytes."""
    names = ("chat.scored", "review.outcomes")
    configs = wanted(cluster)
    client = admin(cluster)
    new = [NewTopic(cluster.topic(name), cluster.partitions, 1, config=configs[name]) for name in names]
    for made in client.create_topics(new).values():
        made.result(30)
    out = producer(cluster, {"linger.ms": 50, "batch.num.messages": 10_000})
    size = 0

    def put(topic: str, event: Event, key: str) -> int:
        value = encode(event)
        out.produce(cluster.topic(topic), value, key)
        return len(value)

    dice = random.Random(1)
    for number in range(count):
        decision = sample(number, dice)
        size += put("chat.scored", decision, decision.conversation)
        if decision.route == "audit" or number % 20 == 0:
            put("review.outcomes", outcome(decision, dice), decision.id)
        if number % 2_000 == 0:
            out.poll(0)
        if number % 50_000 == 0:
            out.flush()
    out.flush()
    return size / count


def sample(number: int, dice: random.Random) -> Scored:
    """A decision with twelve signals; one in twenty could not be given some of them."""
    given = SIGNALS if number % 20 else SIGNALS[3:]
    confidence = round(dice.betavariate(5, 2), 6)
    one = str(uuid.uuid5(uuid.NAMESPACE_OID, str(number)))
    doubtful = confidence < THRESHOLD
    audited = drawn(SALT, one, AUDIT_RATE)
    return Scored(
        id=one,
        bot=BOT,
        created=datetime.now(UTC),
        conversation=f"c{number // 3}",
        adapter=f"{BOT}@v{number * 4 // 1_000_000}",
        source="live",
        signals={name: round(dice.random(), 6) for name in given},
        missing=() if number % 20 else SIGNALS[:3],
        confidence=confidence,
        route="audit" if audited else "review" if doubtful else "accept",
        reasons=(*(("audit",) if audited else ()), *((f"confidence<{THRESHOLD:g}",) if doubtful else ())),
        policy=1,
        calibration=0,
        topic=("cards", "loans", "accounts", "fees")[number % 4],
        threshold=THRESHOLD,
    )


def outcome(decision: Scored, dice: random.Random) -> Outcome:
    """What two reviewers found about it: the more trusted, the likelier right."""
    right = dice.random() < decision.confidence
    judgments = tuple(
        Judgment(verdict=f"v{n}", reviewer=f"r{n}", role="reviewer", decision="approve" if right else "reject")
        for n in range(2)
    )
    return Outcome(
        id=decision.id,
        bot=BOT,
        created=decision.created,
        exchange=decision.id,
        status="labelled" if right else "rejected",
        round=0,
        judgments=judgments,
        answer=ANSWER if right else None,
        origin="approved" if right else None,
        answered_by=("r0", "r1"),
    )


def measure(cluster: Cluster, count: int, rounds: int) -> tuple[dict[str, float], History]:
    """The best seconds of each reader, by turns, and what `read_history` read."""
    readers: dict[str, Callable[[], None]] = {
        "json.loads": lambda: plain(cluster, count, json.loads),
        "msgspec Scored": lambda: plain(cluster, count, msgspec.json.Decoder(Scored).decode),
    }
    best: dict[str, float] = {}
    for turn in range(rounds):
        for name, read in [*readers.items()][:: 1 if turn % 2 == 0 else -1]:
            best[name] = min(best.get(name, 1e9), timed(read))
        history, seconds = columned(cluster)
        best["read_history"] = min(best.get("read_history", 1e9), seconds)
        if len(history) != count:
            raise SystemExit(f"the history has {len(history)} rows, not {count}")
    return best, history


def plain(cluster: Cluster, count: int, decode: Callable[[bytes], object]) -> None:
    """The reference: consume, decode, forget."""
    reader = consumer(cluster, "plain")
    name = cluster.topic("chat.scored")
    reader.assign([TopicPartition(name, partition, OFFSET_BEGINNING) for partition in range(cluster.partitions)])
    done = 0
    while done < count:
        for message in reader.consume(10_000, 1.0):
            value = message.value()
            assert message.error() is None and isinstance(value, bytes)
            decode(value)
            done += 1
    reader.close()


def columned(cluster: Cluster) -> tuple[History, float]:
    """The history, and the seconds that it took."""
    started = time.perf_counter()
    history = read_history(cluster, BOT, int(time.time() * 1000) - DAY_MS)
    return history, time.perf_counter() - started


def timed(work: Callable[[], object]) -> float:
    """The seconds that it takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def report(best: dict[str, float], count: int) -> str:
    """Records a second of each, and ratios of `read_history` to the references."""
    ours = best["read_history"]
    rows = [
        (name, f"{seconds:.1f} s", f"{count / seconds:,.0f}", f"{seconds / ours:.2f}") for name, seconds in best.items()
    ]
    return table(("reader", "best", "records/s", "read_history is so many times as fast"), rows)


def answers(history: History) -> Iterator[tuple[str, float]]:
    """The seconds of some questions, once the records are there."""
    policy = Policy(
        id="p1",
        bot=BOT,
        created=datetime.now(UTC),
        version=1,
        threshold=THRESHOLD,
        audit_rate=AUDIT_RATE,
        audit_salt=SALT,
    )
    now = int(time.time() * 1000)
    decisions = Decisions((Timed(policy, now - DAY_MS),))
    changes = {
        "another threshold": Change(threshold=0.6),
        "another audit rate (every lot drawn again)": Change(audit_rate=0.1),
        "another budget and a topic's weight": Change(budget=10_000, weights={"cards": 2.0}),
        "scored again by the stated prior": Change(calibration=0),
    }
    for name, change in changes.items():
        yield name, timed(lambda change=change: effect(history, decisions, change, now - DAY_MS, now))


if __name__ == "__main__":
    main()
