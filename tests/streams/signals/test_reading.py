# ruff: noqa: RUF001 - letters of other alphabets are meant
"""Words, sentences and figures of a text, in any script."""

from __future__ import annotations

import re
import unicodedata
from typing import cast

import pytest

from teachback.streams.signals import reading
from teachback.streams.signals.reading import LOOK, figures, folded, pieces, sentence_count, sentences, words

PATTERNS = [value for value in vars(reading).values() if isinstance(value, re.Pattern)]
ADVERSARIAL = {
    "dots": ".",
    "spaces": " ",
    "dot and space": ". ",
    "digits": "1",
    "digits and commas": "1,",
    "digits in threes": "111,",
    "letters": "a",
    "full stops": "。",
    "pairs": "漢字",
    "combining": "a\u0301",
    "newlines": "\n",
    "quotes": "'\u2019",
    "control": "\x00\x01\x7f",
}


def test_words_are_folded_and_lose_their_punctuation() -> None:
    assert words("I can’t; I CAN'T — “no”!") == ("i", "can", "t", "i", "can", "t", "no")


def test_a_word_keeps_its_accents_however_they_are_encoded() -> None:
    composed = "Möglicherweise später, señor Çelik"
    assert (
        words(composed)
        == words(unicodedata.normalize("NFD", composed))
        == tuple(composed.replace(",", "").casefold().split())
    )


def test_vowel_signs_do_not_tear_words_apart() -> None:
    assert words("हिन्दी में शुल्क।") == ("हिन्दी", "में", "शुल्क")


def test_turkish_capitals_are_the_small_letters() -> None:
    assert words("İŞLEM YARDIMCI") == words("işlem yardımcı")


@pytest.mark.parametrize(("text", "pairs"), [("转账费用", ("转账", "账费", "费用")), ("IRA账户", ("ira", "账户"))])
def test_scripts_without_spaces_are_read_in_pairs(text: str, pairs: tuple[str, ...]) -> None:
    assert words(text) == pairs


def test_written_pieces_and_folded_words_stand_in_the_same_places() -> None:
    for text in ("My 401k and IRA", "Mein KONTO und Straße", "İş IRA 账户余额"):
        assert [folded(piece) for piece in pieces(text)] == list(words(text))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("One", 1),
        ("One. Two!", 2),
        ("It is 3.5 per cent.", 1),
        ("一。二！三", 3),
        ("Was? Ja... Gut", 3),
        ("a\nb", 2),
    ],
)
def test_sentences_are_counted_where_they_end(text: str, count: int) -> None:
    assert sentence_count(text) == count
    assert len(sentences(text, 9)) == (count if text else 0)


def test_a_figure_is_one_however_it_is_written() -> None:
    assert figures("£1,000 and 6.50") == figures("1000 plus 6,5") == {"1000", "6.5"}
    assert figures("1.000.000 €") == figures("1'000'000") == figures("1,000,000") == {"1000000"}
    assert figures("٥ ريال") == {"5"}
    assert figures("£5") != figures("£50")
    assert figures("none") == frozenset()


@pytest.mark.parametrize("seed", ADVERSARIAL.values(), ids=ADVERSARIAL)
def test_no_pattern_backtracks_over_two_hundred_kilobytes(seed: str) -> None:
    """A pattern that is quadratic would not come back: that would be 4 × 10^10 steps."""
    text = (seed * 200_000)[:200_000] + "x"
    for pattern in PATTERNS:
        assert sum(1 for _ in cast("re.Pattern[str]", pattern).finditer(text)) <= len(text)


@pytest.mark.parametrize("seed", ADVERSARIAL.values(), ids=ADVERSARIAL)
def test_only_the_beginning_of_a_long_text_is_read(seed: str) -> None:
    long = (seed * 200_000)[:200_000]
    head = long[:LOOK]
    assert words(long) == words(head)
    assert figures(long) == figures(head)
    assert sentence_count(long) == sentence_count(head)
    assert sentences(long, 16) == sentences(head, 16)
