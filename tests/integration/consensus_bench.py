"""Topics, scripted verdicts and the checker for the tests of consensus."""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from teachback.schemas import Label, Outcome, Verdict
from teachback.schemas.ids import label_id
from teachback.schemas.log import Tail
from teachback.schemas.wire import Cluster, encode, headers, producer
from teachback.streams.consensus import ConsensusSettings
from tests.kafka_fixture import KafkaCluster
from tests.streams.consensus.samples import BOT_ANSWER, verdict

PATIENCE_SECONDS = 60.0
PEOPLE = ("ana", "bo", "cem", "dora")

# What reviewers say, in turn, and the answer that must come of it; None is no label.
SCRIPTS: dict[str, str | None] = {
    "a a": BOT_ANSWER,
    "a e:5£ a": BOT_ANSWER,
    "e:5£! e:5£": "5£",
    "a e:5£ e:5£": "5£",
    "r r": None,
    "a r": None,
    "e:5£ e:6£ r": None,
    "a e:5£ r E:7£": "7£",
    "f A": BOT_ANSWER,
    "a a r": BOT_ANSWER,
}


class Bench:
    """The topics of one test, and what was sent to them."""

    def __init__(self, kafka: KafkaCluster, prefix: str, folder: Path, partitions: int = 4) -> None:
        self.cluster = Cluster(bootstrap=kafka.bootstrap, prefix=prefix, partitions=partitions)
        self.folder = folder
        self.log = folder / "consensus.log"
        (folder / "config.json").touch()  # to look like a model; none of the scripts needs it
        names = ("review.verdicts", "review.verdicts.dlq", "review.outcomes", "labels.approved")
        kafka.create_all({self.cluster.topic(name): partitions for name in names})
        self.sent: list[Verdict] = []
        self.expected: dict[str, str | None] = {}
        self._producer = producer(self.cluster)

    def settings(self, **chosen: Any) -> ConsensusSettings:
        quick = {"session_timeout": 1.5, "wait": 0.05, "batch": 500}
        common: dict[str, Any] = {"bot": "harbour", "cluster": self.cluster, "embedder": self.folder}
        return ConsensusSettings(**(common | quick | chosen))

    def send(self, verdicts: Sequence[Verdict]) -> None:
        for each in verdicts:
            self.send_raw(encode(each), each.exchange.encode(), headers(each, "desk"))
        self.sent += verdicts
        assert self._producer.flush(30) == 0

    def send_raw(self, value: bytes | None, key: bytes | None, with_headers: Any = None) -> None:
        self._producer.produce(self.cluster.topic("review.verdicts"), value, key, headers=with_headers)

    def script(self, count: int, seed: int) -> list[Verdict]:
        """Verdicts on `count` new exchanges by turns of the scripts, those of different exchanges interleaved."""
        queues = []
        for i in range(count):
            exchange, words = f"x{len(self.expected)}", list(SCRIPTS)[i % len(SCRIPTS)]
            self.expected[exchange] = SCRIPTS[words]
            queues.append([verdict(w, who, exchange) for w, who in zip(words.split(), PEOPLE, strict=False)])
        lot, turns = random.Random(seed), []
        while queues := [queue for queue in queues if queue]:
            turns.append(lot.choice(queues).pop(0))
        return turns

    def outcomes(self) -> list[tuple[int, Outcome]]:
        """Every committed outcome with its partition, in the order of each partition."""
        with Tail(self.cluster, "review.outcomes", (Outcome,)) as tail:
            return [(record.partition, record.event) for record in tail.catch_up() if record.event]

    def labels(self) -> list[Label]:
        """Every committed label."""
        with Tail(self.cluster, "labels.approved", (Label,)) as tail:
            return [record.event for record in tail.catch_up() if record.event]

    def wait_counted(self, total: int) -> None:
        """Until the outcomes hold `total` verdicts, or more. Patiently: how long it takes is not what is tested."""
        deadline, counts = time.monotonic() + PATIENCE_SECONDS, dict[str, int]()
        with Tail(self.cluster, "review.outcomes", (Outcome,)) as tail:
            while sum(counts.values()) < total:
                for record in tail.poll(0.1):
                    if record.event is not None:
                        counts[record.key] = len(record.event.judgments) + len(record.event.late)
                if time.monotonic() > deadline:
                    raise TimeoutError(
                        f"{counts} after {PATIENCE_SECONDS:g} s, not {total}\n{self.log.read_text()[-4000:]}"
                    )

    def problems(self) -> list[str]:
        """What is wrong with the topics, given what was sent: nothing, if every verdict was counted exactly once."""
        labels, records = self.labels(), self.outcomes()
        found = [f"label {id_} is there {n} times" for id_, n in Counter(x.id for x in labels).items() if n > 1]
        found += [f"outcome {id_}: {n} times" for id_, n in Counter(x.id for _, x in records).items() if n > 1]
        newest = {outcome.exchange: outcome for _, outcome in records}
        given = defaultdict(list)
        for each in self.sent:
            given[each.exchange].append(each.id)
        for exchange, ids in given.items():
            outcome = newest.get(exchange)
            kept = [judgment.verdict for judgment in (*outcome.judgments, *outcome.late)] if outcome else []
            if Counter(kept) != Counter(ids):
                found.append(f"{exchange}: {len(ids)} verdicts were sent, {len(kept)} counted")
        agreed = {label_id(exchange, 1): answer for exchange, answer in self.expected.items() if answer is not None}
        there = {label.id: label.answer for label in labels}
        found += [f"label {id_} is missing" for id_ in agreed.keys() - there.keys()]
        found += [f"label {id_} should not be" for id_ in there.keys() - agreed.keys()]
        found += [
            f"label {id_} says {there[id_]!r}" for id_ in agreed.keys() & there.keys() if agreed[id_] != there[id_]
        ]
        return found
