"""Logistic regression over signals, with indicators for missing ones, shrunk towards the stated prior.

Two things keep few labels from overfitting. The prior speaks too, as made-up rows: exchanges of the bot's own traffic,
each counted as right with the prior's confidence and as wrong with the rest, which together weigh as much as
`PRIOR_WEIGHT` labels (the catalytic prior of Huang, Stein, Rubin & Kou, PNAS 2020). And weights are shrunk towards zero
(L2 on standardised signals). So without labels the fit says nearly what the prior says, and the more labels, the less.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit
from sklearn.linear_model import LogisticRegression

from teachback.schemas import Term
from teachback.streams.confidence import FARTHEST, PRIOR, Floats, Weights, confidences

PRIOR_WEIGHT = 20.0  # labels that the prior is worth
PRIOR_ROWS = 400
C = 1.0  # inverse strength of the L2 penalty; 1.0 is a standard normal prior on standardised weights
LEAST_SCALE = 1e-6
Bools = NDArray[np.bool_]


class Design(NamedTuple):
    """How signals become columns: standardised values (0 where missing), then indicators of what is missing."""

    names: tuple[str, ...]
    columns: tuple[int, ...]
    centres: Floats
    scales: Floats
    indicators: tuple[int, ...]  # places in `names` of signals that some exchanges have and others don't

    def rows(self, signals: Floats) -> Floats:
        """The matrix of the regression, shape (n, signals + indicators)."""
        picked = signals[:, list(self.columns)]
        absent = np.isnan(picked)
        values = np.where(absent, 0.0, (picked - self.centres) / self.scales)
        return np.hstack([values, absent[:, list(self.indicators)].astype(np.float64)])


def design(signals: Floats, names: Sequence[str]) -> Design:
    """The design for these exchanges, shape (n, len(names)), nan where missing, without signals that never vary."""
    chosen = [place for place in range(len(names)) if _varies(signals[:, place])]
    picked = signals[:, chosen]
    return Design(
        tuple(names[place] for place in chosen),
        tuple(chosen),
        np.nanmean(picked, axis=0) if chosen else np.zeros(0),
        np.maximum(np.nanstd(picked, axis=0), LEAST_SCALE) if chosen else np.ones(0),
        tuple(i for i in range(len(chosen)) if np.isnan(picked[:, i]).any()),
    )


def tamed(signals: Floats) -> Floats:
    """Without the few values that are absurdly far out: one of them would set the scale for all the others.

    They are moved to one span beyond the span of all but a hundredth on either side; a signal without a span stays.
    """
    found = signals.copy()
    for column in found.T:
        present = ~np.isnan(column)
        if present.any():
            low = np.percentile(column[present], 1, method="higher")
            high = np.percentile(column[present], 99, method="lower")
            if high > low:
                column[present] = np.clip(column[present], 2 * low - high, 2 * high - low)
    return found


def fit(
    signals: Floats, acceptable: Bools, names: Sequence[str], traffic: Floats, version: int, prior: Weights = PRIOR
) -> Weights:
    """Weights fitted to labelled exchanges: `signals` (n, len(names)), nan where missing; `acceptable` (n,).

    `traffic` are signals of exchanges of the same bot, labelled or not, that carry the prior; at least one of the two
    must hold rows. Where no signal varies there is only an intercept. Deterministic. Raises ValueError for no rows at
    all, or for values that are infinite.
    """
    everything = np.vstack([signals, traffic])
    if not len(everything) or np.isinf(everything).any():
        raise ValueError("a fit needs at least one exchange, and signals that are finite or missing")
    everything = tamed(everything)
    signals = everything[: len(signals)]
    plan = design(everything, names)
    carriers = everything[np.linspace(0, len(everything) - 1, min(PRIOR_ROWS, len(everything))).astype(int)]
    trusted = confidences(carriers, names, prior)
    each = PRIOR_WEIGHT / len(carriers)
    rows = plan.rows(np.vstack([signals, carriers, carriers]))
    said = np.concatenate([acceptable, np.ones(len(carriers), bool), np.zeros(len(carriers), bool)])
    weigh = np.concatenate([np.ones(len(signals)), each * trusted, each * (1.0 - trusted)])
    if not plan.names:
        alone = np.clip(logit(np.average(said, weights=weigh)), -FARTHEST, FARTHEST)
        return Weights(version, round(float(alone), 6), ())
    model = LogisticRegression(C=C, max_iter=1000, tol=1e-8).fit(rows, said, sample_weight=weigh)
    return _weights(plan, model.coef_[0], float(model.intercept_[0]), version)


def _varies(column: Floats) -> bool:
    present = column[~np.isnan(column)]
    return bool(len(present)) and bool(np.ptp(present) > LEAST_SCALE or len(present) < len(column))


def _weights(plan: Design, found: Floats, intercept: float, version: int) -> Weights:
    values, absences = found[: len(plan.names)], found[len(plan.names) :]
    missing = dict(zip(plan.indicators, absences, strict=True))
    terms = tuple(
        Term(
            signal=name,
            weight=round(float(values[i]), 6),
            centre=round(float(plan.centres[i]), 6),
            scale=max(LEAST_SCALE, round(float(plan.scales[i]), 6)),
            missing=round(float(missing.get(i, 0.0)), 6),
        )
        for i, name in enumerate(plan.names)
    )
    return Weights(version, round(intercept, 6), terms)
