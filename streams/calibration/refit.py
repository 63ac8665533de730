"""When to fit anew, and whether the new fit is worth publishing. Pure.

A first fit waits for `first` labels; the next for half as many again as the one before had. A new fit must not be worse
than its forerunner on the newest audits, which neither of them has seen: the forerunner was published before they came,
and the new fit is judged by cross-validation.
"""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from teachback.schemas import Calibration
from teachback.schemas.event import now
from teachback.schemas.ids import derived, sha256_of
from teachback.streams.calibration.attempts import Timed
from teachback.streams.calibration.evidence import Known, Settled, matrix, may_learn, names_of
from teachback.streams.calibration.fit import Bools, fit
from teachback.streams.calibration.quality import loss, quality, risk_coverage
from teachback.streams.confidence import Floats, Weights, confidences
from teachback.streams.guarantee import walk_of

FOLDS = 5
GROWTH = 1.5
ENOUGH_AUDITS = 10  # with fewer new ones, all new labels are compared


class Worse(NamedTuple):
    """Why a fit was not published: its mean log-loss and its forerunner's on the newest labels, and how many."""

    candidate: float
    forerunner: float
    n: int


class Labels(NamedTuple):
    """Labelled exchanges that a calibration may see, oldest first."""

    known: tuple[Known, ...]
    acceptable: Bools


def labels(known: Sequence[Known], settled: dict[str, Settled]) -> Labels:
    """What may be learnt from, of labelled exchanges in order."""
    chosen = tuple(one for one in known if may_learn(one))
    return Labels(chosen, np.array([settled[one.id].acceptable for one in chosen], dtype=bool))


def due(count: int, last: Calibration | None, first: int) -> bool:
    """Whether there are enough labels for another fit."""
    return count >= (first if last is None else max(first, int(np.ceil(last.labels * GROWTH))))


def refit(
    bot: str,
    found: Labels,
    traffic: Sequence[dict[str, float]],
    forerunner: Weights,
    last: Timed[Calibration] | None,
    walk: tuple[float, int],
) -> Calibration | Worse:
    """The next calibration, or why it is not better than `last`.

    `walk` is the start and the number of steps of the promise. Raises ValueError without labels.
    """
    names = names_of([*(one.signals for one in found.known), *traffic])
    signals, crowd = matrix([one.signals for one in found.known], names), matrix(traffic, names)
    version = (last.event.version if last else 0) + 1
    unseen = cross_validated(found, signals, names, crowd)
    before = confidences(signals, names, forerunner)
    newest = _newest(found, last.time if last else 0)
    if len(newest):
        candidate, old = (loss(scores[newest], found.acceptable[newest]) for scores in (unseen, before))
        if candidate > old:
            return Worse(round(candidate, 6), round(old, 6), len(newest))
    weights = fit(signals, found.acceptable, names, crowd, version)
    return Calibration(
        id=derived("calibration", bot, version),
        bot=bot,
        created=now(),
        version=version,
        intercept=weights.intercept,
        terms=weights.terms,
        labels=len(found.known),
        audits=sum(one.route == "audit" for one in found.known),
        wrong=int((~found.acceptable).sum()),
        sha256=sha256_of(sorted(one.id for one in found.known)),
        quality=quality(unseen, found.acceptable),
        forerunner=quality(before, found.acceptable),
        risk_coverage=risk_coverage(unseen, found.acceptable),
        walk=walk_of(confidences(crowd, names, weights), *walk),
        traffic=len(crowd),
    )


def cross_validated(found: Labels, signals: Floats, names: Sequence[str], traffic: Floats) -> Floats:
    """Each exchange's confidence by a fit that has not seen it; folds are by a hash of the id."""
    fold = np.array([hashlib.sha256(one.id.encode()).digest()[8] % FOLDS for one in found.known])
    scores = np.zeros(len(fold))
    for held in range(FOLDS):
        out = fold == held
        if out.any():
            weights = fit(signals[~out], found.acceptable[~out], names, traffic, 0)
            scores[out] = confidences(signals[out], names, weights)
    return scores


def _newest(found: Labels, since: int) -> list[int]:
    """Places of what was scored since the forerunner came onto the log, ms: the audits if there are enough of them."""
    places = [place for place, one in enumerate(found.known) if one.time > since]
    audits = [place for place in places if found.known[place].route == "audit"]
    return audits if len(audits) >= ENOUGH_AUDITS else places
