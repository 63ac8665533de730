"""Between HTTP and the state: one object that the handlers talk to, on the event loop's thread.

The state takes a verdict before Kafka does. So the state alone says nothing about what is written: a verdict is
acknowledged when its own writing has succeeded, or was found in the topic. One whose writing failed is refused, and so
is its repetition.
"""

import asyncio
import string
from collections.abc import Callable, Collection
from datetime import date, timedelta
from functools import partial

from teachback.consumers.desk.errors import Ending, NotReady, Slow
from teachback.consumers.desk.leases import Lease
from teachback.consumers.desk.settings import DeskSettings, Reviewer
from teachback.consumers.desk.shapes import (
    Agreement,
    Differing,
    Health,
    Judged,
    Leased,
    Me,
    Offer,
    Overview,
    Today,
    Work,
)
from teachback.consumers.desk.state import DeskState
from teachback.schemas.event import now
from teachback.schemas.review import Outcome, Verdict

EPOCH = date(1970, 1, 1)
Submit = Callable[[Verdict], "asyncio.Future[None]"]


class Service:
    """What a desk does for those who ask. Until `open` it refuses with NotReady, and from `end` on with Ending."""

    def __init__(self, settings: DeskSettings) -> None:
        self.settings = settings
        self._people = {who.token_sha256: who for who in settings.reviewers}
        self._state: DeskState | None = None
        self._submit: Submit | None = None
        self._failure: Exception | None = None
        self._writing: dict[str, asyncio.Future[None]] = {}

    def open(self, state: DeskState, submit: Submit) -> None:
        """Begin to serve from `state`, writing verdicts with `submit`."""
        self._state, self._submit = state, submit

    def end(self, failure: Exception) -> None:
        """Refuse everything from now on: the first failure ends the desk."""
        self._failure = self._failure or failure

    @property
    def ready(self) -> bool:
        """Whether the queue is rebuilt, and the desk can go on."""
        return self._state is not None and self._failure is None

    def who(self, token_hash: str) -> Reviewer | None:
        """Whose token this is."""
        return self._people.get(token_hash)

    def lease(self, who: Reviewer, holding: Collection[str]) -> Offer | None:
        """The next item for `who`."""
        lease = self._live.lease(who, holding)
        return None if lease is None else self._offer(who, lease)

    def heartbeat(self, who: Reviewer, id_: str, token: int, exchange: str) -> Leased:
        """Keep a lease, or take it up again."""
        return self._leased(self._live.heartbeat(who, id_, token, exchange))

    def skip(self, who: Reviewer, id_: str, token: int) -> None:
        """Give an item back."""
        self._live.skip(who, id_, token)

    async def judge(self, who: Reviewer, id_: str, judged: Judged) -> str:
        """The verdict's id, once Kafka has committed it. Raises Refused; Slow when Kafka takes its time; DeskError."""
        cast = self._live.judge(who, id_, judged)
        if cast.verdict is not None:
            assert self._submit is not None
            written = self._writing[cast.id] = self._submit(cast.verdict)
            written.add_done_callback(partial(self._written, cast.id))
        if (writing := self._writing.get(cast.id)) is not None:
            await self._patiently(writing)
        return cast.id

    def me(self, who: Reviewer) -> Me:
        """Who the caller is, and what they hold."""
        state = self._live
        return Me(
            name=who.name,
            role=who.role,
            topics=who.topics,
            bot=self.settings.bot,
            leases=tuple(map(self._leased, state.leases.held_by(who.name))),
            verdicts=state.tally.verdicts[who.name],
            waiting=state.waiting(who),
        )

    def overview(self) -> Overview:
        """The queue in numbers."""
        state = self._live
        state.tick()
        counts, agreed = state.tally.of("open"), state.tally.of("agreed")
        names = sorted(state.tally.verdicts.keys() | {who.name for who in self.settings.reviewers})
        return Overview(
            bot=self.settings.bot,
            open=sum(counts.values()),
            free=state.free,
            leased=len(state.leases),
            awaiting_adjudication=counts.get("adjudicator", 0),
            open_by_route=state.tally.of("route"),
            open_by_source=state.tally.of("source"),
            attached=state.duplicates.counts["attached"],
            settled_by_attachment=state.duplicates.counts["settled"],
            today=Today(
                day=(EPOCH + timedelta(days=state.budget.today)).isoformat(),
                policy=state.policy.version if state.policy else 0,
                budget=state.budget.limit,
                begun=state.budget.begun,
                overflow=state.overflow,
            ),
            settled=state.tally.of("settled"),
            reviewers=tuple(Work(name=name, verdicts=state.tally.verdicts[name]) for name in names),
            agreement=Agreement(agreed=agreed.get("True", 0), of=sum(agreed.values())),
        )

    def health(self) -> Health:
        """Whether the desk is ready, and what it cannot serve today."""
        return Health(ready=self.ready, bot=self.settings.bot, overflow=self._overflow() if self.ready else None)

    def _overflow(self) -> int:
        state = self._live
        state.tick()
        return state.overflow

    def _written(self, id_: str, written: "asyncio.Future[None]") -> None:
        """What failed stays in mind: the state has taken it, and would have its repetition acknowledged."""
        if not written.cancelled() and written.exception() is None:
            del self._writing[id_]

    @property
    def _live(self) -> DeskState:
        if self._failure is not None:
            raise Ending(str(self._failure), "send the same request again in a few seconds") from self._failure
        if self._state is None:
            raise NotReady("the queue is being rebuilt from the topics", "try again in a few seconds")
        return self._state

    async def _patiently(self, writing: "asyncio.Future[None]") -> None:
        try:
            await asyncio.wait_for(asyncio.shield(writing), self.settings.commit_seconds)
        except TimeoutError as exc:
            raise Slow(
                f"Kafka has not answered for {self.settings.commit_seconds:g} s", "send the same verdict again"
            ) from exc
        except asyncio.CancelledError as exc:  # the time to drain is up; a bare 500 would have the client give up
            raise Slow("the desk stops, and Kafka has not answered", "send the same verdict again") from exc

    def _leased(self, lease: Lease) -> Leased:
        seconds = max(0.0, lease.expires - self._live.clock())
        return Leased(
            id=lease.id,
            token=lease.token,
            expires=now() + timedelta(seconds=seconds),
            seconds=round(seconds, 3),
            exchange=lease.exchange,
        )

    def _offer(self, who: Reviewer, lease: Lease) -> Offer:
        state = self._live
        item = state.items[lease.exchange]
        request = item.request
        assert request is not None
        return Offer(
            lease=self._leased(lease),
            exchange=lease.exchange,
            conversation=request.conversation,
            round=lease.round,
            acting=lease.capacity,
            messages=request.messages,
            answer=request.answer,
            adapter=request.adapter,
            source=request.source,
            route=request.route,
            reasons=request.reasons,
            confidence=request.confidence,
            weight=request.weight,
            topic=request.topic,
            passages=request.passages,
            judgments=_differing(item.outcome) if lease.capacity == "adjudicator" else (),
            waiting=state.waiting(who),
        )


def _differing(outcome: Outcome | None) -> tuple[Differing, ...]:
    """The judgments without names, in an order that tells nothing (ids are hashes)."""
    judgments = sorted(outcome.judgments, key=lambda judgment: judgment.verdict) if outcome else []
    return tuple(
        Differing(by=letter, decision=judgment.decision, answer=judgment.answer)
        for letter, judgment in zip(string.ascii_uppercase, judgments, strict=False)
    )
