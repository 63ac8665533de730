"""After a promotion, what was edited is asked again: once, of the new adapter, and of no other."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from teachback.producers.again.ask import Asker, ChatbotBehind, Progress, edited, follow, promotions, question_body
from teachback.producers.again.settings import AgainSettings
from teachback.schemas import Label, Message
from teachback.schemas.event import Event
from teachback.schemas.ids import label_id, replay_id
from teachback.schemas.lineage import Lineage
from teachback.schemas.log import Record
from teachback.schemas.wire import Cluster, encode, headers, producer
from tests.kafka_fixture import KafkaCluster
from tests.producers.bot.fakes import BOT, promoted, registered

MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)
V1, V2 = f"{BOT}@v1", f"{BOT}@v2"


def label(exchange: str, minute: int = 0, revision: int = 1, **fields: Any) -> Label:
    values: dict[str, Any] = {
        "id": label_id(exchange, revision),
        "bot": BOT,
        "created": MOMENT + timedelta(minutes=minute),
        "exchange": exchange,
        "conversation": f"c-{exchange}",
        "revision": revision,
        "messages": (Message(role="user", content=f"about {exchange}?"),),
        "answer": "people's words",
        "origin": "edited",
        "adapter": f"{BOT}@v0",
        "source": "live",
        "reviewers": ("r1", "r2"),
        "topic": "cards",
    }
    return Label(**(values | fields))


def records(*events: Any) -> list[Record[Any]]:
    return [Record(event, event.id, 0, place, 0) for place, event in enumerate(events)]


def test_only_live_edits_of_this_bot_are_asked_again() -> None:
    found = edited(
        records(
            label("a"), label("b", origin="approved"), label("c", source="replay"), label("d", bot="other"), label("e")
        ),
        BOT,
        most=10,
    )
    assert [one.exchange for one in found] == ["a", "e"]


def test_the_newest_revision_decides_whether_an_exchange_was_edited() -> None:
    log = records(
        label("a", origin="approved"),
        label("a", revision=2, answer="better"),
        label("b"),
        label("b", revision=2, origin="approved"),
        label("c", revision=2, answer="late one first"),
        label("c"),
    )
    assert {one.exchange: one.answer for one in edited(log, BOT, 10)} == {"a": "better", "c": "late one first"}


def test_an_erased_label_is_not_asked_again() -> None:
    log = [*records(label("a"), label("b")), Record(None, label_id("a", 1), 0, 2, 0)]
    assert [one.exchange for one in edited(log, BOT, 10)] == ["b"]


@pytest.mark.parametrize(("most", "expected"), [(0, []), (2, ["c", "a"]), (9, ["b", "c", "a"])])
def test_the_newest_edits_go_before_older_ones_when_there_are_too_many(most: int, expected: list[str]) -> None:
    log = records(label("a", minute=3), label("b", minute=1), label("c", minute=2))
    assert [one.exchange for one in edited(log, BOT, most)] == expected


def test_a_question_asked_again_names_its_adapter_and_where_it_comes_from() -> None:
    body = question_body(label("a", subject="s-1"), V1)
    assert json.loads(json.dumps(body)) == {
        "model": V1,
        "messages": [{"role": "user", "content": "about a?"}],
        "metadata": {
            "exchange": replay_id("a", V1),
            "conversation": replay_id("c-a", V1),
            "source": "replay",
            "topic": "cards",
            "subject": "s-1",
            "replay_of": "a",
        },
    }


def test_only_promotions_that_took_effect_are_dealt_with() -> None:
    stale = promoted(3, 0)
    log = records(registered(1), promoted(1, 0), stale, promoted(0, 1, "rollback"), registered(2), promoted(2, 0))
    lineage, found = promotions(Lineage(BOT), log)
    assert (lineage.champion, found) == (V2, [(1, V1), (5, V2)])


class FakeChatbot(ThreadingHTTPServer):
    """Serves `adapter`; keeps each question it was asked. With `strict` it refuses replays for another adapter."""

    daemon_threads = True

    def __init__(self, adapter: str, strict: bool = True) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.adapter, self.strict = adapter, strict
        self.asked: list[dict[str, Any]] = []
        self.breaks_after: int | None = None
        self.refuses: dict[str, int] = {}  # exchange → HTTP status
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def replays(self) -> list[str]:
        return [body["metadata"]["exchange"] for body in self.asked]

    def close(self) -> None:
        self.shutdown()
        self._thread.join(10)
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    """The two calls of the API that are used."""

    server: FakeChatbot

    def do_GET(self) -> None:
        self._answer(200, {"data": [{"id": self.server.adapter}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.breaks_after is not None and len(self.server.asked) >= self.server.breaks_after:
            self._answer(503, {"error": "broken"})
        elif body["metadata"]["replay_of"] in self.server.refuses:
            self._answer(self.server.refuses[body["metadata"]["replay_of"]], {"error": "not this one"})
        elif self.server.strict and body["model"] != self.server.adapter:
            self._answer(409, {"error": "not that one"})
        else:
            self.server.asked.append(body)
            self._answer(200, {"model": self.server.adapter})

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def chatbot() -> Iterator[FakeChatbot]:
    server = FakeChatbot(V1)
    yield server
    server.close()


class Bench:
    """The two topics on a real Kafka, and processes that follow them, as threads."""

    def __init__(self, kafka: KafkaCluster, prefix: str, chatbot: FakeChatbot) -> None:
        self.cluster = Cluster(bootstrap=kafka.bootstrap, prefix=prefix, partitions=2)
        kafka.create_all({self.cluster.topic("models.adapters"): 1, self.cluster.topic("labels.approved"): 2})
        self.settings = AgainSettings(bot=BOT, cluster=self.cluster, chatbot=chatbot.url, at_once=3)

    def send(self, topic: str, *events: Event) -> None:
        writer = producer(self.cluster)
        for event in events:
            key = event.bot if topic == "models.adapters" else event.id
            writer.produce(self.cluster.topic(topic), encode(event), key.encode(), headers=headers(event, "test"))
        assert writer.flush(20) == 0

    def once(self, offset: int, patience: int = 20) -> None:
        """Follow until the promotion at `offset` has been dealt with, then stop as SIGTERM would."""
        stop = threading.Event()
        asker, progress = Asker(self.settings, stop, patience), StoppingProgress(self.settings, stop, offset)
        try:
            follow(self.settings, asker, progress, stop)
        finally:
            progress.close()
            asker.close()

    def committed(self) -> int:
        progress = Progress(self.settings)
        try:
            return progress.next
        finally:
            progress.close()


class StoppingProgress(Progress):
    """Sets `stop` once an offset has been dealt with."""

    def __init__(self, settings: AgainSettings, stop: threading.Event, last: int) -> None:
        super().__init__(settings)
        self._stop_asked, self._last = stop, last
        if self.next > last:
            stop.set()

    def done(self, offset: int) -> None:
        super().done(offset)
        if offset >= self._last:
            self._stop_asked.set()


@pytest.fixture
def bench(kafka: KafkaCluster, prefix: str, chatbot: FakeChatbot) -> Bench:
    return Bench(kafka, prefix, chatbot)


def replays(exchanges: Sequence[str], adapter: str) -> list[str]:
    return sorted(replay_id(exchange, adapter) for exchange in exchanges)


@pytest.mark.kafka
def test_after_a_promotion_each_edit_is_asked_once_and_a_restart_asks_nothing_twice(
    bench: Bench, chatbot: FakeChatbot
) -> None:
    labels = [label(f"e{n}", minute=n) for n in range(7)]
    bench.send("labels.approved", *labels, label("ok", origin="approved"), label("old", source="replay"))
    bench.send("models.adapters", registered(1), promoted(1, 0))
    bench.once(offset=1)
    first = [f"e{n}" for n in range(7)]
    assert sorted(chatbot.replays) == replays(first, V1)
    assert {body["metadata"]["source"] for body in chatbot.asked} == {"replay"}
    assert bench.committed() == 2

    bench.once(offset=1)
    assert len(chatbot.asked) == 7

    bench.send("labels.approved", label("new"))
    bench.send("models.adapters", registered(2), promoted(2, 1))
    chatbot.adapter = V2
    bench.once(offset=3)
    assert sorted(chatbot.replays[7:]) == replays([*first, "new"], V2)


@pytest.mark.kafka
def test_an_end_half_way_commits_nothing_so_that_the_rest_is_asked_later(bench: Bench, chatbot: FakeChatbot) -> None:
    bench.send("labels.approved", *[label(f"e{n}", minute=n) for n in range(6)])
    bench.send("models.adapters", registered(1), promoted(1, 0))
    chatbot.breaks_after = 2
    with pytest.raises(Exception, match="503"):
        bench.once(offset=1)
    assert (len(chatbot.asked), bench.committed()) == (2, 0)
    chatbot.breaks_after = None
    bench.once(offset=1)
    assert sorted(set(chatbot.replays)) == replays([f"e{n}" for n in range(6)], V1)
    assert bench.committed() == 2


@pytest.mark.kafka
@pytest.mark.parametrize("strict", [True, False])
def test_a_chatbot_that_serves_another_adapter_is_asked_nothing_and_nothing_is_committed(
    bench: Bench, chatbot: FakeChatbot, strict: bool
) -> None:
    chatbot.adapter, chatbot.strict = f"{BOT}@v0", strict
    bench.send("labels.approved", label("a"))
    bench.send("models.adapters", registered(1), promoted(1, 0))
    with pytest.raises(ChatbotBehind, match=f"serves {BOT}@v0, not {V1}"):
        bench.once(offset=1, patience=1)
    assert (chatbot.asked, bench.committed()) == ([], 0)


@pytest.mark.kafka
def test_a_promotion_that_was_taken_back_meanwhile_is_passed_over(bench: Bench, chatbot: FakeChatbot) -> None:
    chatbot.adapter = f"{BOT}@v0"
    bench.send("labels.approved", label("a"))
    bench.send("models.adapters", registered(1), promoted(1, 0), promoted(0, 1, "rollback"))
    bench.once(offset=1)
    assert (chatbot.asked, bench.committed()) == ([], 2)


@pytest.mark.kafka
def test_told_to_stop_while_it_waits_it_asks_nothing(bench: Bench, chatbot: FakeChatbot) -> None:
    chatbot.adapter = f"{BOT}@v0"
    bench.send("labels.approved", label("a"))
    stop = threading.Event()
    stop.set()
    asker = Asker(bench.settings, stop)
    assert asker.ask(V1) == 0
    asker.close()
    assert chatbot.asked == []


def test_an_adapter_that_loses_its_place_while_it_is_asked_ends_the_asking(chatbot: FakeChatbot) -> None:
    settings = AgainSettings(bot=BOT, cluster=Cluster(bootstrap="nowhere:1"), chatbot=chatbot.url)
    asker = Asker(settings, threading.Event())
    with pytest.raises(ChatbotBehind, match=f"{V2} serves no longer"):
        asker._one(label("a"), V2)
    chatbot.strict = False
    with pytest.raises(ChatbotBehind, match=f"{V1} answered where {V2}"):
        asker._one(label("a"), V2)
    asker.close()


@pytest.mark.parametrize("status", [400, 413, 422, 500])
def test_a_question_that_the_chatbot_refuses_is_passed_over(chatbot: FakeChatbot, status: int) -> None:
    settings = AgainSettings(bot=BOT, cluster=Cluster(bootstrap="nowhere:1"), chatbot=chatbot.url)
    asker = Asker(settings, threading.Event())
    chatbot.refuses["long"] = status
    assert [asker._one(label(name), V1) for name in ("a", "long", "b")] == [True, False, True]
    assert chatbot.replays == replays(["a"], V1) + replays(["b"], V1)
    asker.close()


def test_a_chatbot_that_is_away_is_asked_later(chatbot: FakeChatbot) -> None:
    settings = AgainSettings(bot=BOT, cluster=Cluster(bootstrap="nowhere:1"), chatbot=chatbot.url)
    asker = Asker(settings, threading.Event())
    chatbot.refuses["a"] = 503
    with pytest.raises(httpx.HTTPStatusError):
        asker._one(label("a"), V1)
    asker.close()
