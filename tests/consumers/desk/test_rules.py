"""Any course of events, found by hypothesis.

Nobody judges twice, no item is given to more people than it needs, and no more items are begun in a day than may be.
"""

from __future__ import annotations

from collections import defaultdict

from hypothesis import settings as options
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from teachback.consumers.desk.errors import Refused
from teachback.consumers.desk.leases import Lease
from teachback.consumers.desk.settings import Reviewer
from teachback.consumers.desk.shapes import Judged
from teachback.consumers.desk.state import DeskState
from teachback.schemas.exchange import Message
from teachback.schemas.review import Outcome, Verdict
from tests.consumers.desk.making import ADA, ANN, BEN, CEM, Clock, fold, person, policy, request, settings
from tests.consumers.desk.recount import DAY_MS, Asked, Said, begun_on, leaders

SPEED = 200  # a day is seven minutes, so that some pass
SAME = (Message(role="user", content="How much is a card?"),)
PEOPLE = (ANN, BEN, CEM, person("dan", topics=("cards",)), ADA, person("abe", role="adjudicator"))


class DeskUnderUse(RuleBasedStateMachine):
    """The desk, its log, and windows of reviewers that may have been left open for long."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.settings = settings(*PEOPLE, lease_seconds=60.0, skip_seconds=90.0)
        self.requests: list[Asked] = []
        self.policies = 0
        self.budget: int | None = None
        self.spent = 0
        self.said: list[Said] = []
        self.log: dict[str, list[Verdict]] = defaultdict(list)
        self.outcomes: dict[str, Outcome] = {}
        self.windows: list[tuple[Reviewer, Lease]] = []
        self.start()

    def start(self) -> None:
        first_token = int(self.clock.now * 1000)
        self.state = DeskState(self.settings, self.clock, first_token, wall=lambda: self.clock.now * SPEED)

    @property
    def moment(self) -> int:
        """The broker's time in ms, by the same clock as the desk's."""
        return int(self.clock.now * SPEED * 1000)

    @rule(
        overlap=st.integers(1, 3),
        route=st.sampled_from(["audit", "review"]),
        topic=st.sampled_from(["cards", "loans", None]),
        alike=st.booleans(),
        read_late=st.integers(0, 3),
    )
    def ask(self, overlap: int, route: str, topic: str | None, alike: bool, read_late: int) -> None:
        texts = {"messages": SAME} if alike else {}
        made = request(f"x{len(self.requests)}", overlap=overlap, route=route, topic=topic, **texts)
        self.requests.append(Asked(made, len(self.requests) - read_late))
        self.state.note_request(made.id, *self.requests[-1])

    @rule(budget=st.integers(0, 4) | st.none())
    def decide_a_budget(self, budget: int | None) -> None:
        self.policies, self.budget = self.policies + 1, budget
        self.state.note_policy(policy(self.policies, budget))

    @rule(who=st.sampled_from(PEOPLE), honest=st.booleans())
    def take(self, who: Reviewer, honest: bool) -> None:
        holding = [lease.id for person, lease in self.windows if person == who] if honest else []
        try:
            lease = self.state.lease(who, holding)
        except Refused:
            return
        if lease:
            self.windows.append((who, lease))

    @precondition(lambda self: self.windows)
    @rule(data=st.data(), decision=st.sampled_from(["approve", "edit", "reject", "flag"]), keep=st.booleans())
    def judge(self, data: st.DataObject, decision: str, keep: bool) -> None:
        who, lease = data.draw(st.sampled_from(self.windows))
        if not keep:  # else the window judges once more later, as a client that lost the answer would
            self.windows.remove((who, lease))
        answer = "It costs £6." if decision == "edit" else None
        judged = Judged(token=lease.token, exchange=lease.exchange, decision=decision, answer=answer)  # type: ignore[arg-type]
        try:
            verdict = self.state.judge(who, lease.id, judged).verdict
        except Refused:
            return
        if verdict:
            folded = self.outcomes[lease.exchange].judgments if lease.exchange in self.outcomes else ()
            assert len(self.log[lease.exchange]) < max(verdict.request.overlap, len(folded) + 1), "one too many"
            self.log[lease.exchange].append(verdict)
            self.said.append(Said(verdict, self.moment))

    @precondition(lambda self: self.said)
    @rule(data=st.data())
    def read_what_was_written(self, data: st.DataObject) -> None:
        verdict, written = data.draw(st.sampled_from(self.said))
        assert not self.state.note_verdict(verdict, written)

    @precondition(lambda self: self.windows)
    @rule(data=st.data())
    def beat(self, data: st.DataObject) -> None:
        place = data.draw(st.integers(0, len(self.windows) - 1))
        who, lease = self.windows[place]
        try:
            self.windows[place] = who, self.state.heartbeat(who, lease.id, lease.token, lease.exchange)
        except Refused:
            del self.windows[place]

    @precondition(lambda self: self.windows)
    @rule(data=st.data())
    def skip(self, data: st.DataObject) -> None:
        who, lease = self.windows.pop(data.draw(st.integers(0, len(self.windows) - 1)))
        try:
            self.state.skip(who, lease.id, lease.token)
        except Refused:
            return

    @precondition(lambda self: self.log)
    @rule(data=st.data())
    def agree(self, data: st.DataObject) -> None:
        """Consensus catches up on some of the verdicts on one exchange."""
        exchange = data.draw(st.sampled_from(sorted(self.log)))
        seen = len(self.outcomes[exchange].judgments) if exchange in self.outcomes else 0
        if seen == len(self.log[exchange]):
            return
        upto = data.draw(st.integers(seen + 1, len(self.log[exchange])))
        self.outcomes[exchange] = fold(self.log[exchange][:upto])
        self.state.note_outcome(exchange, self.outcomes[exchange])

    @rule(seconds=st.floats(0, 100))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule(data=st.data())
    def restart(self, data: st.DataObject) -> None:
        """kill -9: the log is all that is left, and its topics are read in any order."""
        self.start()
        steps = [
            *(lambda r=r, at=at: self.state.note_request(r.id, r, at) for r, at in self.requests),
            *(lambda v=v, at=at: self.state.note_verdict(v, at) for v, at in self.said),
            *(lambda x=x, o=o: self.state.note_outcome(x, o) for x, o in self.outcomes.items()),
        ]
        for step in data.draw(st.permutations(steps)):
            step()
        for version in range(1, self.policies + 1):
            self.state.note_policy(policy(version, self.budget))

    @invariant()
    def nobody_judges_an_item_twice(self) -> None:
        for verdicts in self.log.values():
            assert len({verdict.reviewer for verdict in verdicts}) == len(verdicts)
            assert len({verdict.id for verdict in verdicts}) == len(verdicts)

    @invariant()
    def no_item_is_with_more_people_than_it_needs(self) -> None:
        for item in self.state.items.values():
            working = self.state.leases.on(item.exchange)
            assert len(working) <= item.missing
            assert len({lease.reviewer for lease in working}) == len(working)
            assert not item.judges & {lease.reviewer for lease in working}
            stands = self.state.duplicates.leader_of(item.exchange) is None
            assert (item.exchange in self.state.queue) == (stands and len(working) < item.missing)

    @invariant()
    def only_adjudicators_adjudicate_and_never_their_own_reviews(self) -> None:
        adjudicators = {who.name for who in PEOPLE if who.may_adjudicate}
        for verdicts in self.log.values():
            assert {v.reviewer for v in verdicts if v.role == "adjudicator"} <= adjudicators

    @invariant()
    def somebody_is_left_to_settle_what_reviewers_can_review(self) -> None:
        for item in self.state.items.values():
            if item.request is None or not item.is_open or item.capacity == "adjudicator":
                continue
            able = [who for who in PEOPLE if who.knows(item.request.topic)]
            leases = self.state.leases.on(item.exchange)
            taken = item.judges | {lease.reviewer for lease in leases}
            settling = any(lease.capacity == "adjudicator" for lease in leases)
            settled = any(verdict.role == "adjudicator" for verdict in self.log[item.exchange])
            assert settling or settled or any(who.may_adjudicate and who.name not in taken for who in able)

    @invariant()
    def counts_are_those_of_the_items(self) -> None:
        attached = leaders(self.requests, self.said, self.outcomes)
        found = {each.request.id: self.state.duplicates.leader_of(each.request.id) for each in self.requests}
        assert {exchange: leader for exchange, leader in found.items() if leader} == attached
        assert sum(self.state.duplicates.counts.values()) == len(attached)
        standing = [item for item in self.state.items.values() if item.exchange not in attached]
        assert sum(self.state.tally.of("open").values()) == sum(item.is_open for item in standing)
        assert sum(self.state.tally.verdicts.values()) == sum(map(len, self.log.values()))

    @invariant()
    def no_more_items_are_begun_or_held_in_a_day_than_the_budget_says(self) -> None:
        """It may be lowered below what is begun; then nothing more is begun."""
        self.state.tick()
        begun = {verdict.exchange for verdict, _ in self.said} | self.outcomes.keys()
        reviews = {each.request.id for each in self.requests if each.request.route != "audit"}
        held = {exchange for exchange in reviews - begun if self.state.leases.on(exchange)}
        spent = len(begun_on(self.moment // DAY_MS, self.said)) + len(held)
        assert self.state.budget.begun == spent
        assert self.budget is None or spent <= max(self.budget, self.spent)
        self.spent = spent
        fresh = reviews - begun - held - leaders(self.requests, self.said, self.outcomes).keys()
        left = len(fresh) if self.budget is None else max(0, self.budget - spent)
        assert self.state.overflow == max(0, len(fresh) - left)
        assert self.state.free == len(self.state.queue) - self.state.overflow


TestDeskUnderUse = DeskUnderUse.TestCase
TestDeskUnderUse.settings = options(max_examples=60, stateful_step_count=60, deadline=None)
