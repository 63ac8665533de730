"""The measurement itself: fit to the training half, look at the test half."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bench.signals_figures import (
    Half,
    Interval,
    bootstrapped,
    calibration_error,
    fitted,
    prior_error,
    scores,
    shares,
    told_apart,
)
from bench.signals_fiqa import KINDS, Human, Places, halves, pairs
from bench.signals_recurring import recurring
from bench.signals_report import GOALS, Found, Prior, Worth
from bench.signals_rows import Logprobs, Remembered, corpus, rows
from teachback.infra.policy import THRESHOLD
from teachback.streams.confidence import PRIOR, Weights
from teachback.streams.signals import SIGNALS
from teachback.streams.signals.similarity import Vectors

SEED = 0
POOLS = (324, 160, 80, 40)
POOL_DRAWS = 10
SHARES = (1.0, 0.75, 0.5, 0.25, 0.0)
DRAWN_SEEDS = 1000  # splits of the draws have seeds from here on


class Ground(NamedTuple):
    """The set, and what reads it."""

    humans: list[Human]
    embed: Remembered
    questions: Vectors

    def split(self, seed: int, found: Logprobs) -> tuple[Half, Half]:
        """Both halves with their signals; the corpus is the training half."""
        train, test = halves(len(self.humans), seed)
        return self.half(train, train, seed, found), self.half(train, test, seed, found)

    def half(self, train: Places, places: Places, seed: int, found: Logprobs, asked: float = 1.0) -> Half:
        """Exchanges of `places`, with the corpus of the training questions; this share of them was asked lately."""
        made = pairs(places, self.questions, seed)
        reviewed = corpus(self.humans, train.tolist(), self.embed)
        return Half(made, rows(self.humans, made, self.embed, reviewed, found, asked))


def measure(ground: Ground, found: Logprobs, draws: int) -> Found:
    """Fit to the training half, look at the test half once; then other splits for the calibration error."""
    train, test = ground.split(SEED, found)
    whole = fitted(train)
    everything = scores(test, whole)
    areas, errors, chances, unfitted = [], [], [], []
    for draw in range(draws):
        other = ground.split(DRAWN_SEEDS + draw, {})
        drawn = scores(other[1], fitted(other[0]))
        areas.append((told_apart(other[1], drawn, "random"), told_apart(other[1], drawn, "hard")))
        error, chance = calibration_error(*other, seed=draw)
        errors.append(error)
        unfitted.append(prior_error(other[1], seed=draw))
        chances.append(chance)
    present = np.isfinite(test.signals).mean(axis=0)
    live = [name for name, share in zip(SIGNALS, present, strict=True) if share]
    return Found(
        everything=(bootstrapped(test, everything, "random"), bootstrapped(test, everything, "hard")),
        alone={name: _worth(name, train, test, whole, live) for name in live},
        absent=[name for name in SIGNALS if name not in live],
        pools=_pools(ground),
        asked=_asked(ground),
        ece=_spread(errors),
        chance=float(np.mean(chances)),
        draws=draws,
        met=sum(error <= GOALS["ece"] for error in errors),
        areas=(_spread([area for area, _ in areas]), _spread([area for _, area in areas])),
        prior=_prior(test, unfitted),
        recurring=recurring(ground.embed),
    )


def _worth(name: str, train: Half, test: Half, whole: Weights, live: list[str]) -> Worth:
    alone = scores(test, fitted(train, [name]))
    without = scores(test, fitted(train, [other for other in live if other != name]))
    lost = told_apart(test, scores(test, whole), "hard") - told_apart(test, without, "hard")
    return Worth(
        present=float(np.isfinite(test.signals[:, SIGNALS.index(name)]).mean()),
        random=bootstrapped(test, alone, "random"),
        hard=bootstrapped(test, alone, "hard"),
        share=shares(whole).get(name, 0.0),
        lost=lost,
    )


def _prior(test: Half, errors: list[float]) -> Prior:
    """What the stated prior is worth before any label. Without log-probabilities: no chatbot said these answers."""
    names = [name for name in SIGNALS if not name.endswith(("logprob", "entropy"))]
    silent = test.only(names)
    found = scores(silent, PRIOR)
    return Prior(
        random=bootstrapped(silent, found, "random"),
        hard=bootstrapped(silent, found, "hard"),
        ece=_spread(errors),
        passed={kind: float((found[silent.of(kind)] >= THRESHOLD).mean()) for kind in KINDS},
    )


def _pools(ground: Ground) -> dict[int, tuple[float, float]]:
    """Size of the pool that a hard wrong answer is the nearest of → AUROC of the cosine alone, of all signals.

    Without log-probabilities, which only some of these pairs would have.
    """
    train, test = halves(len(ground.humans), SEED)
    whole = fitted(ground.half(train, train, SEED, {}))
    measured = {}
    for size in POOLS:
        areas = []
        for draw in range(POOL_DRAWS if size < len(test) else 1):
            some = np.sort(np.random.default_rng([draw, size]).permutation(test)[:size])
            half = ground.half(train, some, SEED, {})
            cosine = half.signals[:, SIGNALS.index("qa_cosine")]
            areas.append((told_apart(half, cosine, "hard"), told_apart(half, scores(half, whole), "hard")))
        cosines, wholes = zip(*areas, strict=True)
        measured[size] = float(np.mean(cosines)), float(np.mean(wholes))
    return measured


def _asked(ground: Ground) -> dict[float, tuple[float, float, float]]:
    """Share of the questions that were asked lately → AUROC of all signals, random and hard; hard by an older fit.

    Fitted to a training half of which the same share was asked; the older fit, to one of which all were. Without
    log-probabilities.
    """
    train, test = halves(len(ground.humans), SEED)
    older = fitted(ground.half(train, train, SEED, {}))
    measured = {}
    for share in SHARES:
        half = ground.half(train, test, SEED, {}, share)
        found = scores(half, fitted(ground.half(train, train, SEED, {}, share)))
        areas = (told_apart(half, found, "random"), told_apart(half, found, "hard"))
        measured[share] = (*areas, told_apart(half, scores(half, older), "hard"))
    return measured


def _spread(values: list[float]) -> Interval:
    low, high = np.quantile(values, [0.025, 0.975])
    return Interval(float(np.mean(values)), float(low), float(high))
