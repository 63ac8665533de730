"""What the demo asks: every question once, as the desk understands "the same"."""

from pathlib import Path

import pytest

from teachback.consumers.desk.alike import normalised
from teachback.infra.demo.errors import BadData
from teachback.infra.demo.script import FEWEST, harbour_bank, own_data


def table(path: Path, questions: list[str]) -> Path:
    path.write_text("question,answer\n" + "".join(f"{q},answer {n}\n" for n, q in enumerate(questions)), "utf-8")
    return path


def test_a_question_that_differs_in_case_and_spaces_alone_is_asked_once(tmp_path: Path) -> None:
    """People judge what is alike once, and the demo waits for a judgment of everything that it asked."""
    questions = [f"What is fee {n}?" for n in range(FEWEST)]
    script = own_data(table(tmp_path / "q.csv", [*questions, "what is  FEE 0?"]), None, None, None)
    asked = [normalised(one.question) for one in (*script.traffic, *script.probes)]
    assert len(asked) == len(set(asked)) == FEWEST


def test_questions_that_are_alike_do_not_make_up_the_number(tmp_path: Path) -> None:
    questions = [f"What is fee {n}?" for n in range(FEWEST - 1)]
    with pytest.raises(BadData, match=f"{FEWEST - 1} different questions"):
        own_data(table(tmp_path / "q.csv", [*questions, "WHAT IS FEE 0?"]), None, None, None)


def test_the_banks_customers_ask_nothing_twice() -> None:
    asked = [normalised(one.question) for one in harbour_bank().traffic]
    assert len(asked) == len(set(asked))
