"""How good confidences are, against what reviewers decided. Arrays of equal length: `scores` in 0–1, `acceptable`."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.metrics import brier_score_loss, log_loss

from teachback.schemas import Quality, RiskPoint
from teachback.streams.confidence import Floats

BINS = 10
POINTS = 20
Bools = NDArray[np.bool_]


def ece(scores: Floats, acceptable: Bools, bins: int = BINS) -> float:
    """Expected calibration error: mean |confidence − share acceptable| over bins of equal mass (Naeini et al. 2015)."""
    if not len(scores):
        return 0.0
    order = np.argsort(scores, kind="stable")
    parts = [part for part in np.array_split(order, min(bins, len(scores))) if len(part)]
    gaps = [abs(float(scores[part].mean() - acceptable[part].mean())) * len(part) for part in parts]
    return sum(gaps) / len(scores)


def auroc(scores: Floats, acceptable: Bools) -> float | None:
    """P(an acceptable answer scores above a wrong one), ties half (Mann–Whitney); None unless there are both kinds."""
    right = int(acceptable.sum())
    wrong = len(acceptable) - right
    if not right or not wrong:
        return None
    above = float(rankdata(scores)[acceptable].sum()) - right * (right + 1) / 2
    return above / (right * wrong)


def risk_coverage(scores: Floats, acceptable: Bools, points: int = POINTS) -> tuple[RiskPoint, ...]:
    """Share wrong among the most trusted, for even steps of coverage (El-Yaniv & Wiener 2010)."""
    if not len(scores):
        return ()
    wrong = np.cumsum(~acceptable[np.argsort(-scores, kind="stable")])
    counts = sorted({max(1, round(len(scores) * step / points)) for step in range(1, points + 1)})
    return tuple(RiskPoint(coverage=round(n / len(scores), 6), risk=round(float(wrong[n - 1]) / n, 6)) for n in counts)


def quality(scores: Floats, acceptable: Bools) -> Quality:
    """All of them at once. Raises ValueError for no rows."""
    if not len(scores):
        raise ValueError("quality is of at least one labelled exchange")
    area = auroc(scores, acceptable)
    return Quality(
        n=len(scores),
        wrong=int((~acceptable).sum()),
        ece=round(ece(scores, acceptable), 6),
        brier=round(float(brier_score_loss(acceptable, scores)), 6),
        auroc=None if area is None else round(area, 6),
        log_loss=round(loss(scores, acceptable), 6),
    )


def loss(scores: Floats, acceptable: Bools) -> float:
    """Mean log-loss, nats."""
    return float(log_loss(acceptable, scores, labels=[False, True]))
