"""From signals to a probability that the answer is acceptable.

Until there are labels to learn from this is a prior, and says so: `calibration=0` in every score. Its weights come from
what the signals are worth on public question–answer pairs (`docs/confidence.md`): question–answer cosine leads, token
likelihood helps a little, hedging and being cut off count against. It is deliberately modest: no answer of a model that
nobody has reviewed is trusted much beyond 0.9.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple


class Term(NamedTuple):
    """One signal's part in the prior: `weight` × (value − `centre`); a missing signal adds `missing`."""

    weight: float
    centre: float
    missing: float


PRIOR_VERSION = 0
PRIOR_INTERCEPT = 0.0
PRIOR: dict[str, Term] = {
    "qa_cosine": Term(4.0, 0.55, -0.5),
    "mean_logprob": Term(0.6, -0.7, -0.2),
    "entropy": Term(-0.4, 0.8, 0.0),
    "hedging": Term(-1.5, 0.0, 0.0),
    "cut_off": Term(-1.0, 0.0, 0.0),
    "disagreement": Term(-2.0, 0.0, 0.0),
}


def confidence(signals: Mapping[str, float]) -> float:
    """P(answer acceptable) under the stated prior, between 0 and 1."""
    total = PRIOR_INTERCEPT
    for name, term in PRIOR.items():
        value = signals.get(name)
        total += term.missing if value is None else term.weight * (value - term.centre)
    return round(1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, total)))), 6)
