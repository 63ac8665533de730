"""What two texts deny: `can` and `cannot`, `available` and `unavailable`, and which of several things is denied. Pure.

Heuristics for English, made to err on the side of "different".
"""

import re
from bisect import bisect
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from teachback.streams.consensus.opposites import contrary
from teachback.streams.consensus.words import Clause, clauses, stem

# `nor` goes on with what `neither` or `not` began
_NEGATIVES = {
    "not", "no", "never", "none", "nothing", "nobody", "nowhere", "neither", "without", "cannot", "unable",
    "impossible", "hardly", "barely", "scarcely", "rarely", "seldom", "unless", "non",
}  # fmt: skip
_CONTRACTED = re.compile(
    r"(?:ca|wo|sha|ai|do|does|did|is|are|was|were|have|has|had|could|should|would|must|need|might)n'?t"
)
_EMPTY = {
    "a", "an", "the", "to", "be", "been", "being", "is", "are", "was", "were", "it", "its", "you", "your", "we",
    "our", "i", "they", "their", "can", "could", "will", "would", "should", "may", "might", "must", "do", "does",
    "did", "have", "has", "had", "able", "yet", "any", "and", "or", "nor", "but", "of", "for", "in", "on", "at",
    "with", "so", "that", "this", "if", "as", "by", "from", "please", "also", "possible", "atmost", "atleast",
    "before", "after",
}  # fmt: skip
_PREFIXES = ("un", "in", "im", "il", "ir", "dis", "non")
# They begin with a prefix and go on with a word, and deny nothing.
_NO_DENIALS = set(map(stem, (
    "inform", "information", "income", "indeed", "indoor", "inside", "insight", "insure", "instance", "instead",
    "intake", "intend", "input", "invest", "invoice", "inland", "inbound", "import", "impress", "improve", "discount",
    "discover", "disclose", "dismiss", "dispatch", "display",
)))  # fmt: skip
_SCOPE = 4  # words after a negative among which the denied one is looked for
_MOST_WEIGHED = 100_000  # pairs of clauses


class Denial(NamedTuple):
    """A clause of content: its stems, those among them that are denied, and how often it denies."""

    content: frozenset[str]
    denied: frozenset[str]
    times: int


def opposed(one: str, other: str) -> bool:
    """Whether a text denies what the other does not, as far as words tell, or says the contrary. Symmetric."""
    mine, yours = clauses(one), clauses(other)
    known = {stem(word) for word in chain(*mine, *yours)}
    ours, theirs = ([_denial(_bare(clause, known)) for clause in text] for text in (mine, yours))
    return (
        sum(clause.times for clause in ours) != sum(clause.times for clause in theirs)
        or _crossed(ours, theirs)
        or _misplaced(ours, theirs)
        or contrary(chain(*mine), chain(*yours))
    )


def _bare(clause: Clause, known: set[str]) -> Clause:
    """The clause with `not available` for `unavailable`, where either text has `available` too."""
    return tuple(chain.from_iterable(_parted(word, known) for word in clause))


def _parted(word: str, known: set[str]) -> Clause:
    if word in _NEGATIVES or stem(word) in _NO_DENIALS:
        return (word,)
    bases = (word.removeprefix(prefix) for prefix in _PREFIXES if word.startswith(prefix))
    return next((("not", base) for base in bases if len(base) >= 4 and stem(base) in known), (word,))


def _denial(clause: Clause) -> Denial:
    negatives = [i for i, word in enumerate(clause) if word in _NEGATIVES or _CONTRACTED.fullmatch(word)]
    denying = set(negatives)
    content = [i for i, word in enumerate(clause) if word not in _EMPTY and i not in denying]
    return Denial(_stems(clause, content), _stems(clause, _denied(negatives, content)), len(negatives))


def _denied(negatives: list[int], content: list[int]) -> Iterator[int]:
    """Where the denied words are: the first behind a negative, or all before it if none is near (`cards are not`)."""
    before = 0
    for place in negatives:
        behind = bisect(content, place)
        if behind < len(content) and content[behind] <= place + _SCOPE:
            yield content[behind]
        else:
            before = behind
    yield from content[:before]


def _stems(clause: Clause, places: Iterable[int]) -> frozenset[str]:
    return frozenset(stem(clause[i]) for i in places)


def _crossed(ours: list[Denial], theirs: list[Denial]) -> bool:
    """Whether each text denies a word that the other has and does not deny."""
    return all(
        _denied_words(one) & _affirmed_words(other) - _affirmed_words(one)
        for one, other in ((ours, theirs), (theirs, ours))
    )


def _denied_words(text: list[Denial]) -> frozenset[str]:
    return frozenset[str]().union(*(clause.denied for clause in text))


def _affirmed_words(text: list[Denial]) -> frozenset[str]:
    return frozenset[str]().union(*(clause.content - clause.denied for clause in text))


def _misplaced(ours: list[Denial], theirs: list[Denial]) -> bool:
    """Whether a clause that denies is, in the other text, most like one that does not."""
    if sum(clause.times > 0 for clause in ours) * len(theirs) > _MOST_WEIGHED:
        return ours != theirs  # nobody writes so; only the very same will do
    return any(
        clause.times > 0 and not _most_like(i, one, other).times
        for one, other in ((ours, theirs), (theirs, ours))
        for i, clause in enumerate(one)
    )


def _most_like(place: int, text: list[Denial], other: list[Denial]) -> Denial:
    """The clause of the other text with the most words in common; of equals the nearest, counted from either end."""

    def likeness(at: int) -> tuple[float, int, bool]:
        from_start, from_end = abs(at - place), abs((len(other) - at) - (len(text) - place))
        return _overlap(text[place].content, other[at].content), -min(from_start, from_end), other[at].times > 0

    return other[max(range(len(other)), key=likeness)]


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard's index; 1 for two empty sets."""
    return len(one & other) / len(one | other) if one or other else 1.0
