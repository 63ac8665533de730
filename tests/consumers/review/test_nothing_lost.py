"""Whatever the reviewer and the desk do, and in whatever order, no item disappears and nothing that was typed does."""

from __future__ import annotations

from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from teachback.consumers.review.session import UNDO_SECONDS, Session
from tests.consumers.review.making import offer


class Reviewing(RuleBasedStateMachine):
    """A session, and what was typed into it: `words` are the reviewer's last ones for each item not dealt with."""

    def __init__(self) -> None:
        super().__init__()
        self.session = Session()
        self.words: dict[str, str] = {}
        self.moment = 0.0
        self.offered = 0

    @rule()
    def an_item_comes(self) -> None:
        self.offered += 1
        self.session.receive(offer(f"x{self.offered}"))

    @rule()
    def an_item_comes_again_whose_lease_was_lost(self) -> None:
        lost = [f"x{n}" for n in range(1, self.offered + 1) if f"x{n}" not in self.session.leases]
        if lost:
            self.session.receive(offer(lost[0]))

    @rule()
    def a_text_is_typed(self) -> None:
        if self.session.offer is not None and (self.session.editing or self.session.edit()):
            self.moment += 0.1
            text = f"{self.moment} pounds"
            self.words[self.session.offer.exchange] = self.session.drafts[self.session.offer.exchange] = text

    @rule()
    def the_editor_is_left(self) -> None:
        self.session.editing = False

    @precondition(lambda self: self.session.editing)
    @rule()
    def an_edit_is_submitted(self) -> None:
        self.session.decide("edit", self.moment)

    @precondition(lambda self: self.session.offer and not self.session.editing)
    @rule()
    def an_item_is_rejected(self) -> None:
        exchange = self.session.offer and self.session.offer.exchange
        if self.session.decide("reject", self.moment) and exchange:
            self.words.pop(exchange, None)  # the reviewer wants no text

    @precondition(lambda self: self.session.offer and not self.session.editing)
    @rule()
    def an_item_is_skipped(self) -> None:
        assert self.session.offer is not None
        self.words.pop(self.session.offer.exchange, None)
        self.session.skip()

    @precondition(lambda self: not self.session.editing)
    @rule()
    def a_decision_is_undone(self) -> None:
        self.session.undo()

    @rule()
    def time_passes(self) -> None:
        self.moment += UNDO_SECONDS
        self.session.tick(self.moment)

    @precondition(lambda self: self.session.sending)
    @rule()
    def the_desk_takes_a_verdict(self) -> None:
        held = self.session.sending[0]
        self.words.pop(held.offer.exchange, None)
        self.session.sent(held)

    @precondition(lambda self: self.session.sending)
    @rule()
    def the_desk_refuses_a_verdict(self) -> None:
        self.session.refused(self.session.sending[0], "The text is too long.")

    @precondition(lambda self: self.session.sending)
    @rule()
    def an_item_went_on_without_a_verdict(self) -> None:
        self.session.overtaken(self.session.sending[0], "The lease is lost.")

    @precondition(lambda self: self.session.leases)
    @rule()
    def a_heartbeat_finds_a_lease_lost(self) -> None:
        self.session.lost(next(iter(self.session.leases)), "The lease is lost.")

    @invariant()
    def each_item_is_in_one_place(self) -> None:
        assert len(self.places) == len(set(self.places))
        assert set(self.session.leases) <= set(self.places)

    @invariant()
    def what_was_typed_is_there_and_so_is_its_item(self) -> None:
        assert set(self.words) <= set(self.places)
        assert self.words.items() <= self.session.drafts.items()

    @property
    def places(self) -> list[str]:
        decided = [*self.session.sending, *filter(None, [self.session.held])]
        waiting = [*self.session.ahead, *filter(None, [self.session.offer])]
        return [each.offer.exchange for each in decided] + [each.exchange for each in waiting]


TestReviewing = Reviewing.TestCase
TestReviewing.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
