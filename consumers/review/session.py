"""What a reviewer is doing, without a screen and without a network.

A decision is not sent at once: it is held until the next one, or for `UNDO_SECONDS`, so that undoing it is honest (an
event that was written cannot be taken back). What is typed stays in `drafts` until the desk has the verdict.
"""

from dataclasses import dataclass, field

from teachback.consumers.desk.shapes import Leased, Offer
from teachback.schemas.review import Decision

UNDO_SECONDS = 5.0


@dataclass(frozen=True)
class Held:
    """A decision that can still be undone, made at `moment` (seconds, monotonic)."""

    offer: Offer
    decision: Decision
    answer: str | None
    comment: str | None
    moment: float


@dataclass
class Session:
    """One reviewer's window."""

    offer: Offer | None = None  # on the screen
    gone: bool = False  # the item on the screen is no longer ours
    editing: bool = False
    held: Held | None = None
    sending: list[Held] = field(default_factory=list)  # decided for good, not yet with the desk
    ahead: list[Offer] = field(default_factory=list)  # put back by an undo, to be shown next
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
    def wants_item(self) -> bool:
        """Whether there is nothing on the screen, and nothing to put there."""
        return self.offer is None and not self.ahead

    def receive(self, offer: Offer) -> None:
        """An item came from the desk."""
        self.leases[offer.exchange] = offer.lease
        self.ahead.append(offer)
        self.advance()

    def advance(self) -> None:
        """Show the next item, if the screen is free and there is one."""
        if self.offer is None and self.ahead:
            self.offer, self.gone, self.editing = self.ahead.pop(0), False, False

    def decide(self, decision: Decision, moment: float) -> bool:
        """Hold a decision on the item shown; the one before becomes final. False, with a message, if it cannot be."""
        if self.offer is None or self.gone:
            return False
        offer, text = self.offer, self.text.strip()
        if decision == "edit" and not text:
            self.message = "The corrected answer is empty. Write one, or go back with Esc and reject."
            return False
        if decision == "edit" and text == offer.answer.strip():
            self.message = "Nothing is changed yet. Change the text, or go back with Esc and approve."
            return False
        self.release()
        answer = text if decision == "edit" else None
        self.held = Held(offer, decision, answer, self.comments.get(offer.exchange), moment)
        self.offer, self.editing, self.message = None, False, ""
        self.advance()
        return True

    def undo(self) -> bool:
        """Take the held decision back and show its item again; the one shown comes next. False when it is too late."""
        if self.held is None:
            self.message = "Nothing to undo: the last decision is with the desk already."
            return False
        if self.offer is not None and not self.gone:
            self.ahead.insert(0, self.offer)
        decision, self.offer = self.held.decision, self.held.offer
        self.gone, self.held, self.editing = False, None, decision == "edit"
        self.message = "Undone: decide again."
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
        lease = self.leases.pop(self.offer.exchange, None)
        if lease is not None and not self.gone:
            self.skipped.append(lease)
        self.offer, self.gone, self.editing, self.message = None, False, False, ""
        self.advance()

    def sent(self, held: Held) -> None:
        """The desk has it."""
        self._settled(held)
        self.done += 1

    def refused(self, held: Held, why: str) -> None:
        """The desk will never take it: the item went on without it."""
        self._settled(held)
        self.message = f"“{shortened(held.offer)}”: {why}"

    def beat(self, lease: Leased) -> None:
        """A heartbeat's answer: the lease as it is now."""
        if lease.exchange in self.leases:
            self.leases[lease.exchange] = lease

    def lost(self, exchange: str, why: str) -> None:
        """An item is no longer ours, says a heartbeat. The one shown stays, with what was typed, until skipped."""
        self.leases.pop(exchange, None)
        self.ahead = [offer for offer in self.ahead if offer.exchange != exchange]
        if self.offer is not None and self.offer.exchange == exchange:
            self.gone = True
            self.message = f"{why} Your text stays here to copy; Esc, then space goes on."

    def _settled(self, held: Held) -> None:
        self.sending.remove(held)
        for kept in (self.leases, self.drafts, self.comments):
            kept.pop(held.offer.exchange, None)


def question(offer: Offer) -> str:
    """The user's last message, or the last message when no user spoke."""
    return next((m.content for m in reversed(offer.messages) if m.role == "user"), offer.messages[-1].content)


def shortened(offer: Offer, width: int = 40) -> str:
    """Enough of the question to know the item by."""
    words = " ".join(question(offer).split())
    return words if len(words) <= width else words[: width - 1] + "…"
