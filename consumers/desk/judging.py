"""From a judgment on a lease to the verdict that is written. Pure, but for the wall clock in `created`."""

import hashlib

from teachback.consumers.desk.errors import NoChange
from teachback.consumers.desk.leases import Lease
from teachback.consumers.desk.shapes import Judged
from teachback.schemas.event import now
from teachback.schemas.ids import verdict_id
from teachback.schemas.review import ReviewRequest, Verdict


def verdict_on(request: ReviewRequest, lease: Lease, judged: Judged, moment: float) -> Verdict:
    """The event; `moment` is the time on the clock of the lease. Raises NoChange."""
    if judged.answer is not None and judged.answer.strip() == request.answer.strip():
        raise NoChange("the text is the bot's own answer", "approve it, or change it")
    return Verdict(
        id=verdict_id(lease.exchange, lease.reviewer, lease.round),
        bot=request.bot,
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
        seconds=None if lease.began is None else round(max(0.0, moment - lease.began), 3),
    )


def said(decision: str, answer: str | None) -> bytes:
    """A short fingerprint of what a verdict says."""
    return hashlib.blake2b(f"{decision}\x1f{answer or ''}".encode(), digest_size=16).digest()
