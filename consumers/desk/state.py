"""The desk's whole state and every move in it, without any I/O.

Three kinds of calls: what the topics say (`note_request`, `note_verdict`, `note_outcome`), what people do (`lease`,
`heartbeat`, `skip`, `judge`), and what there is to see (`waiting`, `tally`). One thread at a time.
"""

import hashlib
import time
from collections.abc import Collection, Iterator
from typing import NamedTuple

from teachback.consumers.desk.eligibility import acts_as, lanes, may_judge
from teachback.consumers.desk.errors import AlreadyJudged, LeaseLost, NoChange, NoSuchLease, NotYours, TooMany
from teachback.consumers.desk.item import Capacity, Item
from teachback.consumers.desk.leases import Clock, Lease, Leases, lease_id
from teachback.consumers.desk.queue import Queue
from teachback.consumers.desk.settings import DeskSettings, Reviewer
from teachback.consumers.desk.shapes import Judged
from teachback.consumers.desk.tally import Tally
from teachback.schemas.event import now
from teachback.schemas.ids import verdict_id
from teachback.schemas.review import Outcome, ReviewRequest, Verdict

COUNTED = 1000


class Cast(NamedTuple):
    """What became of a submitted judgment: its id, and the event to write unless it was accepted before."""

    id: str
    verdict: Verdict | None


class DeskState:
    """Items, their order, and who works on what. `first_token` must be above every token of the desk before."""

    def __init__(self, settings: DeskSettings, clock: Clock = time.monotonic, first_token: int = 1) -> None:
        self.settings = settings
        self.clock = clock
        self.items: dict[str, Item] = {}
        self.queue = Queue(settings.ageing_hours)
        self.leases = Leases(settings.lease_seconds, clock, first_token)
        self.tally = Tally()
        self._said: dict[str, bytes] = {}  # verdict id → what it said, to know a repetition from a change of mind
        self._skipped: dict[tuple[str, str], float] = {}  # (reviewer, exchange) → until when, oldest first

    def note_request(self, exchange: str, request: ReviewRequest | None, arrived: int) -> None:
        """A request came, or (None) was erased. `arrived` is the broker's time in ms.

        The first one stands, as everywhere: what people have been shown must be what their verdicts are about.
        """
        if request is None and exchange not in self.items:
            return
        item = self._item(exchange)
        if request is not None and item.request is not None:
            return
        item.request, item.arrived = request, arrived
        self._reshelve(item)

    def note_verdict(self, verdict: Verdict) -> bool:
        """A verdict stands in the topic, or is about to. Returns whether it is news."""
        if verdict.id in self._said:
            return False
        self._said[verdict.id] = said(verdict.decision, verdict.answer)
        self.tally.count_verdict(verdict.reviewer)
        item = self._item(verdict.exchange)
        item.add(verdict)
        self._reshelve(item)
        return True

    def note_outcome(self, exchange: str, outcome: Outcome | None) -> None:
        """The newest state of agreement; None when it was erased."""
        if outcome is None and exchange not in self.items:
            return
        item = self._item(exchange)
        item.settle(outcome)
        self._reshelve(item)

    def lease(self, who: Reviewer, holding: Collection[str] = ()) -> Lease | None:
        """Something for `who` to judge, or None. A lease of theirs that is not in `holding` is given again first."""
        self.tick()
        held = self.leases.held_by(who.name)
        for lease in held:
            if lease.id not in holding:
                return self.leases.grant(lease.exchange, who.name, lease.round, lease.capacity, lease.began)
        if len(held) >= self.settings.leases_each:
            raise TooMany(
                f"you hold {len(held)} items, and {self.settings.leases_each} is the most", "judge or skip one of them"
            )
        exchange = next(self._choices(who), None)
        if exchange is None:
            return None
        item = self.items[exchange]
        lease = self.leases.grant(exchange, who.name, item.round, self._capacity(who, item), self.clock())
        self._reshelve(item)
        return lease

    def heartbeat(self, who: Reviewer, id_: str, token: int, exchange: str) -> Lease:
        """Keep a lease, or take it up again when it is unknown and its place still free. Raises Refused."""
        self.tick()
        return self.leases.extend(self._live(who, id_, token, exchange))

    def skip(self, who: Reviewer, id_: str, token: int) -> None:
        """Give an item back; the same person is not given it again for a while. Raises Refused."""
        self.tick()
        lease = self.leases.find(id_)
        if lease is None:
            raise NoSuchLease("it ended, or never was", "ask for the next item")
        self._check(who, lease, token)
        self.leases.release(lease)
        self._skipped[who.name, lease.exchange] = self.clock() + self.settings.skip_seconds
        self._reshelve(self.items[lease.exchange])

    def judge(self, who: Reviewer, id_: str, judged: Judged) -> Cast:
        """Take a judgment: from here on it counts. The same one again returns the same id. Raises Refused."""
        self.tick()
        item = self.items.get(judged.exchange)
        round_ = None if item is None else _round_of(id_, item, who.name)
        if item is not None and round_ is not None:
            known = verdict_id(item.exchange, who.name, round_)
            if known in self._said:
                if self._said[known] != said(judged.decision, judged.answer):
                    raise AlreadyJudged("what you said first stands", "go on with the next item")
                return Cast(known, None)
        lease = self._live(who, id_, judged.token, judged.exchange)
        verdict = self._verdict(lease, judged)
        self.leases.release(lease)
        self.note_verdict(verdict)
        return Cast(verdict.id, verdict)

    def waiting(self, who: Reviewer) -> int:
        """How many items `who` could be given now, counted up to 1000."""
        self.tick()
        return sum(1 for _ in zip(self._choices(who), range(COUNTED), strict=False))

    def tick(self) -> None:
        """Let time have its effects: leases run out, skipped items come back."""
        for lease in self.leases.expire():
            self._reshelve(self.items[lease.exchange])
        moment = self.clock()
        while self._skipped and next(iter(self._skipped.values())) <= moment:
            del self._skipped[next(iter(self._skipped))]

    def _choices(self, who: Reviewer) -> Iterator[str]:
        for exchange in self.queue.offers(*lanes(who)):
            if (who.name, exchange) not in self._skipped and self._may_take(who, self.items[exchange]):
                yield exchange

    def _may_take(self, who: Reviewer, item: Item) -> bool:
        """Whether there is a place for `who` at `item`."""
        at_work = self._at_work(item)
        free = len(at_work) < item.missing and who.name not in at_work
        return free and may_judge(who, item, self.settings.reviewers, at_work)

    def _capacity(self, who: Reviewer, item: Item) -> Capacity:
        return acts_as(who, item, self.settings.reviewers, self._at_work(item))

    def _at_work(self, item: Item) -> set[str]:
        return {lease.reviewer for lease in self.leases.on(item.exchange)}

    def _live(self, who: Reviewer, id_: str, token: int, exchange: str) -> Lease:
        """The lease as it is held, or taken up again: this desk may have been restarted, or the lease have run out."""
        if (lease := self.leases.find(id_)) is not None:
            self._check(who, lease, token)
            return lease
        item = self.items.get(exchange)
        if item is None or item.request is None or _round_of(id_, item, who.name) is None:
            raise NoSuchLease(f"you hold none of this id for exchange {exchange!r}", "ask for the next item")
        if (who.name, exchange) in self._skipped:
            raise NoSuchLease("you gave the item back", "ask for the next item")
        if who.name in item.judges:
            raise AlreadyJudged("your verdict is in", "go on with the next item")
        if not item.is_open or id_ != lease_id(exchange, who.name, item.round):
            raise LeaseLost("the item was settled meanwhile", "go on with the next item")
        if not self._may_take(who, item):
            raise LeaseLost("the time ran out and others are at work on the item", "go on with the next item")
        lease = self.leases.grant(exchange, who.name, item.round, self._capacity(who, item), None)
        self._reshelve(item)
        return lease

    def _check(self, who: Reviewer, lease: Lease, token: int) -> None:
        if lease.reviewer != who.name:
            raise NotYours("somebody else works on this item", "ask for an item of your own")
        if lease.token != token:
            raise LeaseLost("another window of yours took the item over", "go on there, or ask for the next item here")

    def _verdict(self, lease: Lease, judged: Judged) -> Verdict:
        request = self.items[lease.exchange].request
        assert request is not None
        if judged.answer is not None and judged.answer.strip() == request.answer.strip():
            raise NoChange("the text is the bot's own answer", "approve it, or change it")
        return Verdict(
            id=verdict_id(lease.exchange, lease.reviewer, lease.round),
            bot=self.settings.bot,
            created=now(),
            exchange=lease.exchange,
            reviewer=lease.reviewer,
            role=lease.capacity,
            round=lease.round,
            decision=judged.decision,
            request=request,
            answer=judged.answer,
            reasons=judged.reasons,
            rubric=judged.rubric,
            comment=judged.comment,
            seconds=None if lease.began is None else round(max(0.0, self.clock() - lease.began), 3),
        )

    def _item(self, exchange: str) -> Item:
        return self.items.setdefault(exchange, Item(exchange))

    def _reshelve(self, item: Item) -> None:
        """Bring queue, leases and counts in line with an item that has changed."""
        for lease in self.leases.on(item.exchange):
            overtaken = item.capacity == "adjudicator" != lease.capacity
            if not item.is_open or lease.round != item.round or overtaken:
                self.leases.release(lease)
        if item.missing > len(self.leases.on(item.exchange)):
            self.queue.put(item)
        else:
            self.queue.drop(item.exchange)
        self.tally.update(item)


def said(decision: str, answer: str | None) -> bytes:
    """A short fingerprint of what a verdict says."""
    return hashlib.blake2b(f"{decision}\x1f{answer or ''}".encode(), digest_size=16).digest()


def _round_of(id_: str, item: Item, reviewer: str) -> int | None:
    """The round that a lease of this id was for, if it was this reviewer's lease on this item."""
    return next((n for n in range(item.round + 1) if lease_id(item.exchange, reviewer, n) == id_), None)
