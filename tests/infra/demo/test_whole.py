"""The whole loop, by the command that `make demo` runs: promoted, sabotaged, killed, and made anew from the log.

Each test plays whole demos, some ten minutes each on two cores, and counts what they did by other means than theirs
(`witness`). One of them, undisturbed, serves three tests.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import jsonschema
import pytest

from teachback.infra.demo.script import LIMIT
from teachback.schemas.ids import derived
from tests.infra.demo.killer import Killer, blows, view_of
from tests.infra.demo.played import Demo
from tests.infra.demo.witness import (
    ADAPTERS,
    COUNTED,
    EXCHANGES,
    LABELS,
    REQUESTS,
    RUNS,
    Log,
    Table,
    agree,
    champion,
    changes,
    contradictions,
    first,
    question,
    recounted,
    source,
    until,
)

pytestmark = [pytest.mark.kafka, pytest.mark.model, pytest.mark.acceptance]
SCHEMA = Path(__file__).resolve().parents[3] / "docs" / "report.schema.json"
BOT, BARE, FIRST = "harbour", "harbour@v0", "harbour@v1"
LIVE = frozenset(derived("demo", f"live/{number}") for number in range(LIMIT))
REPLAYS, GREETINGS = 24, 6
MEMORY_MB = 6 * 1024
NOT_PROMOTED = 3
KEPT = {"kafka", "labels", "registry", "reviewers.toml", "split.salt", "teachback.toml", "report.json"}
VIEWS = ("training", "logs", "run")

Play = Callable[..., Demo]


class Finished(NamedTuple):
    """A demo that has ended and whose parts still ran then: what was to be seen."""

    demo: Demo
    status: int
    report: dict[str, Any]
    log: Log
    table: Table
    serving: str


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    """Starts a demo; the one before is stopped first, and the last one at the end, whatever happens."""
    played: list[Demo] = []

    def start(*arguments: str) -> Demo:
        for demo in played:
            demo.down()
        played.append(Demo(tmp_path_factory.mktemp("demo"), arguments))
        return played[-1]

    yield start
    for demo in played:
        demo.down()


@pytest.fixture(scope="module")
def undisturbed(play: Play) -> Finished:
    """A demo that nobody disturbs; it still runs for whoever asks first."""
    return finished(play("--stay"))


def finished(demo: Demo) -> Finished:
    """Wait for its end, and look at everything. What it said is shown when it has failed."""
    status = demo.ended()
    assert status in {0, NOT_PROMOTED}, demo.said()
    print(demo.said())
    return Finished(demo, status, demo.report, at_rest(demo), demo.table(), demo.serving())


def at_rest(demo: Demo) -> Log:
    """Its topics, once every exchange is scored: questions may still be asked again after the end."""

    def still() -> Log | None:
        log = demo.log()
        return log if {one["id"] for one in log.events(EXCHANGES)} == set(first(log.events("chat.scored"))) else None

    found: Log = until(still, "every exchange to be scored")
    return found


def test_the_demo_promotes_an_adapter_and_its_report_is_what_the_topics_and_the_table_say(
    undisturbed: Finished,
) -> None:
    demo, status, report, log, table, serving = undisturbed
    assert (status, report["promoted"], report["gate"]["outcome"]) == (0, True, "promoted"), demo.said()
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_bytes())).validate(report)
    assert agree(report, recounted(log, table, BOT)) == []
    assert contradictions(log, table) == []

    assert {one["id"] for one in log.events(EXCHANGES) if one["adapter"] == BARE} == LIVE
    (alias,) = changes(log.events(ADAPTERS), BOT)
    moved = next(seen.at for seen in log.seen[ADAPTERS] if seen.event is alias)
    later = [seen.event for seen in log.seen[EXCHANGES] if seen.at > moved]
    assert {event["adapter"] for event in later} == {FIRST} == {alias["adapter"]} == {serving}
    assert len({event["id"] for event in later if source(event) == "live"}) == GREETINGS

    edited = {
        seen.event["exchange"]: question(seen.event)
        for seen in log.seen[LABELS]
        if seen.at < moved and seen.event["origin"] == "edited"
    }
    replayed = [request for request in first(log.events(REQUESTS)).values() if source(request) == "replay"]
    assert {one["replay_of"]: question(one) for one in replayed}.items() <= edited.items()
    assert len({one["replay_of"] for one in replayed}) == len(replayed) == min(REPLAYS, len(edited))
    assert {one["adapter"] for one in replayed} == {FIRST}

    print(f"{report['seconds']['total']:.0f} s in all, {report['peak_memory_mb']['total']:.0f} MB at the peak")
    assert report["peak_memory_mb"]["total"] < MEMORY_MB


class Views(NamedTuple):
    """What the parts make of the log."""

    page: dict[str, str]
    queue: dict[str, Any]
    order: list[str]
    counts: dict[str, int]
    champion: str
    serving: str
    trigger: dict[str, Any]


def test_deleted_views_are_made_again_from_the_log(undisturbed: Finished) -> None:
    """The desk that lived through the demo, the one that knows the witness, and the one made from nothing, agree."""
    demo = undisturbed.demo
    demo.teachback("up")  # it runs, unless another demo was played meanwhile
    lived = page(demo)
    token = re.search(r"^ {2}(\S+)$", demo.teachback("reviewers", "add", "witness"), re.MULTILINE)
    assert token is not None
    before, log, table = views(demo, token[1]), demo.log(), demo.table()
    assert before.page == lived
    assert int(lived["open"]) == before.queue["open"] == len(before.order) > 0
    assert before.serving == before.champion == champion(log.events(ADAPTERS), BOT) == FIRST

    demo.teachback("down")
    for view in VIEWS:
        shutil.rmtree(demo.home / view)
    assert {path.name for path in demo.home.iterdir()} <= KEPT, "is it a view? Then it must be deleted here"
    demo.teachback("up")
    after, log_after, table_after = views(demo, token[1]), demo.log(), demo.table()
    assert after == before
    assert {t: sorted(first(log.events(t))) for t in COUNTED} == {
        t: sorted(first(log_after.events(t))) for t in COUNTED
    }
    assert [(run["id"], run["state"]) for run in log_after.events(RUNS)] == [
        (run["id"], run["state"]) for run in log.events(RUNS)
    ]
    assert (table_after.version, ids(table_after)) == (table.version, ids(table))
    demo.down()


def views(demo: Demo, token: str) -> Views:
    """Everything that is made of the log, as soon as the desk is ready and the trainer has made up its mind."""

    def trigger() -> dict[str, Any] | None:
        try:
            status = json.loads((demo.home / "training" / "status.json").read_bytes())
        except (OSError, ValueError):
            return None
        idle = status.get("run") is None and not status["decision"]["start"]
        counts: dict[str, Any] = {**status["decision"]["counts"]}
        counts.pop("rested", None)  # seconds
        return counts if idle and counts["eval"] else None

    decided: dict[str, Any] = until(trigger, "the trainer to have read the table, and to be idle")
    until(lambda: ready(demo), "the desk to be ready")
    status = json.loads(demo.teachback("status", "--json"))
    with httpx.Client(base_url=demo.url("desk"), headers={"Authorization": f"Bearer {token}"}, trust_env=False) as desk:
        queue = desk.get("/v1/queue").raise_for_status().json()
        order = list(offers(desk))
    return Views(page(demo), queue, order, status["topics"], status["champion"], demo.serving(), decided)


def ready(demo: Demo) -> bool:
    """Whether the desk's queue is rebuilt."""
    try:
        return httpx.get(f"{demo.url('desk')}/healthz", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def page(demo: Demo) -> dict[str, str]:
    """The sums on the desk's page, which needs no token."""
    answer = httpx.get(demo.url("desk"), trust_env=False).raise_for_status()
    return dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", answer.text))


def offers(desk: httpx.Client) -> Iterator[str]:
    """The exchanges that a reviewer is given, in order, passing over each."""
    while (answer := desk.post("/v1/leases", json={"holding": []}).raise_for_status()).status_code == 200:
        lease = answer.json()["lease"]
        yield str(lease["exchange"])
        desk.delete(f"/v1/leases/{lease['id']}", params={"token": lease["token"]}).raise_for_status()


def ids(table: Table) -> list[str]:
    return sorted(row["id"] for row in table.rows)


def labelled(log: Log) -> set[str]:
    """The live questions that were labelled."""
    return {label["exchange"] for label in log.events(LABELS)} & LIVE


def test_mixed_up_answers_are_held_by_the_data_check(play: Play) -> None:
    demo, status, report, log, table, serving = finished(play("--stay", "--sabotage", "shuffled"))
    assert (status, report["run"]["state"], report["gate"]) == (NOT_PROMOTED, "held", None), demo.said()
    assert "answers do not fit the questions" in report["run"]["reason"]
    assert report["run"]["reason"] in " ".join(demo.said().split())
    assert {run["state"] for run in log.events(RUNS)} == {"held"}
    assert log.events(ADAPTERS) == []
    nothing_moved(report, log, table, serving)


def test_mixed_up_answers_are_rejected_by_the_gate_though_they_become_likelier(play: Play) -> None:
    demo, status, report, log, table, serving = finished(play("--stay", "--sabotage", "shuffled", "--no-data-check"))
    assert (status, report["run"]["state"]) == (NOT_PROMOTED, "rejected"), demo.said()
    tests = {test["name"]: test["passed"] for test in report["gate"]["tests"]}
    assert report["gate"]["outcome"] == "rejected"
    assert tests["superiority"], "likelihood alone must have promoted it, or this shows nothing"
    assert not all(tests.values())
    assert [event["event"] for event in log.events(ADAPTERS)] == ["adapter/1"]
    assert [run["state"] for run in log.events(RUNS)] == ["started", "rejected"]
    nothing_moved(report, log, table, serving)


def nothing_moved(report: dict[str, Any], log: Log, table: Table, serving: str) -> None:
    """The champion is the one that there was, it alone has answered, and report and topics agree."""
    assert report["alias"] == {"before": BARE, "after": BARE}
    assert changes(log.events(ADAPTERS), BOT) == []
    assert {event["adapter"] for event in log.events(EXCHANGES)} == {serving} == {BARE}
    assert agree(report, recounted(log, table, BOT)) == []
    assert contradictions(log, table) == []


def test_every_process_is_killed_once_and_the_loop_ends_with_the_same_labels(undisturbed: Finished, play: Play) -> None:
    """kill -9 of each process while it has work, and yet: the labels of the demo that nobody disturbed.

    The same labels means: of the same exchanges. Their ids derive from the question's number, the chatbot answers
    greedily, audits are drawn with a known salt, and what a reviewer says depends on person, exchange and answer alone.
    So the same exchanges are routed to people, whoever is quick; and whoever of the three is first, reviewers with a
    third one and an adjudicator settle every item. Which two come first may change the wording, and so only whether
    someone named in the label said it is looked at (`contradictions`). Each kill was mid-loop: what the process had
    done by then is less than in the end.
    """
    demo = play("--stay")
    plan = blows(len(LIVE), reviews=round(1.7 * len(LIVE)))
    with Killer(demo, plan) as killer:
        while demo.running:
            killer.step()
            time.sleep(0.2)
        assert demo.ended() in {0, NOT_PROMOTED}, demo.said()
        until(killer.step, "what was killed to come back")
    _, status, report, log, table, serving = finished(demo)

    assert set(killer.kills) == set(killer.successors) == {blow.name for blow in plan}
    last = view_of(log)
    idle = [blow.name for blow in plan if blow.done(killer.kills[blow.name].view) >= blow.done(last)]
    assert idle == [] if status == 0 else idle in ([], ["again"])

    started, over = log.events(RUNS)
    assert (started["id"], started["state"], over["id"]) == (over["id"], "started", report["run"]["id"])
    assert over["state"] == over["gate"]["outcome"] == report["gate"]["outcome"]
    assert (over["state"] == "promoted") == (status == 0)
    assert [event["event"] for event in log.events(ADAPTERS)] == ["adapter/1", "alias/1"][: 1 if status else 2]
    assert champion(log.events(ADAPTERS), BOT) == serving == (BARE if status else FIRST)

    assert contradictions(log, table) == []
    assert {one["id"] for one in log.events(EXCHANGES)} >= LIVE, "questions were lost"
    assert labelled(log) == {one["id"] for one in log.events(REQUESTS)} & LIVE
    assert labelled(log) == labelled(undisturbed.log)
    demo.down()
