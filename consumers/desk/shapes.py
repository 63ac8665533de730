"""What goes over HTTP: bodies of requests and responses. The client reads the same structs."""

from typing import Annotated

import msgspec
from msgspec import Meta

from teachback.consumers.desk.item import Capacity
from teachback.schemas.event import Identifier, Moment
from teachback.schemas.exchange import Message, Passage, Source
from teachback.schemas.review import Decision, Role, Rubric
from teachback.schemas.scored import Route

Token = Annotated[int, Meta(description="The lease's fencing token; a newer grant of the lease has a higher one.")]
LongText = Annotated[str, Meta(max_length=40_000)]
Remark = Annotated[str, Meta(max_length=4_000)]
Reason = Annotated[str, Meta(min_length=1, max_length=200)]


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """A JSON object. Unknown fields in requests are refused: a misspelt one would be lost in silence."""


class Ask(Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Asking for something to judge."""

    holding: Annotated[
        tuple[str, ...],
        Meta(
            max_length=100,
            description="Ids of the leases that this window works on already. Another one of yours is given again "
            "first, so that an answer lost on the way, or a closed window, costs nothing.",
        ),
    ] = ()


class Pulse(Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A heartbeat. It names the exchange, so that a desk that was restarted can take the lease up again."""

    token: Token
    exchange: Identifier


class Judged(Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A verdict. The same one sent again is the same verdict."""

    token: Token
    exchange: Identifier
    decision: Decision
    answer: Annotated[LongText | None, Meta(description="The corrected answer: with `edit`, and only then.")] = None
    reasons: Annotated[tuple[Reason, ...], Meta(max_length=16)] = ()
    rubric: Rubric = Rubric()
    comment: Remark | None = None

    def __post_init__(self) -> None:
        """As in the event: an edit has a text, and only an edit has one."""
        if (self.decision == "edit") != bool(self.answer and self.answer.strip()):
            raise ValueError("`answer` must hold the corrected text when `decision` is `edit`, and only then")


class Differing(Body, frozen=True, kw_only=True, omit_defaults=True):
    """What one of the reviewers said, without saying who. For adjudicators only."""

    by: Annotated[str, Meta(description="`A`, `B`, …: the same letter is the same person within this item.")]
    decision: Decision
    answer: str | None = None


class Leased(Body, frozen=True, kw_only=True):
    """How long an item is yours."""

    id: str
    token: Token
    expires: Annotated[Moment, Meta(description="By the desk's clock.")]
    seconds: Annotated[float, Meta(description="From now to `expires`; a heartbeat starts it anew.")]
    exchange: Identifier


class Offer(Body, frozen=True, kw_only=True):
    """An item to judge, whole."""

    lease: Leased
    exchange: Identifier
    conversation: Identifier
    round: int
    acting: Annotated[Capacity, Meta(description="What you are asked to be for this item.")]
    messages: tuple[Message, ...]
    answer: str
    adapter: str
    source: Source
    route: Route
    reasons: Annotated[tuple[str, ...], Meta(description="Why it was routed to people.")]
    confidence: float
    weight: float
    topic: str | None
    passages: tuple[Passage, ...]
    judgments: Annotated[tuple[Differing, ...], Meta(description="For adjudicators: what reviewers differ about.")]
    waiting: Annotated[int, Meta(description="How many more you could be given now; counted up to 1000.")]


class Accepted(Body, frozen=True, kw_only=True):
    """Kafka has the verdict."""

    verdict: Identifier


class Me(Body, frozen=True, kw_only=True):
    """Who you are to this desk."""

    name: str
    role: Role
    topics: tuple[str, ...]
    bot: str
    leases: tuple[Leased, ...]
    verdicts: int
    waiting: int


class Work(Body, frozen=True, kw_only=True):
    """How much one person has done, in the days that `review.verdicts` is kept."""

    name: str
    verdicts: int


class Agreement(Body, frozen=True, kw_only=True):
    """Whether the first reviewers of an item agreed at once."""

    agreed: int
    of: int


class Today(Body, frozen=True, kw_only=True):
    """The review budget of this day. Audits are apart from all of it."""

    day: Annotated[str, Meta(description="The UTC day by the desk's clock, `2026-11-02`.")]
    policy: Annotated[int, Meta(description="Version of the policy that the budget is from; 0 before the first.")]
    budget: Annotated[int | None, Meta(description="Items that may be begun in a day; null is no limit.")]
    begun: Annotated[int, Meta(description="Items first judged today, and those now held by a first reviewer.")]
    overflow: Annotated[
        int,
        Meta(description="Items that nobody has begun, beyond what is left of the budget: they wait for other days."),
    ]


class Overview(Body, frozen=True, kw_only=True):
    """The queue in numbers."""

    bot: str
    open: Annotated[int, Meta(description="Requests without a final outcome, those attached to others apart.")]
    free: Annotated[int, Meta(description="Open items that one more person could be given now.")]
    leased: Annotated[int, Meta(description="Leases held now.")]
    awaiting_adjudication: int
    open_by_route: dict[str, int]
    open_by_source: dict[str, int]
    attached: Annotated[int, Meta(description="Requests that wait for an open one with the same text.")]
    settled_by_attachment: Annotated[
        int, Meta(description="Requests whose like was settled; they have no outcome and no label of their own.")
    ]
    today: Today
    settled: Annotated[dict[str, int], Meta(description="Final outcomes by status: `labelled`, `rejected`.")]
    reviewers: tuple[Work, ...]
    agreement: Agreement


class Health(Body, frozen=True, kw_only=True):
    """`ready` once the queue is rebuilt."""

    ready: bool
    bot: str
    overflow: Annotated[int | None, Meta(description="As in the queue's numbers; null before the desk is ready.")]


class Problem(Body, frozen=True, kw_only=True):
    """An error, after RFC 9457: what (`title`), why (`detail`), and what to do (`action`)."""

    status: int
    title: str
    detail: str
    action: str


# As in `schemas`: worked out while one thread imports us, for a client may be used from several.
for _body in Body.__subclasses__():
    msgspec.json.Decoder(_body)
