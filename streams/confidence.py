"""From signals to P(answer acceptable): a logistic function whose weights come from a calibration.

Until there are labels to learn from the weights are a stated prior, and every score says so: `calibration=0`. It comes
from what the signals are worth on public question–answer pairs (`docs/confidence.md`): question–answer cosine leads,
token likelihood helps a little, hedging and being cut off count against. It is deliberately modest: no answer of a
model that nobody has reviewed is trusted much beyond 0.9.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teachback.schemas import Calibration, Term

PRIOR_VERSION = 0
DECIMALS = 6  # of a confidence on the wire
FARTHEST = 30.0  # log-odds beyond it are no different

Floats = NDArray[np.float64]


class Weights(NamedTuple):
    """Log-odds = intercept + Σ weight × (value − centre) ÷ scale; a missing signal adds its `missing` instead."""

    version: int
    intercept: float
    terms: tuple[Term, ...]


def _term(signal: str, weight: float, centre: float, missing: float) -> Term:
    return Term(signal=signal, weight=weight, centre=centre, scale=1.0, missing=missing)


PRIOR = Weights(
    PRIOR_VERSION,
    0.0,
    (
        _term("qa_cosine", 4.0, 0.55, -0.5),
        _term("mean_logprob", 0.6, -0.7, -0.2),
        _term("entropy", -0.4, 0.8, 0.0),
        _term("hedging", -1.5, 0.0, 0.0),
        _term("cut_off", -1.0, 0.0, 0.0),
        _term("disagreement", -2.0, 0.0, 0.0),
    ),
)


def weights_of(calibration: Calibration) -> Weights:
    """A published calibration's weights."""
    return Weights(calibration.version, calibration.intercept, calibration.terms)


def confidence(signals: Mapping[str, float], weights: Weights = PRIOR) -> float:
    """P(answer acceptable), between 0 and 1, to six decimals."""
    total = weights.intercept
    for term in weights.terms:
        value = signals.get(term.signal)
        total += term.missing if value is None else term.weight * ((value - term.centre) / term.scale)
    return round(1.0 / (1.0 + math.exp(-max(-FARTHEST, min(FARTHEST, total)))), DECIMALS)


def confidences(signals: Floats, names: Sequence[str], weights: Weights) -> Floats:
    """As `confidence`, of many: `signals` is (n, len(names)), nan where missing; the same numbers."""
    columns = {name: signals[:, place] for place, name in enumerate(names)}
    nothing = np.full(len(signals), np.nan)
    total = np.full(len(signals), weights.intercept)
    for term in weights.terms:
        value = columns.get(term.signal, nothing)
        part = term.weight * ((value - term.centre) / term.scale)
        total += np.where(np.isnan(value), term.missing, part)
    scores: Floats = np.round(1.0 / (1.0 + np.exp(-np.clip(total, -FARTHEST, FARTHEST))), DECIMALS)
    return scores
