"""What becomes of a thumb: a pure function of all that is known about its exchange, and of the policy.

Three records meet, in any order: the exchange, the decision about it, the thumb. Whatever the order, an exchange that
was accepted gets one review request if any thumb down came within the window, and else none.
"""

from typing import Literal, NamedTuple

from teachback.schemas import Policy
from teachback.schemas.scored import Route
from teachback.schemas.topics import DAY_MS

Fate = Literal[
    "up",  # a thumb up: counted, and kept as evidence
    "waiting",  # a thumb down whose exchange or decision has not come yet
    "matched",  # it asked for the review of its exchange
    "already",  # somebody looks at its exchange anyway: drawn or doubted, or asked for by another thumb
    "ignored",  # the policy wants no reviews for thumbs
    "unmatched",  # too late, or its exchange never came
    "gone",  # the exchange is past its retention: there is nothing to show to a reviewer
]
FATES: tuple[Fate, ...] = ("matched", "already", "ignored", "unmatched", "gone")


class Place(NamedTuple):
    """Where an exchange stands on `chat.exchanges`, and the broker's time of it in ms."""

    exchange: str
    partition: int
    offset: int
    time: int


class Decision(NamedTuple):
    """What scoring decided. `created` as in the event, in ISO 8601; `time` is the broker's in ms."""

    exchange: str
    route: Route
    confidence: float
    created: str
    time: int


class Thumb(NamedTuple):
    """One feedback event; `time` is the broker's in ms. The same event twice is the same (exchange, id, down)."""

    exchange: str
    id: str
    down: bool
    time: int
    fate: Fate


class Case(NamedTuple):
    """All that is known about one exchange. `gone`: it was looked for, and is not on the log any more."""

    place: Place | None = None
    decision: Decision | None = None
    thumbs: tuple[Thumb, ...] = ()
    gone: bool = False


def settle(case: Case, policy: Policy) -> list[Thumb]:
    """The waiting thumbs whose fate is known now, with it; at most one of a case is ever `matched`."""
    if case.place is None or case.decision is None:
        return []
    asked = case.decision.route != "accept" or any(thumb.fate == "matched" for thumb in case.thumbs)
    settled: list[Thumb] = []
    for thumb in sorted(waiting(case), key=lambda each: (each.time, each.id)):
        fate: Fate
        if abs(thumb.time - case.place.time) > window_ms(policy):
            fate = "unmatched"
        elif asked:
            fate = "already"
        elif policy.thumbs_down == "ignore":
            fate = "ignored"
        elif case.gone:
            fate = "gone"
        else:
            fate, asked = "matched", True
        settled.append(thumb._replace(fate=fate))
    return settled


def waiting(case: Case) -> list[Thumb]:
    """The thumbs down that nothing has become of yet."""
    return [thumb for thumb in case.thumbs if thumb.fate == "waiting"]


def window_ms(policy: Policy) -> int:
    """How far apart an exchange and its feedback may be, by the broker's time."""
    return round(policy.feedback_days * DAY_MS)
