"""What the desk knows of one exchange: its request, the verdicts on it, and what consensus made of them.

The three topics are read side by side, so the pieces come in any order; each one lands here and the answers below are
the same whatever came first.
"""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from teachback.consumers.desk.alike import fingerprint
from teachback.schemas.review import Outcome, ReviewRequest, Status, Verdict

Capacity = Literal["reviewer", "adjudicator"]  # what a person acts as; an adjudicator may also review


class Cast(NamedTuple):
    """A verdict as far as the queue cares."""

    reviewer: str
    round: int


@dataclass(slots=True)
class Item:
    """One exchange. `arrived` is the broker's time of the request in ms; `cast` are verdicts by id, folded or not.

    `alike` is the request's fingerprint, None for an audit's; `judged` says that there ever was a verdict.
    """

    exchange: str
    request: ReviewRequest | None = None
    arrived: int = 0
    outcome: Outcome | None = None
    cast: dict[str, Cast] = field(default_factory=dict)
    alike: bytes | None = None
    judged: bool = False

    @property
    def round(self) -> int:
        """The round that is being judged."""
        return self.outcome.round if self.outcome else 0

    @property
    def status(self) -> Status:
        """As consensus has it; open before its first word."""
        return self.outcome.status if self.outcome else "open"

    @property
    def is_open(self) -> bool:
        """Whether anybody may still have to judge it: a request without a final outcome."""
        return self.request is not None and self.status == "open"

    @property
    def is_audit(self) -> bool:
        """Whether it was drawn by lot: then it takes no place of the budget, and is attached to nothing."""
        return self.request is not None and self.request.route == "audit"

    @property
    def begun(self) -> bool:
        """Whether anybody has judged it, in any round."""
        return self.judged or self.outcome is not None

    @property
    def capacity(self) -> Capacity:
        """Who is needed next."""
        return "adjudicator" if self.outcome and self.outcome.need == "adjudicator" else "reviewer"

    @property
    def target(self) -> int:
        """How many verdicts this round needs at least, as far as is known: the overlap, then one more at a time."""
        if self.request is None or not self.is_open:
            return 0
        folded = len(self.outcome.judgments) if self.outcome else 0
        return max(self.request.overlap, folded + 1)

    @property
    def judges(self) -> set[str]:
        """Who has judged it in this round."""
        folded = {judgment.reviewer for judgment in self.outcome.judgments} if self.outcome else set()
        return folded | {cast.reviewer for cast in self.cast.values() if cast.round == self.round}

    @property
    def missing(self) -> int:
        """How many more people this round needs, were nobody at work on it. Verdicts not yet folded count as given."""
        return max(0, self.target - len(self.judges))

    def ask(self, request: ReviewRequest | None, arrived: int) -> None:
        """Take the request that the broker took at `arrived`, or None when it was erased."""
        self.request, self.arrived = request, arrived
        self.alike = None if request is None or self.is_audit else fingerprint(request)

    def add(self, verdict: Verdict) -> None:
        """Note a verdict; the same one twice is one."""
        self.judged = True
        self.cast[verdict.id] = Cast(verdict.reviewer, verdict.round)

    def settle(self, outcome: Outcome | None) -> None:
        """Take the newest state of agreement, and forget verdicts of rounds that are over."""
        self.outcome = outcome
        self.cast = {key: cast for key, cast in self.cast.items() if cast.round >= self.round}
