"""The desk's API as methods. Safe to use from several threads.

Everything may be sent again without harm, so every call is, while the desk is away: for `patience` seconds, with pauses
that grow to two seconds. `on_wait` hears why it waits.
"""

import random
import time
from collections.abc import Callable, Collection
from typing import Any, Self, TypeVar

import httpx
import msgspec

from teachback.consumers.desk.shapes import Accepted, Leased, Me, Offer, Overview, Problem
from teachback.consumers.review.errors import ItemGone, NotAccepted, ReviewError, SignInFailed, Unreachable
from teachback.schemas.review import Decision, Rubric

B = TypeVar("B", bound=msgspec.Struct)
UNRATED = Rubric()
LONGEST_PAUSE = 2.0
AWAY = frozenset({429, 502, 503, 504})
GONE = frozenset({403, 404, 409})


class DeskClient:
    """One reviewer at one desk. Raises ReviewError (see `errors`)."""

    def __init__(
        self,
        base_url: str,
        token: str,
        patience: float = 60.0,
        on_wait: Callable[[str], object] = lambda why: None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.patience = patience
        self.on_wait = on_wait
        self._http = httpx.Client(
            base_url=self.base_url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(40.0, connect=5.0),  # above the desk's own limit on a commit
            transport=transport,
            trust_env=False,  # a desk is near; a proxy for the outside must not see tokens
        )

    def lease(self, holding: Collection[str] = ()) -> Offer | None:
        """The next item, or None. `holding`: ids of the leases that are being worked on already."""
        answer = self._send("POST", "/v1/leases", {"holding": list(holding)})
        return None if answer.status_code == 204 else _read(answer, Offer)

    def heartbeat(self, lease: Leased) -> Leased:
        """Keep an item; use the lease that comes back from now on. Raises ItemGone."""
        body = {"token": lease.token, "exchange": lease.exchange}
        return _read(self._send("POST", f"/v1/leases/{lease.id}/heartbeat", body), Leased)

    def skip(self, lease: Leased) -> None:
        """Give an item back. No harm if it is gone."""
        try:
            self._send("DELETE", f"/v1/leases/{lease.id}", params={"token": lease.token})
        except ItemGone:
            return

    def verdict(
        self,
        lease: Leased,
        decision: Decision,
        answer: str | None = None,
        reasons: Collection[str] = (),
        rubric: Rubric = UNRATED,
        comment: str | None = None,
    ) -> str:
        """Judge an item. Returns the verdict's id once Kafka has it. Raises ItemGone, NotAccepted."""
        body = {
            "token": lease.token,
            "exchange": lease.exchange,
            "decision": decision,
            "answer": answer,
            "reasons": list(reasons),
            "rubric": rubric,
            "comment": comment,
        }
        return _read(self._send("POST", f"/v1/leases/{lease.id}/verdict", body), Accepted).verdict

    def queue(self) -> Overview:
        """The queue in numbers."""
        return _read(self._send("GET", "/v1/queue"), Overview)

    def me(self) -> Me:
        """Who this reviewer is to the desk."""
        return _read(self._send("GET", "/v1/me"), Me)

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(
        self, method: str, path: str, body: dict[str, Any] | None = None, params: dict[str, int] | None = None
    ) -> httpx.Response:
        """A successful response. Tries again while the desk is away."""
        deadline, pause = time.monotonic() + self.patience, 0.1
        content = None if body is None else msgspec.json.encode(body)
        headers = {} if content is None else {"Content-Type": "application/json"}
        while True:
            try:
                answer = self._http.request(method, path, content=content, headers=headers, params=params)
                if answer.status_code not in AWAY:
                    return _checked(answer)
                why = _problem(answer).detail
            except httpx.TransportError as exc:
                why = f"no desk answers at {self.base_url} ({exc or type(exc).__name__})"
            if time.monotonic() + pause > deadline:
                raise Unreachable(f"{why}; start it with `teachback up`, or check the address")
            self.on_wait(why)
            time.sleep(pause * random.uniform(0.5, 1.0))  # so that many clients do not come back at once
            pause = min(pause * 2, LONGEST_PAUSE)


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    problem = _problem(answer)
    message = f"{problem.title}: {problem.detail}. What to do: {problem.action}."
    kind: type[ReviewError] = NotAccepted
    if answer.status_code == 401:
        kind = SignInFailed
    elif answer.status_code in GONE:
        kind = ItemGone
    raise kind(message)


def _problem(answer: httpx.Response) -> Problem:
    try:
        return msgspec.json.decode(answer.content, type=Problem)
    except msgspec.DecodeError:
        title = f"HTTP {answer.status_code}"
        return Problem(
            status=answer.status_code,
            title=title,
            detail=f"what answers at {answer.url} is no review desk",
            action="check the address",
        )


def _read(answer: httpx.Response, kind: type[B]) -> B:
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except msgspec.DecodeError as exc:
        raise NotAccepted(
            f"{answer.url} answered something that no review desk says ({exc}); check the address"
        ) from exc
