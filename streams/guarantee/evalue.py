"""How much evidence audits are that at most `target` of a class is wrong, whenever one looks.

For n audits with k errors the e-value is the mean, over p uniform below the target, of the likelihood of the audits
under p divided by that under the target itself:

    E(n, k) = (1/θ) ∫₀^θ p^k (1 − p)^(n−k) dp ÷ (θ^k (1 − θ)^(n−k)) = B(θ; k+1, n−k+1) ÷ (θ^(k+1) (1 − θ)^(n−k))

with the incomplete beta function B. If more than θ of the class are wrong, E is a non-negative supermartingale that
starts at 1: each audit multiplies each p's ratio by a factor whose mean is at most 1, for p < θ. So the chance that E
*ever* reaches 1/α is at most α (Ville 1939; Ramdas, Grünwald, Vovk & Shafer 2023): it may be looked at after every
audit, and audits may stop whenever one likes. As a bet it is that of Waudby-Smith & Ramdas (2024), mixed over p.
"""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc, betaln

from teachback.streams.confidence import Floats


def log_e_value(audits: ArrayLike, errors: ArrayLike, target: float) -> Floats:
    """ln E, elementwise; −inf below the floats. Raises ValueError unless 0 ≤ errors ≤ audits and 0 < target < 1."""
    n, k = np.asarray(audits, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    if not 0 < target < 1:
        raise ValueError(f"the target is a share between 0 and 1, not {target}")
    if not (np.isfinite(n).all() and np.isfinite(k).all() and (k >= 0).all() and (k <= n).all()):
        raise ValueError("errors are counted among the audits: from 0 to their number")
    with np.errstate(divide="ignore"):
        below = np.log(betainc(k + 1, n - k + 1, target))
    found: Floats = betaln(k + 1, n - k + 1) + below - (k + 1) * math.log(target) - (n - k) * math.log1p(-target)
    return found


def alpha_of(attempt: int, alpha: float) -> float:
    """The share of α of an adapter's `attempt`-th calibration, from 1: 6α/(π² attempt²). All together are α."""
    if attempt < 1:
        raise ValueError(f"attempts count from 1, not {attempt}")
    return 6 * alpha / (math.pi * attempt) ** 2


def missing(audits: int, errors: int, target: float, alpha: float) -> int:
    """How many further audits, all clean, until the e-value reaches 1/α: 148 from nothing at 3 %, α = 5 %."""
    needed = -math.log(alpha)
    low, high = -1, 1
    while float(log_e_value(audits + high, errors, target)) < needed:
        low, high = high, 2 * high
    if float(log_e_value(audits, errors, target)) >= needed:
        return 0
    while high - low > 1:  # E grows with every clean audit, so halving finds the first
        middle = (low + high) // 2
        low, high = (low, middle) if float(log_e_value(audits + middle, errors, target)) >= needed else (middle, high)
    return high
