"""What a reviewer is doing, without a screen and without a network.

A decision is not sent at once: it is held until the next one, or for `UNDO_SECONDS`, so that undoing it is honest (an
event that was written cannot be taken back). What is typed stays in `drafts` until the desk has the verdict; what the
desk refuses comes back to the screen, and goes again only when the reviewer says so.
"""

from dataclasses import dataclass, field

from teachback.consumers.desk.shapes import Leased, Offer
from teachback.consumers.review.visible import visible
from teachback.schemas.review import Decision

UNDO_SECONDS = 5.0
KEPT = "What you typed stays here to copy (e and c show it); Esc, then space goes on."
NOT_OURS = f"This item went on without you. {KEPT}"


@dataclass(frozen=True)
class Held:
    """A decision that can still be undone, made at `moment` (seconds, monotonic)."""

    offer: Offer
    decision: Decision
    answer: str | None
    comment: str | None
    moment: float


@dataclass(frozen=True)
class Refusal:
    """A decision that the desk did not take, and why."""

    held: Held
    why: str


@dataclass
class Session:
    """One reviewer's window."""

    offer: Offer | None = None  # on the screen
    editing: bool = False
    remarking: bool = False
    held: Held | None = None
    sending: list[Held] = field(default_factory=list)  # decided for good, not yet with the desk
    refusals: dict[str, Refusal] = field(default_factory=dict)  # exchange → until decided again, skipped or new
    ahead: list[Offer] = field(default_factory=list)  # put back, to be shown next
    leases: dict[str, Leased] = field(default_factory=dict)  # exchange → the lease as last seen
    skipped: list[Leased] = field(default_factory=list)  # not yet back with the desk
    drafts: dict[str, str] = field(default_factory=dict)  # exchange → corrected text so far
    comments: dict[str, str] = field(default_factory=dict)  # exchange → remark
    done: int = 0
    message: str = ""

    @property
    def holding(self) -> list[str]:
        """Ids of all leases that this window works on."""
        return [lease.id for lease in self.leases.values()]

    @property
    def text(self) -> str:
        """The corrected answer as far as it is typed, or the bot's own."""
        if self.offer is None:
            return ""
        return self.drafts.get(self.offer.exchange, self.offer.answer)

    @property
    def gone(self) -> bool:
        """Whether the item on the screen is no longer ours: we have no lease on it."""
        return self.offer is not None and self.offer.exchange not in self.leases

    @property
    def wants_item(self) -> bool:
        """Whether there is nothing on the screen, and nothing to put there."""
        return self.offer is None and not self.ahead

    def correction(self, offer: Offer) -> str | None:
        """The reviewer's own text for this item, if there is one."""
        draft = self.drafts.get(offer.exchange)
        return None if draft == offer.answer else draft

    def typed(self, offer: Offer) -> bool:
        """Whether there are words of the reviewer's for this item."""
        return self.correction(offer) is not None or bool(self.comments.get(offer.exchange))

    def receive(self, offer: Offer) -> None:
        """An item came from the desk. One that was gone, and still stands here, is ours again."""
        exchange = offer.exchange
        self.leases[exchange] = offer.lease
        if self._is_decided(exchange):
            return  # what was decided goes to the desk with the new lease
        self.refusals.pop(exchange, None)
        if self.offer is not None and self.offer.exchange == exchange:
            self.offer, self.message = offer, ""
            return
        self.ahead = [each for each in self.ahead if each.exchange != exchange] + [offer]
        self.advance()

    def advance(self) -> None:
        """Show the next item, if the screen is free and there is one."""
        if self.offer is None and self.ahead:
            self._show(self.ahead.pop(0))

    def edit(self) -> bool:
        """Begin to correct the item shown. Of one that is gone, what was typed can be looked at, and no more."""
        if self.offer is None or (self.gone and self.correction(self.offer) is None):
            return False
        self.editing, self.message = True, NOT_OURS if self.gone else ""
        return True

    def decide(self, decision: Decision, moment: float) -> bool:
        """Hold a decision on the item shown; the one before becomes final. False, with a message, if it cannot be."""
        if self.offer is None:
            return False
        offer, text = self.offer, self.text.strip()
        if problem := self._undecidable(decision, text):
            self.message = problem
            return False
        self.release()
        answer = text if decision == "edit" else None
        self.held = Held(offer, decision, answer, self.comments.get(offer.exchange), moment)
        self._leave_screen()
        return True

    def undo(self) -> bool:
        """Take the held decision back and show its item again; the one shown comes next. False when it is too late."""
        if self.held is None:
            self.message = "Nothing to undo: the last decision is with the desk already."
            return False
        held, self.held = self.held, None
        self._set_aside()
        self.offer, self.editing = held.offer, held.decision == "edit"
        self.message = NOT_OURS if self.gone else "Undone: decide again."
        return True

    def release(self) -> None:
        """The held decision becomes final."""
        if self.held is not None:
            self.sending.append(self.held)
            self.held = None

    def tick(self, moment: float) -> None:
        """Make a decision final that was held for long enough."""
        if self.held is not None and moment - self.held.moment >= UNDO_SECONDS:
            self.release()

    def skip(self) -> None:
        """Leave the item shown; its lease is to be given back, unless it is gone anyway. Its draft is kept."""
        if self.offer is None:
            return
        if (lease := self.leases.pop(self.offer.exchange, None)) is not None:
            self.skipped.append(lease)
        self._leave_screen()

    def sent(self, held: Held) -> None:
        """The desk has it."""
        self._settled(held)
        self.done += 1

    def refused(self, held: Held, why: str) -> None:
        """The desk does not take it as it is: the item comes back, with what was typed, to be decided again."""
        self.sending.remove(held)
        self.refusals[held.offer.exchange] = Refusal(held, why)
        self._come_back(held.offer)

    def overtaken(self, held: Held, why: str) -> None:
        """The item went on without it. It comes back if something was typed, so that this can be copied."""
        self.refusals[held.offer.exchange] = Refusal(held, why)
        if held.answer is None and not held.comment:
            self._settled(held)
            self.message = f"“{shortened(held.offer)}”: {why}"
            return
        self.sending.remove(held)
        self.leases.pop(held.offer.exchange, None)
        self._come_back(held.offer)

    def beat(self, lease: Leased) -> None:
        """A heartbeat's answer: the lease as it is now."""
        if lease.exchange in self.leases:
            self.leases[lease.exchange] = lease

    def lost(self, exchange: str, why: str) -> None:
        """An item is no longer ours, says a heartbeat. What was typed, and what is shown, stays until skipped."""
        self.leases.pop(exchange, None)
        self.ahead = [offer for offer in self.ahead if offer.exchange != exchange or self.typed(offer)]
        if self.offer is not None and self.offer.exchange == exchange:
            self.message = f"{why} {KEPT}"

    def _is_decided(self, exchange: str) -> bool:
        held = self.sending if self.held is None else [*self.sending, self.held]
        return any(each.offer.exchange == exchange for each in held)

    def _undecidable(self, decision: Decision, text: str) -> str:
        """Why the item shown cannot be decided so, and what to do; empty when it can."""
        assert self.offer is not None
        if self.gone:
            return NOT_OURS
        if decision == "edit" and not text:
            return "The corrected answer is empty. Write one, or go back with Esc and reject."
        if decision == "edit" and text == self.offer.answer.strip():
            return "Nothing is changed yet. Change the text, or go back with Esc and approve."
        return ""

    def _show(self, offer: Offer) -> None:
        """Put an item on the screen. One that came back is shown as it was left, with why it is here."""
        self.offer, self.editing = offer, False
        if (refusal := self.refusals.get(offer.exchange)) is not None:
            self.editing = refusal.held.answer is not None
            self.message = self._why_back(refusal)
        elif self.gone:
            self.editing = self.correction(offer) is not None
            self.message = NOT_OURS

    def _leave_screen(self) -> None:
        """The item shown is done with, as far as the reviewer is concerned."""
        assert self.offer is not None
        self.refusals.pop(self.offer.exchange, None)
        self.offer, self.editing, self.message = None, False, ""
        self.advance()

    def _set_aside(self) -> None:
        """The item shown is to come next. One that is gone is not, unless there are words to copy."""
        if self.offer is not None and (not self.gone or self.typed(self.offer)):
            self.ahead.insert(0, self.offer)
        self.offer = None

    def _come_back(self, offer: Offer) -> None:
        """Show an item again at once, or next while the reviewer types: nothing moves under a hand that writes."""
        if self.editing or self.remarking:
            self.ahead.insert(0, offer)
            self.message = f"{self._why_back(self.refusals[offer.exchange])} It comes back next."
            return
        self._set_aside()
        self._show(offer)

    def _why_back(self, refusal: Refusal) -> str:
        offer = refusal.held.offer
        kept = "" if offer.exchange in self.leases else f" {KEPT}"
        return f"“{shortened(offer)}”: {refusal.why}{kept}"

    def _settled(self, held: Held) -> None:
        self.sending.remove(held)
        for kept in (self.leases, self.drafts, self.comments):
            kept.pop(held.offer.exchange, None)


def question(offer: Offer) -> str:
    """The user's last message, or the last message when no user spoke."""
    return next((m.content for m in reversed(offer.messages) if m.role == "user"), offer.messages[-1].content)


def shortened(offer: Offer, width: int = 40) -> str:
    """Enough of the question to know the item by, fit to be shown."""
    words = visible(" ".join(question(offer).split()))
    return words if len(words) <= width else words[: width - 1] + "…"
