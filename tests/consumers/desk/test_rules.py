"""Any course of events, found by hypothesis: nobody judges twice, and no item is given to more people than it needs."""

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
from teachback.schemas.review import Outcome, ReviewRequest, Verdict
from tests.consumers.desk.making import ADA, ANN, BEN, CEM, Clock, fold, person, request, settings

PEOPLE = (ANN, BEN, CEM, person("dan", topics=("cards",)), ADA, person("abe", role="adjudicator"))


class DeskUnderUse(RuleBasedStateMachine):
    """The desk, its log, and windows of reviewers that may have been left open for long."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.settings = settings(*PEOPLE, lease_seconds=60.0, skip_seconds=90.0)
        self.requests: list[ReviewRequest] = []
        self.log: dict[str, list[Verdict]] = defaultdict(list)
        self.outcomes: dict[str, Outcome] = {}
        self.windows: list[tuple[Reviewer, Lease]] = []
        self.start()

    def start(self) -> None:
        self.state = DeskState(self.settings, self.clock, first_token=int(self.clock.now * 1000))

    @rule(
        overlap=st.integers(1, 3),
        route=st.sampled_from(["audit", "review"]),
        topic=st.sampled_from(["cards", "loans", None]),
    )
    def ask(self, overlap: int, route: str, topic: str | None) -> None:
        made = request(f"x{len(self.requests)}", overlap=overlap, route=route, topic=topic)
        self.requests.append(made)
        self.state.note_request(made.id, made, len(self.requests))

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
            *(lambda r=r, n=n: self.state.note_request(r.id, r, n + 1) for n, r in enumerate(self.requests)),
            *(lambda v=v: self.state.note_verdict(v) for verdicts in self.log.values() for v in verdicts),
            *(lambda x=x, o=o: self.state.note_outcome(x, o) for x, o in self.outcomes.items()),
        ]
        for step in data.draw(st.permutations(steps)):
            step()

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
            assert (item.exchange in self.state.queue) == (len(working) < item.missing)

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
        everything = self.state.items.values()
        assert sum(self.state.tally.of("open").values()) == sum(item.is_open for item in everything)
        assert sum(self.state.tally.verdicts.values()) == sum(map(len, self.log.values()))


TestDeskUnderUse = DeskUnderUse.TestCase
TestDeskUnderUse.settings = options(max_examples=60, stateful_step_count=60, deadline=None)
