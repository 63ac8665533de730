"""How far an answer can be trusted, and where it goes: ids and numbers, no text."""

from typing import Annotated, Literal

from msgspec import Meta

from teachback.schemas.event import Count, Event, Identifier, Ratio, Text
from teachback.schemas.exchange import Source

Route = Literal[
    "audit",  # drawn by lot over all live traffic, before looking at the score
    "review",  # doubtful, or named by a rule
    "accept",  # nobody looks at it
]


class Scored(Event, frozen=True, kw_only=True, tag="scored/1"):
    """The decision about one exchange; `id` is the exchange's. The first record of an id is the decision."""

    conversation: Identifier
    adapter: Text
    source: Source
    signals: Annotated[dict[str, float], Meta(description="Signal name to value; a missing one is absent.")]
    confidence: Annotated[Ratio, Meta(description="P(answer acceptable), higher is more trust.")]
    route: Route
    reasons: Annotated[
        tuple[str, ...],
        Meta(description="Machine-readable: `confidence<0.60`, `rule:complaints`. An audit also names what else held."),
    ]
    policy: Annotated[Count, Meta(description="Version of `loop.policy` in force.")]
    calibration: Annotated[Count, Meta(description="Version of `loop.calibration` in force; 0 is the stated prior.")]
    missing: Annotated[tuple[str, ...], Meta(description="Signals that this exchange could not give.")] = ()
    topic: str | None = None
    threshold: Annotated[
        Ratio | None, Meta(description="The threshold in force: a certificate's, or the policy's own.")
    ] = None
    certificate: Annotated[
        str | None, Meta(description="Id of the certificate that the threshold comes from; absent without one.")
    ] = None

    @property
    def ruled(self) -> bool:
        """Whether a rule of the policy named it: then it would not be accepted whatever its score."""
        return any(reason.startswith("rule:") for reason in self.reasons)
