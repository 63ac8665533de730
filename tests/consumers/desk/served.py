"""A desk without Kafka: the real application and state, and a list for the topic."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
from litestar.testing import TestClient

from teachback.consumers.desk.api import app
from teachback.consumers.desk.errors import DeskError
from teachback.consumers.desk.service import Service
from teachback.consumers.desk.settings import DeskSettings
from teachback.consumers.desk.state import DeskState
from teachback.consumers.review.client import DeskClient
from teachback.schemas.review import Verdict


class ServedDesk:
    """Speaks HTTP in the same process. `away` makes it unreachable, `slow` keeps Kafka from answering.

    `slow_to_take_back` holds skips up for so many seconds. `failing` is what becomes of verdicts instead of being
    written.
    """

    def __init__(self, settings: DeskSettings, **clock: Any) -> None:
        self.service = Service(settings)
        self.state = DeskState(settings, **clock)
        self.written: list[Verdict] = []
        self.away = False
        self.slow = False
        self.slow_to_take_back = 0.0
        self.failing: DeskError | None = None
        self.http = TestClient(app(self.service), raise_server_exceptions=False)

    def open(self) -> ServedDesk:
        self.service.open(self.state, self._submit)
        return self

    def client(self, name: str, **options: Any) -> DeskClient:
        return DeskClient("http://desk", f"token-{name}", transport=httpx.MockTransport(self._answer), **options)

    def call(self, name: str, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer token-{name}"} | options.pop("headers", {})
        return self.http.request(method, path, headers=headers, **options)

    def _submit(self, verdict: Verdict) -> asyncio.Future[None]:
        done = asyncio.get_running_loop().create_future()
        if self.failing is not None:
            done.set_exception(self.failing)
            return done
        self.written.append(verdict)
        if not self.slow:
            done.set_result(None)
        return done

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            raise httpx.ConnectError("connection refused", request=request)
        if request.method == "DELETE":
            time.sleep(self.slow_to_take_back)
        given = self.http.request(
            request.method, request.url.raw_path.decode(), content=request.content, headers=dict(request.headers)
        )
        return httpx.Response(given.status_code, headers=given.headers, content=given.content, request=request)
