"""Requests wait here, and are generated together when they go to the same adapter.

One thread owns the model. It takes the oldest request and whatever else waits for the same adapter and the same way of
sampling, up to the batch size, and generates them. Between two batches it carries out what was handed to `call`: there
adapters are loaded, so that a swap never touches a generation under way.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import NamedTuple, TypeVar

from teachback.producers.bot.shapes import Completion, LanguageModel, Prompt, Sampling

T = TypeVar("T")
log = logging.getLogger(__name__)
GATHER_S = 0.02  # how long the oldest request waits for company


class Full(Exception):
    """Too many requests wait already; try again later."""


class Ungenerated(Exception):
    """The model failed on a batch, or ended before it; the message says why."""


class Pending(NamedTuple):
    """A request that waits, its adapter pinned at admission."""

    adapter: str | None
    sampling: Sampling
    prompt: Prompt
    answer: "Future[Completion]"


class Batcher:
    """The model's thread and its two queues."""

    def __init__(self, model: LanguageModel, batch: int, waiting: int) -> None:
        self._model, self._batch, self._waiting = model, batch, waiting
        self._requests: deque[Pending] = deque()
        self._calls: deque[Callable[[], None]] = deque()
        self._wake = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="model", daemon=True)
        self._thread.start()

    def submit(self, adapter: str | None, prompt: Prompt, sampling: Sampling) -> "Future[Completion]":
        """Queue a request. Raises Full. Its future raises Ungenerated when the model fails."""
        answer: Future[Completion] = Future()
        with self._wake:
            if self._closed or len(self._requests) >= self._waiting:
                raise Full(f"{len(self._requests)} requests wait already")
            self._requests.append(Pending(adapter, sampling, prompt, answer))
            self._wake.notify()
        return answer

    def call(self, function: Callable[[], T]) -> "Future[T]":
        """Run something on the model's thread, before the next batch. After `close` its future raises Ungenerated."""
        result: Future[T] = Future()
        with self._wake:
            if self._closed:
                result.set_exception(Ungenerated("the model's thread ends"))
                return result
            self._calls.append(lambda: _settle(result, function))
            self._wake.notify()
        return result

    def pinned(self) -> set[str | None]:
        """Adapters that waiting requests were admitted with."""
        with self._wake:
            return {pending.adapter for pending in self._requests}

    def close(self, timeout: float = 10.0) -> None:
        """Take no more requests, finish those that wait, and end the thread."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join(timeout)

    def _work(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: bool(self._requests or self._calls or self._closed))
                calls = list(self._calls)
                self._calls.clear()
                if self._closed and not self._requests and not calls:
                    return
            for call in calls:
                call()
            if self._requests:
                self._generate(self._gather())

    def _gather(self) -> list[Pending]:
        deadline = time.monotonic() + GATHER_S
        with self._wake:
            self._wake.wait_for(lambda: len(self._requests) >= self._batch, max(0.0, deadline - time.monotonic()))
            oldest = self._requests[0]
            alike = [p for p in self._requests if (p.adapter, p.sampling) == (oldest.adapter, oldest.sampling)]
            chosen = alike[: self._batch]
            taken = {id(pending) for pending in chosen}
            self._requests = deque(pending for pending in self._requests if id(pending) not in taken)
        return [pending for pending in chosen if pending.answer.set_running_or_notify_cancel()]

    def _generate(self, batch: list[Pending]) -> None:
        if not batch:
            return
        prompts = [pending.prompt for pending in batch]
        try:
            answers = self._model.generate(batch[0].adapter, prompts, batch[0].sampling)
        except Exception as exc:  # torch, templates, memory: whoever asked is told, the thread goes on
            log.exception("a batch of %d could not be generated", len(batch))
            for pending in batch:
                failure = Ungenerated(f"{type(exc).__name__}: {exc}")
                failure.__cause__ = exc
                pending.answer.set_exception(failure)
            return
        for pending, answer in zip(batch, answers, strict=True):
            pending.answer.set_result(answer)


def _settle(future: "Future[T]", function: Callable[[], T]) -> None:
    try:
        future.set_result(function())
    except Exception as exc:  # noqa: BLE001 - handed to whoever waits for the result
        future.set_exception(exc)
