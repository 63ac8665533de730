"""What a text denies, and which way its limits point: `can` and `cannot`, `at least` and `at most`. Pure.

Heuristics for English, made to err on the side of "different".
"""

import re
from typing import NamedTuple

# Phrases that hold a negative word and deny nothing, or are a limit. Longest first where one begins another.
_PHRASES = (
    (r"\b(?:no|not) (?:more|longer|greater|higher) than\b", "atmost"),
    (r"\b(?:no|not) (?:less|fewer|lower) than\b", "atleast"),
    (r"\b(?:no|not) later than\b", "before"),
    (r"\b(?:no|not) (?:earlier|sooner) than\b", "after"),
    (r"\bat (?:the )?most\b|\bup to\b|\ba maximum of\b|\bmaximum\b|\b(?:less|fewer|lower) than\b|\bbelow\b", "atmost"),
    (r"\bat (?:the )?least\b|\ba minimum of\b|\bminimum\b|\b(?:more|greater|higher) than\b|\babove\b", "atleast"),
    (r"\bnot only\b", "also"),
    (r"\bwhether or not\b", "whether"),
    (r"\b(?:no problem|no worries|(?:don't|do not) (?:worry|hesitate))\b", " "),
    (r"\bno[ -]one\b", "nobody"),
)
_LIMITS = {"atmost", "atleast", "before", "after"}
_OPPOSITES = {"atmost": "atleast", "before": "after"}
# `nor` goes on with what `neither` or `not` began
_NEGATIVES = {
    "not", "no", "never", "none", "nothing", "nobody", "nowhere", "neither", "without", "cannot", "unable",
    "impossible", "hardly", "barely",
}  # fmt: skip
_CONTRACTED = re.compile(
    r"(?:ca|wo|sha|ai|do|does|did|is|are|was|were|have|has|had|could|should|would|must|need|might)n'?t"
)
_EMPTY = {
    "a", "an", "the", "to", "be", "been", "being", "is", "are", "was", "were", "it", "its", "you", "your", "we",
    "our", "i", "they", "their", "can", "could", "will", "would", "should", "may", "might", "must", "do", "does",
    "did", "have", "has", "had", "able", "yet", "any", "and", "or", "but", "of", "for", "in", "on", "at", "with",
    "so", "that", "this", "if", "as", "by", "from", "please", "also", "possible",
}  # fmt: skip
_SCOPE = 4  # words after a negative among which the denied one is looked for


class Polarity(NamedTuple):
    """How often a text denies, the (stems of) words denied and not denied, and its kinds of limits."""

    denials: int
    denied: frozenset[str]
    affirmed: frozenset[str]
    limits: frozenset[str]


def polarity(text: str) -> Polarity:
    """Read a text. It may be in any case; apostrophes may be typographic."""
    plain = re.sub(r"\s+", " ", text.casefold().replace("’", "'"))
    for pattern, instead in _PHRASES:
        plain = re.sub(pattern, instead, plain)
    words = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", plain)
    at = [i for i, word in enumerate(words) if word in _NEGATIVES or _CONTRACTED.fullmatch(word)]
    denied = {i for place in at if (i := _denied_at(words, place, at)) is not None}
    content = {i for i, word in enumerate(words) if _is_content(word)} - set(at)
    return Polarity(
        len(at),
        frozenset(_stem(words[i]) for i in denied),
        frozenset(_stem(words[i]) for i in content - denied),
        frozenset(words) & _LIMITS,
    )


def opposed(one: Polarity, other: Polarity) -> bool:
    """Whether two texts deny different things, or limit in opposite directions, as far as words tell.

    The numbers of denials differ; or each denies a word that the other affirms (`withdraw but not deposit` against
    `deposit but not withdraw`); or one says only `at most` where the other says only `at least`.
    """
    if one.denials != other.denials:
        return True
    if one.denied & other.affirmed - one.affirmed and other.denied & one.affirmed - other.affirmed:
        return True
    return any(
        {low, high} & one.limits != {low, high} & other.limits and {low, high} <= one.limits ^ other.limits
        for low, high in _OPPOSITES.items()
    )


def _denied_at(words: list[str], place: int, negatives: list[int]) -> int | None:
    """The first content word behind a negative, if one is near."""
    scope = range(place + 1, min(place + 1 + _SCOPE, len(words)))
    return next((i for i in scope if i not in negatives and _is_content(words[i])), None)


def _is_content(word: str) -> bool:
    return word not in _EMPTY and word not in _LIMITS


def _stem(word: str) -> str:
    """A crude stem: enough to know `withdrawing` as `withdraw`."""
    for ending in ("ings", "ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word.removesuffix(ending)
    return word
