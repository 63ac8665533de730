"""The desk's whole state and every move in it, without any I/O.

Three kinds of calls: what the topics say (`note_policy`, `note_request`, `note_verdict`, `note_outcome`), what people
do (`lease`, `heartbeat`, `skip`, `judge`), and what there is to see (`waiting`, `free`, `overflow`, and the counts of
`tally`, `budget` and `duplicates`). One thread at a time.
"""

import time
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from teachback.consumers.desk.budget import Budget
from teachback.consumers.desk.duplicates import Duplicates
from teachback.consumers.desk.eligibility import acts_as, lanes, may_judge
from teachback.consumers.desk.errors import AlreadyJudged, LeaseLost, NoSuchLease, NotYours, TooMany
from teachback.consumers.desk.item import Capacity, Item
from teachback.consumers.desk.judging import said, verdict_on
from teachback.consumers.desk.leases import Clock, Lease, Leases, lease_id
from teachback.consumers.desk.policy import in_force
from teachback.consumers.desk.queue import Lane, Queue
from teachback.consumers.desk.settings import DeskSettings, Reviewer
from teachback.consumers.desk.shapes import Judged
from teachback.consumers.desk.tally import Tally
from teachback.schemas.ids import verdict_id
from teachback.schemas.policy import Policy
from teachback.schemas.review import Outcome, ReviewRequest, Verdict

COUNTED = 1000


class Cast(NamedTuple):
    """What became of a submitted judgment: its id, and the event to write unless it was accepted before."""

    id: str
    verdict: Verdict | None


class DeskState:
    """Items, their order, and who works on what. `first_token` must be above every token of the desk before.

    `clock` (seconds, monotonic) ends leases; `wall` (seconds since 1970) says which day it is.
    """

    def __init__(
        self, settings: DeskSettings, clock: Clock = time.monotonic, first_token: int = 1, wall: Clock = time.time
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.policy: Policy | None = None
        self.budget = Budget(wall)
        self.items: dict[str, Item] = {}
        self.duplicates = Duplicates(self.items)
        self.queue = Queue(settings.ageing_hours)
        self.leases = Leases(settings.lease_seconds, clock, first_token)
        self.tally = Tally()
        self._said: dict[str, bytes] = {}  # verdict id → what it said, to know a repetition from a change of mind
        self._skipped: dict[tuple[str, str], float] = {}  # (reviewer, exchange) → until when, oldest first

    def note_policy(self, policy: Policy) -> None:
        """A policy of the bot was published. Its budget counts from now on, for today too."""
        self.policy = in_force(self.policy, policy)
        self.budget.limit = self.policy.budget if self.policy else None

    def note_request(self, exchange: str, request: ReviewRequest | None, arrived: int) -> None:
        """A request came, or (None) was erased. `arrived` is the broker's time in ms.

        The first one stands, as everywhere: what people have been shown must be what their verdicts are about.
        """
        if request is None and exchange not in self.items:
            return
        item = self._item(exchange)
        if request is not None and item.request is not None:
            return
        item.ask(request, arrived)
        self._changed(item)

    def note_verdict(self, verdict: Verdict, written: int | None = None) -> bool:
        """A verdict stands in the topic, or is about to. Returns whether it is news.

        `written` is the broker's time in ms, None for a verdict that is about to be written.
        """
        if verdict.request.route != "audit":
            self.budget.note(verdict.exchange, written)
        if verdict.id in self._said:
            return False
        self._said[verdict.id] = said(verdict.decision, verdict.answer)
        self.tally.count_verdict(verdict.reviewer)
        item = self._item(verdict.exchange)
        item.add(verdict)
        self._changed(item)
        return True

    def note_outcome(self, exchange: str, outcome: Outcome | None) -> None:
        """The newest state of agreement; None when it was erased."""
        if outcome is None and exchange not in self.items:
            return
        item = self._item(exchange)
        item.settle(outcome)
        self._changed(item)

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
        request = self.items[lease.exchange].request
        assert request is not None
        verdict = verdict_on(request, lease, judged, self.clock())
        self.leases.release(lease)
        self.note_verdict(verdict)
        return Cast(verdict.id, verdict)

    def waiting(self, who: Reviewer) -> int:
        """How many items `who` could be given now, counted up to 1000."""
        self.tick()
        sure = self._allowed(who, self.queue.offers(*lanes(who)))
        fresh = islice(self._allowed(who, self.queue.offers("fresh")), min(COUNTED, self.budget.left))
        return sum(1 for _ in islice((each for some in (sure, fresh) for each in some), COUNTED))

    @property
    def free(self) -> int:
        """How many items one more person could be given now. Call `tick` before."""
        fresh = self.queue.count("fresh")
        return len(self.queue) - fresh + min(fresh, self.budget.left)

    @property
    def overflow(self) -> int:
        """How many fresh items are beyond what is left of today's budget. Call `tick` before."""
        return max(0, self.queue.count("fresh") - self.budget.left)

    def tick(self) -> None:
        """Let time have its effects: leases run out, skipped items come back."""
        for lease in self.leases.expire():
            self._reshelve(self.items[lease.exchange])
        moment = self.clock()
        while self._skipped and next(iter(self._skipped.values())) <= moment:
            del self._skipped[next(iter(self._skipped))]

    def _choices(self, who: Reviewer) -> Iterator[str]:
        """What `who` can be given now, best first."""
        for lane in lanes(who):
            together: tuple[Lane, ...] = ("reviewer", "fresh") if lane == "reviewer" and self.budget.left else (lane,)
            yield from self._allowed(who, self.queue.offers(*together))

    def _allowed(self, who: Reviewer, exchanges: Iterable[str]) -> Iterator[str]:
        for exchange in exchanges:
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
        if self.duplicates.leader_of(exchange) is not None:
            raise LeaseLost("the same question and answer is judged as another item", "go on with the next item")
        if self._is_fresh(item) and not self.budget.left:
            raise LeaseLost(
                f"the time ran out, and today's budget of {self.budget.limit} items went to others",
                "go on with the next item; this one comes back on another day",
            )
        lease = self.leases.grant(exchange, who.name, item.round, self._capacity(who, item), None)
        self._reshelve(item)
        return lease

    def _check(self, who: Reviewer, lease: Lease, token: int) -> None:
        if lease.reviewer != who.name:
            raise NotYours("somebody else works on this item", "ask for an item of your own")
        if lease.token != token:
            raise LeaseLost("another window of yours took the item over", "go on there, or ask for the next item here")

    def _item(self, exchange: str) -> Item:
        return self.items.setdefault(exchange, Item(exchange))

    def _is_fresh(self, item: Item) -> bool:
        """Whether giving it to somebody takes a place of today's budget."""
        return not (item.is_audit or item.begun or self.leases.on(item.exchange))

    def _changed(self, item: Item) -> None:
        """Have an item about which the topics say something new, and what is alike, where they belong."""
        for exchange in self.duplicates.update(item):
            self._reshelve(self.items[exchange])

    def _reshelve(self, item: Item) -> None:
        """Bring queue, leases and counts in line with an item that has changed."""
        for lease in self.leases.on(item.exchange):
            overtaken = item.capacity == "adjudicator" != lease.capacity
            if not item.is_open or lease.round != item.round or overtaken:
                self.leases.release(lease)
        held = len(self.leases.on(item.exchange))
        self.budget.hold(item.exchange, bool(held) and not item.is_audit and not item.begun)
        if self.duplicates.leader_of(item.exchange) is not None:
            self.queue.drop(item.exchange)
            self.tally.forget(item.exchange)
            return
        if item.missing > held:
            lane: Lane = "fresh" if item.capacity == "reviewer" and self._is_fresh(item) else item.capacity
            self.queue.put(item, lane)
        else:
            self.queue.drop(item.exchange)
        self.tally.update(item)


def _round_of(id_: str, item: Item, reviewer: str) -> int | None:
    """The round that a lease of this id was for, if it was this reviewer's lease on this item."""
    return next((n for n in range(item.round + 1) if lease_id(item.exchange, reviewer, n) == id_), None)
