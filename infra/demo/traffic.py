"""Customers: they ask the chatbot over its HTTP API, many at a time."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import msgspec

from teachback.infra.demo.errors import DemoError
from teachback.infra.demo.script import Asked
from teachback.schemas.ids import derived

AT_ONCE = 64
LIVE_TOKENS = 32  # a chat window's answers are short; and this model rambles on for as long as it may
PATIENCE_S = 300.0
PAUSE_S = 1.0


class Reply(msgspec.Struct, frozen=True):
    """What the chatbot answered, and which adapter it was."""

    asked: Asked
    exchange: str
    answer: str
    adapter: str


def named(round_: str, asks: Sequence[Asked]) -> dict[str, Asked]:
    """The questions of a round, each with a name of its own, in order."""
    return {f"{round_}/{number}": asked for number, asked in enumerate(asks)}


def exchange_id(name: str) -> str:
    """The id of the exchange that asking under this name makes, however often."""
    return derived("demo", name)


class Chatbot:
    """The chatbot's API. Safe to use from several threads."""

    def __init__(self, url: str, stop: threading.Event) -> None:
        self._stop = stop
        self._http = httpx.Client(base_url=url, timeout=PATIENCE_S, limits=httpx.Limits(max_connections=AT_ONCE + 4))

    def serving(self) -> str:
        """The adapter that answers now; empty when the chatbot does not."""
        try:
            return str(self._http.get("/v1/models", timeout=5).raise_for_status().json()["data"][0]["id"])
        except httpx.HTTPError:
            return ""

    def ask(self, name: str, asked: Asked, store: bool) -> Reply:
        """Ask one question, again and again while the chatbot is away. `name` makes the exchange's id.

        Raises DemoError when the demo is being stopped, or the chatbot stays away.
        """
        exchange = exchange_id(name)
        metadata = {"exchange": exchange, "conversation": derived("conversation", name), "topic": asked.topic}
        body: dict[str, Any] = {
            "messages": [{"role": "user", "content": asked.question}],
            "metadata": metadata,
            "store": store,
        }
        if store:
            body["max_tokens"] = LIVE_TOKENS
        answer = self._post(body)
        return Reply(asked, exchange, str(answer["choices"][0]["message"]["content"]), str(answer["model"]))

    def ask_all(self, asks: Mapping[str, Asked], store: bool, heard: Callable[[Reply], object]) -> list[Reply]:
        """Ask them all, by name, `AT_ONCE` at a time, in order. `heard` is told each reply as it comes."""

        def one(named: tuple[str, Asked]) -> Reply:
            reply = self.ask(*named, store)
            heard(reply)
            return reply

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(one, asks.items()))

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def _post(self, body: dict[str, Any]) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_S
        why = ""
        while time.monotonic() < deadline and not self._stop.is_set():
            try:
                answer = self._http.post("/v1/chat/completions", json=body)
                if answer.status_code < 500:
                    found: dict[str, Any] = answer.raise_for_status().json()
                    return found
                why = answer.text
            except httpx.TransportError as exc:
                why = str(exc)
            self._stop.wait(PAUSE_S)
        raise DemoError("the demo was stopped" if self._stop.is_set() else f"the chatbot does not answer: {why}")
