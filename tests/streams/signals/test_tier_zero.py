# ruff: noqa: RUF001 - letters of other alphabets are meant
"""Arithmetic on the event: what each signal says, and that none falls over anything."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teachback.schemas import Message, TokenLogprob, TopLogprob
from teachback.streams.signals import SIGNALS, TIER_ONE, TIER_ZERO, tier_zero
from teachback.streams.signals.logprobs import HEAD
from teachback.streams.signals.logprobs import MOST as MOST_TOKENS
from teachback.streams.signals.reading import LOOK
from tests.streams.signals.making import exchange, passages
from tests.streams.signals.test_reading import ADVERSARIAL

QUESTIONS = {
    "ar": "كم تكلفة التحويل المصرفي إلى الخارج؟",
    "bg": "Колко струва банковият превод в чужбина?",
    "bn": "বিদেশে টাকা পাঠাতে কত খরচ হয়?",
    "ca": "Quant costa una transferència a l'estranger?",
    "cs": "Kolik stojí převod do zahraničí?",
    "da": "Hvad koster en overførsel til udlandet?",
    "de": "Was kostet eine Überweisung ins Ausland?",
    "el": "Πόσο κοστίζει ένα έμβασμα στο εξωτερικό;",
    "en": "What does a transfer abroad cost?",
    "es": "¿Cuánto cuesta una transferencia al extranjero?",
    "et": "Kui palju maksab ülekanne välismaale?",
    "fa": "هزینه انتقال پول به خارج چقدر است؟",
    "fi": "Paljonko ulkomaille tehty tilisiirto maksaa?",
    "fr": "Combien coûte un virement à l'étranger ?",
    "he": "כמה עולה העברה בנקאית לחוץ לארץ?",
    "hi": "विदेश में पैसे भेजने का शुल्क कितना है?",
    "hr": "Koliko košta prijenos novca u inozemstvo?",
    "hu": "Mennyibe kerül egy külföldi átutalás?",
    "id": "Berapa biaya transfer ke luar negeri?",
    "is": "Hvað kostar millifærsla til útlanda?",
    "it": "Quanto costa un bonifico all'estero?",
    "ja": "海外送金の手数料はいくらですか？",
    "ko": "해외 송금 수수료는 얼마인가요?",
    "lt": "Kiek kainuoja pavedimas į užsienį?",
    "lv": "Cik maksā pārskaitījums uz ārzemēm?",
    "ms": "Berapakah kos pemindahan wang ke luar negara?",
    "nl": "Wat kost een overschrijving naar het buitenland?",
    "no": "Hva koster en overføring til utlandet?",
    "pl": "Ile kosztuje przelew za granicę?",
    "pt": "Quanto custa uma transferência para o estrangeiro?",
    "ro": "Cât costă un transfer în străinătate?",
    "ru": "Сколько стоит перевод за границу?",
    "sk": "Koľko stojí prevod do zahraničia?",
    "sv": "Vad kostar en överföring till utlandet?",
    "sw": "Gharama ya kutuma pesa nje ya nchi ni kiasi gani?",
    "ta": "வெளிநாட்டிற்கு பணம் அனுப்ப எவ்வளவு செலவாகும்?",
    "th": "โอนเงินไปต่างประเทศมีค่าธรรมเนียมเท่าไหร่",
    "tr": "Yurt dışına havale ücreti ne kadar?",
    "uk": "Скільки коштує переказ за кордон?",
    "vi": "Chuyển khoản ra nước ngoài mất bao nhiêu phí?",
    "zh": "向国外汇款要多少手续费？",
}
ODD = {
    "nothing": "",
    "blank": " \n\t\u3000",
    "emoji": "👍🏽👨‍👩‍👧‍👦🇬🇧" * 50,
    "control": "\x00\x07\x1b[31m\x7f\u200b\ufeff",
    "one word": "Yes",
    "right to left": "\u202eevil\u202c",
    "private use": "\ue000\U0010ffff",
}


def test_every_signal_has_one_name_and_one_tier() -> None:
    assert len(set(SIGNALS)) == len(SIGNALS) == len(TIER_ZERO) + len(TIER_ONE)


@pytest.mark.parametrize("answer", ODD.values(), ids=ODD)
def test_odd_answers_give_finite_signals_or_none(answer: str) -> None:
    found = tier_zero(exchange(answer, samples=(answer, "x"), passages=passages(answer)))
    assert all(math.isfinite(value) for value in found.values())
    assert ("hedging" in found) == ("refusal" in found) == bool(found["log_words"])


@given(st.text(max_size=300), st.text(max_size=300), st.lists(st.text(max_size=50), max_size=3))
def test_whatever_is_written_signals_are_finite(question: str, answer: str, samples: list[str]) -> None:
    found = tier_zero(exchange(answer, question, samples=tuple(samples), passages=passages(question)))
    assert all(math.isfinite(value) for value in found.values())
    bounded = ("hedging", "refusal", "disagreement", "question_overlap", "figures_cited", "repetition")
    assert all(0 <= found[name] <= 1 for name in bounded if name in found)


@pytest.mark.parametrize("seed", ADVERSARIAL.values(), ids=ADVERSARIAL)
def test_two_hundred_kilobytes_say_what_their_beginning_says(seed: str) -> None:
    long = (seed * 200_000)[:200_000]
    whole = tier_zero(exchange(long, long, samples=(long,), passages=passages(long)))
    head = tier_zero(exchange(long[:LOOK], long[:LOOK], samples=(long[:LOOK],), passages=passages(long[:LOOK])))
    assert whole == head


@pytest.mark.parametrize("language", QUESTIONS)
def test_overlap_needs_no_word_list_of_the_language(language: str) -> None:
    asked = QUESTIONS[language]
    other = QUESTIONS["zh" if language != "zh" else "en"]
    assert tier_zero(exchange(asked, asked))["question_overlap"] == 1.0
    assert tier_zero(exchange(other, asked))["question_overlap"] == 0.0


def test_overlap_counts_long_words_and_names_and_leaves_out_the_rest() -> None:
    question = "What is the fee of an IRA?"
    assert tier_zero(exchange("An IRA is free.", question))["question_overlap"] == pytest.approx(6 / 10)
    assert tier_zero(exchange("What of it?", question))["question_overlap"] == pytest.approx(4 / 10)
    assert "question_overlap" not in tier_zero(exchange("Yes.", "Is it so?"))


def test_a_question_that_is_shouted_has_no_names() -> None:
    assert "question_overlap" not in tier_zero(exchange("IS IT SO", "IS IT SO?"))


def test_figures_are_cited_when_a_passage_or_the_conversation_has_them() -> None:
    given = passages("The fee is £1,000.00 a year.")
    messages = (Message(role="user", content="I have 3 accounts."),)
    assert tier_zero(exchange("£1000 for 3.", messages=messages, passages=given))["figures_cited"] == 1.0
    assert tier_zero(exchange("£1000, or £90.", messages=messages, passages=given))["figures_cited"] == 0.5
    assert "figures_cited" not in tier_zero(exchange("It is free.", passages=given))
    assert "figures_cited" not in tier_zero(exchange("It is £5."))


def test_an_answer_that_turns_in_circles_repeats() -> None:
    assert tier_zero(exchange("one two three four five"))["repetition"] == 0.0
    assert tier_zero(exchange("the fee is five " * 40))["repetition"] > 0.9
    assert tier_zero(exchange("手续费是五元" * 40))["repetition"] > 0.9
    assert "repetition" not in tier_zero(exchange("one two three"))


def test_an_answer_that_gives_the_question_back_repeats() -> None:
    asked = "What is the fee for an unpaid direct debit these days?"
    parrot, plain = f"So, {asked.lower()}", "We charge five pounds when there is not enough money."
    assert tier_zero(exchange(parrot, asked))["repetition"] > 0.8
    assert tier_zero(exchange(plain, asked))["repetition"] == 0.0
    taken_up = tier_zero(exchange(f"The fee for an unpaid direct debit is £5. {plain}", asked))["repetition"]
    assert 0 < taken_up < 0.3


def test_the_loop_at_the_end_of_a_long_answer_is_seen() -> None:
    sane = " ".join(f"word{n}" for n in range(500))
    assert tier_zero(exchange(f"{sane} {'and so on ' * 60}"))["repetition"] > 0.9


def test_samples_that_say_something_else_disagree() -> None:
    same, other = "A transfer costs £5.", "I do not know"
    assert tier_zero(exchange(same, samples=(same,)))["disagreement"] == 0.0
    assert tier_zero(exchange(same, samples=(other,)))["disagreement"] == 1.0
    assert "disagreement" not in tier_zero(exchange(same))
    assert "disagreement" not in tier_zero(exchange("", samples=("",)))


def test_the_head_is_the_first_tokens_alone() -> None:
    tokens = (*[TokenLogprob(token="a", logprob=-2.0)] * HEAD, *[TokenLogprob(token="b", logprob=0.0)] * HEAD)
    found = tier_zero(exchange(logprobs=tokens))
    assert (found["head_logprob"], found["mean_logprob"]) == (-2.0, -1.0)


def test_tokens_beyond_the_limit_do_not_count() -> None:
    tokens = (*[TokenLogprob(token="a", logprob=-1.0)] * MOST_TOKENS, TokenLogprob(token="b", logprob=-50.0))
    assert tier_zero(exchange(logprobs=tokens))["min_logprob"] == -1.0


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_log_probabilities_that_are_no_numbers_are_left_out_everywhere(bad: float) -> None:
    top = (TopLogprob(token="a", logprob=bad), TopLogprob(token="b", logprob=-1.0), TopLogprob(token="c", logprob=-1.0))
    tokens = (TokenLogprob(token="a", logprob=bad, top_logprobs=top),)
    found = tier_zero(exchange(logprobs=tokens))
    assert found["entropy"] == pytest.approx(math.log(2), abs=1e-5)
    assert not {"mean_logprob", "head_logprob", "min_logprob"} & set(found)
