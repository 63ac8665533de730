"""How much evidence audits are that at most `target` of a class is wrong, whenever one looks.

For n audits with k errors the e-value is a mean, over error rates p below the target θ, of the likelihood of the audits
under p divided by that under θ itself. The mean is weighted by a density that is fixed before any audit, here that of
Beta(1, b) with b = `LEAN` ÷ θ, cut off at θ:

    E(n, k) = ∫₀^θ p^k (1 − p)^(n−k) w(p) dp ÷ (θ^k (1 − θ)^(n−k)),   w(p) = b (1 − p)^(b−1) ÷ (1 − (1 − θ)^b)
            = b B(θ; k+1, n−k+b) ÷ ((1 − (1 − θ)^b) θ^k (1 − θ)^(n−k))

with the incomplete beta function B. If more than θ of the class are wrong, E is a non-negative supermartingale that
starts at 1: each audit multiplies each p's ratio by a factor that is linear in the true rate q, falls with it because
p < θ, and is 1 on average at q = θ. That holds for any density, so its choice costs no validity. The chance that E
*ever* reaches 1/α is at most α (Ville 1939; Ramdas, Grünwald, Vovk & Shafer 2023): it may be looked at after every
audit, and audits may stop whenever one likes. As a bet it is that of Waudby-Smith & Ramdas (2024), mixed over p.

The density leans towards few errors. The uniform one (b = 1) needs 148 clean audits at 3 % and α = 5 %, this one 124;
no bet whatever can do with fewer than 99. `bench/guarantee` compares them.
"""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc, betaln

from teachback.streams.confidence import Floats

LEAN = 3.0
"""The density falls to about e⁻³ of itself from 0 to the target. A number of the proof: fixed before any audit."""


def log_e_value(audits: ArrayLike, errors: ArrayLike, target: float) -> Floats:
    """ln E, elementwise; −inf below the floats. Raises ValueError unless 0 ≤ errors ≤ audits and 0 < target < 1."""
    n, k = np.asarray(audits, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    if not 0 < target < 1:
        raise ValueError(f"the target is a share between 0 and 1, not {target}")
    if not (np.isfinite(n).all() and np.isfinite(k).all() and (k >= 0).all() and (k <= n).all()):
        raise ValueError("errors are counted among the audits: from 0 to their number")
    b = LEAN / target
    with np.errstate(divide="ignore"):
        below = np.log(betainc(k + 1, n - k + b, target))
    weight = math.log(b) - math.log(-math.expm1(b * math.log1p(-target)))
    found: Floats = weight + betaln(k + 1, n - k + b) + below - k * math.log(target) - (n - k) * math.log1p(-target)
    return found


def alpha_of(attempt: int, alpha: float) -> float:
    """The share of α of an adapter's `attempt`-th calibration, from 1: 6α/(π² attempt²). All together are α."""
    if attempt < 1:
        raise ValueError(f"attempts count from 1, not {attempt}")
    return 6 * alpha / (math.pi * attempt) ** 2


def missing(audits: int, errors: int, target: float, alpha: float) -> int:
    """How many further audits, all clean, until the e-value reaches 1/α: 124 from nothing at 3 %, α = 5 %."""
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
