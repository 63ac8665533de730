"""Trying thresholds from strict to loose, and stopping at the first without enough evidence.

Fixed-sequence testing (Maurer, Hothorn & Lehmacher 1995), as in Learn-then-Test (Angelopoulos, Bates, Candès, Jordan &
Lei 2021, section 3): each step is tested at the whole α, because only the first that is false can be certified
wrongly, and it is reached only through true ones. Order and thresholds are fixed before any certifying audit is looked
at.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teachback.schemas import Step
from teachback.streams.confidence import DECIMALS, Floats
from teachback.streams.guarantee.evalue import log_e_value

Bools = NDArray[np.bool_]


class Stand(NamedTuple):
    """The evidence for one step: audits at or above its threshold, the wrong ones, ln E."""

    step: int
    audits: int
    errors: int
    log_e: float


class Found(NamedTuple):
    """The loosest certified step, as when its evidence first sufficed; and the first that is not, as it stands."""

    certified: Stand | None
    next: Stand | None


def walk(confidences: Floats, wrong: Bools, thresholds: Sequence[float], target: float, alpha: float) -> Found:
    """How far the walk comes with these audits, shape (n,), in their order. Thresholds from strict to loose.

    A step once certified stays certified (Ville bounds the whole path). Raises ValueError for a confidence that is no
    number, or thresholds that are not in order.
    """
    if np.isnan(confidences).any():
        raise ValueError("a confidence is no number")
    if any(later >= earlier for earlier, later in pairwise(thresholds)):
        raise ValueError("thresholds must fall from step to step")
    certified: Stand | None = None
    for step, threshold in enumerate(thresholds):
        errors = np.cumsum(wrong[confidences >= threshold])
        audits = np.arange(1, len(errors) + 1)
        log_e = log_e_value(audits, errors, target)
        reached = np.flatnonzero(log_e >= -math.log(alpha))
        if not len(reached):
            here = (
                Stand(step, int(audits[-1]), int(errors[-1]), float(log_e[-1]))
                if len(errors)
                else Stand(step, 0, 0, 0.0)
            )
            return Found(certified, here)
        at = int(reached[0])
        certified = Stand(step, int(audits[at]), int(errors[at]), float(log_e[at]))
    return Found(certified, None)


def walk_of(confidences: Floats, start: float, steps: int) -> tuple[Step, ...]:
    """Thresholds that accept from `start` to all of this traffic in even steps of coverage; ties make fewer steps.

    `coverage` is the real share at or above the threshold. Without traffic there is no walk.
    """
    if not len(confidences):
        return ()
    ordered = np.sort(np.round(confidences, DECIMALS))[::-1]
    wanted = np.linspace(start, 1.0, steps) if steps > 1 else np.array([start])
    places = np.minimum(len(ordered) - 1, np.maximum(0, np.ceil(wanted * len(ordered)).astype(int) - 1))
    thresholds = sorted({round(float(value), DECIMALS) for value in ordered[places]}, reverse=True)
    return tuple(
        Step(coverage=round(float((ordered >= threshold).mean()), 6), threshold=threshold) for threshold in thresholds
    )
