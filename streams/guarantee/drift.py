"""Whether audits since a certificate speak against it: a change detector whose false alarms are bounded.

A Shiryaev–Roberts procedure made of e-values (Shin, Ramdas & Rinaldo 2024, "E-detectors"): after each audit the
statistic becomes (itself + 1) × likelihood ratio of "p₁ are wrong" against "the target is wrong", averaged over several
p₁ above the target. As long as at most the target are wrong, the mean of the statistic grows by at most 1 an audit, so
the mean number of audits to a false alarm is at least `AVERAGE_RUN`.
"""

from collections.abc import Sequence

import numpy as np

AVERAGE_RUN = 10_000
"""Audits of the class, on average and at least, before a false alarm: years, for most chatbots."""
FACTORS = (1.5, 2.0, 3.0, 5.0)


def alarm(wrong: Sequence[bool], target: float, average_run: float = AVERAGE_RUN) -> int | None:
    """How many of these audits, in order, it took until the alarm; None while there is none."""
    worse = np.minimum(0.99, np.array(FACTORS) * target)
    if_wrong, if_right = worse / target, (1 - worse) / (1 - target)
    statistic = np.zeros(len(worse))
    for count, is_wrong in enumerate(wrong, 1):
        statistic = (statistic + 1) * (if_wrong if is_wrong else if_right)
        if statistic.mean() >= average_run:
            return count
    return None
