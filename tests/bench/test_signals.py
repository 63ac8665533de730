"""The benchmark of the signals: how exchanges are made, what they may see, and what the figures mean."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec
import numpy as np
import pytest

from bench.signals_candidates import grounds, validated
from bench.signals_figures import (
    Half,
    Interval,
    bootstrapped,
    calibration_error,
    fitted,
    prior_error,
    scores,
    shares,
    told_apart,
)
from bench.signals_fiqa import WHEEL, Human, Pair, halves, load, pairs
from bench.signals_logprobs import Kept, tokens
from bench.signals_picture import picture
from bench.signals_report import Found, Prior, Worth, report
from bench.signals_rows import Remembered, Without, corpus, hidden_labels, rows
from teachback.streams.signals import SIGNALS
from teachback.streams.signals.similarity import unit_vectors
from tests.streams.signals.making import ByWords

HUMANS = [Human(f"question {n} about topic{n} matters", f"topic{n} is answered by {n} words") for n in range(40)]
EMBED = Remembered(ByWords())
QUESTIONS = unit_vectors(EMBED([human.question for human in HUMANS]), len(HUMANS))


def made(size: int = 200, noise: float = 0.3, seed: int = 0) -> Half:
    """A half in which the cosine tells right from wrong, and nothing else does."""
    lot = np.random.default_rng(seed)
    some = [Pair(q, q, kind) for kind in ("right", "random", "hard") for q in range(size)]
    signals = np.full((len(some), len(SIGNALS)), np.nan)
    level = {"right": 0.7, "random": 0.1, "hard": 0.5}
    signals[:, SIGNALS.index("qa_cosine")] = [level[p.kind] + noise * lot.normal() for p in some]
    signals[:, SIGNALS.index("log_words")] = lot.normal(size=len(some))
    return Half(some, signals)


def test_the_halves_share_no_question_and_hold_all() -> None:
    train, test = halves(41, 3)
    assert sorted([*train, *test]) == list(range(41))
    assert not np.array_equal(train, halves(41, 4)[0])


def test_wrong_answers_are_other_questions_answers_of_the_same_half() -> None:
    places, _ = halves(len(HUMANS), 0)
    found = pairs(places, QUESTIONS, 0)
    assert Counter(pair.kind for pair in found) == {"right": 20, "random": 20, "hard": 20}
    assert {pair.answer for pair in found} <= set(places.tolist())
    assert all((pair.question == pair.answer) == (pair.kind == "right") for pair in found)


def test_a_hard_answer_belongs_to_the_most_similar_other_question() -> None:
    places, _ = halves(len(HUMANS), 0)
    for pair in pairs(places, QUESTIONS, 0):
        if pair.kind == "hard":
            near = {other: QUESTIONS[pair.question] @ QUESTIONS[other] for other in places if other != pair.question}
            assert near[pair.answer] == max(near.values())


def test_a_training_exchange_sees_neither_its_own_label_nor_the_one_its_answer_comes_from() -> None:
    train = list(range(10))
    reviewed = corpus(HUMANS, train, EMBED)
    seen = Without(reviewed, {"q1", "q2"}).near(["fiqa"], QUESTIONS[1:2], 8)[0]
    assert len(seen) == 8
    assert not {"q1", "q2"} & {each.exchange for each in seen}
    found = rows(HUMANS, [Pair(1, 2, "hard"), Pair(1, 1, "right")], EMBED, reviewed, {})
    assert np.all(found[:, SIGNALS.index("near_approved")] < 0.999)


def test_right_and_wrong_answers_of_a_question_miss_the_same_labels() -> None:
    """What is hidden from wrong answers alone would give them away."""
    some = [Pair(1, 1, "right"), Pair(2, 2, "right"), Pair(1, 5, "random"), Pair(1, 7, "hard")]
    assert hidden_labels(some) == {1: {"q1", "q5", "q7"}, 2: {"q2"}}


def test_log_probabilities_become_signals_of_their_pair_alone() -> None:
    said = tokens(np.array([[-1.0, -0.5, -1.0], [-3.0, -0.1, -3.0]], dtype=np.float16))
    found = rows(HUMANS, [Pair(1, 1, "right"), Pair(2, 2, "right")], EMBED, corpus(HUMANS, [5], EMBED), {(1, 1): said})
    column = found[:, SIGNALS.index("mean_logprob")]
    assert column[0] == -2.0
    assert np.isnan(column[1])


def test_what_was_computed_is_kept_for_the_next_run(tmp_path: Path) -> None:
    file = tmp_path / "data" / "kept.npz"
    Kept(file, {"1/2": np.ones((3, 6), dtype=np.float16)}).write()
    assert Kept.read(file).rows["1/2"].shape == (3, 6)
    assert Kept.read(tmp_path / "none.npz").rows == {}


def test_the_set_is_read_from_the_cache_when_it_is_there(tmp_path: Path) -> None:
    file = tmp_path / "data" / f"fiqa-{WHEEL.sha256[:8]}.jsonl"
    file.parent.mkdir()
    file.write_bytes(b"\n".join(msgspec.json.encode({"question": h.question, "answer": h.answer}) for h in HUMANS))
    assert load(tmp_path) == HUMANS


def test_the_cosine_carries_what_it_tells_and_noise_carries_little() -> None:
    half = made()
    found = fitted(half)
    assert told_apart(half, scores(half, found), "random") > told_apart(half, scores(half, found), "hard") > 0.6
    share = shares(found)
    assert sum(share.values()) == pytest.approx(1.0)
    assert share["qa_cosine"] > 3 * share["log_words"]


def test_an_interval_holds_its_figure_and_narrows_with_questions() -> None:
    small, large = made(30), made(600)
    spans = []
    for half in (small, large):
        area = bootstrapped(half, half.signals[:, SIGNALS.index("qa_cosine")], "hard")
        assert area.low <= area.value <= area.high
        spans.append(area.high - area.low)
    assert spans[1] < spans[0] / 2


def test_a_question_keeps_one_wrong_answer_for_the_calibration() -> None:
    half = made(100).one_each(7)
    assert Counter(half.acceptable.tolist()) == {True: 100, False: 100}
    assert {pair.kind for pair in half.pairs} == {"right", "random", "hard"}


def test_a_fitted_calibration_is_off_by_little_more_than_chance() -> None:
    error, chance = calibration_error(made(400), made(400, seed=1), seed=0)
    assert 0 < chance < 0.06
    assert error < chance + 0.06


def test_the_prior_needs_no_labels_and_is_measured_as_the_fit_is() -> None:
    half = made(200, noise=0.05)
    telling = half._replace(signals=half.signals.copy())
    telling.signals[:, SIGNALS.index("qa_cosine")] = np.where(half.acceptable, 1.5, -1.0)
    assert prior_error(telling, 3) < 0.02 < prior_error(half, 3)


def test_a_half_can_be_looked_at_without_some_signals() -> None:
    seen = made(20).only(["log_words"])
    assert np.isfinite(seen.signals[:, SIGNALS.index("log_words")]).all()
    assert np.isnan(seen.signals[:, SIGNALS.index("qa_cosine")]).all()
    assert seen.of("hard").sum() == 20


def test_candidates_are_judged_by_fits_that_have_not_seen_the_question() -> None:
    half = made(100, noise=0.6)
    truth = half.acceptable[:, None].astype(float)
    blind = np.random.default_rng(1).normal(size=(len(half.pairs), 1))
    assert validated(half, truth, ["oracle"]) == (1.0, 1.0)
    assert validated(half, blind, ["noise"])[1] < 0.8


def test_the_questions_asked_lately_are_those_of_the_pairs_or_a_share_of_them() -> None:
    reviewed, some = corpus(HUMANS, [], EMBED), [Pair(q, (q + 1) % 40, "hard") for q in range(40)]
    rivals = {
        share: rows(HUMANS, some, EMBED, reviewed, {}, share)[:, SIGNALS.index("rival_cosine")]
        for share in (1.0, 0.7, 0.0)
    }
    assert np.isfinite(rivals[1.0]).all() and np.isnan(rivals[0.0]).all()
    assert (rivals[0.7] <= rivals[1.0]).all() and (rivals[0.7] < rivals[1.0]).any()


def without_rival(difference: bool) -> float:
    """AUROC, random, where the rival is missing, by a fit that had it: as it is, or as a difference of two cosines.

    Some questions are nearer to every answer than others, and their own answers gain more by that than the rivals do.
    """
    half, lot = made(400, noise=0.05), np.random.default_rng(7)
    own, rival = SIGNALS.index("qa_cosine"), SIGNALS.index("rival_cosine")
    easy = 0.2 * lot.normal(size=len(half.pairs))
    half.signals[:, own] += 1.5 * easy
    half.signals[:, rival] = [0.75 if pair.kind == "hard" else 0.5 for pair in half.pairs] + easy
    half.signals[:, rival] += 0.05 * lot.normal(size=len(half.pairs))
    if difference:
        half.signals[:, rival] = half.signals[:, own] - half.signals[:, rival]
    weights = fitted(half)
    half.signals[:, rival] = np.nan
    return told_apart(half, scores(half, weights), "random")


def test_where_the_rival_is_missing_a_fit_that_had_it_still_ranks_as_it_would_not_with_a_difference() -> None:
    assert without_rival(difference=False) > 0.9
    assert without_rival(difference=True) < 0.5


def test_what_the_prior_rests_on_is_printed() -> None:
    half = made(200)
    half.signals[:, SIGNALS.index("question_overlap")] = 0.1 + 0.4 * half.acceptable
    half.signals[:, SIGNALS.index("rival_cosine")] = np.random.default_rng(1).normal(size=len(half.pairs))
    line = next(line for line in grounds(half).splitlines() if "`question_overlap`" in line)
    weight, beside, *medians = (float(cell) for cell in line.split("|")[3:-1])
    assert weight > 1 and beside > 1
    assert medians == [0.5, 0.1, 0.1]


def found() -> Found:
    span = Interval(0.9, 0.8, 0.95)
    return Found(
        everything=(span, span),
        alone={"qa_cosine": Worth(1.0, span, span, 0.5, 0.05), "hedging": Worth(1.0, span, span, 0.1, 0.0)},
        absent=["support"],
        pools={40: (0.91, 0.92)},
        asked={0.5: (0.98, 0.87, 0.81)},
        ece=Interval(0.04, 0.03, 0.05),
        chance=0.02,
        draws=20,
        met=17,
        areas=(span, span),
        prior=Prior(span, span, Interval(0.06, 0.05, 0.07), {"right": 0.4, "random": 0.0, "hard": 0.03}),
        recurring="| what recurs |",
    )


def test_the_report_names_every_figure_and_what_was_not_measured() -> None:
    text = report(found(), 648)
    assert text.index("`qa_cosine`") < text.index("`hedging`")
    assert all(part in text for part in ("`support`", "0.040 (0.030–0.050)", "at least 0.92", "+0.050"))
    assert "| 50% | | 0.980 | 0.870 | 0.810 |" in " ".join(text.split())
    assert all(part in text for part in ("| what recurs |", "hard answers", "3%", "0.060", "17 of 20 splits"))


def test_the_picture_is_a_png_in_a_folder_that_need_not_exist(tmp_path: Path) -> None:
    file = tmp_path / "images" / "signals.png"
    picture(found(), file)
    assert file.read_bytes().startswith(b"\x89PNG")
