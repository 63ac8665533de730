"""The fold: an outcome and one more verdict make the next outcome, and sometimes a label. Pure.

Everything that is written derives from the verdict that caused it (ids by `schemas.ids`, `created` from the verdict),
so the same verdicts in the same order make the same events, byte for byte, whenever and wherever they are folded.

*Who counts.* A verdict is identified by exchange, reviewer and round, and counts once; so does a reviewer. What does
not count is kept in `late`: verdicts after the end, and a second judgment of somebody who has judged already.

*Reopening.* An adjudicator's verdict of a later round than the outcome's, after the end, decides anew: a new revision
of the label, which supersedes the old one; or a rejection; or, by a flag, an open item that waits for an adjudicator.
An adjudicator's verdict of the same round, after the end, is late like any other: two adjudicators who overlapped by
accident make no second revision.
"""

import msgspec

from teachback.schemas.ids import derived, label_id, verdict_id
from teachback.schemas.label import Label
from teachback.schemas.review import Judgment, Outcome, Verdict
from teachback.streams.consensus.decide import Labelled, Open, Sameness, decide, first_agreed, is_adjudicator


def contradictions(verdict: Verdict, key: bytes | None) -> str | None:
    """Why a decoded verdict must not be folded, or None. Each would let one exchange be labelled twice, or wrongly."""
    if key != verdict.exchange.encode():
        return f"key {key!r} is not the exchange {verdict.exchange!r}: its verdicts would be spread over partitions"
    if verdict.request.id != verdict.exchange or verdict.request.bot != verdict.bot:
        return f"the request is about {verdict.request.bot}/{verdict.request.id}, not {verdict.bot}/{verdict.exchange}"
    if verdict.id != verdict_id(verdict.exchange, verdict.reviewer, verdict.round):
        return f"id {verdict.id!r} is not that of its exchange, reviewer and round"
    return None


def fold(outcome: Outcome | None, verdict: Verdict, sameness: Sameness) -> tuple[Outcome, Label | None]:
    """The next outcome, and the label if one was just agreed on. A verdict seen before returns `outcome` itself."""
    before = outcome or _nothing_yet(verdict)
    judgment = Judgment(
        verdict=verdict.id,
        reviewer=verdict.reviewer,
        role=verdict.role,
        decision=verdict.decision,
        answer=verdict.answer,
    )
    if any(judgment.verdict == known.verdict for known in (*before.judgments, *before.late)):
        return before, None
    if not _counts(before, judgment, verdict.round):
        late = (*before.late, judgment)
        return msgspec.structs.replace(before, id=_outcome_id(verdict), created=verdict.created, late=late), None
    return _next(before, (*before.judgments, judgment), verdict, sameness)


def _nothing_yet(verdict: Verdict) -> Outcome:
    return Outcome(
        id=_outcome_id(verdict),
        bot=verdict.bot,
        created=verdict.created,
        exchange=verdict.exchange,
        status="open",
        round=verdict.round,
        judgments=(),
    )


def _counts(before: Outcome, judgment: Judgment, round_: int) -> bool:
    if is_adjudicator(judgment):
        return before.status == "open" or round_ > before.round
    return before.status == "open" and all(judgment.reviewer != known.reviewer for known in before.judgments)


def _next(
    before: Outcome, judgments: tuple[Judgment, ...], verdict: Verdict, sameness: Sameness
) -> tuple[Outcome, Label | None]:
    request = verdict.request
    result = decide(judgments, request.overlap, request.answer, sameness)
    after = Outcome(
        id=_outcome_id(verdict),
        bot=before.bot,
        created=verdict.created,
        exchange=before.exchange,
        status="open" if isinstance(result, Open) else "labelled" if isinstance(result, Labelled) else "rejected",
        round=max(before.round, verdict.round),
        judgments=judgments,
        late=before.late,
        need=result.need if isinstance(result, Open) else None,
        revision=before.revision,
        answered_by=() if isinstance(result, Open) else result.answered_by,
        settled=None if isinstance(result, Open) else verdict.created,
        agreed=first_agreed(judgments, request.overlap, sameness),
    )
    if not isinstance(result, Labelled):
        return after, None
    label = _label(verdict, result, before.revision + 1)
    after = msgspec.structs.replace(
        after, revision=label.revision, label=label.id, answer=label.answer, origin=label.origin
    )
    return after, label


def _label(verdict: Verdict, result: Labelled, revision: int) -> Label:
    request = verdict.request
    edited = result.origin == "edited" and bool(request.answer.strip())
    return Label(
        id=label_id(verdict.exchange, revision),
        bot=verdict.bot,
        created=verdict.created,
        exchange=verdict.exchange,
        conversation=request.conversation,
        revision=revision,
        messages=request.messages,
        answer=result.answer,
        origin=result.origin,
        adapter=request.adapter,
        source=request.source,
        reviewers=result.answered_by,
        rejected=request.answer if edited else None,
        supersedes=label_id(verdict.exchange, revision - 1) if revision > 1 else None,
        topic=request.topic,
        subject=request.subject,
    )


def _outcome_id(verdict: Verdict) -> str:
    return derived("outcome", verdict.id)
