"""From signals to P(answer acceptable): a logistic function whose weights come from a calibration.

Until there are labels to learn from the weights are a stated prior, and every score says so: `calibration=0`. They were
chosen, not fitted, after looking at half of a public set of questions and answers; `docs/signals.md` has what they are
worth on the other half. An answer to another question is told well, a wrong figure is not: so an audit finds out what
the prior's confidence is worth for a bot, and the fit replaces it.
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


# Cosine and overlap: about three quarters and two thirds of what a fit to FiQA's training half gives (9.3 and 2.4),
# because a wrong answer is rarely as wrong as one to another question; the cosine's centre lies between right answers
# there (median 0.53) and answers to the most similar other question (0.35). The others are reasoned: FiQA has no
# passages, samples, refusals or recurring questions, and no answer that a model wrote. `min_logprob`, `head_logprob`
# and `log_words` have no part: alone they tell nothing, or nothing that their neighbours don't. Nor has
# `rival_cosine`: it is also low where an answer gives the question back, and the demo's base model does little else;
# what it is worth for a bot is for its labels to say.
PRIOR = Weights(
    PRIOR_VERSION,
    0.0,
    (
        _term("qa_cosine", 7.0, 0.38, -0.5),
        _term("question_overlap", 1.5, 0.3, 0.0),
        _term("mean_logprob", 1.0, -0.5, -0.2),
        _term("entropy", -0.8, 0.5, 0.0),
        _term("disagreement", -2.0, 0.0, 0.0),
        _term("hedging", -1.5, 0.0, 0.0),
        _term("refusal", -3.0, 0.0, 0.0),
        _term("cut_off", -2.0, 0.0, 0.0),
        _term("repetition", -4.0, 0.0, 0.0),
        _term("support", 3.0, 0.5, 0.0),
        _term("figures_cited", 1.5, 0.5, 0.0),
        _term("near_approved", 1.0, 0.4, 0.0),
        _term("near_rejected", -1.0, 0.6, 0.0),
        _term("figures_approved", 1.5, 0.4, 0.0),
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
        total += (
            term.missing if value is None or math.isnan(value) else term.weight * ((value - term.centre) / term.scale)
        )
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
