"""Between the session and the desk: fetches, sends, keeps leases alive, and waits out a lost connection.

HTTP runs in threads; the session is touched on the event loop only. Each loop below ends at an error that a person must
see (a wrong token), and goes on through all others.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from teachback.consumers.review.client import DeskClient
from teachback.consumers.review.errors import ItemGone, NotAccepted, Unreachable
from teachback.consumers.review.session import Session

R = TypeVar("R")
IDLE_SECONDS = 2.0
TICK_SECONDS = 0.1
BEAT_SHARE = 0.25  # of what is left of a lease
SOONEST_BEAT = 0.5


class Link:
    """Drives a session against a desk. `redraw` is called whenever something on the screen may have changed."""

    def __init__(self, client: DeskClient, session: Session, redraw: Callable[[], object]) -> None:
        self.client = client
        self.session = session
        self.redraw = redraw
        self.trouble = ""  # why the desk cannot be reached, while it cannot
        self.waiting = 0
        self._wake = asyncio.Event()

    def loops(self) -> list[Coroutine[Any, Any, None]]:
        """What must run while the window is open."""
        return [self._fetch(), self._send(), self._beat()]

    def wake(self) -> None:
        """Look for something to do now."""
        self._wake.set()

    async def leave(self) -> None:
        """Send what is decided and give the rest back. What could not be sent stays with the session."""
        self.session.release()
        try:
            await self._flush()
            self.session.skipped += self.session.leases.values()
            self.session.leases.clear()
            await self._give_back()
        except Unreachable:
            return

    async def _fetch(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._give_back()  # before asking: a lease that is held but not named is given out once more
                if self.session.wants_item and await self._ask():
                    continue
            except Unreachable:
                continue
            try:
                await asyncio.wait_for(self._wake.wait(), IDLE_SECONDS)
            except TimeoutError:
                continue

    async def _ask(self) -> bool:
        """Ask for an item and show it. False when there is none. Raises Unreachable."""
        try:
            offer = await self._call(lambda: self.client.lease(self.session.holding))
        except (ItemGone, NotAccepted) as exc:
            self.session.message, offer = str(exc), None
        self.waiting = 0 if offer is None else offer.waiting
        if offer is not None:
            self.session.receive(offer)
        self.redraw()
        return offer is not None

    async def _give_back(self) -> None:
        """Skipped items go back to the desk, where their leases would run out otherwise. Raises Unreachable."""
        while self.session.skipped:
            lease = self.session.skipped[0]
            try:
                await self._call(lambda lease=lease: self.client.skip(lease))  # type: ignore[misc]
            except NotAccepted as exc:
                self.session.message = str(exc)
            self.session.skipped.remove(lease)

    async def _send(self) -> None:
        while True:
            self.session.tick(time.monotonic())
            try:
                await self._flush()
            except Unreachable:
                continue
            self.redraw()
            await asyncio.sleep(TICK_SECONDS)

    async def _flush(self) -> None:
        """Everything that is decided for good, in order. Raises Unreachable; what is not sent stays.

        What is refused is not sent again from here: the session has taken it back to the reviewer.
        """
        while self.session.sending:
            held = self.session.sending[0]
            lease = self.session.leases.get(held.offer.exchange, held.offer.lease)
            try:
                await self._call(
                    lambda held=held, lease=lease: self.client.verdict(  # type: ignore[misc]
                        lease, held.decision, answer=held.answer, comment=held.comment
                    )
                )
            except NotAccepted as exc:
                self.session.refused(held, str(exc))
            except ItemGone as exc:
                self.session.overtaken(held, str(exc))
            else:
                self.session.sent(held)
            self.redraw()

    async def _beat(self) -> None:
        while True:
            for exchange, lease in list(self.session.leases.items()):
                try:
                    kept = await self._call(lambda lease=lease: self.client.heartbeat(lease))  # type: ignore[misc]
                except Unreachable:
                    break
                except (ItemGone, NotAccepted) as exc:
                    if self.session.leases.get(exchange) == lease and not self._decided(exchange):
                        self.session.lost(exchange, str(exc))
                        self.redraw()
                else:
                    self.session.beat(kept)
            left = min((lease.seconds for lease in self.session.leases.values()), default=IDLE_SECONDS / BEAT_SHARE)
            await asyncio.sleep(max(SOONEST_BEAT, left * BEAT_SHARE))

    def _decided(self, exchange: str) -> bool:
        """Whether the desk's word on this item comes with the answer to our verdict."""
        return any(held.offer.exchange == exchange for held in self.session.sending)

    async def _call(self, request: Callable[[], R]) -> R:
        """One request in a thread, noting whether the desk can be reached."""
        try:
            answer = await asyncio.to_thread(request)
        except Unreachable as exc:
            self.trouble = str(exc)
            self.redraw()
            raise
        except (ItemGone, NotAccepted):
            self.trouble = ""
            raise
        self.trouble = ""
        return answer
