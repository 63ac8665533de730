"""A chatbot as a process, started as the supervisor starts it, and customers who keep asking it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Self

import httpx

from teachback.schemas.wire import Cluster
from tests.integration.desk_process import free_port

CHAT = "/v1/chat/completions"
# longest answer, in tokens → question: rows of one batch begin and end at different places
QUESTIONS = {
    8: "Hi",
    12: "What is the capital of France?",
    16: "Name three fruits that are red, and say in a few words how each of them tastes.",
    20: "My card was stopped abroad!!! what now",
    24: "Is 17 a prime number?",
    28: "How do I open a savings account?",
    32: "thx",
}
PATIENCE_S = 300.0


class ChatbotProcess:
    """`teachback run chatbot` on a free port, with an installation of its own in `home`."""

    def __init__(self, bot: str, cluster: Cluster, base: Path, home: Path, batch: int) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.registry = home / "registry"
        self.log = home / "chatbot.log"
        self._config = home / "teachback.toml"
        sections: dict[str, dict[str, str | int]] = {
            "kafka": {"bootstrap": cluster.bootstrap, "prefix": cluster.prefix},
            "models": {"base": str(base)},
            "chatbot": {"port": port, "batch": batch},
        }
        lines = [f"bot = {json.dumps(bot)}", f"home = {json.dumps(str(home))}"]
        for name, fields in sections.items():
            lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in fields.items())]
        self._config.write_text("\n".join(lines))

    def start(self) -> None:
        """Start it, and wait until it answers."""
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("TEACHBACK_")}
        command = [sys.executable, "-m", "teachback.infra.command", "--config", str(self._config), "run", "chatbot"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, env=inherited | {"OMP_WAIT_POLICY": "PASSIVE"}
            )
        self.until(self._answers, "the chatbot answers")

    def models(self) -> list[str]:
        """What GET /v1/models names."""
        answer = httpx.get(f"{self.url}/v1/models", trust_env=False, timeout=60).raise_for_status()
        return [card["id"] for card in answer.json()["data"]]

    def said(self) -> str:
        """Its log."""
        return self.log.read_text()

    def until(self, true: Callable[[], object], what: str) -> None:
        """Wait, as long as the process runs; say what it said when it takes too long."""
        deadline = time.monotonic() + PATIENCE_S
        while not true():
            ended = self._process.poll()
            if ended is not None or time.monotonic() > deadline:
                raise TimeoutError(f"not so after {PATIENCE_S:g} s, exit {ended}: {what}\n{self.said()[-3000:]}")
            time.sleep(0.02)

    def stop(self) -> int:
        """SIGTERM, and the exit status."""
        self._process.terminate()
        return self._process.wait(60)

    def kill(self) -> None:
        """kill -9, if it still runs."""
        self._process.kill()
        self._process.wait()

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False


class Reply(NamedTuple):
    """What a customer got. `finish` is None unless the answer came to its end."""

    status: int
    exchange: str
    adapter: str
    limit: int
    text: str
    streamed: bool
    finish: str | None


class Customers:
    """Threads that ask one question after the other, every second answer as a stream, until the block ends."""

    def __init__(self, url: str, count: int) -> None:
        self.replies: list[list[Reply]] = [[] for _ in range(count)]
        self._url = url
        self._gone = threading.Event()
        self._errors: list[BaseException] = []
        self._threads = [threading.Thread(target=self._keep_asking, args=(n,), daemon=True) for n in range(count)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._gone.set()
        for thread in self._threads:
            thread.join(PATIENCE_S)

    def each_got(self, times: int) -> Callable[[], bool]:
        """Whether every customer has had so many answers since now. Raises what a customer met."""
        before = [len(replies) for replies in self.replies]

        def so() -> bool:
            if self._errors:
                raise self._errors[0]
            return all(len(replies) >= start + times for replies, start in zip(self.replies, before, strict=True))

        return so

    def _keep_asking(self, customer: int) -> None:
        limits = list(QUESTIONS)
        try:
            with httpx.Client(base_url=self._url, trust_env=False, timeout=PATIENCE_S) as client:
                turn = customer
                while not self._gone.is_set():
                    self.replies[customer].append(_ask(client, limits[turn % len(limits)], turn % 2 == 1))
                    turn += 1
        except Exception as exc:  # noqa: BLE001 - raised in the test's own thread
            self._errors.append(exc)


def _ask(client: httpx.Client, limit: int, stream: bool) -> Reply:
    asked = {"messages": [{"role": "user", "content": QUESTIONS[limit]}], "max_tokens": limit, "stream": stream}
    answer = client.post(CHAT, json=asked)
    if answer.status_code != 200:
        return Reply(answer.status_code, "", "", limit, answer.text, stream, None)
    return (_joined if stream else _whole)(answer, limit)


def _whole(answer: httpx.Response, limit: int) -> Reply:
    body = answer.json()
    (choice,) = body["choices"]
    return Reply(200, body["id"], body["model"], limit, choice["message"]["content"], False, choice["finish_reason"])


def _joined(answer: httpx.Response, limit: int) -> Reply:
    # as bytes: a line of an event ends at CR and LF only, not at all that Unicode takes for a line's end
    *chunks, last = [line[6:] for line in answer.content.splitlines() if line.startswith(b"data: ")]
    told: list[dict[str, Any]] = [json.loads(chunk) for chunk in chunks]
    ((exchange, adapter),) = {(chunk["id"], chunk["model"]) for chunk in told}
    choices = [chunk["choices"][0] for chunk in told]
    text = "".join(choice["delta"].get("content", "") for choice in choices)
    finish = choices[-1]["finish_reason"] if last == b"[DONE]" else None
    return Reply(200, exchange, adapter, limit, text, True, finish)
