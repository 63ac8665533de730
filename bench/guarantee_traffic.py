"""Made-up traffic for the bench of the guarantee: three mixes of questions, each a finite population.

Each exchange has a hidden ease x, standard normal. Its answer is wrong with the chance 1 / (1 + e^(b x − a)), and what
scoring sees are noisy signals of x, some of them missing. Streams are drawn from the population with replacement, so
the error of any class of answers is known exactly: it is the mean chance of its members.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Places = NDArray[np.int64]

SIZE = 20_000
SIGNALS = ("qa_cosine", "support", "mean_logprob", "entropy", "log_words")
CENTRES = np.array([0.55, 0.5, -0.7, 0.8, 4.0])
SCALES = np.array([0.15, 0.15, 0.3, -0.3, 0.7])
MISSING = np.array([0.0, 0.2, 0.2, 0.2, 0.0])
"""Shares of exchanges that lack a signal; the two that come from token log-probabilities lack together."""


class Mix(NamedTuple):
    """How much of the traffic is wrong, how steeply that falls with ease, and how well each signal tells ease."""

    name: str
    wrong: float
    steepness: float
    correlations: tuple[float, ...]


MIXES = (
    Mix("easy", 0.06, 3.0, (0.85, 0.6, 0.4, 0.4, 0.1)),
    Mix("middle", 0.13, 2.5, (0.75, 0.5, 0.3, 0.3, 0.1)),
    Mix("hard", 0.2, 2.8, (0.72, 0.45, 0.2, 0.2, 0.05)),
)


class Population(NamedTuple):
    """Exchanges: `signals` (n, len(SIGNALS)), nan where missing; `chance` (n,) that the answer is wrong."""

    signals: Floats
    chance: Floats


def population(mix: Mix, seed: int, size: int = SIZE) -> Population:
    """The same for the same seed."""
    dice = np.random.default_rng(seed)
    ease = dice.standard_normal(size)
    told = np.array(mix.correlations)
    noise = dice.standard_normal((size, len(SIGNALS)))
    signals = CENTRES + SCALES * (told * ease[:, None] + np.sqrt(1 - told**2) * noise)
    absent = dice.random((size, len(SIGNALS))) < MISSING
    absent[:, 3] = absent[:, 2]
    signals[absent] = np.nan
    return Population(signals, _chance(ease, mix))


def _chance(ease: Floats, mix: Mix) -> Floats:
    """Chances whose mean is the mix's share of wrong answers, exactly."""

    def of(level: float) -> Floats:
        chances: Floats = 1.0 / (1.0 + np.exp(mix.steepness * ease - level))
        return chances

    return of(float(brentq(lambda level: float(of(level).mean()) - mix.wrong, -20.0, 20.0)))
