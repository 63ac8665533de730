"""Harbour Bank's data: enough of it, no two alike, and answers that are right by their figures."""

import re
from collections import Counter

import pytest

from teachback.infra.harbour import TOPICS, Fact, facts, has_figures, held_out, smalltalk, traffic

FACTS = pytest.mark.parametrize("fact", facts(), ids=lambda fact: fact.id)


def _normalised(text: str) -> str:
    return " ".join(re.sub(r"[^\w\s]", " ", text.casefold()).split())


def _questions() -> list[str]:
    return [ask.question for ask in traffic(seed=0)] + [ask.question for ask in held_out()]


def test_there_are_72_facts_spread_evenly_over_the_topics() -> None:
    assert Counter(fact.topic for fact in facts()) == dict.fromkeys(TOPICS, 6)


def test_there_are_40_messages_of_small_talk() -> None:
    assert len(smalltalk()) == 40


def test_no_id_stands_for_two_things() -> None:
    ids = [fact.id for fact in facts()] + [talk.id for talk in smalltalk()]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", slug) for slug in ids)


def test_no_question_is_asked_twice() -> None:
    # Raw text here: "??" is a message, but normalises to nothing.
    questions = [" ".join(question.casefold().split()) for question in _questions()]
    assert [question for question, times in Counter(questions).items() if times > 1] == []
    normalised = Counter(filter(None, map(_normalised, questions)))
    assert [question for question, times in normalised.items() if times > 1] == []


def test_no_two_answers_are_the_same_text() -> None:
    answers = Counter(map(_normalised, [fact.answer for fact in facts()] + [talk.answer for talk in smalltalk()]))
    assert [answer for answer, times in answers.items() if times > 1] == []


def test_no_two_facts_are_right_by_the_same_figures() -> None:
    figures = Counter(fact.figures for fact in facts())
    assert [figure for figure, times in figures.items() if times > 1] == []


def test_no_answer_states_the_figures_of_another_fact() -> None:
    confused = [
        (one.id, other.id)
        for one in facts()
        for other in facts()
        if one is not other and has_figures(one.answer, other.figures)
    ]
    assert confused == []


@FACTS
def test_an_answer_is_short_and_states_its_figures_literally(fact: Fact) -> None:
    assert 20 <= len(fact.answer.split()) <= 45
    assert 1 <= len(fact.figures) <= 3
    assert all(figure in fact.answer for figure in fact.figures)
    assert has_figures(fact.answer, fact.figures)


@FACTS
def test_a_fact_has_five_wordings_for_the_traffic_and_one_held_out(fact: Fact) -> None:
    assert len({*fact.wordings, fact.held_out}) == 6
    assert fact.held_out[0].isupper()
    assert fact.held_out[-1] in ".?"


@FACTS
def test_the_sloppy_edit_gets_exactly_one_figure_wrong(fact: Fact) -> None:
    wrong = [figure for figure in fact.figures if not has_figures(fact.sloppy_edit, [figure])]
    assert len(wrong) == 1
    right, sloppy = fact.answer.split(), fact.sloppy_edit.split()
    assert len(right) == len(sloppy)
    assert sum(a != b for a, b in zip(right, sloppy, strict=True)) == 1


def test_the_held_out_wordings_never_come_in_the_traffic() -> None:
    sent = {_normalised(ask.question) for ask in traffic(seed=7)}
    assert sent.isdisjoint(_normalised(ask.question) for ask in held_out())


def test_the_held_out_wordings_ask_each_fact_once_with_its_figures() -> None:
    assert [ask.id for ask in held_out()] == [fact.id for fact in facts()]
    assert all(has_figures(ask.reference, ask.figures) and ask.figures for ask in held_out())


def test_the_traffic_is_every_wording_and_all_small_talk_once() -> None:
    asks = traffic(seed=1)
    assert len(asks) == 72 * 5 + 40
    assert Counter(ask.id for ask in asks) == {fact.id: 5 for fact in facts()} | {talk.id: 1 for talk in smalltalk()}
    assert all((ask.topic == "smalltalk") == (not ask.figures) for ask in asks)


def test_the_seed_alone_decides_the_order_of_the_traffic() -> None:
    assert traffic(seed=3) == traffic(seed=3)
    assert traffic(seed=3) != traffic(seed=4)
    assert sorted(ask.question for ask in traffic(seed=3)) == sorted(ask.question for ask in traffic(seed=4))


@pytest.mark.parametrize(
    ("answer", "figure"),
    [
        ("It costs £4.50.", "£4.50"),
        ("It costs GBP 4.50, sadly", "£4.50"),
        ("it costs £ 4.50", "£4.50"),
        ("It costs 4.50 pounds", "£4.50"),
        ("It costs **£4.5**", "£4.50"),
        ("It costs £5.00", "£5"),
        ("five pounds", "£5"),
        ("up to £1200", "£1,200"),
        ("up to £1 200", "£1,200"),
        ("up to twelve hundred pounds", "£1,200"),
        ("up to 1,200 GBP", "£1,200"),
        ("up to £80k", "£80,000"),
        ("up to 80 thousand pounds", "£80,000"),
        ("within two working days", "2 working days"),
        ("Within 2\u00a0Working Days", "2 working days"),
        ("a 2-working-day wait", "2 working days"),
        ("2 business days", "2 working days"),
        ("twenty-two months", "22 months"),
        ("a hundred and twenty days' interest", "120 days"),
        ("one hundred twenty days", "120 days"),
        ("1.75 %", "1.75%"),
        ("1.75 per cent a year", "1.75%"),
        ("1.75 percent", "1.75%"),
        ("before 3.15 p.m. today", "3:15pm"),
        ("open at 9 AM", "9am"),
        ("from 9:00am", "9am"),
        ("3–5 days", "5 days"),
        ("IOS 16 or later", "iOS 16"),
    ],
)
def test_a_figure_is_recognised_however_it_is_written(answer: str, figure: str) -> None:
    assert has_figures(answer, [figure])


@pytest.mark.parametrize(
    ("answer", "figure"),
    [
        ("It costs £14.50", "£4.50"),
        ("It costs £4.55", "£4.50"),
        ("It costs £4.505", "£4.50"),
        ("It costs £4", "£4.50"),
        ("It costs £4,50", "£4"),
        ("It costs £4,50", "£450"),
        ("section 4.50.1", "4.50"),
        ("It costs $4.50", "£4.50"),
        ("It costs 4.50", "£4.50"),
        ("It costs £2.50", "£2"),
        ("It costs £2,000", "£2"),
        ("It costs £2 000", "£2"),
        ("It costs £2k", "£2"),
        ("It costs £2 million", "£2"),
        ("up to £12,000", "£1,200"),
        ("within 12 working days", "2 working days"),
        ("within 2.5 working days", "2 working days"),
        ("within twenty-two working days", "2 working days"),
        ("within a hundred and two working days", "2 working days"),
        ("within 2 days", "2 working days"),
        ("within 2 weeks", "2 days"),
        ("1. Call us. 2. Working days are Monday to Friday.", "2 working days"),
        ("11.75%", "1.75%"),
        ("1.75", "1.75%"),
        ("before 3:45pm", "3:15pm"),
        ("before 3:15am", "3:15pm"),
        ("before 13:15pm", "3:15pm"),
        ("at 9", "9am"),
        ("", "£4.50"),
    ],
)
def test_another_number_is_never_taken_for_the_figure(answer: str, figure: str) -> None:
    assert not has_figures(answer, [figure])


def test_every_figure_must_be_stated() -> None:
    assert has_figures("£6.50, in 4 working days", ["4 working days", "£6.50"])
    assert not has_figures("£6.50, in 5 working days", ["4 working days", "£6.50"])
    assert has_figures("Hello!", [])
