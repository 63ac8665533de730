"""One batch against what is known: whom it settles, and what is to be written. No broker and no clock."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

import msgspec

from teachback.schemas import Exchange, Policy, ReviewRequest
from teachback.streams.feedback.batch import Batch
from teachback.streams.feedback.join import Case, Decision, Place, Thumb, settle
from teachback.streams.route import Routed
from teachback.streams.scoring import request

REASON = "thumbs_down"
NOTHING = Case()

Fetch = Callable[[Sequence[Place]], Mapping[str, Exchange]]
"""Exchanges by id, of those that are still on the log."""


class Memory(Protocol):
    """What was known before the batch."""

    def waited_for(self, exchanges: Sequence[str]) -> set[str]:
        """Those of `exchanges` that have a waiting thumb."""

    def cases(self, exchanges: Sequence[str]) -> dict[str, Case]:
        """What is known about `exchanges`; those that nothing is known about may be absent."""


class Answer(NamedTuple):
    """`thumbs` are new, or have a new fate; `counts` is what is to be added to the counts."""

    requests: list[ReviewRequest]
    thumbs: list[Thumb]
    counts: Counter[str]


def answer(batch: Batch, memory: Memory, policy: Policy, fetch: Fetch) -> Answer:
    """What a batch makes of what is known. `fetch` is called only when somebody has to see an exchange."""
    news = [place.exchange for place in batch.exchanges] + [decision.exchange for decision in batch.decisions]
    touched = {thumb.exchange for thumb in batch.thumbs} | (memory.waited_for(news) if news else set())
    known = memory.cases(sorted(touched)) if touched else {}
    before = {exchange: known.get(exchange, NOTHING) for exchange in touched}
    cases = _merged(before, batch)
    fresh = [thumb for e, case in cases.items() for thumb in case.thumbs if thumb not in before[e].thumbs]
    settled, requests = _settled(cases, policy, fetch)
    counts = Counter[str]("down" if thumb.down else "up" for thumb in fresh)
    counts.update(thumb.fate for thumb in settled)
    return Answer(requests, list({_key(thumb): thumb for thumb in (*fresh, *settled)}.values()), counts)


def thumbs_down(exchange: Exchange, decision: Decision, policy: Policy) -> ReviewRequest:
    """The request that a thumb down makes of an accepted exchange.

    `created` is the decision's: the same request made twice, after a crash, has the same bytes.
    """
    asked = request(exchange, decision.confidence, Routed("review", (REASON,)), policy)
    return msgspec.structs.replace(asked, created=datetime.fromisoformat(decision.created))


def _merged(before: Mapping[str, Case], batch: Batch) -> dict[str, Case]:
    """The cases with what the batch says of them. The first record of an id stands, whatever topic it is of."""
    cases = dict(before)
    for place in batch.exchanges:
        if (case := cases.get(place.exchange)) is not None and case.place is None:
            cases[place.exchange] = case._replace(place=place)
    for decision in batch.decisions:
        if (case := cases.get(decision.exchange)) is not None and case.decision is None:
            cases[decision.exchange] = case._replace(decision=decision)
    for thumb in batch.thumbs:
        case = cases[thumb.exchange]
        if _key(thumb) not in map(_key, case.thumbs):
            cases[thumb.exchange] = case._replace(thumbs=(*case.thumbs, thumb))
    return cases


def _settled(cases: Mapping[str, Case], policy: Policy, fetch: Fetch) -> tuple[list[Thumb], list[ReviewRequest]]:
    fates = {exchange: settle(case, policy) for exchange, case in cases.items()}
    matched = [exchange for exchange, thumbs in fates.items() if any(thumb.fate == "matched" for thumb in thumbs)]
    places = [place for exchange in matched if (place := cases[exchange].place) is not None]
    texts = fetch(places) if places else {}
    requests: list[ReviewRequest] = []
    for exchange in matched:
        text, decision = texts.get(exchange), cases[exchange].decision
        if text is None or decision is None:
            fates[exchange] = settle(cases[exchange]._replace(gone=True), policy)
        else:
            requests.append(thumbs_down(text, decision, policy))
    return [thumb for thumbs in fates.values() for thumb in thumbs], requests


def _key(thumb: Thumb) -> tuple[str, str, bool]:
    """The same event twice has the same; an id that a chatbot uses for up and for down is two events all the same."""
    return thumb.exchange, thumb.id, thumb.down
