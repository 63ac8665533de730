"""A text as clauses of words, in one spelling: where denials and opposites are looked for. Pure."""

import re
from functools import lru_cache

from teachback.streams.consensus.plain import TEXTS_KEPT, plain

Clause = tuple[str, ...]

# Phrases that hold a negative word and deny nothing, or are a limit. Longest first where one begins another.
_PHRASES = tuple(
    (re.compile(pattern.replace(" ", r"\s")), instead)
    for pattern, instead in (
        (r"\b(?:no|not) (?:more|longer|greater|higher) than\b", "atmost"),
        (r"\b(?:no|not) (?:less|fewer|lower) than\b", "atleast"),
        (r"\b(?:no|not) later than\b", "before"),
        (r"\b(?:no|not) (?:earlier|sooner) than\b", "after"),
        (r"\bat (?:the )?most\b|\bup to\b|\ba maximum of\b|\bmaximum\b|\b(?:less|fewer|lower) than\b", "atmost"),
        (r"\bat (?:the )?least\b|\ba minimum of\b|\bminimum\b|\b(?:more|greater|higher) than\b", "atleast"),
        (r"\bnot only\b", "also"),
        (r"\bwhether or not\b", "whether"),
        (r"\b(?:no problem|no worries|(?:don't|do not) (?:worry|hesitate))\b", " "),
        (r"\bno[ -]one\b", "nobody"),
    )
)
_CLAUSE_ENDS = re.compile(
    r"\n|[.,;!?](?=\s|$)|[()]|\b(?:but|and|while|whilst|whereas|although|though|however|yet|if|because|(?=unless\b))\b"
)
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_ENDINGS = (("ings", 4), ("ing", 4), ("ed", 4), ("es", 4), ("s", 3), ("e", 4))


@lru_cache(TEXTS_KEPT)
def clauses(text: str) -> tuple[Clause, ...]:
    """The words of each clause of a text; clauses without words are left out."""
    signs = plain(text)
    for phrase, instead in _PHRASES:
        signs = phrase.sub(instead, signs)
    return tuple(words for part in _CLAUSE_ENDS.split(signs) if (words := tuple(_WORD.findall(part))))


@lru_cache(4096)
def stem(word: str) -> str:
    """A crude stem: enough to know `withdrawing` as `withdraw`."""
    for ending, least in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= least:
            return word.removesuffix(ending)
    return word
