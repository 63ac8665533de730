"""What else was tried for telling an answer to another question, on the training half alone, by cross-validation."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.signals_figures import Half, told_apart
from bench.signals_fiqa import Human
from bench.signals_rows import Floats
from bench.table import table
from teachback.streams.calibration.fit import fit
from teachback.streams.confidence import confidences
from teachback.streams.signals import SIGNALS
from teachback.streams.signals.reading import sentences, word_set
from teachback.streams.signals.texts import answer_text

FOLDS = 10
MOST_SENTENCES = 32
Matrix = NDArray[np.float32]
Score = Callable[[int, int], float]


def candidates(humans: Sequence[Human], train: Half, folder: Path) -> str:
    """AUROC of each candidate by itself and beside the signals that are kept, as a table."""
    plain = validated(train, np.empty((len(train.pairs), 0)), [])
    rows = [("none: the signals that are kept", "", f"{plain[0]:.3f}", f"{plain[1]:.3f}")]
    for name, score in _scores(humans, train, folder).items():
        column = np.array([[score(pair.question, pair.answer)] for pair in train.pairs])
        alone = [told_apart(train, column[:, 0], kind) for kind in ("random", "hard")]
        beside = validated(train, column, [name])
        rows.append((name, f"{alone[0]:.3f} / {alone[1]:.3f}", f"{beside[0]:.3f}", f"{beside[1]:.3f}"))
    for name in SIGNALS:
        if np.isfinite(train.signals[:, SIGNALS.index(name)]).any():
            without = validated(train, np.empty((len(train.pairs), 0)), [], leave=name)
            rows.append((f"without `{name}`", "", f"{without[0]:.3f}", f"{without[1]:.3f}"))
    return table(("training half, candidate", "alone, random / hard", "beside, random", "beside, hard"), rows)


def validated(train: Half, more: Floats, names: list[str], leave: str = "") -> tuple[float, float]:
    """AUROC, random and hard, of scores that were each fitted without the question (ten folds)."""
    kept = [name for name in SIGNALS if name != leave]
    signals = np.hstack([train.signals[:, [SIGNALS.index(name) for name in kept]], more])
    fold = np.array([pair.question for pair in train.pairs]) % FOLDS
    found = np.zeros(len(signals))
    for out in range(FOLDS):
        seen = fold != out
        weights = fit(signals[seen], train.acceptable[seen], [*kept, *names], signals[seen], 1)
        found[~seen] = confidences(signals[~seen], [*kept, *names], weights)
    return told_apart(train, found, "random"), told_apart(train, found, "hard")


def _scores(humans: Sequence[Human], train: Half, folder: Path) -> Mapping[str, Score]:
    """The candidates, each a function of the places of question and answer."""
    from sentence_transformers import SentenceTransformer

    model: Any = SentenceTransformer(str(folder), device="cpu")
    places = sorted({pair.question for pair in train.pairs})
    asked = [humans[place].question for place in places]
    said = [answer_text(humans[place].answer) for place in places]
    questions = dict(zip(places, model.encode(asked, normalize_embeddings=True), strict=True))
    split = {
        p: model.encode(sentences(t, MOST_SENTENCES), normalize_embeddings=True)
        for p, t in zip(places, said, strict=True)
    }
    tokens_asked = dict(zip(places, _tokens(model, asked), strict=True))
    tokens_said = dict(zip(places, _tokens(model, said), strict=True))
    answers = np.stack([model.encode(text, normalize_embeddings=True) for text in said])
    frequency = Counter(word for text in (*asked, *said) for word in word_set(text))

    def rarity(word: str) -> float:
        return math.log(1 + 2 * len(places) / (1 + frequency[word]))

    def rare_overlap(q: int, a: int) -> float:
        words, known = word_set(humans[q].question), word_set(humans[a].answer)
        return sum(map(rarity, words & known)) / max(1e-9, sum(map(rarity, words)))

    used: dict[int, set[int]] = {}
    for pair in train.pairs:
        used.setdefault(pair.question, {pair.question}).add(pair.answer)

    def rival(q: int, _a: int) -> float:
        others = np.array([place not in used[q] for place in places])
        return -float(np.sort(answers[others] @ questions[q])[-5:].mean())

    return {
        "greatest cosine of a sentence": lambda q, a: float((split[a] @ questions[q]).max()),
        "mean cosine of the sentences": lambda q, a: float((split[a] @ questions[q]).mean()),
        "late interaction (MaxSim of ColBERT)": lambda q, a: float((tokens_asked[q] @ tokens_said[a].T).max(1).mean()),
        "overlap of rare words (idf of the corpus)": rare_overlap,
        "cosine of the five nearest approved answers": rival,
    }


def _tokens(model: Any, texts: Sequence[str]) -> list[Matrix]:
    """Unit vectors of each text's tokens, one text at a time: so none is padding."""
    found = [model.encode([text], output_value="token_embeddings")[0].numpy() for text in texts]
    return [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in found]
