"""What the desk keeps up to date step by step, counted anew from the log: slow, and plain enough to be believed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from teachback.schemas.review import Outcome, ReviewRequest, Verdict

DAY_MS = 86_400_000


class Asked(NamedTuple):
    """A request as it stands on the log, and when the broker took it (ms)."""

    request: ReviewRequest
    arrived: int


class Said(NamedTuple):
    """A verdict as it stands on the log, and when the broker took it (ms)."""

    verdict: Verdict
    written: int


def leaders(asked: Iterable[Asked], said: Iterable[Said], outcomes: Mapping[str, Outcome]) -> dict[str, str]:
    """Exchange → the one that it is attached to, for all that are."""
    begun = {each.verdict.exchange for each in said} | outcomes.keys()
    found: dict[str, str] = {}
    reviews = [each for each in asked if each.request.route != "audit"]
    for request, _ in reviews:
        like = [each for each in reviews if _text(each.request) == _text(request)]
        first = min(like, key=lambda each: (each.request.id not in begun, each.arrived, each.request.id))
        if request.id not in begun and first.request.id != request.id:
            found[request.id] = first.request.id
    return found


def begun_on(day: int, said: Collection[Said]) -> set[str]:
    """The items, audits apart, whose first verdict the broker took on this day since 1970."""
    first: dict[str, int] = {}
    for verdict, written in said:
        if verdict.request.route != "audit":
            first[verdict.exchange] = min(written, first.get(verdict.exchange, written))
    return {exchange for exchange, written in first.items() if written // DAY_MS == day}


def _text(request: ReviewRequest) -> tuple[object, ...]:
    return request.messages, request.answer, request.adapter
