"""What is said when the window closes: how much arrived, and the words of all that did not. Pure."""

from teachback.consumers.desk.shapes import Offer
from teachback.consumers.review.session import Held, Refusal, Session, shortened
from teachback.consumers.review.visible import visible


def goodbye(session: Session, trouble: str) -> list[str]:
    """Lines to print. A text that the desk does not have stands here whole, so that it can still be copied.

    `trouble` is why the desk cannot be reached, empty when it can.
    """
    unsent = f"These did not arrive ({visible(trouble)}):" if trouble else "These did not arrive:"
    return [
        "1 verdict sent." if session.done == 1 else f"{session.done} verdicts sent.",
        *_listed(unsent, [_held(held) for held in session.sending]),
        *_listed("These the desk did not take:", [_refusal(session, each) for each in session.refusals.values()]),
        *_listed("These were typed, and not decided:", _drafts(session)),
    ]


def _listed(heading: str, told: list[str]) -> list[str]:
    return [heading, *(f"  {each}" for each in told)] if told else []


def _held(held: Held) -> str:
    return _told(held.decision, held.offer, held.answer, held.comment)


def _refusal(session: Session, refusal: Refusal) -> str:
    """With the words as they are now, in case they were mended meanwhile."""
    held, exchange = refusal.held, refusal.held.offer.exchange
    answer = held.answer and session.drafts.get(exchange, held.answer)
    told = _told(held.decision, held.offer, answer, session.comments.get(exchange, held.comment))
    return f"{told}\n    {visible(refusal.why)}"


def _drafts(session: Session) -> list[str]:
    shown = [] if session.offer is None else [session.offer]
    return [
        _told("", offer, session.correction(offer), session.comments.get(offer.exchange))
        for offer in [*shown, *session.ahead]
        if session.typed(offer) and offer.exchange not in session.refusals
    ]


def _told(decision: str, offer: Offer, answer: str | None, comment: str | None) -> str:
    remark = f"remark: {visible(comment)}" if comment else ""
    return "  ".join(filter(None, (decision, f"“{shortened(offer)}”", visible(answer or ""), remark)))
