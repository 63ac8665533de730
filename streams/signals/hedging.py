"""Whether an answer hedges, and whether it refuses: two different things, by phrases of twelve languages.

English, German, French, Spanish, Italian, Portuguese, Dutch, Polish, Turkish, Russian, Chinese, Japanese. An answer in
another language never matches, so 0 means "no such phrase", not "sure of itself". What tells doubt in every language
are the token probabilities and `disagreement`.
"""

from collections.abc import Mapping
from typing import NamedTuple

from teachback.schemas import Exchange
from teachback.streams.signals.phrases import HEDGES, REFUSALS, UNSPACED_HEDGES, UNSPACED_REFUSALS, Languages
from teachback.streams.signals.reading import LOOK, sentence_count, word_set, words


class Phrases(NamedTuple):
    """Phrases made ready. `spaced` finds them by their longest word: most texts are done with one look into a set."""

    longest: frozenset[str]
    spaced: Mapping[str, frozenset[str]]
    unspaced: tuple[str, ...]

    def count(self, text: str) -> int:
        """How often they stand in the text's beginning."""
        found = 0
        if triggered := word_set(text) & self.longest:
            said = f" {' '.join(words(text))} "
            found = sum(said.count(phrase) for word in triggered for phrase in self.spaced[word])
        if not text.isascii():
            head = text[:LOOK]
            found += sum(head.count(phrase) for phrase in self.unspaced)
        return found


def _ready(spaced: Languages, unspaced: Languages) -> Phrases:
    found: dict[str, frozenset[str]] = {}
    for phrase in (phrase for phrases in spaced.values() for phrase in phrases):
        parts = words(phrase)
        longest = max(parts, key=len)
        found[longest] = found.get(longest, frozenset()) | {f" {' '.join(parts)} "}
    return Phrases(frozenset(found), found, tuple(phrase for phrases in unspaced.values() for phrase in phrases))


_HEDGES, _REFUSALS = _ready(HEDGES, UNSPACED_HEDGES), _ready(REFUSALS, UNSPACED_REFUSALS)


def hedging(exchange: Exchange) -> float | None:
    """Hedging phrases a sentence, at most 1; None without a text. Verbalised doubt (Lin, Hilton & Evans 2022)."""
    return _share(exchange.answer, _HEDGES)


def refusal(exchange: Exchange) -> float | None:
    """Refusing phrases a sentence, at most 1; None without a text. As the word lists of Zou et al. (2023), anywhere."""
    return _share(exchange.answer, _REFUSALS)


def _share(answer: str, phrases: Phrases) -> float | None:
    if not words(answer):
        return None
    count = phrases.count(answer)
    return min(1.0, count / sentence_count(answer)) if count else 0.0
