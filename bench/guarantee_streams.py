"""One stream of audits through the guarantee, with a look after every audit, and what else one could have done with it.

The estimators are the real ones (`fit`, `confidences`, `walk_of`). A look after every audit is made cheap by counting:
an e-value falls with every error, so for each number of audits there is a largest number of errors that certifies.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binom

from bench.guarantee_traffic import SIGNALS, Bools, Floats, Places, Population
from teachback.streams.calibration.fit import fit
from teachback.streams.confidence import confidences
from teachback.streams.guarantee import CERTIFY_SHARE, walk_of

Counts = NDArray[np.int64]
LogE = Callable[[ArrayLike, ArrayLike, float], Floats]

AUDITS = 4_000
TRAFFIC = 2_000  # unlabelled exchanges from which a calibration takes its coverages
FIRST, GROWTH = 50, 1.5  # labels of the first fit, and how many times as many each next one has


class Version(NamedTuple):
    """A calibration in a stream, and its walk: thresholds from strict to loose and what is true of each class."""

    published: int  # audits of the stream until then
    planned: Floats  # coverages by the traffic seen, (steps,)
    coverage: Floats  # true share of traffic at or above the threshold
    error: Floats  # true share of wrong answers in it
    oracle: float  # coverage of the loosest threshold of all whose class is no worse than the target
    seen: Counts  # certifying audits in the class so far, after each of them, (steps, certifying audits)
    errors: Counts  # of these, wrong

    def since(self, places: Places) -> tuple[Counts, Counts]:
        """`seen` and `errors` of the audits after the calibration was published; 0 until then."""
        before = int(np.searchsorted(places, self.published))
        if not before:
            return self.seen, self.errors
        seen, errors = (np.maximum(of - of[:, before - 1 : before], 0) for of in (self.seen, self.errors))
        return seen, errors


class Stream(NamedTuple):
    """`places` of the certifying audits among all, from 0; whether each was wrong; calibrations in order."""

    places: Places
    wrong: Bools
    versions: tuple[Version, ...]


class Accepted(NamedTuple):
    """The accepted class over time: from which number of audits on, its true coverage and its true error."""

    since: int
    coverage: float
    error: float


def stream(people: Population, seed: tuple[int, ...], target: float, walk: tuple[float, int], audits: int) -> Stream:
    """Draw audits, split them, refit on the way. Only audits are labelled: reviews would teach a calibration more."""
    dice = np.random.default_rng(seed)
    drawn = dice.integers(0, len(people.chance), audits)
    wrong = dice.random(audits) < people.chance[drawn]
    certifies = dice.random(audits) < CERTIFY_SHARE
    traffic = dice.integers(0, len(people.chance), TRAFFIC)
    teaching, places = np.flatnonzero(~certifies), np.flatnonzero(certifies)
    versions: list[Version] = []
    labels = FIRST
    while labels <= len(teaching):
        rows = teaching[:labels]
        crowd = people.signals[traffic]
        weights = fit(people.signals[drawn[rows]], ~wrong[rows], SIGNALS, crowd, len(versions) + 1)
        scores = confidences(people.signals, SIGNALS, weights)
        steps = walk_of(scores[traffic], *walk)
        thresholds = np.array([step.threshold for step in steps])
        planned = np.array([step.coverage for step in steps])
        inside = scores[drawn[places]] >= thresholds[:, None]
        errors = inside & wrong[places]
        truth = _truth(scores, people.chance, thresholds, target)
        versions.append(Version(int(rows[-1]) + 1, planned, *truth, inside.cumsum(axis=1), errors.cumsum(axis=1)))
        labels = int(np.ceil(labels * GROWTH))
    return Stream(places, wrong[places], tuple(versions))


def _truth(scores: Floats, chance: Floats, thresholds: Floats, target: float) -> tuple[Floats, Floats, float]:
    order = np.argsort(-scores, kind="stable")
    fallen = scores[order]
    error = np.cumsum(chance[order]) / np.arange(1, len(order) + 1)
    members = np.searchsorted(-fallen, -thresholds, side="right")
    whole = np.append(fallen[1:] < fallen[:-1], True)  # a threshold cannot part equal scores
    safe = np.flatnonzero((error <= target) & whole)
    oracle = (int(safe[-1]) + 1) / len(order) if len(safe) else 0.0
    return members / len(order), error[members - 1], oracle


def limits(log_e: LogE, target: float, alpha: float, audits: int) -> Counts:
    """For each number of audits from 0, the most errors with which the e-value reaches 1/α; −1 where none does."""
    return _limits(lambda n, k: log_e(n, k, target) >= -np.log(alpha), audits)


def exact_limits(target: float, alpha: float, audits: int) -> Counts:
    """The same for one look of Clopper and Pearson: their upper bound at 1 − α is at most the target."""
    return _limits(lambda n, k: binom.cdf(k, n, target) <= alpha, audits)


def _limits(suffices: Callable[[Floats, Floats], Bools], audits: int) -> Counts:
    found = np.full(audits + 1, -1, dtype=np.int64)
    number = np.arange(audits + 1, dtype=np.float64)
    for errors in range(audits + 1):
        enough = np.zeros(audits + 1, dtype=bool)
        enough[errors:] = suffices(number[errors:], np.full(audits + 1 - errors, float(errors)))
        if not enough.any():
            break
        found[enough] = errors
    return found


def guaranteed(one: Stream, allowed: list[Counts]) -> list[Accepted]:
    """What is accepted by the guarantee, `allowed` being the limits of each attempt: the most coverage certified.

    A calibration rests on the audits since it was published alone.
    """
    reached: list[tuple[int, float, float, float]] = []
    for version, most in zip(one.versions, allowed, strict=False):
        seen, errors = version.since(one.places)
        enough = errors <= most[seen]
        first = np.where(enough.any(axis=1), enough.argmax(axis=1), -1)
        walked = np.cumprod(first >= 0).astype(bool)
        at = np.maximum.accumulate(first[walked])  # a step waits for every stricter one
        when = one.places[at] + 1
        facts = (version.planned[walked], version.coverage[walked], version.error[walked])
        reached += zip(*(column.tolist() for column in (when, *facts)), strict=True)
    found: list[Accepted] = []
    best = 0.0
    for moment, planned, coverage, error in sorted(reached):
        if planned > best:
            best = planned
            found.append(Accepted(moment, coverage, error))
    return found


def one_look(one: Stream, most: Counts, audits: int) -> Accepted:
    """What a single look after so many audits accepts, by the calibration that is newest then; fixed sequence too."""
    version = newest(one, audits)
    if version is None:
        return Accepted(audits, 0.0, 0.0)
    last = int(np.searchsorted(one.places, audits)) - 1
    step = int(np.cumprod(version.errors[:, last] <= most[version.seen[:, last]]).sum()) - 1
    facts = (float(version.coverage[step]), float(version.error[step])) if step >= 0 else (0.0, 0.0)
    return Accepted(audits, *facts)


def every_look(one: Stream, most: Counts) -> list[Accepted]:
    """What is accepted by who looks so after every audit, as if each look were the only one."""
    ends = [*(version.published for version in one.versions[1:]), int(one.places[-1]) + 2]
    found: list[Accepted] = []
    for version, end in zip(one.versions, ends, strict=True):
        step = np.cumprod(version.errors <= most[version.seen], axis=0).sum(axis=0) - 1
        looks = np.flatnonzero((one.places + 1 >= version.published) & (one.places + 1 < end))
        news = looks[np.append(True, step[looks][1:] != step[looks][:-1])] if len(looks) else looks
        for place in news:
            at = step[place]
            facts = (float(version.coverage[at]), float(version.error[at])) if at >= 0 else (0.0, 0.0)
            found.append(Accepted(int(one.places[place]) + 1, *facts))
    return found


def newest(one: Stream, audits: int) -> Version | None:
    """The calibration in service after so many audits."""
    published = [version for version in one.versions if version.published <= audits]
    return published[-1] if published else None


def covered(found: list[Accepted], audits: int) -> float:
    """True coverage of what was accepted after so many audits."""
    stands = [one.coverage for one in found if one.since <= audits]
    return float(stands[-1]) if stands else 0.0


def broken(found: list[Accepted], target: float) -> bool:
    """Whether the true error of the accepted class was ever above the target."""
    return any(one.error > target for one in found)
