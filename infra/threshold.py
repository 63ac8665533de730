"""Which threshold is in force for an adapter, and by what right: for `teachback status`. Pure."""

import msgspec

from teachback.infra.history import Decisions
from teachback.schemas import Certificate, Promise
from teachback.streams.calibrations import Standing, fold, in_force


class InForce(msgspec.Struct, frozen=True, kw_only=True):
    """What the adapter in service is scored and routed by. `calibration` 0 is the stated prior."""

    adapter: str
    policy: int
    calibration: int
    threshold: float
    certified: bool
    promise: str | None
    """What is certified or, where nothing is, what the policy asks for; None where it asks for nothing."""


def threshold_in_force(decisions: Decisions, bot: str, adapter: str) -> InForce | None:
    """By the workers' own rules; None before the first policy."""
    policy = decisions.policy
    if policy is None:
        return None
    standing = folded(decisions, bot)
    found = in_force(standing, policy, adapter)
    promise = standing.certificates[adapter] if found.certificate is not None else policy.promise
    return InForce(
        adapter=adapter,
        policy=policy.version,
        calibration=found.weights.version,
        threshold=found.threshold,
        certified=found.certificate is not None,
        promise=None if promise is None else _said(promise),
    )


def folded(decisions: Decisions, bot: str) -> Standing:
    """Calibrations and certificates as a worker has them."""
    events = [one.event for one in decisions.calibrations] + [one.event for one in decisions.certificates]
    return fold({}, events).get(bot, Standing())


def _said(promise: Promise | Certificate) -> str:
    return f"at most {promise.target * 100:.3g} % wrong, {promise.confidence * 100:.4g} % sure"


def told(found: InForce) -> str:
    """In a line."""
    by = f"calibration {found.calibration}" if found.calibration else "the stated prior"
    if found.certified:
        return f"{found.threshold:g}, certified: {found.promise} ({by}, policy {found.policy})"
    asked = f"; nothing is certified yet ({found.promise})" if found.promise else ""
    return f"{found.threshold:g} by policy {found.policy}, on {by}{asked}"
