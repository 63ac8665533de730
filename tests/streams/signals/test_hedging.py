# ruff: noqa: RUF001 - letters of other alphabets are meant
"""Hedging and refusing, in twelve languages."""

from __future__ import annotations

import pytest

from teachback.streams.signals.hedging import hedging, refusal
from teachback.streams.signals.phrases import HEDGES, REFUSALS, UNSPACED_HEDGES, UNSPACED_REFUSALS
from tests.streams.signals.making import exchange

LANGUAGES = [*HEDGES, *UNSPACED_HEDGES]
PLAIN = {
    "en": "A transfer abroad costs £5 and takes two days.",
    "de": "Eine Überweisung ins Ausland kostet 5 € und dauert zwei Tage.",
    "fr": "Un virement à l'étranger coûte 5 € et prend deux jours.",
    "es": "Una transferencia al extranjero cuesta 5 € y tarda dos días.",
    "it": "Un bonifico all'estero costa 5 € e richiede due giorni.",
    "pt": "Uma transferência para o estrangeiro custa 5 € e demora dois dias.",
    "nl": "Een overschrijving naar het buitenland kost € 5 en duurt twee dagen.",
    "pl": "Przelew za granicę kosztuje 5 € i trwa dwa dni.",
    "tr": "Yurt dışına havale 5 € tutar ve iki gün sürer.",
    "ru": "Перевод за границу стоит 5 € и занимает два дня.",
    "zh": "向国外汇款手续费为5欧元，需要两天。",
    "ja": "海外送金の手数料は5ユーロで、2日かかります。",
}
ALL_HEDGES, ALL_REFUSALS = HEDGES | UNSPACED_HEDGES, REFUSALS | UNSPACED_REFUSALS


def test_both_lists_hold_the_languages_that_are_named() -> None:
    assert list(ALL_HEDGES) == list(ALL_REFUSALS) == list(PLAIN)


@pytest.mark.parametrize("language", PLAIN)
def test_every_phrase_of_a_language_is_found_in_a_sentence(language: str) -> None:
    gap = "" if language in UNSPACED_HEDGES else " "
    for phrase in ALL_HEDGES[language]:
        assert hedging(exchange(f"{phrase.capitalize()}{gap}{PLAIN[language]}")) == 1.0, phrase
    for phrase in ALL_REFUSALS[language]:
        assert refusal(exchange(f"{phrase.upper()}{gap}{PLAIN[language]}")) == 1.0, phrase


@pytest.mark.parametrize("language", PLAIN)
def test_a_plain_answer_neither_hedges_nor_refuses(language: str) -> None:
    assert hedging(exchange(PLAIN[language])) == refusal(exchange(PLAIN[language])) == 0.0


def test_typographic_apostrophes_make_no_difference() -> None:
    assert refusal(exchange("I can’t help with that.")) == refusal(exchange("I can't help with that.")) == 1.0


def test_hedging_is_no_refusal() -> None:
    doubtful = exchange("Perhaps it is £5.")
    assert (hedging(doubtful), refusal(doubtful)) == (1.0, 0.0)


def test_a_phrase_weighs_less_in_a_longer_answer() -> None:
    assert hedging(exchange("Perhaps. It is £5. It takes two days. That is all.")) == 0.25


def test_a_word_within_a_word_is_no_phrase() -> None:
    assert hedging(exchange("The possiblyness of maybeing.")) == 0.0


@pytest.mark.parametrize("answer", ["", "  \n", "?!…"])
def test_without_words_there_is_nothing_to_say(answer: str) -> None:
    assert hedging(exchange(answer)) is None
    assert refusal(exchange(answer)) is None
