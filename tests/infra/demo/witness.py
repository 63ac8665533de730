"""Counts what a demo did, without the demo's own counting: a plain consumer, plain JSON, and the table.

Nothing of `teachback.infra.demo` is used here, nor the structs of `teachback.schemas`: an event is the dictionary that
stands on the topic, and what was left out there, because it has its default, is left out here too.
"""

from __future__ import annotations

import json
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import permutations
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition
from deltalake import DeltaTable

Event = dict[str, Any]
EXCHANGES, SCORED, REQUESTS = "chat.exchanges", "chat.scored", "review.requests"
VERDICTS, OUTCOMES, LABELS = "review.verdicts", "review.outcomes", "labels.approved"
SHARDS, SPLITS, RUNS, ADAPTERS = "labels.shards", "labels.splits", "training.runs", "models.adapters"
CALIBRATION = "loop.calibration"
COUNTED = (EXCHANGES, SCORED, REQUESTS, VERDICTS, OUTCOMES, LABELS, SHARDS, SPLITS, RUNS, ADAPTERS, CALIBRATION)


class Seen(NamedTuple):
    """A committed record: its event, and the broker's time in ms."""

    at: int
    event: Event


class Log:
    """The committed records of some topics, in offset order a partition, as far as they have been read."""

    def __init__(self, bootstrap: str, topics: Sequence[str] = COUNTED) -> None:
        self.seen: dict[str, list[Seen]] = {topic: [] for topic in topics}
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": f"witness-{uuid.uuid4()}",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                "log_level": 0,
            }
        )
        known = self._consumer.list_topics(timeout=30).topics
        places = [(topic, partition) for topic in topics for partition in known[topic].partitions]
        self._next = dict.fromkeys(places, 0)
        self._unread = set(places)
        self._consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for topic, partition in places])

    def events(self, topic: str) -> list[Event]:
        """The events of a topic."""
        return [one.event for one in self.seen[topic]]

    def poll(self, seconds: float) -> None:
        """Take what comes within a while."""
        for message in self._consumer.consume(1000, seconds):
            self._take(message)

    def to_end(self, seconds: float = 60) -> Log:
        """Read until each partition has said that this is its end."""
        deadline = time.monotonic() + seconds
        while self._unread:
            assert time.monotonic() < deadline, f"no end of {sorted(self._unread)} after {seconds:.0f} s"
            self.poll(0.2)
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()

    def _take(self, message: Message) -> None:
        place = message.topic() or "", message.partition() or 0
        if (error := message.error()) is not None:
            if error.code() == KafkaError._PARTITION_EOF:
                self._unread.discard(place)
            return
        offset, value = message.offset() or 0, message.value()
        if offset >= self._next[place]:  # a client that starts again from the beginning sees the same records
            self._next[place] = offset + 1
            if value is not None:
                self.seen[place[0]].append(Seen(message.timestamp()[1], json.loads(value)))


class Table(NamedTuple):
    """The label table: its version, and its rows in no order."""

    version: int
    rows: list[Event]


def read_table(folder: Path) -> Table:
    """The table as it is now."""
    table = DeltaTable(str(folder))
    rows = table.to_pyarrow_table(columns=["id", "exchange", "answer"]).to_pylist()
    return Table(table.version(), rows)


def first(events: Iterable[Event], field: str = "id") -> dict[str, Event]:
    """The first event of each id."""
    found: dict[str, Event] = {}
    for event in events:
        found.setdefault(event[field], event)
    return found


def newest(events: Iterable[Event], field: str = "id") -> dict[str, Event]:
    """The last event of each id."""
    return {event[field]: event for event in events}


def source(event: Event) -> str:
    """Where an exchange comes from."""
    return str(event.get("source", "live"))


def question(event: Event) -> str:
    """The user's last message."""
    return [str(message["content"]) for message in event["messages"] if message["role"] == "user"][-1]


def changes(events: Iterable[Event], bot: str) -> list[Event]:
    """The changes of champion that took effect: those that name the champion in force as the one before."""
    serving, found = f"{bot}@v0", []
    for event in events:
        if event["event"] == "alias/1" and event["bot"] == bot and event["expected_previous"] == serving:
            serving = event["adapter"]
            found.append(event)
    return found


def champion(events: Iterable[Event], bot: str) -> str:
    """The adapter in service."""
    return str((changes(events, bot) or [{"adapter": f"{bot}@v0"}])[-1]["adapter"])


def ended(events: Iterable[Event]) -> list[Event]:
    """The ends of runs."""
    return [event for event in events if event["state"] != "started"]


def recounted(log: Log, table: Table, bot: str) -> Event:
    """What `report.json` says under the same names, counted here."""
    exchanges, requests = first(log.events(EXCHANGES)), first(log.events(REQUESTS))
    labels, splits = newest(log.events(LABELS)), first(log.events(SPLITS))
    sides = Counter(split["side"] for split in splits.values() if not split.get("quarantined"))
    run = ended(log.events(RUNS))[0]
    return {
        "promoted": run["state"] == "promoted",
        "topics": {topic: len(seen) for topic, seen in log.seen.items() if seen},
        "routes": dict(Counter(event["route"] for event in first(log.events(SCORED)).values())),
        "reviews": _reviews(log, len(requests)),
        "agreement": _agreement(newest(log.events(OUTCOMES), "exchange").values()),
        "labels": {
            "total": len(labels),
            "by_origin": dict(Counter(label["origin"] for label in labels.values())),
            "train": sides["train"],
            "eval": sides["eval"],
            "quarantined": sum(bool(split.get("quarantined")) for split in splits.values()),
        },
        "table": {"version": table.version, "rows": len(table.rows)},
        "run": {name: run.get(name) for name in ("id", "state", "adapter", "reason")}
        | {name: run["dataset"].get(name, 0) for name in ("train", "eval", "held_back")},
        "gate": _gate(run.get("gate")),
        "confidence": _confidence(log.events(CALIBRATION)),
        "alias": {"before": run["champion"], "after": champion(log.events(ADAPTERS), bot)},
        "replays": {
            "asked": sum(source(event) == "replay" for event in exchanges.values()),
            "queued": sum(source(event) == "replay" for event in requests.values()),
        },
    }


def _reviews(log: Log, requests: int) -> Event:
    verdicts = first(log.events(VERDICTS))
    outcomes = newest(log.events(OUTCOMES), "exchange").values()
    judgments = [outcome["judgments"] for outcome in outcomes if outcome["judgments"]]
    return {
        "requests": requests,
        "verdicts": len(verdicts),
        "by_decision": dict(Counter(verdict["decision"] for verdict in verdicts.values())),
        "by_reviewer": dict(Counter(judgment["reviewer"] for of in judgments for judgment in of)),
        "third_opinions": sum(len(of) > 2 for of in judgments),
        "adjudicated": sum(any(judgment["role"] == "adjudicator" for judgment in of) for of in judgments),
    }


def _agreement(outcomes: Iterable[Event]) -> Event:
    known = list(outcomes)
    told = [outcome["agreed"] for outcome in known if outcome.get("agreed") is not None]
    firsts = [[one["decision"] for one in outcome["judgments"] if one["role"] == "reviewer"][:2] for outcome in known]
    return {
        "agreed": sum(told),
        "of": len(told),
        "alpha": alpha([[one for one in two if one != "flag"] for two in firsts]),
    }


def alpha(units: Iterable[Sequence[str]]) -> float | None:
    """Krippendorff's alpha, nominal, from the matrix of coincidences; rounded as in the report."""
    coincidences: Counter[tuple[str, str]] = Counter()
    for unit in units:
        for pair in permutations(unit, 2):
            coincidences[pair] += 1 / (len(unit) - 1)  # type: ignore[assignment]  # a Counter of shares
    totals: defaultdict[str, float] = defaultdict(float)
    for (one, _), share in coincidences.items():
        totals[one] += share
    n = sum(totals.values())
    expected = sum(totals[one] * totals[other] for one, other in permutations(totals, 2)) / (n - 1) if n else 0
    observed = sum(share for (one, other), share in coincidences.items() if one != other)
    return round(1 - observed / expected, 3) if expected else None


def _gate(gate: Event | None) -> Event | None:
    if gate is None:
        return None
    named = ("name", "n", "mean", "interval", "bound", "passed", "explanation")
    tests = [{name: test[name] for name in named} for test in gate["tests"]]
    first_of = {name: tests[0][name] for name in ("n", "mean", "interval")}
    return {"outcome": gate["outcome"], "explanation": gate["explanation"], "tests": tests} | first_of


def _confidence(events: Iterable[Event]) -> Event | None:
    fits = [event for event in events if event["event"] == "calibration/1"]
    if not fits:
        return None
    newest = max(fits, key=lambda fit: int(fit["version"]))
    before = newest.get("forerunner") or {}
    return {
        "calibration": newest["version"],
        "labels": newest["labels"],
        "wrong": newest["wrong"],
        "ece": newest["quality"]["ece"],
        "auroc": newest["quality"].get("auroc"),
        "ece_before": before.get("ece"),
        "auroc_before": before.get("auroc"),
    }


def contradictions(log: Log, table: Table) -> list[str]:
    """Everything on the topics and in the table that cannot be, in words; nothing when all is well."""
    problems: list[str] = []

    def differ(what: str, one: Iterable[Any], other: Iterable[Any]) -> None:
        if wrong := set(one) ^ set(other):
            problems.append(f"{what}: {len(wrong)} differ, such as {sorted(wrong)[:3]}")

    def repeated(what: str, values: Iterable[Any]) -> None:
        if twice := [value for value, count in Counter(values).items() if count > 1]:
            problems.append(f"{what}: {len(twice)} are there more than once, such as {sorted(twice)[:3]}")

    verdicts, labels, outcomes = log.events(VERDICTS), log.events(LABELS), newest(log.events(OUTCOMES), "exchange")
    scored, shards = first(log.events(SCORED)), first(log.events(SHARDS))
    rows = [row["id"] for row in table.rows]
    repeated("rows of a label in the table", rows)
    repeated("records of a label on the topic", (label["id"] for label in labels))
    repeated("labels of an exchange", (label["exchange"] for label in labels))
    repeated("verdicts of one person on one exchange", ((one["exchange"], one["reviewer"]) for one in verdicts))
    differ("labels in the table and on the topic", rows, (label["id"] for label in labels))
    if (announced := sum(one["rows"] for one in shards.values())) != len(rows):
        problems.append(f"{len(rows)} rows stand in the table, and {announced} were announced")
    differ("exchanges and their scores", first(log.events(EXCHANGES)), scored)
    asked = [exchange for exchange, event in scored.items() if event["route"] != "accept"]
    differ("exchanges routed to people and requests", asked, first(log.events(REQUESTS)))
    agreed = [exchange for exchange, outcome in outcomes.items() if outcome["status"] == "labelled"]
    differ("agreed items and labelled ones", agreed, (label["exchange"] for label in labels))
    folded = [one["verdict"] for outcome in outcomes.values() for one in _judged(outcome)]
    repeated("verdicts in the outcomes", folded)
    differ("verdicts and what the outcomes hold", (verdict["id"] for verdict in verdicts), folded)
    return problems + _unsupported(labels, verdicts)


def _judged(outcome: Event) -> list[Event]:
    return [*outcome["judgments"], *outcome.get("late", [])]


def _unsupported(labels: Iterable[Event], verdicts: Iterable[Event]) -> list[str]:
    """Labels whose answer none of the people that they name has given."""
    said = {(one["exchange"], one["reviewer"]): one for one in verdicts}
    problems = []
    for label in labels:
        behind = [said.get((label["exchange"], name), {}) for name in label["reviewers"]]
        answers = {
            one.get("answer") if label["origin"] == "edited" else one["request"]["answer"] for one in behind if one
        }
        wanted = "edit" if label["origin"] == "edited" else "approve"
        if {one.get("decision") for one in behind} != {wanted} or label["answer"] not in answers:
            problems.append(f"label {label['id']}: nobody of {label['reviewers']} said so")
    return problems


def until(condition: Callable[[], Any], what: str, seconds: float = 120) -> Any:
    """What the condition gives, once it is true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.5)
    return found


def agree(report: Mapping[str, Any], counted: Mapping[str, Any]) -> list[str]:
    """Where a report and the count differ, in words."""
    table = {name: report["table"][name] for name in counted["table"]}
    said = {name: report[name] for name in counted} | {"table": table}
    return [
        f"{name}: {said[name]} is reported, {counted[name]} is there" for name in counted if said[name] != counted[name]
    ]
