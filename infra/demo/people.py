"""The demo's reviewers: scripted, and said to be so. They work through the same HTTP API as people.

Four habits, so that agreement, disagreement, a third opinion and the adjudicator really happen:

    careful      writes the right answer wherever the bot's is not right
    brisk        the same, often in words of their own; lets harmless small talk pass, and leaves what looks
                 difficult to the adjudicator
    sloppy       approves one answer in ten unread, and gets a figure wrong in one edit of ten
    adjudicator  settles what the others could not

What somebody says of an exchange depends on who it is, the exchange and the answer, and on nothing that came before:
the same, whoever else is quick or slow, and whatever was killed meanwhile.
"""

import random
import re
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NamedTuple

from teachback.consumers.desk.shapes import Offer
from teachback.consumers.review.client import DeskClient
from teachback.consumers.review.errors import ItemGone
from teachback.infra.demo.script import Asked
from teachback.infra.harbour import has_figures
from teachback.schemas.review import Decision

SEED = 7
IDLE_S = 0.3
PATIENCE_S = 300.0  # a desk that is started again waits for Kafka, which may be starting again too
UNREAD = 0.10
SLIPS = 0.10
FLAGS = 0.03
OWN_WORDS = 0.25
LEAD_INS = ("Thank you for asking. ", "Happy to help. ", "Good question. ")
FIGURE = re.compile(r"\d+")


class Judged(NamedTuple):
    """A decision, and the corrected answer when it is an edit."""

    decision: Decision
    answer: str | None = None


Habit = Callable[[Offer, Asked, random.Random], Judged]


def careful(offer: Offer, asked: Asked, chance: random.Random) -> Judged:
    """Right figures and no others: approved; anything else gets the right answer."""
    return Judged("approve") if acceptable(offer.answer, asked) else Judged("edit", asked.reference)


def brisk(offer: Offer, asked: Asked, chance: random.Random) -> Judged:
    """As `careful`, sometimes in own words; small talk that says no figure passes; now and then flagged instead."""
    if asked.figures and chance.random() < FLAGS:
        return Judged("flag")
    if not asked.figures and offer.answer.strip() and not FIGURE.search(offer.answer):
        return Judged("approve")
    if acceptable(offer.answer, asked):
        return Judged("approve")
    lead = chance.choice(LEAD_INS) if chance.random() < OWN_WORDS else ""
    return Judged("edit", lead + asked.reference)


def sloppy(offer: Offer, asked: Asked, chance: random.Random) -> Judged:
    """As `careful`, but for what is approved unread, and for figures that slip."""
    if chance.random() < UNREAD and offer.answer.strip():
        return Judged("approve")
    if chance.random() < SLIPS and asked.slip:
        return Judged("edit", asked.slip)
    return careful(offer, asked, chance)


def acceptable(answer: str, asked: Asked) -> bool:
    """Whether an answer states the figures that it should, and is no more than a little longer than the right one."""
    if not asked.figures:
        return answer.strip() == asked.reference.strip()
    return has_figures(answer, asked.figures) and len(answer) < 2 * len(asked.reference)


HABITS: dict[str, tuple[str, Habit]] = {
    "careful": ("reviewer", careful),
    "brisk": ("reviewer", brisk),
    "sloppy": ("reviewer", sloppy),
    "adjudicator": ("adjudicator", careful),
}


def judge(who: str, offer: Offer, asked: Asked, seed: int = SEED) -> Judged:
    """What one of them says of an offer. A correction that says what the bot said is an approval."""
    judged = HABITS[who][1](offer, asked, random.Random(f"{seed}-{who}-{offer.exchange}"))
    same = judged.answer is not None and judged.answer.strip() == offer.answer.strip()
    return Judged("approve") if same else judged


class Reviewer(threading.Thread):
    """One scripted reviewer, working until `stop`. `error` holds what ended it, if anything did.

    `verdicts` are the ids of those that the desk has acknowledged.
    """

    def __init__(self, name: str, url: str, token: str, known: Mapping[str, Asked], stop: threading.Event) -> None:
        super().__init__(name=f"reviewer-{name}", daemon=True)
        self.error: Exception | None = None
        self.verdicts: set[str] = set()
        self._who, self._url, self._token, self._known, self._stop_asked = name, url, token, known, stop

    def run(self) -> None:
        """Take the next item, judge it, again."""
        try:
            with DeskClient(self._url, self._token, patience=PATIENCE_S) as desk:
                while not self._stop_asked.is_set():
                    with suppress(ItemGone):
                        if not self._next(desk):
                            self._stop_asked.wait(IDLE_S)
        except Exception as exc:  # noqa: BLE001 - the thread's outermost edge: whoever waits for it must hear of it
            if not self._stop_asked.is_set():
                self.error = exc

    def _next(self, desk: DeskClient) -> bool:
        offer = desk.lease()
        if offer is None:
            return False
        question = next((m.content for m in reversed(offer.messages) if m.role == "user"), "")
        asked = self._known.get(question)
        if asked is None or offer.source == "replay":
            desk.skip(offer.lease)  # replays are left in the queue, for whoever looks at the desk afterwards
            return False
        decision, answer = judge(self._who, offer, asked)
        self.verdicts.add(desk.verdict(offer.lease, decision, answer=answer))
        return True
