"""A text as words, sentences and figures, in any script, and in bounded time.

Signals look at the first `LOOK` characters only: an answer of 200 KB must not hold up the ones behind it. Every pattern
is a plain run of characters, or one character behind another: none can backtrack.
"""

import re
import unicodedata
from functools import lru_cache

LOOK = 8192
KEPT = 64  # texts whose reading is kept: several signals read the same question and answer

# Between words: white space, control characters and punctuation. Not whatever `\W` is, which would tear vowel signs off
# (Hindi); and a table, because `translate` and `split` are several times faster than a pattern.
_BETWEEN = [
    *range(0x30), *range(0x3A, 0x41), *range(0x5B, 0x61), *range(0x7B, 0xAA), *range(0xAB, 0xB2), 0xB4, 0xB6, 0xB7,
    0xB8, 0xBB, 0xBF, 0x37E, 0x5BE, 0x60C, 0x61B, 0x61F, *range(0x66A, 0x66E), 0x6D4, 0x964, 0x965,
    *range(0x2000, 0x2070), *range(0x3000, 0x3005), *range(0x3008, 0x3021), 0x3030, *range(0xFF00, 0xFF10),
    *range(0xFF1A, 0xFF21), *range(0xFF3B, 0xFF41), *range(0xFF5B, 0xFF66),
]  # fmt: skip
_SPACES = str.maketrans(dict.fromkeys(map(chr, _BETWEEN), " "))
# Scripts that set no spaces between words, or glue particles to them: Thai, Lao, Burmese, Khmer, Chinese, Japanese,
# Korean. Pairs of neighbouring characters stand in for words there, as in search engines' CJK analysers.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\U00020000-\U0003134f"
_RUN = re.compile(f"[{_UNSPACED}]+|[^{_UNSPACED}]+")
_HAS_UNSPACED = re.compile(f"[{_UNSPACED}]")
_STOPS = ".!?…"  # end a sentence where white space follows
_FULL_STOPS = "\u3002\uff01\uff1f\uff0e\u061f\u0964"  # always do: Chinese and Japanese, Arabic, Devanagari
_END = re.compile(rf"(?<=[{_STOPS}])\s|[{_FULL_STOPS}\n]")
_SPLIT = re.compile(rf"(?<=[{_STOPS}])\s|(?<=[{_FULL_STOPS}])|\n")
_FIGURE = re.compile(r"\d+(?:[.,:/'’]\d+)*")
_GROUPING = re.compile(r"[.,'’](?=\d{3}(?!\d))")


@lru_cache(KEPT)
def words(text: str) -> tuple[str, ...]:
    """The words of the text's beginning, case folded; pairs of characters in scripts without spaces."""
    if text.isascii():
        return tuple(text[:LOOK].lower().translate(_SPACES).split())
    return tuple(folded(piece) for piece in pieces(text))


def folded(word: str) -> str:
    """The word, case folded; Turkish dotted and dotless i are one, since folding mistakes their capitals."""
    return word.casefold().replace("\u0307", "").replace("\u0131", "i")


@lru_cache(KEPT)
def word_set(text: str) -> frozenset[str]:
    """The different words of the text's beginning."""
    return frozenset(words(text))


def pieces(text: str) -> list[str]:
    """The words of the text's beginning as they are written."""
    head = text[:LOOK]
    if head.isascii():
        return head.translate(_SPACES).split()
    found = unicodedata.normalize("NFC", head)[:LOOK].translate(_SPACES).split()
    return [piece for word in found for piece in _in_pairs(word)] if _HAS_UNSPACED.search(head) else found


@lru_cache(KEPT)
def sentence_count(text: str) -> int:
    """How many sentences the text's beginning has, at least one."""
    return 1 + len(_END.findall(text[:LOOK].rstrip(_STOPS + _FULL_STOPS + " \t\r\n")))


def sentences(text: str, most: int) -> list[str]:
    """The first sentences of the text's beginning, `most` at most."""
    return [part.strip() for part in _SPLIT.split(text[:LOOK]) if part and not part.isspace()][:most]


@lru_cache(KEPT)
def figures(text: str) -> frozenset[str]:
    """The numbers of the text's beginning, written one way: 1,000 and 1000 are one, so are 6.50 and 6,5."""
    return frozenset(_plain_figure(found) for found in _FIGURE.findall(text[:LOOK]))


def _in_pairs(word: str) -> list[str]:
    """A word's runs of spaced script as they are, the others as overlapping pairs of characters."""
    found = []
    for run in _RUN.findall(word):
        unspaced = _HAS_UNSPACED.match(run) is not None and len(run) > 2
        found += [run[i : i + 2] for i in range(len(run) - 1)] if unspaced else [run]
    return found


def _plain_figure(figure: str) -> str:
    digits = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in figure)
    plain = _GROUPING.sub("", digits).replace(",", ".")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
