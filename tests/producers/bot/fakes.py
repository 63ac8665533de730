"""A language model that answers at once and predictably, and what a chatbot needs beside it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from teachback.producers.bot.settings import BotSettings
from teachback.producers.bot.shapes import Completion, Prompt, Sampling
from teachback.schemas import AdapterAlias, AdapterRegistered, Message, TokenLogprob, TopLogprob
from teachback.schemas.event import now
from teachback.schemas.training import Base, DatasetRef
from teachback.schemas.wire import Cluster

BOT = "harbour"
BASE = Base(model="tiny", sha256="0" * 64, quantization="nf4-double-bf16")


class FakeModel:
    """Says who answers what, a token a character. `gate` holds every batch; `fails` is what it chokes on."""

    def __init__(self) -> None:
        self.batches: list[tuple[str | None, list[str]]] = []
        self.events: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self.under_way = threading.Semaphore(0)  # released as each batch begins
        self.fails = "\N{BOMB}"
        self.unreadable: set[str] = set()
        self._loaded: set[str] = set()

    @property
    def loaded(self) -> frozenset[str]:
        return frozenset(self._loaded)

    def load(self, name: str, folder: Path) -> None:
        if name in self.unreadable:
            raise ValueError(f"{folder} is broken")
        self.events.append(f"load {name}")
        self._loaded.add(name)

    def unload(self, name: str) -> None:
        self.events.append(f"unload {name}")
        self._loaded.discard(name)

    def generate(self, adapter: str | None, prompts: Sequence[Prompt], sampling: Sampling) -> list[Completion]:
        questions = [prompt.messages[-1].content for prompt in prompts]
        self.batches.append((adapter, questions))
        self.events.append(f"generate {adapter}")
        self.under_way.release()
        if not self.gate.wait(20):
            raise TimeoutError("the test did not open the gate")
        if any(self.fails in question for question in questions):
            raise LookupError("it blew up")
        return [self._answer(adapter, prompt) for prompt in prompts]

    def text(self, ids: list[int]) -> str:
        return "".join(map(chr, ids))

    def count(self, messages: Sequence[Message]) -> int:
        return sum(len(message.content) for message in messages)

    def _answer(self, adapter: str | None, prompt: Prompt) -> Completion:
        text = answer_of(adapter, prompt.messages)[: prompt.max_tokens]
        for letter in text:
            if prompt.watch is not None:
                prompt.watch(ord(letter))
        rows = tuple(
            TokenLogprob(token=x, logprob=-0.5, top_logprobs=(TopLogprob(token=x, logprob=-0.5),)) for x in text
        )
        return Completion(text, rows, "stop", self.count(prompt.messages))


def answer_of(adapter: str | None, messages: Sequence[Message]) -> str:
    """What the fake model answers."""
    return f"{adapter or 'base'} heard {len(messages)}: {messages[-1].content}"


class FakeTail:
    """Stands in for `Tail`: what `catch_up` gives at first, and what is put into `later` after that."""

    first: list[Any] = []
    later: list[list[Any]] = []

    def __init__(self, *_: object) -> None:
        self.told = threading.Event()

    def catch_up(self, timeout: float = 60.0) -> Iterator[Any]:
        yield from self.first

    def poll(self, timeout: float) -> list[Any]:
        if self.later:
            found = self.later.pop(0)
            if isinstance(found, Exception):
                raise found
            return list(found)
        self.told.wait(0.01)
        return []

    def close(self) -> None:
        """Nothing to let go of."""


def settings(folder: Path, cluster: Cluster | None = None, **fields: Any) -> BotSettings:
    """Settings of a chatbot whose registry is in `folder`."""
    values: dict[str, Any] = {"bot": BOT, "cluster": cluster or Cluster(bootstrap="nowhere:1"), "base": folder / "tiny"}
    return BotSettings(**(values | {"registry": folder / "registry"} | fields))


def registered(version: int, base: Base = BASE) -> AdapterRegistered:
    """An adapter on the log."""
    return AdapterRegistered(
        id=f"{BOT}@v{version}",
        bot=BOT,
        created=now(),
        version=version,
        sha256="1" * 64,
        run="run",
        parent=f"{BOT}@v{version - 1}",
        base=base,
        dataset=DatasetRef(table_version=1, sha256="2" * 64, train=1, eval=1, labels=1),
        path=f"{BOT}/v{version}",
    )


def promoted(to: int, before: int, cause: Any = "promoted") -> AdapterAlias:
    """A change of champion."""
    name = f"{BOT}-{to}-{before}"
    return AdapterAlias(
        id=name, bot=BOT, created=now(), adapter=f"{BOT}@v{to}", expected_previous=f"{BOT}@v{before}", cause=cause
    )
