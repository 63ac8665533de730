"""What else was tried for telling an answer to another question, on the training half alone, by cross-validation."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.signals_figures import Half, fitted, told_apart
from bench.signals_fiqa import KINDS, Human
from bench.signals_rows import Floats
from bench.table import table
from teachback.streams.calibration.fit import fit
from teachback.streams.confidence import confidences
from teachback.streams.signals import SIGNALS
from teachback.streams.signals.reading import sentences, word_set
from teachback.streams.signals.texts import answer_text

FOLDS = 10
PARTS = 32
PIECE = 1000  # characters
CROWD = 3
TELLING = ("qa_cosine", "question_overlap", "log_words")
RIVAL = "rival_cosine"
Matrix = NDArray[np.float32]
Score = Callable[[int, int], float]
Texts = Mapping[int, tuple[str, str]]
"""Place → question and answer."""


def candidates(humans: Sequence[Human], train: Half, folder: Path, information: Score | None) -> str:
    """AUROC of each candidate by itself and beside the signals that are kept, as a table; and what the prior rests on.

    `information` is the mutual information of question and answer by a language model, where it was computed.
    """
    plain = validated(train, np.empty((len(train.pairs), 0)), [])
    rows = [("none: the signals that are kept", "", f"{plain[0]:.3f}", f"{plain[1]:.3f}")]
    scores = dict(_scores(humans, train, folder))
    if information is not None:
        scores["mutual information by the 135M model"] = information
    for name, score in scores.items():
        column = np.array([[score(pair.question, pair.answer)] for pair in train.pairs])
        alone = [told_apart(train, column[:, 0], kind) for kind in ("random", "hard")]
        beside = validated(train, column, [name])
        rows.append((name, f"{alone[0]:.3f} / {alone[1]:.3f}", f"{beside[0]:.3f}", f"{beside[1]:.3f}"))
    for name in SIGNALS:
        if np.isfinite(train.signals[:, SIGNALS.index(name)]).any():
            without = validated(train, np.empty((len(train.pairs), 0)), [], leave=name)
            rows.append((f"without `{name}`", "", f"{without[0]:.3f}", f"{without[1]:.3f}"))
    found = table(("training half, candidate", "alone, random / hard", "beside, random", "beside, hard"), rows)
    return f"{found}\n\n{grounds(train)}"


def grounds(train: Half) -> str:
    """What the prior's weights for the telling signals rest on: a fit to as many right answers as wrong ones."""
    without, with_rival = _per_unit(train, TELLING), _per_unit(train, (*TELLING, RIVAL))
    rows = []
    for name in (*TELLING, RIVAL):
        values = train.signals[:, SIGNALS.index(name)]
        medians = (f"{np.nanmedian(values[train.of(kind)]):.2f}" for kind in KINDS)
        alone = f"{without[name]:.1f}" if name in without else ""
        rows.append((f"`{name}`", "", alone, f"{with_rival[name]:.1f}", *medians))
    head = ("training half", "", "fitted weight a unit", "beside the rival", *(f"median, {kind}" for kind in KINDS))
    return table(head, rows)


def _per_unit(train: Half, names: Sequence[str]) -> dict[str, float]:
    return {term.signal: term.weight / term.scale for term in fitted(train.one_each(0), names).terms}


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
    texts = {place: (humans[place].question, humans[place].answer) for place in places}
    return {
        **_by_parts(texts, model),
        "overlap of rare words (idf of the corpus)": _rare_overlap(texts),
        **_by_neighbours(texts, model, _used(train)),
    }


def _by_parts(texts: Texts, model: Any) -> Mapping[str, Score]:
    """Question against parts of the answer."""
    questions = {p: model.encode(asked, normalize_embeddings=True) for p, (asked, _) in texts.items()}
    sentence = {p: model.encode(sentences(answer_text(said), PARTS)) for p, (_, said) in texts.items()}
    piece = {p: model.encode([said[i : i + PIECE] for i in _cuts(said)]) for p, (_, said) in texts.items()}
    asked_tokens = {p: _tokens(model, asked) for p, (asked, _) in texts.items()}
    said_tokens = {p: _tokens(model, answer_text(said)) for p, (_, said) in texts.items()}
    return {
        "greatest cosine of a sentence": lambda q, a: float((_units(sentence[a]) @ questions[q]).max()),
        "mean cosine of the sentences": lambda q, a: float((_units(sentence[a]) @ questions[q]).mean()),
        f"greatest cosine of {PIECE:,} characters": lambda q, a: float((_units(piece[a]) @ questions[q]).max()),
        "late interaction (MaxSim of ColBERT)": lambda q, a: float((asked_tokens[q] @ said_tokens[a].T).max(1).mean()),
    }


def _rare_overlap(texts: Texts) -> Score:
    frequency = Counter(word for both in texts.values() for text in both for word in word_set(text))

    def rarity(word: str) -> float:
        return math.log(1 + 2 * len(texts) / (1 + frequency[word]))

    def score(q: int, a: int) -> float:
        words, known = word_set(texts[q][0]), word_set(texts[a][1])
        return sum(map(rarity, words & known)) / max(1e-9, sum(map(rarity, words)))

    return score


def _by_neighbours(texts: Texts, model: Any, used: Mapping[int, set[int]]) -> Mapping[str, Score]:
    """Question and answer against other approved questions and answers, without those that the question's pairs use.

    The middle one is the local scaling of Conneau et al. (2018, CSLS): a cosine counts less among many that are as
    near. The first has no figure alone: it is the same for every answer to a question.
    """
    places = list(texts)
    row = {place: number for number, place in enumerate(places)}
    asked = model.encode([question for question, _ in texts.values()], normalize_embeddings=True)
    said = model.encode([answer_text(answer) for _, answer in texts.values()], normalize_embeddings=True)
    others = {q: np.array([place not in used[q] for place in places]) for q in places}

    def crowd_of_question(q: int, count: int) -> float:
        return float(np.sort(said[others[q]] @ asked[row[q]])[-count:].mean())

    def crowd_of_answer(q: int, a: int, count: int) -> float:
        return float(np.sort(asked[others[q]] @ said[row[a]])[-count:].mean())

    def scaled(q: int, a: int) -> float:
        near = crowd_of_question(q, CROWD) + crowd_of_answer(q, a, CROWD)
        return 2 * float(asked[row[q]] @ said[row[a]]) - near

    def product(q: int, a: int) -> float:
        like = asked[others[q]] @ asked[row[q]]
        nearest = int(like.argmax())
        return float(like[nearest] * (said[others[q]][nearest] @ said[row[a]]))

    return {
        "cosine of the five nearest approved answers": lambda q, _a: -crowd_of_question(q, 5),
        "cosine scaled by its neighbourhood (CSLS)": scaled,
        "nearest approved question's cosine × its answer's": product,
    }


def _used(train: Half) -> dict[int, set[int]]:
    used: dict[int, set[int]] = {}
    for pair in train.pairs:
        used.setdefault(pair.question, {pair.question}).add(pair.answer)
    return used


def _cuts(text: str) -> range:
    return range(0, min(len(text), PARTS * PIECE), PIECE)


def _tokens(model: Any, text: str) -> Matrix:
    """Unit vectors of the text's tokens; one text at a time, so that none is padding."""
    return _units(model.encode([text], output_value="token_embeddings")[0].numpy())


def _units(rows: Matrix) -> Matrix:
    units: Matrix = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return units
