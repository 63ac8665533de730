"""How signals become a confidence, and what has been proved about the answers that are accepted by it.

Both stand on `loop.calibration`, in the order in which the one writer made them. Workers fold them: an adapter with a
standing certificate is scored by the certificate's calibration and routed by its threshold; every other adapter is
scored by the newest calibration and routed by the policy's own threshold.
"""

from typing import Annotated, Literal

from msgspec import Meta

from teachback.schemas.event import Count, Event, Moment, Part, Ratio, Share, Text


class Term(Part, frozen=True, kw_only=True):
    """One signal's part in the log-odds: `weight` × (value − `centre`) ÷ `scale`; a missing one adds `missing`."""

    signal: Text
    weight: float
    centre: float
    scale: Annotated[float, Meta(gt=0.0)]
    missing: float


class Step(Part, frozen=True, kw_only=True):
    """A threshold that the walk of the guarantee may try, and the share of live traffic at or above it."""

    coverage: Ratio
    threshold: Ratio


class RiskPoint(Part, frozen=True, kw_only=True):
    """Of the `coverage` most trusted answers, the share that was wrong (the risk–coverage curve)."""

    coverage: Ratio
    risk: Ratio


class Quality(Part, frozen=True, kw_only=True):
    """How good the confidences of labelled exchanges are that the fit has not seen (cross-validated)."""

    n: Count
    wrong: Count
    ece: Annotated[Ratio, Meta(description="Expected calibration error, bins of equal mass.")]
    brier: Ratio
    auroc: Annotated[Ratio | None, Meta(description="Absent when all are right, or all wrong.")] = None
    log_loss: Annotated[float | None, Meta(description="Nats.")] = None


class Calibration(Event, frozen=True, kw_only=True, tag="calibration/1"):
    """Logistic regression from signals to P(answer acceptable), fitted to what reviewers decided."""

    version: Annotated[Count, Meta(description="Counts up from 1; 0 is the stated prior. Others are ignored.")]
    intercept: float
    terms: tuple[Term, ...]
    labels: Annotated[Count, Meta(description="Labelled exchanges that it was fitted to.")]
    audits: Annotated[Count, Meta(description="Of these, drawn by lot. Audits that certify are never among them.")]
    wrong: Annotated[Count, Meta(description="Of the labels, how many answers reviewers edited or rejected.")]
    sha256: Annotated[Text, Meta(description="Over the sorted ids of the exchanges that it was fitted to.")]
    quality: Quality
    forerunner: Annotated[Quality | None, Meta(description="The version before, on the same exchanges.")] = None
    risk_coverage: tuple[RiskPoint, ...] = ()
    walk: Annotated[tuple[Step, ...], Meta(description="Thresholds from strict to loose, fixed before any look.")] = ()
    traffic: Annotated[Count, Meta(description="Live exchanges that the walk's coverages were taken from.")] = 0


class Certificate(Event, frozen=True, kw_only=True, tag="certificate/1"):
    """A threshold that carries a promise, or the end of one.

    `certified`: among live answers of `adapter` that no rule names and whose confidence by `calibration` is at or above
    `threshold`, at most `target` are wrong; over all that is ever certified for this adapter the chance of being wrong
    about it is at most 1 − `confidence`.
    """

    state: Literal[
        "certified",  # from here on this threshold routes the adapter's traffic
        "withdrawn",  # audits since speak against it: back to the policy's own threshold
    ]
    adapter: Text
    calibration: Annotated[Count, Meta(description="Version of `loop.calibration` whose confidences are meant.")]
    policy: Annotated[Count, Meta(description="Version of the policy whose promise this is.")]
    population: Annotated[Text, Meta(description="`Policy.population`: a hash of the rules.")]
    target: Share
    confidence: Share
    attempt: Annotated[int, Meta(ge=1, description="Which calibration this is for the adapter: each has its own α.")]
    alpha: Annotated[Share, Meta(description="This attempt's share of 1 − confidence.")]
    threshold: Ratio
    coverage: Annotated[Ratio, Meta(description="Share of live traffic at or above the threshold, when it was fixed.")]
    audits: Annotated[Count, Meta(description="Audits that certify, at or above the threshold.")]
    errors: Annotated[Count, Meta(description="Of these, wrong; unresolved past the deadline counts as wrong.")]
    unresolved: Annotated[Count, Meta(description="Of the errors, those past the deadline.")] = 0
    e_value: Annotated[float, Meta(ge=0.0, description="Evidence against `more than target wrong`; 1/alpha certifies.")]
    since: Annotated[Moment | None, Meta(description="Only audits scored after this moment count.")] = None
    reason: str | None = None
