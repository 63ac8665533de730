"""What each signal is worth for telling a wrong answer from a right one: FiQA, real questions and people's answers.

    python -m bench.signals [--logprobs] [--markdown docs/signals.md] [--picture docs/images/signals.png]
    python -m bench.signals --cost                      how fast the signals are, beside embedding alone
    python -m bench.signals --candidates [--logprobs]   what else was tried, on the training half alone
    python -m bench.signals --bank .teachback/demo      what people said of a finished demo's answers
    python -m bench.signals --embedder FOLDER …         any of these with another sentence-transformers model

The questions are cut in two halves by a seed. The training half is the corpus of reviewed answers, and the labels. Each
question gives three exchanges: the answer that a person gave (right), a person's answer to another question of the same
half (random), and a person's answer to the most similar other question of the half (hard). A logistic regression over
all signals, the loop's own fit, is fitted to the training half; the test half is looked at once. The signals were
chosen on the training half by cross-validation (`--candidates`).
"""

from __future__ import annotations

import argparse
import math
import os
from pathlib import Path

from bench.signals_bank import bank
from bench.signals_candidates import candidates
from bench.signals_cost import cost
from bench.signals_fiqa import halves, load, pairs
from bench.signals_logprobs import logprobs, said_unasked
from bench.signals_measure import SEED, Ground, measure
from bench.signals_picture import picture
from bench.signals_report import report
from bench.signals_rows import Logprobs, Remembered
from bench.table import put
from teachback.infra.cache import default_cache
from teachback.infra.models import ensure_base, ensure_embedder
from teachback.schemas import TokenLogprob
from teachback.streams.signals.similarity import SentenceEmbedder


def main() -> None:
    """Measure what the arguments ask for, print it, and put it into a page."""
    parser = argparse.ArgumentParser(prog="python -m bench.signals")
    parser.add_argument(
        "--logprobs", action="store_true", help="with the small base model's log-probabilities: minutes"
    )
    parser.add_argument("--draws", type=int, default=20, help="splits for the calibration error")
    parser.add_argument("--markdown", type=Path, help="the page whose tables are replaced")
    parser.add_argument("--picture", type=Path, help="where to draw it, a PNG")
    parser.add_argument("--cost", action="store_true", help="how fast the signals are")
    parser.add_argument("--candidates", action="store_true", help="what else was tried, on the training half")
    parser.add_argument("--bank", type=Path, metavar="HOME", help="the home of a finished demo, .teachback/demo")
    parser.add_argument("--embedder", type=Path, metavar="FOLDER", help="another sentence-transformers model")
    asked = parser.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"
    cache = default_cache()
    humans, folder = load(cache), asked.embedder or ensure_embedder(cache)
    embedder = SentenceEmbedder(folder, 32)
    if asked.cost:
        print(cost(humans, embedder))
        return
    if asked.bank:
        print(bank(asked.bank, cache, embedder))
        return
    remembered = Remembered(embedder)
    ground = Ground(humans, remembered, remembered([human.question for human in humans]))
    if asked.candidates:
        print(_candidates(ground, cache, folder, asked.logprobs))
        return
    found = _logprobs(ground, cache) if asked.logprobs else {}
    measured = measure(ground, found, asked.draws)
    text = report(measured, len(humans))
    print(text)
    if asked.markdown:
        put(asked.markdown, text)
    if asked.picture:
        picture(measured, asked.picture)


def _logprobs(ground: Ground, cache: Path) -> Logprobs:
    """Those of the pairs of the split that is reported; of other splits' pairs there are none."""
    made = [pair for half in halves(len(ground.humans), SEED) for pair in pairs(half, ground.questions, SEED)]
    return logprobs(ensure_base(cache), cache, ground.humans, made)


def _candidates(ground: Ground, cache: Path, folder: Path, with_model: bool) -> str:
    places, _ = halves(len(ground.humans), SEED)
    train = ground.half(places, places, SEED, {})
    if not with_model:
        return candidates(ground.humans, train, folder, None)
    base = ensure_base(cache)
    asked = logprobs(base, cache, ground.humans, train.pairs)
    unasked = said_unasked(base, cache, ground.humans, places.tolist())
    return candidates(ground.humans, train, folder, lambda q, a: _information(asked[q, a], unasked[a]))


def _information(asked: tuple[TokenLogprob, ...], unasked: tuple[TokenLogprob, ...]) -> float:
    """ln P(answer | question) − ln P(answer), over the root of the length: their pointwise mutual information."""
    gains = [a.logprob - b.logprob for a, b in zip(asked, unasked, strict=True)]
    return sum(gains) / math.sqrt(len(gains))


if __name__ == "__main__":
    main()
