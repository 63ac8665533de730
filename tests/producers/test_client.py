"""The SDK: what arrives, what is refused, and that nothing gets through to the chatbot."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from teachback import Teachback
from teachback.producers.errors import BadEvent, NotConfigured
from teachback.schemas import Exchange, Feedback, TokenLogprob
from teachback.schemas import Message as ChatMessage
from teachback.schemas.wire import Cluster, decode
from tests.producers.conftest import MockBroker

QUESTION = [{"role": "user", "content": "What does the card cost?"}]


@pytest.fixture
def nobody() -> Iterator[Cluster]:
    """An address where nobody listens, and nobody else can."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield Cluster(bootstrap=f"127.0.0.1:{taken.getsockname()[1]}")


def exchanges(broker: MockBroker, count: int) -> list[Exchange]:
    return [decode(bytes(one.value() or b""), Exchange) for one in broker.messages("chat.exchanges", count)]


def test_an_exchange_arrives_whole_under_the_id_that_was_returned(broker: MockBroker) -> None:
    with Teachback(bot="support", cluster=broker.cluster, strict=True) as sdk:
        name = sdk.exchange(
            messages=QUESTION, answer="Nothing.", conversation="c1", model="m", adapter="support@v2", topic="cards"
        )
        assert sdk.flush(20)
    (message,) = broker.messages("chat.exchanges", 1)
    event = decode(bytes(message.value() or b""), Exchange)
    assert (event.id, event.bot, event.conversation, event.adapter) == (name, "support", "c1", "support@v2")
    assert (event.question, event.answer, event.topic, event.source) == (
        QUESTION[0]["content"],
        "Nothing.",
        "cards",
        "live",
    )
    headers = dict(message.headers() or [])
    assert (headers["ce_id"], headers["ce_type"]) == (name.encode(), b"teachback.exchange.v1")
    assert message.key() == b"c1"


def test_that_a_customer_asked_for_a_person_arrives(broker: MockBroker) -> None:
    with Teachback(bot="support", cluster=broker.cluster, strict=True) as sdk:
        sdk.exchange(messages=QUESTION, answer="I will fetch somebody.", escalated=True)
        sdk.exchange(messages=QUESTION, answer="Nothing.")
        assert sdk.flush(20)
    assert {event.answer: event.escalated for event in exchanges(broker, 2)} == {
        "I will fetch somebody.": True,
        "Nothing.": False,
    }


def test_feedback_of_a_turn_without_a_conversation_lands_beside_it(broker: MockBroker) -> None:
    with Teachback(bot="support", cluster=broker.cluster, strict=True) as sdk:
        name = sdk.exchange(messages=QUESTION, answer="Nothing.")
        sdk.feedback(exchange=name, thumb="down", comment="No!")
        assert sdk.flush(20)
    (turn,), (thumb,) = broker.messages("chat.exchanges", 1), broker.messages("chat.feedback", 1)
    assert (turn.key(), turn.partition()) == (thumb.key(), thumb.partition())
    assert decode(bytes(thumb.value() or b""), Feedback).exchange == name


class Dumped:  # such as the objects of the OpenAI client
    def __init__(self, **fields: Any) -> None:
        self.fields = fields

    def model_dump(self) -> dict[str, Any]:
        return self.fields


TOKEN = {"token": "No", "logprob": -0.5, "bytes": [78], "top_logprobs": [{"token": "No", "logprob": float("-inf")}]}


@pytest.mark.parametrize(
    "logprobs", [{"content": [TOKEN]}, [TOKEN], {"logprobs": {"content": [TOKEN]}}, Dumped(content=[TOKEN])]
)
def test_logprobs_come_in_the_shapes_of_the_openai_api(broker: MockBroker, logprobs: Any) -> None:
    with Teachback(bot="support", cluster=broker.cluster, strict=True) as sdk:
        sdk.exchange(messages=QUESTION, answer="No", logprobs=logprobs)
        assert sdk.flush(20)
    (event,) = exchanges(broker, 1)
    assert event.logprobs is not None
    assert (event.logprobs[0].logprob, event.logprobs[0].top_logprobs[0].logprob) == (-0.5, -9999.0)


def test_messages_come_in_the_shapes_of_the_openai_api(broker: MockBroker) -> None:
    parts = [
        {"type": "text", "text": "Look:"},
        {"type": "image_url", "image_url": {}},
        {"type": "text", "text": "why?"},
    ]
    messages = [{"role": "developer", "content": "Be brief."}, Dumped(role="user", content=parts)]
    with Teachback(bot="support", cluster=broker.cluster, strict=True) as sdk:
        sdk.exchange(messages=messages, answer={"role": "assistant", "content": "So."})
        sdk.exchange(
            messages=(ChatMessage(role="user", content="Why?"),),
            answer="So.",
            logprobs=(TokenLogprob(token="S", logprob=-1),),
        )
        assert sdk.flush(20)
    first, second = sorted(exchanges(broker, 2), key=lambda one: -len(one.messages))
    assert [one.role for one in first.messages] == ["system", "user"]
    assert (first.question, first.answer, second.question) == ("Look:\nwhy?", "So.", "Why?")


class Hostile:
    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("not for you")


class AnArray:
    """Like numpy's: it is neither true nor false, and comparing gives another one."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, _: object) -> AnArray:  # type: ignore[override]
        return self

    def __bool__(self) -> bool:
        raise ValueError("the truth value of an array is ambiguous")


BAD: list[dict[str, Any]] = [
    {"messages": "text", "answer": "a"},
    {"messages": [], "answer": "a"},
    {"messages": None, "answer": "a"},
    {"messages": [{"role": "robot", "content": "x"}], "answer": "a"},
    {"messages": [object()], "answer": "a"},
    {"messages": [Hostile()], "answer": "a"},
    {"messages": QUESTION, "answer": 3},
    {"messages": QUESTION, "answer": "\ud800"},
    {"messages": QUESTION, "answer": "a", "id": "a b"},
    {"messages": QUESTION, "answer": "a", "id": AnArray()},
    {"messages": QUESTION, "answer": "a", "conversation": AnArray()},
    {"messages": QUESTION, "answer": "a", "source": "hearsay"},
    {"messages": QUESTION, "answer": "a", "conversation": 5},
    {"messages": QUESTION, "answer": "a", "logprobs": [{"token": "a"}]},
    {"messages": QUESTION, "answer": "a", "logprobs": 7},
    {"messages": QUESTION, "answer": "a", "passages": [{"text": "no id"}]},
    {"messages": QUESTION, "answer": "a", "samples": 4},
]


def test_bad_arguments_are_counted_and_logged_and_never_raise(
    broker: MockBroker, caplog: pytest.LogCaptureFixture
) -> None:
    with Teachback(bot="support", cluster=broker.cluster) as sdk:
        with caplog.at_level(logging.WARNING, "teachback"):
            for _ in range(20):
                for bad in BAD:
                    sdk.exchange(**bad)
            sdk.feedback(exchange="x", thumb="sideways")  # type: ignore[arg-type]
            sdk.feedback(exchange="x", thumb="up", conversation=AnArray(), id=AnArray())  # type: ignore[arg-type]
        stats = sdk.stats()
    assert (stats.invalid, stats.accepted) == (20 * len(BAD) + 2, 0)
    assert 1 <= len(caplog.records) <= 8  # one for each kind


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: str(sorted(bad.items()))[:40])
def test_strictness_raises_them_for_development(broker: MockBroker, bad: dict[str, Any]) -> None:
    with Teachback(bot="support", cluster=broker.cluster, strict=True) as sdk, pytest.raises(BadEvent):
        sdk.exchange(**bad)


def test_without_configuration_it_says_so_once_and_emits_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "teachback"):
        sdk = Teachback(environ={})
        for _ in range(5):
            sdk.exchange(messages=QUESTION, answer="a")
    assert "TEACHBACK_BOT" in caplog.text and "TEACHBACK_KAFKA_BOOTSTRAP" in caplog.text
    assert len(caplog.records) == 1
    assert (sdk.stats().invalid, sdk.stats().accepted) == (5, 0)
    sdk.close()
    with pytest.raises(NotConfigured):
        Teachback(environ={}, strict=True)


def test_what_is_not_given_is_read_from_the_environment() -> None:
    environ = {
        "TEACHBACK_BOT": "env", "TEACHBACK_BOOTSTRAP": "k:9092", "TEACHBACK_TOPIC_PREFIX": "acme.",
        "TEACHBACK_KAFKA_OPTIONS": '{"security.protocol": "ssl"}',
    }  # fmt: skip
    settings = Teachback(bot="given", environ=environ).settings
    assert (settings.bot, settings.bootstrap, settings.prefix) == ("given", "k:9092", "acme.")
    assert settings.options == {"security.protocol": "ssl"}


def test_with_kafka_down_the_drops_are_counted_exactly(nobody: Cluster) -> None:
    sdk = Teachback(bot="support", cluster=nobody, max_messages=100)
    for _ in range(250):
        sdk.exchange(messages=QUESTION, answer="a")
    stats = sdk.stats()
    assert (stats.accepted, stats.waiting, stats.dropped, stats.invalid) == (250, 100, 150, 0)
    assert not sdk.flush(0.1)
    sdk.close(0.1)


def test_what_kafka_does_not_take_in_time_is_failed_and_makes_room(nobody: Cluster) -> None:
    sdk = Teachback(bot="support", cluster=nobody, max_messages=10, delivery_seconds=0.5)
    for _ in range(15):
        sdk.exchange(messages=QUESTION, answer="a")
    assert sdk.flush(30)
    stats = sdk.stats()
    assert (stats.failed, stats.dropped, stats.waiting) == (10, 5, 0)
    sdk.close()


def test_many_threads_share_one(broker: MockBroker) -> None:
    with Teachback(bot="support", cluster=broker.cluster, strict=True) as sdk:
        names: list[str] = []

        def chat() -> None:
            names.extend([sdk.exchange(messages=QUESTION, answer="a") for _ in range(100)])

        threads = [threading.Thread(target=chat) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sdk.flush(20)
        assert sdk.stats().delivered == 600
    assert sorted(one.id for one in exchanges(broker, 600)) == sorted(names)


def test_with_kafka_down_calls_cost_no_more_than_with_it_up(broker: MockBroker, nobody: Cluster) -> None:
    """A ratio, and a generous one: what it must catch is a call that waits for Kafka, a factor of thousands."""
    costs = {}
    for name, cluster in (("up", broker.cluster), ("down", nobody)):
        sdk = Teachback(bot="support", cluster=cluster, max_messages=500)
        rounds = []
        for _ in range(5):
            started = time.perf_counter()
            for _ in range(300):
                sdk.exchange(messages=QUESTION, answer="a" * 500)
            rounds.append(time.perf_counter() - started)
        costs[name] = min(rounds)
        sdk.close(0.1)
    assert costs["down"] < 20 * costs["up"]


AT_EXIT = """
from teachback import Teachback
sdk = Teachback(bot="support", bootstrap={bootstrap!r}, exit_seconds={seconds})
for _ in range(50):
    sdk.exchange(messages=[{{"role": "user", "content": "hi"}}], answer="a")
"""


def test_the_end_of_the_process_flushes(broker: MockBroker) -> None:
    code = AT_EXIT.format(bootstrap=broker.cluster.bootstrap, seconds=20)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(broker.messages("chat.exchanges", 50)) == 50


def test_the_end_of_the_process_does_not_wait_for_ever(nobody: Cluster) -> None:
    code = AT_EXIT.format(bootstrap=nobody.bootstrap, seconds=0.2)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0
    assert "50 events were not delivered" in done.stderr


FORK = """
import os, sys
from teachback import Teachback
sdk = Teachback(bot="support", bootstrap={bootstrap!r}, exit_seconds=20, strict=True)
say = lambda who: sdk.exchange(messages=[{{"role": "user", "content": who}}], answer="a", id=who)
say("before")
assert sdk.flush(20)
child = os.fork()
say("child" if child == 0 else "parent")
assert sdk.flush(20)
assert sdk.stats().accepted == (1 if child == 0 else 2)
if child:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_forked_child_emits_for_itself_and_ends(broker: MockBroker) -> None:
    code = FORK.format(bootstrap=broker.cluster.bootstrap)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(one.id for one in exchanges(broker, 3)) == ["before", "child", "parent"]


@pytest.mark.parametrize(
    ("line", "allowed"),
    [
        ("import teachback", set()),
        ("from teachback import Teachback", set()),
        ("from teachback import Teachback; Teachback(bot='b', bootstrap='k')", {"confluent_kafka"}),
    ],
)
def test_importing_the_sdk_imports_nothing_heavy(line: str, allowed: set[str]) -> None:
    heavy = "{'confluent_kafka', 'torch', 'faust', 'pyarrow', 'transformers', 'numpy', 'litestar', 'deltalake'}"
    code = f"import sys; {line}; print(*sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == allowed


def test_a_chatbot_without_confluent_kafka_runs_on_and_is_told(tmp_path: Path) -> None:
    (tmp_path / "confluent_kafka.py").write_text("raise ImportError('No module named confluent_kafka')\n")
    code = AT_EXIT.format(bootstrap="k:9092", seconds=0)
    environ = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environ)
    assert done.returncode == 0
    assert "install teachback[producers]" in done.stderr
