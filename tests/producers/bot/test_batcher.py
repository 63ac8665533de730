"""The batcher: what is generated together, and what a failure or a swap touches."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from teachback.producers.bot.batcher import Batcher, Full, Ungenerated
from teachback.producers.bot.shapes import Prompt, Sampling
from teachback.schemas import Message
from tests.producers.bot.fakes import FakeModel, answer_of

GREEDY = Sampling()


def prompt(question: str, max_tokens: int = 100) -> Prompt:
    return Prompt((Message(role="user", content=question),), max_tokens)


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def batcher(model: FakeModel) -> Iterator[Batcher]:
    batcher = Batcher(model, batch=4, waiting=8)
    yield batcher
    model.gate.set()
    batcher.close()
    assert not batcher._thread.is_alive()


def hold(model: FakeModel, batcher: Batcher) -> None:
    """Keep the model busy with a first request until the gate opens, so that what comes now waits."""
    model.gate.clear()
    batcher.submit(None, prompt("first"), GREEDY)
    assert model.under_way.acquire(timeout=10)


def test_a_batch_holds_one_adapter_and_one_way_of_sampling_in_order_of_arrival(
    model: FakeModel, batcher: Batcher
) -> None:
    hold(model, batcher)
    hot = Sampling(temperature=1.0)
    asked = [("a", "1", GREEDY), ("b", "2", GREEDY), ("a", "3", hot), ("a", "4", GREEDY), (None, "5", GREEDY)]
    answers = [(adapter, question, batcher.submit(adapter, prompt(question), how)) for adapter, question, how in asked]
    model.gate.set()
    for adapter, question, answer in answers:
        assert answer.result(10).text == answer_of(adapter, prompt(question).messages)
    assert model.batches[1:] == [("a", ["1", "4"]), ("b", ["2"]), ("a", ["3"]), (None, ["5"])]


def test_a_batch_is_no_larger_than_told(model: FakeModel, batcher: Batcher) -> None:
    hold(model, batcher)
    answers = [batcher.submit(None, prompt(str(n)), GREEDY) for n in range(6)]
    model.gate.set()
    assert [answer.result(10).text[-1] for answer in answers] == list("012345")
    assert [questions for _, questions in model.batches[1:]] == [["0", "1", "2", "3"], ["4", "5"]]


def test_a_full_queue_refuses_at_once_and_takes_again_later(model: FakeModel, batcher: Batcher) -> None:
    hold(model, batcher)
    answers = [batcher.submit(None, prompt(str(n)), GREEDY) for n in range(8)]
    with pytest.raises(Full, match="8 requests wait"):
        batcher.submit(None, prompt("one more"), GREEDY)
    model.gate.set()
    assert all(answer.result(10).text for answer in answers)
    assert batcher.submit(None, prompt("again"), GREEDY).result(10).text.endswith("again")


def test_a_failing_batch_fails_its_own_requests_only(model: FakeModel, batcher: Batcher) -> None:
    hold(model, batcher)
    doomed = [batcher.submit("a", prompt(question), GREEDY) for question in ("fine", model.fails)]
    spared = batcher.submit("b", prompt("other"), GREEDY)
    model.gate.set()
    for answer in doomed:
        with pytest.raises(Ungenerated, match="LookupError: it blew up"):
            answer.result(10)
    assert spared.result(10).text == answer_of("b", prompt("other").messages)
    assert batcher.submit("a", prompt("next"), GREEDY).result(10).text.startswith("a heard")


def test_a_call_runs_between_two_batches_and_before_what_waits(model: FakeModel, batcher: Batcher) -> None:
    hold(model, batcher)
    waiting = batcher.submit("a", prompt("waits"), GREEDY)
    called = batcher.call(lambda: model.events.append("call"))
    assert batcher.pinned() == {"a"}
    model.gate.set()
    called.result(10)
    waiting.result(10)
    assert model.events == ["generate None", "call", "generate a"]


def test_a_failing_call_tells_its_caller_and_the_thread_goes_on(model: FakeModel, batcher: Batcher) -> None:
    with pytest.raises(ZeroDivisionError):
        batcher.call(lambda: 1 // 0).result(10)
    assert batcher.submit(None, prompt("next"), GREEDY).result(10).text.endswith("next")


def test_a_request_that_nobody_waits_for_any_more_is_not_generated(model: FakeModel, batcher: Batcher) -> None:
    hold(model, batcher)
    gone, stays = (batcher.submit(None, prompt(question), GREEDY) for question in ("gone", "stays"))
    assert gone.cancel()
    model.gate.set()
    stays.result(10)
    assert model.batches[1:] == [(None, ["stays"])]


def test_closing_finishes_what_waits_and_takes_no_more(model: FakeModel) -> None:
    batcher = Batcher(model, batch=4, waiting=8)
    hold(model, batcher)
    waiting = batcher.submit(None, prompt("waits"), GREEDY)
    model.gate.set()
    batcher.close()
    assert waiting.result(0).text.endswith("waits")
    with pytest.raises(Full):
        batcher.submit(None, prompt("late"), GREEDY)
    with pytest.raises(Ungenerated, match="ends"):
        batcher.call(lambda: None).result(10)
