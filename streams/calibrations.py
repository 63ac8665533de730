"""What is in force for a bot's adapter: a fold over `loop.calibration`, kept up to date between batches.

An adapter with a standing certificate is scored by the certificate's calibration and routed by its threshold; so a
better fit does not end a promise before it has one of its own. Any other adapter is scored by the newest calibration,
and routed by the policy's own threshold.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from teachback.schemas import Calibration, Certificate, Policy
from teachback.schemas.log import Tail
from teachback.schemas.wire import Cluster
from teachback.streams.confidence import PRIOR, Weights, weights_of

Event = Calibration | Certificate


class Standing(NamedTuple):
    """One bot's calibrations by version, and the certificate that stands for each adapter."""

    calibrations: Mapping[int, Calibration] = {}
    certificates: Mapping[str, Certificate] = {}

    @property
    def newest(self) -> int:
        """Version of the newest calibration; 0 when there is none."""
        return max(self.calibrations, default=PRIOR.version)


class InForce(NamedTuple):
    """What an exchange is scored and routed by."""

    weights: Weights
    threshold: float
    certificate: str | None


def fold(current: Mapping[str, Standing], events: Iterable[Event]) -> dict[str, Standing]:
    """Each bot's standing. Ignored: a calibration whose version isn't the next, and an unknown one's certificate."""
    found = dict(current)
    for event in events:
        before = found.get(event.bot, Standing())
        found[event.bot] = _with(before, event)
    return found


def _with(before: Standing, event: Event) -> Standing:
    if isinstance(event, Calibration):
        if event.version != before.newest + 1:
            return before
        return before._replace(calibrations={**before.calibrations, event.version: event})
    if event.state == "withdrawn":
        kept = {name: one for name, one in before.certificates.items() if name != event.adapter}
        return before._replace(certificates=kept)
    if event.calibration not in before.calibrations:
        return before
    return before._replace(certificates={**before.certificates, event.adapter: event})


def in_force(standing: Standing, policy: Policy, adapter: str) -> InForce:
    """The weights and the threshold for this adapter's answers under this policy."""
    certificate = standing.certificates.get(adapter)
    if certificate is not None and keeps(certificate, policy):
        weights = weights_of(standing.calibrations[certificate.calibration])
        return InForce(weights, certificate.threshold, certificate.id)
    newest = standing.calibrations.get(standing.newest)
    return InForce(weights_of(newest) if newest else PRIOR, policy.threshold, None)


def keeps(certificate: Certificate, policy: Policy) -> bool:
    """Whether the certificate proves what the policy promises, about whom the policy accepts."""
    promise = policy.promise
    return (
        promise is not None
        and certificate.population == policy.population
        and certificate.target <= promise.target
        and certificate.confidence >= promise.confidence
    )


class Calibrations:
    """Calibrations and certificates as they stand: read whole before the first exchange, then by `refresh()`."""

    def __init__(self, cluster: Cluster) -> None:
        self._tail: Tail[Event] = Tail(cluster, "loop.calibration", (Calibration, Certificate))
        self._by_bot = fold({}, (record.event for record in self._tail.catch_up() if record.event))

    def refresh(self) -> Mapping[str, Standing]:
        """Bot → what stands, with everything that the broker had when this was called."""
        if records := self._tail.current():
            self._by_bot = fold(self._by_bot, (record.event for record in records if record.event))
        return self._by_bot

    @property
    def known(self) -> Mapping[str, Standing]:
        """Bot → what stands, as of the last refresh."""
        return self._by_bot

    def close(self) -> None:
        """Let go of the connection."""
        self._tail.close()
