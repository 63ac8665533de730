"""What each signal is worth for telling a wrong answer from a right one: FiQA, real questions and people's answers.

    python -m bench.signals [--logprobs] [--draws 20] [--markdown docs/signals.md]
    python -m bench.signals --cost          how fast the signals are, beside embedding alone
    python -m bench.signals --candidates    what else was tried, on the training half alone

The questions are cut in two halves by a seed. The training half is the corpus of reviewed answers, and the labels. Each
question gives three exchanges: the answer that a person gave (right), a person's answer to another question of the same
half (random), and a person's answer to the most similar other question of the half (hard). A logistic regression over
all signals, the loop's own fit, is fitted to the training half; the test half is looked at once. The signals were
chosen on the training half by cross-validation (`--candidates`).
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bench.signals_bank import bank
from bench.signals_candidates import candidates
from bench.signals_cost import cost
from bench.signals_figures import (
    Half,
    Interval,
    bootstrapped,
    calibration_error,
    fitted,
    scores,
    shares,
    told_apart,
)
from bench.signals_fiqa import Human, Places, halves, load, pairs
from bench.signals_logprobs import logprobs
from bench.signals_report import Found, Worth, report
from bench.signals_rows import Logprobs, Remembered, corpus, rows
from bench.table import put
from teachback.infra.cache import default_cache
from teachback.infra.models import ensure_base, ensure_embedder
from teachback.streams.confidence import Weights
from teachback.streams.signals import SIGNALS
from teachback.streams.signals.similarity import SentenceEmbedder, Vectors

SEED = 0
POOLS = (324, 160, 80, 40)
POOL_DRAWS = 10
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

    def half(self, train: Places, places: Places, seed: int, found: Logprobs) -> Half:
        """Exchanges of `places`, with the corpus of the training questions."""
        made = pairs(places, self.questions, seed)
        reviewed = corpus(self.humans, train.tolist(), self.embed)
        return Half(made, rows(self.humans, made, self.embed, reviewed, found))


def main() -> None:
    """Measure what the arguments ask for, print it, and put it into a page."""
    parser = argparse.ArgumentParser(prog="python -m bench.signals")
    parser.add_argument(
        "--logprobs", action="store_true", help="with the small base model's log-probabilities: minutes"
    )
    parser.add_argument("--draws", type=int, default=20, help="splits for the calibration error")
    parser.add_argument("--markdown", type=Path, help="the page whose table is replaced")
    parser.add_argument("--cost", action="store_true", help="how fast the signals are")
    parser.add_argument("--candidates", action="store_true", help="what else was tried, on the training half")
    asked = parser.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"
    cache = default_cache()
    humans, folder = load(cache), ensure_embedder(cache)
    embedder = SentenceEmbedder(folder, 32)
    if asked.cost:
        print(cost(humans, embedder))
        return
    remembered = Remembered(embedder)
    ground = Ground(humans, remembered, remembered([human.question for human in humans]))
    if asked.candidates:
        places, _ = halves(len(humans), SEED)
        print(candidates(humans, ground.half(places, places, SEED, {}), folder))
        return
    found = _logprobs(ground, cache) if asked.logprobs else {}
    text = report(measure(ground, found, asked.draws), len(humans))
    print(text)
    if asked.markdown:
        put(asked.markdown, text)


def measure(ground: Ground, found: Logprobs, draws: int) -> Found:
    """Fit to the training half, look at the test half once; then other splits for the calibration error."""
    train, test = ground.split(SEED, found)
    whole = fitted(train)
    everything = scores(test, whole)
    areas, errors, chances = [], [], []
    for draw in range(draws):
        other = ground.split(DRAWN_SEEDS + draw, {})
        drawn = scores(other[1], fitted(other[0]))
        areas.append((told_apart(other[1], drawn, "random"), told_apart(other[1], drawn, "hard")))
        error, chance = calibration_error(*other, seed=draw)
        errors.append(error)
        chances.append(chance)
    present = np.isfinite(test.signals).mean(axis=0)
    live = [name for name, share in zip(SIGNALS, present, strict=True) if share]
    return Found(
        everything=(bootstrapped(test, everything, "random"), bootstrapped(test, everything, "hard")),
        alone={name: _worth(name, train, test, whole, live) for name in live},
        absent=[name for name in SIGNALS if name not in live],
        pools=_pools(ground),
        ece=_spread(errors),
        chance=float(np.mean(chances)),
        draws=draws,
        areas=(_spread([area for area, _ in areas]), _spread([area for _, area in areas])),
        bank=bank(ground.embed),
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


def _logprobs(ground: Ground, cache: Path) -> Logprobs:
    """Those of the pairs of the split that is reported; of other splits' pairs there are none."""
    made = [pair for half in halves(len(ground.humans), SEED) for pair in pairs(half, ground.questions, SEED)]
    return logprobs(ensure_base(cache), cache, ground.humans, made)


def _spread(values: list[float]) -> Interval:
    low, high = np.quantile(values, [0.025, 0.975])
    return Interval(float(np.mean(values)), float(low), float(high))


if __name__ == "__main__":
    main()
