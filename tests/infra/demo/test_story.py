"""The story waits for what is on the log, asks again what was lost, and does not wait for what will not come."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from teachback.infra import supervise
from teachback.infra.demo import patience
from teachback.infra.demo import story as told
from teachback.infra.demo.board import Board
from teachback.infra.demo.counts import Tally
from teachback.infra.demo.errors import DemoError
from teachback.infra.demo.script import Asked, harbour_bank
from teachback.infra.demo.settings import settings_for
from teachback.infra.demo.story import Story
from teachback.infra.demo.traffic import Reply, exchange_id, named
from teachback.infra.kafka.ports import RANGE
from teachback.infra.settings import ModelsConfig, load
from teachback.infra.supervise import ProcessState
from teachback.schemas import (
    Exchange,
    Label,
    Message,
    Outcome,
    ReviewRequest,
    Scored,
    ShardCommitted,
    SplitAssigned,
    Verdict,
)
from teachback.schemas.exchange import Source
from teachback.schemas.review import Judgment, Status

MOMENT = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
SCRIPT = harbour_bank(80)
COMMON: dict[str, Any] = {"bot": "harbour", "created": MOMENT}
SAID = (Message(role="user", content="What does a card cost?"),)


class Chatbot:
    """Answers everything; what it loses is not on the log. `asked` are the names of each round."""

    def __init__(self, tally: Tally, loses: Callable[[int, str], bool]) -> None:
        self.asked: list[list[str]] = []
        self._tally, self._loses = tally, loses

    def ask_all(self, asks: Mapping[str, Asked], store: bool, heard: Callable[[Reply], object]) -> None:
        self.asked.append(list(asks))
        for name, asked in asks.items():
            heard(Reply(asked, exchange_id(name), "An answer.", "harbour@v0"))
            if not self._loses(len(self.asked), name):
                self._tally.exchange(exchange(exchange_id(name)))


def exchange(id_: str, source: Source = "live") -> Exchange:
    rest: dict[str, Any] = {"conversation": id_, "messages": SAID, "answer": "5", "model": "m", "adapter": "harbour@v0"}
    return Exchange(id=id_, source=source, **COMMON, **rest)


def routed(tally: Tally, id_: str, source: Source = "live") -> None:
    """An exchange that was sent to people."""
    tally.exchange(exchange(id_, source))
    scored: dict[str, Any] = {"signals": {}, "confidence": 0.4, "reasons": (), "policy": 1, "calibration": 0}
    tally.scored(Scored(id=id_, conversation=id_, adapter="a", source=source, route="review", **COMMON, **scored))
    tally.request(request(id_, source))


def request(id_: str, source: Source = "live") -> ReviewRequest:
    rest: dict[str, Any] = {"messages": SAID, "answer": "5", "adapter": "a", "reasons": (), "confidence": 0.4}
    return ReviewRequest(id=id_, conversation=id_, source=source, route="review", **COMMON, **rest)


def judged(tally: Tally, id_: str, status: Status = "labelled") -> None:
    """A verdict on it, and what follows."""
    verdict = f"v-{id_}"
    rest: dict[str, Any] = {"reviewer": "ann", "role": "reviewer", "round": 0, "decision": "approve"}
    tally.verdict(Verdict(id=verdict, exchange=id_, request=request(id_), **COMMON, **rest))
    judgment = Judgment(verdict=verdict, reviewer="ann", role="reviewer", decision="approve")
    tally.outcome(Outcome(id=f"o-{id_}", exchange=id_, status=status, round=0, judgments=(judgment,), **COMMON))


def labelled(tally: Tally, id_: str) -> None:
    rest: dict[str, Any] = {"messages": SAID, "answer": "5", "origin": "approved", "adapter": "a", "source": "live"}
    tally.label(Label(id=f"l-{id_}", exchange=id_, conversation=id_, revision=1, reviewers=("ann",), **COMMON, **rest))


def stored(tally: Tally, rows: int) -> None:
    rest: dict[str, Any] = {"table_version": 1, "path": "p", "bytes": 1, "partition": 0, "first_offset": 0}
    tally.shard(ShardCommitted(id=f"s-{rows}", rows=rows, last_offset=rows, **COMMON, **rest))


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    """One whose parts all run, with a tally that a test fills."""
    monkeypatch.setattr(supervise, "states", lambda _: [ProcessState("scoring", "running", 7, 100, "")])
    monkeypatch.setattr(patience, "STEP_S", 0.01)
    monkeypatch.setattr(told, "LOST_S", 0.05)
    monkeypatch.setattr(patience, "LATEST_S", 5.0)
    demo = load(None, {"TEACHBACK_HOME": str(tmp_path)})
    made = Story(SCRIPT, demo, tmp_path / "teachback.toml", Board("a test"), lambda: None)
    made._follower = SimpleNamespace(tally=Tally("harbour"), error=None)  # type: ignore[assignment]
    return made


def chatbot_of(story: Story, loses: Callable[[int, str], bool]) -> Chatbot:
    chatbot = Chatbot(story.follower.tally, loses)
    story._chatbot = chatbot  # type: ignore[assignment]
    return chatbot


def test_what_a_killed_chatbot_lost_is_asked_again_and_nothing_else(story: Story) -> None:
    chatbot = chatbot_of(story, lambda round_, name: round_ == 1 and name.endswith("3"))
    ids = story._converse("live", SCRIPT.traffic, lambda _: None)
    assert ids == set(story.follower.tally.exchanges) == set(map(exchange_id, named("live", SCRIPT.traffic)))
    assert len(chatbot.asked[0]) == len(SCRIPT.traffic)
    assert chatbot.asked[1:] == [[name for name in chatbot.asked[0] if name.endswith("3")]]


def test_a_chatbot_whose_exchanges_never_arrive_is_an_error(story: Story) -> None:
    chatbot = chatbot_of(story, lambda _, name: name == "live/7")
    with pytest.raises(DemoError, match=r"1 questions were asked 5 times, and are not on the log; see .*chatbot\.log"):
        story._converse("live", SCRIPT.traffic, lambda _: None)
    assert len(chatbot.asked) == 5


def test_questions_that_are_asked_again_already_do_not_hold_up_the_review(story: Story) -> None:
    tally = story.follower.tally
    asked = list(map(exchange_id, named("live", SCRIPT.traffic)))
    for id_ in asked:
        routed(tally, id_)
        judged(tally, id_)
    routed(tally, "replayed", "replay")
    assert story._reviewed()
    tally.outcomes.pop(asked[0])
    assert not story._reviewed()
    judged(tally, asked[0], "open")
    assert not story._reviewed()


def test_the_review_is_not_over_before_every_question_is_routed(story: Story) -> None:
    tally = story.follower.tally
    first, *others = map(exchange_id, named("live", SCRIPT.traffic))
    for id_ in others:
        routed(tally, id_)
        judged(tally, id_)
    routed(tally, "replayed", "replay")
    judged(tally, "replayed")
    assert not story._reviewed()
    routed(tally, first)
    judged(tally, first)
    assert story._reviewed()


def test_the_count_waits_until_the_last_verdict_is_a_row() -> None:
    tally = Tally("harbour")
    assert tally.at_rest()
    tally.exchange(exchange("a"))
    assert not tally.at_rest()
    routed(tally, "a")
    assert tally.at_rest()
    assert not tally.at_rest({"v-a"})
    judged(tally, "a")
    assert tally.at_rest({"v-a"})
    tally.outcomes.clear()
    assert not tally.at_rest({"v-a"})
    judged(tally, "a")
    labelled(tally, "a")
    assert not tally.at_rest({"v-a"})
    stored(tally, 1)
    assert not tally.at_rest({"v-a"})
    tally.split(SplitAssigned(id="l-a", leader="l-a", side="eval", **COMMON))
    assert tally.at_rest({"v-a"})


@pytest.mark.parametrize("waiting", ["until", "beside"])
def test_what_will_not_come_is_not_waited_for(story: Story, monkeypatch: pytest.MonkeyPatch, waiting: str) -> None:
    monkeypatch.setattr(supervise, "states", lambda _: [ProcessState("shards", "fatal", 0, 0, "")])
    over = threading.Event()
    with pytest.raises(DemoError, match=r"shards ends again and again; see .*shards\.log"):
        if waiting == "until":
            story.patience.until(lambda: False, "what never is", "shards")
        else:
            story.patience.beside(lambda: over.wait(20))
    over.set()


@pytest.mark.parametrize(("where", "said"), [("follower", "can't be followed"), ("person", "reviewer stopped")])
def test_a_thread_that_ended_ends_the_story(story: Story, where: str, said: str) -> None:
    if where == "follower":
        story.follower.error = ValueError("no")
    else:
        story._people = [SimpleNamespace(error=ValueError("no"))]  # type: ignore[list-item]
    with pytest.raises(DemoError, match=f"{said}.*: no"):
        story.patience.until(lambda: False, "what never is", "shards")


def test_the_demo_s_ports_are_none_that_a_reconnecting_client_could_take() -> None:
    sections = settings_for(SCRIPT, ModelsConfig())
    ports = {sections[part]["port"] for part in ("chatbot", "desk")}
    assert len(ports) == 2
    assert ports <= set(RANGE)
