"""How many wrong answers a class of exchanges holds, estimated from the audits that fell into it.

Audits are drawn by lot over all live traffic, so those within any class that does not look at the lot are a uniform
sample of it. Where the audit rate changed within the time asked about, each audit stands for 1 ÷ its rate answers: the
share is Hájek's ratio of weighted sums, and the interval is Clopper and Pearson's (1934) with the effective sample size
(Σw)² ÷ Σw² in the place of n (Korn & Graubard 1998, "Confidence intervals for proportions with small expected number of
positive counts"). With one rate this is Clopper–Pearson itself: it covers the truth at least as often as it says.
"""

import math

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

SURE = 0.95
ENOUGH = 30
"""Fewer settled audits say so little that the estimate is not shown without saying so."""


class Wrong(msgspec.Struct, frozen=True, kw_only=True):
    """Wrong answers among those that nobody looked at. Shares are of the class, counts are of `answers`."""

    answers: int
    """Live answers of the class that nobody looked at."""
    audits: int
    """Settled audits of the class."""
    errors: int
    """Of these, wrong."""
    unresolved: int
    """Audits of the class that people have not settled."""
    share: float | None
    """Estimated share of wrong answers; None without a settled audit."""
    low: float
    high: float
    """The share's interval at 95 %, by settled audits alone."""
    low_open: float
    high_open: float
    """The same, were all unresolved audits right, and were they all wrong."""
    count: float | None
    """Estimated number of wrong answers: the share of `answers`; below with its interval."""
    count_low: float
    count_high: float

    @property
    def enough(self) -> bool:
        """Whether there are audits enough to show an estimate."""
        return self.audits >= ENOUGH or self.answers == 0


def wrong(
    answers: int, weights: NDArray[np.float64], verdict_wrong: NDArray[np.bool_], settled: NDArray[np.bool_]
) -> Wrong:
    """The estimate from a class's audits: how many answers each stands for, whether it was wrong, whether settled.

    `verdict_wrong` is read only where `settled` is true.
    """
    errors = verdict_wrong & settled
    low, high = interval(weights[settled], errors[settled])
    audits = int(settled.sum())
    share = float(weights[errors].sum() / weights[settled].sum()) if audits else None
    return Wrong(
        answers=answers,
        audits=audits,
        errors=int(errors.sum()),
        unresolved=int((~settled).sum()),
        share=share,
        low=low,
        high=high,
        low_open=interval(weights, errors)[0],
        high_open=interval(weights, errors | ~settled)[1],
        count=None if share is None else share * answers,
        count_low=low * answers,
        count_high=high * answers,
    )


def interval(weights: NDArray[np.float64], errors: NDArray[np.bool_]) -> tuple[float, float]:
    """Bounds of the share of errors, `SURE` between them; 0 and 1 where nothing is known."""
    if not len(weights):
        return 0.0, 1.0
    total = float(weights.sum())
    effective = total * total / float((weights * weights).sum())
    return clopper_pearson(float(weights[errors].sum()) / total * effective, effective)


def clopper_pearson(errors: float, trials: float, sure: float = SURE) -> tuple[float, float]:
    """The interval by quantiles of the beta distribution; both may be fractions, as effective sample sizes are."""
    tail = (1.0 - sure) / 2
    right = trials - errors
    low = 0.0 if errors <= 0 else float(betaincinv(errors, right + 1, tail))
    high = 1.0 if math.isclose(right, 0, abs_tol=1e-9) else float(betaincinv(errors + 1, right, 1 - tail))
    return low, high
