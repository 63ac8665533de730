"""Asking people: the request, a reviewer's verdict, and the state of agreement about one exchange."""

from typing import Annotated, Literal

from msgspec import Meta

from teachback.schemas.event import Count, Event, Identifier, Moment, Part, Ratio, Text
from teachback.schemas.exchange import Message, Passage, Source
from teachback.schemas.label import Origin
from teachback.schemas.scored import Route

Role = Literal["reviewer", "adjudicator", "admin"]
Decision = Literal["approve", "edit", "reject", "flag"]
Seconds = Annotated[float, Meta(ge=0.0, description="Time from lease to verdict.")]
Score = Annotated[int, Meta(ge=1, le=5, description="1 is bad, 5 is good.")]


class ReviewRequest(Event, frozen=True, kw_only=True, tag="review-request/1"):
    """One item of the queue, whole: everything a reviewer needs. `id` is the exchange's id."""

    conversation: Identifier
    messages: Annotated[tuple[Message, ...], Meta(min_length=1)]
    answer: str
    adapter: Text
    source: Source
    route: Route
    reasons: tuple[str, ...]
    confidence: Ratio
    overlap: Annotated[int, Meta(ge=1, le=9, description="How many reviewers must judge it, at least.")] = 2
    weight: Annotated[float, Meta(ge=0.0, description="Importance of its topic, from the policy.")] = 1.0
    passages: tuple[Passage, ...] = ()
    topic: str | None = None
    subject: str | None = None
    replay_of: str | None = None

    @property
    def question(self) -> str:
        """The user's last message, or the last message when no user spoke."""
        return next((m.content for m in reversed(self.messages) if m.role == "user"), self.messages[-1].content)


class Rubric(Part, frozen=True, kw_only=True):
    """Four dimensions of an answer's quality, each optional."""

    accuracy: Score | None = None
    relevance: Score | None = None
    tone: Score | None = None
    style: Score | None = None


class Verdict(Event, frozen=True, kw_only=True, tag="verdict/1"):
    """One person's judgment. It carries what it judges, so that it can be understood alone."""

    exchange: Identifier
    reviewer: Identifier
    role: Role
    round: Annotated[Count, Meta(description="0 at first; a reopened item starts another round.")]
    decision: Decision
    request: ReviewRequest
    answer: Annotated[
        str | None, Meta(description="The corrected answer; set exactly when the decision is `edit`.")
    ] = None
    reasons: tuple[str, ...] = ()
    rubric: Rubric = Rubric()
    comment: str | None = None
    seconds: Seconds | None = None

    def __post_init__(self) -> None:
        """An edit has a text, and only an edit has one."""
        if (self.decision == "edit") != bool(self.answer and self.answer.strip()):
            raise ValueError("`answer` must hold the corrected text when `decision` is `edit`, and only then")


class Judgment(Part, frozen=True, kw_only=True):
    """What the fold keeps of a verdict."""

    verdict: Identifier
    reviewer: Identifier
    role: Role
    decision: Decision
    answer: str | None = None


Need = Literal[
    "reviewer",  # another pair of eyes, blind
    "adjudicator",  # reviewers could not settle it
]
Status = Literal[
    "open",  # more verdicts are needed
    "labelled",  # agreed: a label was written
    "rejected",  # agreed that no good answer can be made of it
]


class Outcome(Event, frozen=True, kw_only=True, tag="outcome/1"):
    """The whole state of agreement about one exchange; the newest record of a key replaces the older ones."""

    exchange: Identifier
    status: Status
    round: Count
    judgments: tuple[Judgment, ...]
    late: Annotated[tuple[Judgment, ...], Meta(description="Verdicts after the end: they count for skill only.")] = ()
    need: Need | None = None
    revision: Annotated[Count, Meta(description="Revision of the label; 0 before the first.")] = 0
    label: str | None = None
    answer: Annotated[str | None, Meta(description="The agreed answer, when labelled.")] = None
    answered_by: tuple[str, ...] = ()
    origin: Annotated[
        Origin | None, Meta(description="When labelled: whether the bot's own words were found right, or changed.")
    ] = None
    settled: Annotated[
        Moment | None, Meta(description="When it was settled; verdicts that come later do not move it.")
    ] = None
    agreed: Annotated[bool | None, Meta(description="Whether the first `overlap` reviewers already agreed.")] = None

    @property
    def acceptable(self) -> bool | None:
        """Whether people found the bot's own words right (an edited answer was not); None while it is open."""
        if self.status == "open":
            return None
        if self.status == "rejected":
            return False
        if self.origin is not None:
            return self.origin == "approved"
        said = {judgment.decision for judgment in self.judgments if judgment.reviewer in self.answered_by}
        return said == {"approve"}  # written before `origin` was
