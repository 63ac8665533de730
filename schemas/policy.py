"""What people decide about the loop, changeable while it runs."""

from typing import Annotated, Literal

from msgspec import Meta

from teachback.schemas.event import Count, Event, Part, Ratio, Text


class Rule(Part, frozen=True, kw_only=True):
    """Sends an exchange to review whatever its score."""

    name: Text
    topic: Annotated[str | None, Meta(description="Matches the exchange's topic, exactly.")] = None
    pattern: Annotated[
        str | None, Meta(description="A regular expression, searched in the question, case ignored.")
    ] = None


class Policy(Event, frozen=True, kw_only=True, tag="policy/1"):
    """The policy of one bot. The newest version in force applies; each score names it."""

    version: Annotated[Count, Meta(description="Counts up from 1; an event whose version is not the next is ignored.")]
    threshold: Annotated[Ratio, Meta(description="Confidence below it is reviewed. 1 reviews everything.")]
    audit_rate: Annotated[Ratio, Meta(description="Share of live traffic drawn by lot for audit.")]
    audit_salt: Annotated[str, Meta(min_length=8, description="Key of the HMAC that draws the lot.")]
    overlap: Annotated[int, Meta(ge=1, le=9)] = 2
    rules: tuple[Rule, ...] = ()
    weights: Annotated[dict[str, float], Meta(description="Topic to importance; 1 where absent.")] = {}
    replay_route: Literal["review"] = "review"
    reason: str | None = None
