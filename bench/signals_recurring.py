"""What the signals see where questions recur, and what they are blind to: the demo bank's inbox, which is invented.

Of each fact three wordings are reviewed (the right answer, and as rejected the one with a wrong figure), the others are
asked: with the right answer, with one figure wrong, and with the answer to the most similar question about something
else. Right answers are the approved ones word for word, which no chatbot manages: figures are an upper end. What they
show is which signal is blind to what.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from bench.signals_fiqa import Human
from bench.signals_rows import Asked, Floats, Labels, exchanges_of
from bench.table import table
from teachback.infra.harbour.bank import Fact, facts
from teachback.streams.calibration.quality import auroc
from teachback.streams.corpus import Corpus
from teachback.streams.signals import SIGNALS, tier_zero
from teachback.streams.signals.similarity import Embedder
from teachback.streams.signals.tier_one import tier_one

REVIEWED = 3
LOW_IS_GOOD = ("rival_cosine", "near_rejected")
SHOWN = ("qa_cosine", "rival_cosine", "question_overlap", "near_approved", "near_rejected", "figures_approved")


def recurring(embed: Embedder) -> str:
    """AUROC of each signal against answers with a wrong figure, and against answers to another question."""
    known = facts()
    seen = [(fact, wording) for fact in known for wording in fact.wordings[:REVIEWED]]
    approved = {-place: Human(wording, fact.answer) for place, (fact, wording) in enumerate(seen, 1)}
    rejected = {-place: fact.sloppy_edit for place, (fact, _) in enumerate(seen, 1)}
    reviewed = Corpus(Labels(approved, rejected), embed)
    reviewed.catch_up()
    asked = [(fact, wording) for fact in known for wording in fact.wordings[REVIEWED:]]
    others = _others(known, asked, embed)
    right, figure, other = (
        _signals([Human(wording, answer) for (_, wording), answer in zip(asked, answers, strict=True)], embed, reviewed)
        for answers in ([f.answer for f, _ in asked], [f.sloppy_edit for f, _ in asked], [f.answer for f in others])
    )
    rows = [(f"`{name}`", "", *(_cell(right, wrong, name) for wrong in (figure, other))) for name in SHOWN]
    return table((f"{len(asked)} questions that recur", "", "one figure wrong", "another question's"), rows)


def _others(known: tuple[Fact, ...], asked: list[tuple[Fact, str]], embed: Embedder) -> list[Fact]:
    """For each question the fact that the most similar wording of another fact is about."""
    pool = [(fact, wording) for fact in known for wording in fact.wordings]
    rows = embed([wording for _, wording in pool])
    near = embed([wording for _, wording in asked]) @ rows.T
    for line, (fact, _) in zip(near, asked, strict=True):
        line[[other.id == fact.id for other, _ in pool]] = -np.inf
    return [pool[place][0] for place in near.argmax(axis=1)]


def _signals(humans: list[Human], embed: Embedder, reviewed: Corpus) -> Mapping[str, Floats]:
    failures: Counter[str] = Counter()
    exchanges = exchanges_of(humans)
    found = tier_one(exchanges, embed, reviewed, failures, Asked(exchanges, embed))
    if failures:
        raise RuntimeError(f"signals failed: {dict(failures)}")
    both = [tier_zero(exchange) | signals for exchange, signals in zip(exchanges, found, strict=True)]
    return {name: np.array([signals.get(name, np.nan) for signals in both]) for name in SIGNALS}


def _cell(right: Mapping[str, Floats], wrong: Mapping[str, Floats], name: str) -> str:
    """AUROC among the exchanges that have the signal, and what share has it; of some a low value is good."""
    values = np.concatenate([right[name], wrong[name]]) * (-1 if name in LOW_IS_GOOD else 1)
    truth = np.repeat([True, False], len(right[name]))
    has = ~np.isnan(values)
    area = auroc(values[has], truth[has])
    return "–" if area is None else f"{area:.3f} ({has.mean():.0%} have it)"
