"""What people decide about the loop, changeable while it runs."""

from typing import Annotated, Literal

from msgspec import Meta

from teachback.schemas.event import Count, Event, Part, Ratio, Share, Text
from teachback.schemas.ids import sha256_of


class Rule(Part, frozen=True, kw_only=True):
    """Sends an exchange to review whatever its score, when every condition that it states holds; one at least."""

    name: Text
    topic: Annotated[str | None, Meta(description="Matches the exchange's topic, exactly.")] = None
    pattern: Annotated[
        str | None, Meta(description="A regular expression, searched in the question, case ignored.")
    ] = None
    escalated: Annotated[
        bool | None, Meta(description="Matches exchanges in which the customer was (or was not) handed to a person.")
    ] = None


class Promise(Part, frozen=True, kw_only=True):
    """What the threshold shall promise: at most `target` wrong among the answers that nobody looks at.

    Thresholds are tried from strict to loose: the first would accept the most trusted `start` of live traffic, the last
    all of it, in `steps` even steps of coverage (fixed-sequence testing; `docs/confidence.md`).
    """

    target: Annotated[Share, Meta(description="Largest share of wrong answers among those accepted.")] = 0.03
    confidence: Annotated[Share, Meta(description="How sure, at every moment of an adapter's service.")] = 0.95
    start: Annotated[Share, Meta(description="Coverage at which the walk starts.")] = 0.2
    steps: Annotated[int, Meta(ge=1, le=200)] = 50


class Policy(Event, frozen=True, kw_only=True, tag="policy/1"):
    """The policy of one bot. The newest version in force applies; each score names it."""

    version: Annotated[Count, Meta(description="Counts up from 1; an event whose version is not the next is ignored.")]
    threshold: Annotated[
        Ratio,
        Meta(description="Confidence below it is reviewed; 1 reviews everything. A certificate's takes its place."),
    ]
    audit_rate: Annotated[Ratio, Meta(description="Share of live traffic drawn by lot for audit.")]
    audit_salt: Annotated[str, Meta(min_length=8, description="Key of the HMAC that draws the lot.")]
    overlap: Annotated[int, Meta(ge=1, le=9)] = 2
    rules: tuple[Rule, ...] = ()
    weights: Annotated[dict[str, float], Meta(description="Topic to importance; 1 where absent.")] = {}
    replay_route: Literal["review"] = "review"
    reason: str | None = None
    promise: Annotated[
        Promise | None,
        Meta(description="Certificates set the threshold; absent: a person alone does."),
    ] = None
    budget: Annotated[
        Count | None,
        Meta(description="Review items a day (UTC), audits apart; the rest is overflow. Absent: no limit."),
    ] = None
    audit_hours: Annotated[
        float, Meta(gt=0.0, description="An audit not settled by then counts as a wrong answer in the certificate.")
    ] = 72.0
    thumbs_down: Annotated[
        Literal["review", "ignore"], Meta(description="What a customer's thumb down on an accepted answer does.")
    ] = "review"
    feedback_days: Annotated[
        float, Meta(gt=0.0, le=30.0, description="How long after an exchange its feedback is joined to it.")
    ] = 7.0

    @property
    def population(self) -> str:
        """A hash of what decides, beside the score, who is accepted: audits under other rules are no evidence."""
        stated = sorted(f"{r.topic}\x1f{r.pattern}\x1f{r.escalated}" for r in self.rules)
        return sha256_of(stated)[:16]
