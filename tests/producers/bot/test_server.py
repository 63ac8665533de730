"""The chatbot's HTTP API on a model that answers at once: what callers get, and what is emitted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from teachback.producers.bot import champion
from teachback.producers.bot.batcher import Batcher
from teachback.producers.bot.champion import Champion
from teachback.producers.bot.server import application
from teachback.producers.bot.service import ChatService
from teachback.producers.client import Teachback
from teachback.schemas import Exchange
from teachback.schemas.wire import decode
from tests.producers.bot.fakes import BASE, BOT, FakeModel, FakeTail, settings
from tests.producers.conftest import MockBroker

PROMPT = "Be brief."
CHAT = "/v1/chat/completions"


class Bench:
    """A chatbot with everything real but the model and the broker. `serve` names the champion, as a promotion does."""

    def __init__(self, folder: Path, broker: MockBroker) -> None:
        self.broker, self.model = broker, FakeModel()
        configured = settings(folder, broker.cluster, system_prompt=PROMPT, max_prompt_tokens=500, max_new_tokens=60)
        self.batcher = Batcher(self.model, batch=4, waiting=2)
        self.champion = Champion(BOT, broker.cluster, folder, BASE, self.model, self.batcher)
        self.sdk = Teachback(bot=BOT, cluster=broker.cluster, strict=True, environ={})
        self.service = ChatService(configured, self.model, self.batcher, self.champion, self.sdk)
        self.client: TestClient[Litestar] = TestClient(application(self.service, self.sdk, BOT))

    def serve(self, adapter: str) -> None:
        self.champion.name = adapter

    def ask(self, question: str = "What is the fee?", **body: Any) -> Any:
        return self.client.post(CHAT, json={"messages": [{"role": "user", "content": question}]} | body)

    def emitted(self, count: int) -> dict[str, Exchange]:
        """Exactly so many exchanges have been emitted; id → exchange."""
        assert self.sdk.flush(10)
        assert self.sdk.stats().accepted == count
        found = [decode(bytes(one.value() or b""), Exchange) for one in self.broker.messages("chat.exchanges", count)]
        return {exchange.id: exchange for exchange in found}


@pytest.fixture
def bench(tmp_path: Path, broker: MockBroker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(champion, "Tail", FakeTail)
    bench = Bench(tmp_path, broker)
    with bench.client:
        yield bench
    bench.model.gate.set()
    bench.champion.close()
    bench.batcher.close()
    bench.sdk.close(0.0)


def events(body: str) -> list[str]:
    """The data of each server-sent event."""
    return [line.removeprefix("data: ") for line in body.splitlines() if line.startswith("data: ")]


def test_an_answer_names_its_adapter_and_the_exchange_that_was_emitted(bench: Bench) -> None:
    bench.serve(f"{BOT}@v3")
    answer = bench.ask().raise_for_status().json()
    assert answer["model"] == f"{BOT}@v3"
    assert answer["choices"][0]["message"] == {
        "role": "assistant",
        "content": f"{BOT}@v3 heard 2: What is the fee?",
    }
    assert answer["choices"][0]["logprobs"] is None
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    (exchange,) = bench.emitted(1).values()
    assert (exchange.id, exchange.adapter, exchange.answer) == (
        answer["id"],
        f"{BOT}@v3",
        answer["choices"][0]["message"]["content"],
    )
    assert (exchange.bot, exchange.model, exchange.source, exchange.finish_reason) == (BOT, "tiny", "live", "stop")
    assert [message.role for message in exchange.messages] == ["system", "user"]
    assert len(exchange.logprobs or ()) == usage["completion_tokens"]


def test_what_the_caller_knows_reaches_the_exchange(bench: Bench) -> None:
    metadata = {"conversation": "c-1", "exchange": "e-1", "topic": "cards", "subject": "s-1"}
    assert bench.ask(metadata=metadata).json()["id"] == "e-1"
    exchange = bench.emitted(1)["e-1"]
    assert (exchange.conversation, exchange.topic, exchange.subject) == ("c-1", "cards", "s-1")


def test_what_is_not_to_be_stored_is_not_emitted(bench: Bench) -> None:
    assert bench.ask("secret", store=False).raise_for_status().json()["choices"]
    bench.ask("public")
    assert [exchange.question for exchange in bench.emitted(1).values()] == ["public"]


def test_a_system_prompt_of_the_caller_s_own_goes_before_the_configured_one(bench: Bench) -> None:
    own = [{"role": "system", "content": "Own."}, {"role": "user", "content": "q"}]
    bench.client.post(CHAT, json={"messages": own}).raise_for_status()
    bench.ask("q2")
    said = [exchange.messages[0].content for exchange in bench.emitted(2).values()]
    assert sorted(said) == [PROMPT, "Own."]


def test_log_probabilities_come_when_they_are_asked_for(bench: Bench) -> None:
    rows = bench.ask(logprobs=True).json()["choices"][0]["logprobs"]["content"]
    assert "".join(row["token"] for row in rows) == "base heard 2: What is the fee?"
    assert rows[0]["top_logprobs"] == [{"token": "b", "logprob": -0.5}]


def test_streamed_pieces_join_to_the_answer_that_is_emitted(bench: Bench) -> None:
    answer = bench.ask(stream=True)
    assert answer.headers["content-type"].startswith("text/event-stream")
    *chunks, last = events(answer.text)
    assert last == "[DONE]"
    told = [json.loads(chunk) for chunk in chunks]
    deltas = [one["choices"][0]["delta"] for one in told]
    assert deltas[0]["role"] == "assistant"
    joined = "".join(delta.get("content", "") for delta in deltas)
    assert sum(bool(delta.get("content")) for delta in deltas) > 5
    assert [one["choices"][0]["finish_reason"] for one in told] == [None] * (len(told) - 1) + ["stop"]
    exchange = bench.emitted(1)[told[0]["id"]]
    assert joined == exchange.answer == "base heard 2: What is the fee?"


def test_a_stream_that_fails_says_so_and_emits_nothing(bench: Bench) -> None:
    *_, last = events(bench.ask(bench.model.fails, stream=True).text)
    assert "it blew up" in json.loads(last)["error"]["message"]
    assert bench.emitted(0) == {}


def test_a_batch_that_fails_is_a_500_that_says_why(bench: Bench) -> None:
    answer = bench.ask(bench.model.fails)
    assert answer.status_code == 500
    assert "it blew up" in answer.json()["error"]["message"]
    assert bench.emitted(0) == {}


def test_a_full_queue_is_a_503_that_says_when_to_come_back(bench: Bench) -> None:
    bench.model.gate.clear()
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(bench.ask, "1")
        assert bench.model.under_way.acquire(timeout=10)
        waiting = [pool.submit(bench.ask, str(n)) for n in (2, 3)]
        while len(bench.batcher._requests) < 2:
            assert not first.done()
        refused = bench.ask("4")
        bench.model.gate.set()
        assert [one.result(20).status_code for one in (first, *waiting)] == [200] * 3
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
    assert "busy" in refused.json()["error"]["message"]
    assert len(bench.emitted(3)) == 3


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"messages": []}',
        b'{"messages": [{"role": "pirate", "content": "q"}]}',
        b'{"messages": [{"role": "user", "content": "q"}], "max_tokens": 0}',
        b'{"messages": [{"role": "user", "content": "q"}], "temperature": 9}',
        b'{"messages": [{"role": "user", "content": "q"}], "metadata": {"source": "nowhere"}}',
        b'{"messages": [{"role": "user", "content": "q"}], "metadata": {"exchange": ""}}',
    ],
)
def test_what_is_no_chat_request_is_a_400(bench: Bench, body: bytes) -> None:
    answer = bench.client.post(CHAT, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert bench.model.batches == []


def test_a_conversation_too_long_is_a_400_that_counts_it(bench: Bench) -> None:
    answer = bench.ask("x" * 600)
    assert answer.status_code == 400
    assert f"{600 + len(PROMPT)} tokens; at most 500" in answer.json()["error"]["message"]
    assert bench.model.batches == []


def test_a_replay_is_answered_by_the_adapter_it_asks_or_not_at_all(bench: Bench) -> None:
    bench.serve(f"{BOT}@v2")
    replay = {"source": "replay", "exchange": "again", "replay_of": "e-1"}
    refused = bench.ask(model=f"{BOT}@v3", metadata=replay)
    assert refused.status_code == 409
    assert f"{BOT}@v2 is in service" in refused.json()["error"]["message"]
    assert bench.ask(model=f"{BOT}@v2", metadata=replay).json()["model"] == f"{BOT}@v2"
    exchange = bench.emitted(1)["again"]
    assert (exchange.source, exchange.replay_of) == ("replay", "e-1")
    assert bench.ask(model="gpt-4o-mini").status_code == 200  # a customer's client may name what it likes


def test_the_models_are_the_champion_and_the_base(bench: Bench) -> None:
    def listed() -> list[str]:
        return [card["id"] for card in bench.client.get("/v1/models").json()["data"]]

    assert listed() == [f"{BOT}@v0"]
    bench.serve(f"{BOT}@v2")
    assert listed() == [f"{BOT}@v2", f"{BOT}@v0"]
    assert bench.client.get("/healthz").json()["adapter"] == f"{BOT}@v2"
