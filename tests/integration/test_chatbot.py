"""The chatbot's process on a real Kafka: the champion changes while customers ask."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from msgspec.structs import replace

from teachback.producers.bot.model import ChatModel
from teachback.producers.bot.shapes import Prompt, Sampling
from teachback.schemas import Exchange, Message
from teachback.schemas.base import describe
from teachback.schemas.event import Event
from teachback.schemas.log import Tail
from teachback.schemas.topics import TopicName
from teachback.schemas.wire import Cluster
from teachback.trainer.alias import rollback
from teachback.trainer.ledger import Ledger
from tests.integration.chatbot_process import QUESTIONS, ChatbotProcess, Customers, Reply
from tests.kafka_fixture import KafkaCluster
from tests.producers.bot.fakes import BOT, promoted, registered

pytestmark = [pytest.mark.kafka, pytest.mark.model]
V0, V1, V2, V3, V4 = (f"{BOT}@v{version}" for version in range(5))
TOPICS: tuple[TopicName, ...] = ("chat.exchanges", "models.adapters")
CUSTOMERS, BATCH = 8, 3  # when the champion changes, five wait: a whole batch, and two that new ones come up to


class Story(NamedTuple):
    """What customers, the log and a person saw of one chatbot, from its start to its end."""

    customers: list[list[Reply]]
    exchanges: list[Exchange]
    listed: list[list[str]]
    said: str
    status: int

    @property
    def replies(self) -> list[Reply]:
        return [reply for replies in self.customers for reply in replies]


@pytest.fixture(scope="module")
def story(
    kafka: KafkaCluster, chat_base: Path, chat_adapters: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Story:
    """While customers ask: v1, v2, back to v1, and v3 and v4, which must be refused.

    Each change comes as the trainer or `teachback adapters rollback` writes it, once all have met what the last one
    led to.
    """
    cluster = Cluster(bootstrap=kafka.bootstrap, prefix=f"t{uuid.uuid4().hex[:8]}.")
    kafka.create_all({cluster.topic(name): cluster.partitions_of(name) for name in TOPICS})
    chatbot = ChatbotProcess(BOT, cluster, chat_base, tmp_path_factory.mktemp("chatbot"), BATCH)
    for version in range(1, 5):  # nothing but their base speaks against v3 and v4
        shutil.copytree(chat_adapters[V2 if version == 2 else V1], chatbot.registry / BOT / f"v{version}")
    base = describe(chat_base)
    ledger = Ledger(cluster, BOT)
    listed: list[list[str]] = []

    def publish(*events: Event) -> None:
        ledger.write([("models.adapters", event) for event in events])

    def all_ask() -> None:
        chatbot.until(customers.each_got(3), "every customer has three more answers")  # the first may be an old one
        listed.append(chatbot.models())

    def change(how: Callable[..., object], *given: object) -> None:
        before = len(chatbot.said())
        how(*given)
        chatbot.until(lambda: f" {BOT}@v" in chatbot.said()[before:], "the chatbot speaks of the change")
        all_ask()

    publish(registered(2, base), promoted(2, 1))  # over v1, and v1 does not serve: to be ignored
    try:
        chatbot.start()
        with Customers(chatbot.url, CUSTOMERS) as customers:
            all_ask()
            change(publish, registered(1, base), promoted(1, 0))
            change(publish, promoted(2, 1))
            change(rollback, cluster, BOT, V1)
            change(publish, registered(3, replace(base, sha256="9" * 64)), promoted(3, 1))
            change(publish, registered(4, replace(base, quantization="int8")), promoted(4, 3))
        status = chatbot.stop()
    finally:
        chatbot.kill()
        ledger.close()
    with Tail(cluster, "chat.exchanges", (Exchange,)) as tail:
        exchanges = [record.event for record in tail.catch_up() if record.event is not None]
    return Story(customers.replies, exchanges, listed, chatbot.said(), status)


@pytest.fixture(scope="module")
def alone(chat_base: Path, chat_adapters: dict[str, Path]) -> dict[tuple[str, int], str]:
    """What each adapter answers to each question that is asked alone: (adapter, longest answer) → text."""
    model = ChatModel(chat_base, top_logprobs=1)
    answers = {}
    for adapter in (V0, V1, V2):
        if adapter in chat_adapters:
            model.load(adapter, chat_adapters[adapter])
        for limit, question in QUESTIONS.items():
            prompt = Prompt((Message(role="user", content=question),), limit)
            (answer,) = model.generate(None if adapter == V0 else adapter, [prompt], Sampling())
            answers[adapter, limit] = answer.text
    return answers


def test_no_request_fails_while_the_champion_changes(story: Story) -> None:
    assert len(story.replies) >= 30
    assert {reply.status for reply in story.replies} == {200}
    assert {reply.finish for reply in story.replies} <= {"stop", "length"}
    assert {(reply.adapter, reply.streamed) for reply in story.replies} == {
        (adapter, streamed) for adapter in (V0, V1, V2) for streamed in (False, True)
    }
    assert story.status == 0


def test_every_customer_meets_the_champions_in_the_order_of_the_log(story: Story) -> None:
    """A promotion over what does not serve, and adapters of other bases, come into service with nobody."""
    for replies in story.customers:
        assert [adapter for adapter, _ in groupby(reply.adapter for reply in replies)] == [V0, V1, V2, V1]


@pytest.mark.skipif(torch.cuda.is_available(), reason="bfloat16 makes no such promise")
def test_each_answer_is_the_one_that_its_adapter_gives_alone(story: Story, alone: dict[tuple[str, int], str]) -> None:
    for limit in QUESTIONS:
        assert len({alone[adapter, limit] for adapter in (V0, V1, V2)}) == 3  # else a mix-up could not be seen
    for reply in story.replies:
        assert reply.text == alone[reply.adapter, reply.limit], reply


def test_the_log_has_each_exchange_once_as_its_customer_saw_it(story: Story) -> None:
    emitted = [(x.id, x.adapter, x.question, x.answer) for x in story.exchanges]
    seen = [(reply.exchange, reply.adapter, QUESTIONS[reply.limit], reply.text) for reply in story.replies]
    assert sorted(emitted) == sorted(seen)


def test_the_models_name_the_champion_first(story: Story) -> None:
    assert story.listed == [[V0], [V1, V0], [V2, V0], [V1, V0], [V1, V0], [V1, V0]]


def test_an_adapter_for_another_base_is_refused_by_name(story: Story) -> None:
    for adapter in (V3, V4):
        assert f"{adapter} is the champion, but can't serve here, {V1} goes on: it was judged on base" in story.said
