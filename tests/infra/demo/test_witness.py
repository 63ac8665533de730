"""The witness of the whole demos can count, and notices what cannot be."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from confluent_kafka import Producer
from deltalake import write_deltalake

from tests.infra.demo.killer import Blow, blows, view_of
from tests.infra.demo.witness import (
    ADAPTERS,
    CALIBRATION,
    COUNTED,
    EXCHANGES,
    LABELS,
    OUTCOMES,
    REQUESTS,
    RUNS,
    SCORED,
    SHARDS,
    SPLITS,
    VERDICTS,
    Event,
    Log,
    Seen,
    Table,
    agree,
    alpha,
    champion,
    contradictions,
    read_table,
    recounted,
)
from tests.kafka_fixture import KafkaCluster

BOT = "harbour"
World = tuple[dict[str, list[Event]], Table]


class Told(Log):
    """What stands on the topics, told instead of read."""

    def __init__(self, events: dict[str, list[Event]]) -> None:
        self.seen = {topic: [Seen(at, event) for at, event in enumerate(events.get(topic, []))] for topic in COUNTED}


def verdict(exchange: str, who: str, decision: str, answer: str | None = None) -> Event:
    found = {
        "id": f"v-{exchange}-{who}",
        "exchange": exchange,
        "reviewer": who,
        "role": "adjudicator" if who == "ada" else "reviewer",
        "decision": decision,
        "request": {"answer": f"bot on {exchange}"},
    }
    return found | ({"answer": answer} if answer else {})


def outcome(exchange: str, status: str, agreed: bool, *judged: Event, late: tuple[Event, ...] = ()) -> Event:
    def judgments(verdicts: tuple[Event, ...]) -> list[Event]:
        return [{"verdict": one["id"]} | {n: one[n] for n in ("reviewer", "role", "decision")} for one in verdicts]

    found = {"id": f"o-{exchange}-{len(judged)}", "exchange": exchange, "status": status, "agreed": agreed}
    return found | {"judgments": judgments(judged)} | ({"late": judgments(late)} if late else {})


def world() -> World:
    """Four exchanges: `a` edited alike, `b` settled by the adjudicator, `c` accepted, `d` asked again and open."""
    of_a = verdict("a", "ann", "edit", "right"), verdict("a", "ben", "edit", "right")
    of_b = verdict("b", "ann", "approve"), verdict("b", "ben", "flag"), verdict("b", "ada", "approve")
    late = verdict("b", "cem", "edit", "late")
    labels = [
        {"id": "l-a", "exchange": "a", "answer": "right", "origin": "edited", "reviewers": ["ann", "ben"]},
        {"id": "l-b", "exchange": "b", "answer": "bot on b", "origin": "approved", "reviewers": ["ann", "ada"]},
    ]
    gate = {"outcome": "promoted", "explanation": "why", "tests": [gate_test("superiority"), gate_test("figures_kept")]}
    run = {"id": "r", "champion": f"{BOT}@v0", "dataset": {"train": 1, "eval": 1}}
    alias = {"event": "alias/1", "bot": BOT, "adapter": f"{BOT}@v1", "expected_previous": f"{BOT}@v0"}
    events = {
        EXCHANGES: [{"id": one} for one in "abc"] + [{"id": "d", "source": "replay"}, {"id": "a"}],
        SCORED: [
            {"id": one, "route": route}
            for one, route in zip("abcd", ("review", "audit", "accept", "review"), strict=True)
        ],
        REQUESTS: [{"id": "a"}, {"id": "b"}, {"id": "d", "source": "replay"}],
        VERDICTS: [*of_a, *of_b, late],
        OUTCOMES: [
            outcome("a", "open", False, of_a[0]),
            outcome("a", "labelled", True, *of_a),
            outcome("b", "labelled", False, *of_b, late=(late,)),
        ],
        LABELS: labels,
        SHARDS: [{"id": "s1", "rows": 1}, {"id": "s2", "rows": 1}, {"id": "s1", "rows": 1}],
        SPLITS: [{"id": "l-a", "side": "train"}, {"id": "l-b", "side": "eval"}],
        RUNS: [run | {"state": "started"}, run | {"state": "promoted", "adapter": f"{BOT}@v1", "gate": gate}],
        ADAPTERS: [{"event": "adapter/1", "bot": BOT}, alias, alias | {"adapter": f"{BOT}@v2"}],
        CALIBRATION: [
            {"event": "calibration/1", "version": 1, "labels": 50, "wrong": 40, "quality": {"ece": 0.1}},
            {"event": "certificate/1", "id": "x"},
            {"event": "calibration/1", "version": 2, "labels": 80, "wrong": 61, "quality": {"ece": 0.04, "auroc": 0.8}}
            | {"forerunner": {"ece": 0.1}},
        ],
    }
    return events, Table(7, [{"id": one["id"]} for one in labels])


def gate_test(name: str) -> Event:
    numbers = {"n": 9, "mean": -0.5, "interval": [-0.6, -0.4], "bound": -0.02, "passed": True, "explanation": "how"}
    return {"name": name, "higher_is_better": False} | numbers


def test_it_counts_as_a_report_says() -> None:
    events, table = world()
    told = {name: value for name, value in gate_test("superiority").items() if name in {"n", "mean", "interval"}}
    tests = [
        {n: v for n, v in gate_test(name).items() if n != "higher_is_better"}
        for name in ("superiority", "figures_kept")
    ]
    report = {
        "promoted": True,
        "topics": {topic: len(of) for topic, of in events.items()},
        "routes": {"review": 2, "audit": 1, "accept": 1},
        "reviews": {
            "requests": 3,
            "verdicts": 6,
            "by_decision": {"edit": 3, "approve": 2, "flag": 1},
            "by_reviewer": {"ann": 2, "ben": 2, "ada": 1},
            "third_opinions": 1,
            "adjudicated": 1,
        },
        "agreement": {"agreed": 1, "of": 2, "alpha": None},
        "labels": {"total": 2, "by_origin": {"edited": 1, "approved": 1}, "train": 1, "eval": 1, "quarantined": 0},
        "table": {"version": 7, "rows": 2, "path": "somewhere"},
        "run": {
            "id": "r",
            "state": "promoted",
            "adapter": f"{BOT}@v1",
            "train": 1,
            "eval": 1,
            "held_back": 0,
            "reason": None,
        },
        "gate": {"outcome": "promoted", "explanation": "why", "tests": tests} | told,
        "confidence": {"calibration": 2, "labels": 80, "wrong": 61, "ece": 0.04, "auroc": 0.8}
        | {"ece_before": 0.1, "auroc_before": None},
        "alias": {"before": f"{BOT}@v0", "after": f"{BOT}@v1"},
        "replays": {"asked": 1, "queued": 1},
    }
    counted = recounted(Told(events), table, BOT)
    assert agree(report, counted) == []
    for name in counted:
        wrong = report | {name: {"rows": 1, "version": 7} if name == "table" else "something else"}
        assert len(agree(wrong, counted)) == 1


def test_a_change_of_champion_that_names_another_predecessor_changes_nothing() -> None:
    assert champion(world()[0][ADAPTERS], BOT) == f"{BOT}@v1"
    assert champion([], BOT) == f"{BOT}@v0"


def test_alpha_is_that_of_krippendorff_s_own_example() -> None:
    """Krippendorff 2011, section C: four observers, twelve units, values missing; nominal alpha 0.743."""
    a, b = "1 2 3 3 2 1 4 1 2 . . .", "1 2 3 3 2 2 4 1 2 5 . 3"
    c, d = ". 3 3 3 2 3 4 2 2 5 1 .", "1 2 3 3 2 4 4 1 2 5 1 ."
    units = [
        [value for value in unit if value != "."] for unit in zip(*(one.split() for one in (a, b, c, d)), strict=True)
    ]
    assert alpha(units) == 0.743
    assert alpha([["x", "x"], ["x", "x"]]) is None


def test_a_world_without_faults_has_no_contradictions() -> None:
    events, table = world()
    assert contradictions(Told(events), table) == []


def append(topic: str, index: int, **changed: Any) -> Callable[[World], None]:
    return lambda world: world[0][topic].append(world[0][topic][index] | changed)


def drop(topic: str, index: int) -> Callable[[World], None]:
    return lambda world: world[0][topic].__delitem__(index)


def change(topic: str, index: int, **changed: Any) -> Callable[[World], None]:
    return lambda world: world[0][topic][index].update(changed)


FAULTS: dict[str, Callable[[World], None]] = {
    "rows of a label in the table": lambda world: world[1].rows.append({"id": "l-a"}),
    "labels in the table and on the topic": lambda world: world[1].rows.pop().clear(),
    "records of a label on the topic": append(LABELS, 0),
    "labels of an exchange": append(LABELS, 0, id="l-a2"),
    "verdicts of one person on one exchange": append(VERDICTS, 0, id="v-a-ann-again"),
    "and 3 were announced": append(SHARDS, 0, id="s3"),
    "exchanges and their scores": append(EXCHANGES, 0, id="lost"),
    "exchanges routed to people and requests": drop(REQUESTS, 0),
    "agreed items and labelled ones": drop(LABELS, 1),
    "verdicts in the outcomes": lambda world: world[0][OUTCOMES][2]["judgments"].append(
        copy.copy(world[0][OUTCOMES][2]["judgments"][0])
    ),
    "verdicts and what the outcomes hold": drop(VERDICTS, -1),
    "label l-a: nobody": change(LABELS, 0, answer="somebody's"),
    "label l-b: nobody": change(LABELS, 1, reviewers=["ann", "cem"]),
}


@pytest.mark.parametrize("said", FAULTS)
def test_each_fault_is_named(said: str) -> None:
    faulty = copy.deepcopy(world())
    FAULTS[said](faulty)
    assert any(said in problem for problem in contradictions(Told(faulty[0]), faulty[1]))


def test_every_process_is_killed_with_work_still_to_do() -> None:
    """As a demo goes on, each blow falls once, and before the process has done all its work."""
    last = view_of(Told(world()[0]))._replace(
        exchanges=270, scored=270, verdicts=510, settled=237, labels=237, replays=32, queued=32
    )
    steps = [
        last._replace(**{name: getattr(last, name) * n // 100 for name in SHARES}, over="") for n in range(0, 101, 2)
    ]
    steps += [steps[-1]._replace(replays=0, queued=0, stage="train", share=n / 36) for n in range(37)]
    steps = [step._replace(replays=0, queued=0) for step in steps]
    steps += [last._replace(replays=16, queued=0)]
    fallen: dict[str, Blow] = {}
    for step in steps:
        for blow in blows(231, 390):
            if blow.name not in fallen and blow.when(step):
                fallen[blow.name] = blow
                assert blow.done(step) < blow.done(last), blow.name
    assert set(fallen) == {"chatbot", "scoring", "desk", "consensus", "shards", "kafka", "job", "trainer", "again"}


SHARES = ("exchanges", "scored", "verdicts", "settled", "labels")


def test_it_reads_the_table(tmp_path: Path) -> None:
    row = {"id": ["l"], "exchange": ["e"], "answer": ["a"], "bot": ["harbour"]}
    write_deltalake(str(tmp_path / "labels"), pa.table(row))
    write_deltalake(str(tmp_path / "labels"), pa.table(row), mode="append")
    assert read_table(tmp_path / "labels") == Table(1, [{"id": "l", "exchange": "e", "answer": "a"}] * 2)


@pytest.mark.kafka
def test_it_sees_what_is_committed_to_the_end_and_what_comes_after(kafka: KafkaCluster, prefix: str) -> None:
    topic = kafka.create(f"{prefix}topic", 3)
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": f"{prefix}t", "log_level": 0})
    producer.init_transactions(30)

    def write(values: list[str], end: Callable[[], None]) -> None:
        producer.begin_transaction()
        for value in values:
            producer.produce(topic, f'{{"id": "{value}"}}', value)
        producer.flush(30)
        end()

    write(["a", "b", "c", "d"], producer.commit_transaction)
    write(["aborted"], producer.abort_transaction)
    with Log(kafka.bootstrap, [topic]) as log:
        assert sorted(event["id"] for event in log.to_end().events(topic)) == ["a", "b", "c", "d"]
        write(["e"], producer.commit_transaction)
        while len(log.events(topic)) < 5:
            log.poll(0.2)
        assert log.events(topic)[-1] == {"id": "e"}
        assert log.seen[topic][-1].at > 1_600_000_000_000
