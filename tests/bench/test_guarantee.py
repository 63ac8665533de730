"""The bench of the guarantee: its short cuts against the real walk, its truth against the population, its report."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from bench.guarantee import METHODS, SEED, Found, moments, over, report_broken, report_coverage, simulate, uniform_log_e
from bench.guarantee_drift import BEFORE, changed, delay, runs
from bench.guarantee_plot import plot
from bench.guarantee_streams import (
    Accepted,
    Stream,
    broken,
    covered,
    every_look,
    exact_limits,
    guaranteed,
    limits,
    newest,
    one_look,
    stream,
)
from bench.guarantee_traffic import MIXES, Mix, population
from teachback.schemas import Promise
from teachback.streams.guarantee import alpha_of, log_e_value, missing, walk

TARGET, ALPHA = 0.03, 0.05
EASY = population(MIXES[0], SEED)


@pytest.fixture(scope="module")
def easy() -> Stream:
    return stream(EASY, (SEED, 1), TARGET, (0.2, 50), 2400)


@pytest.mark.parametrize("mix", MIXES, ids=lambda mix: mix.name)
def test_as_much_of_a_mix_is_wrong_as_it_says(mix: Mix) -> None:
    assert population(mix, 3).chance.mean() == pytest.approx(mix.wrong, abs=1e-9)


def test_the_same_seed_is_the_same_stream_and_another_is_not(easy: Stream) -> None:
    again = stream(EASY, (SEED, 1), TARGET, (0.2, 50), 2400)
    assert (again.wrong == easy.wrong).all() and (again.versions[-1].error == easy.versions[-1].error).all()
    assert not np.array_equal(stream(EASY, (SEED, 2), TARGET, (0.2, 50), 2400).places, easy.places)


def test_a_limit_is_the_largest_number_of_errors_that_certifies() -> None:
    most = limits(log_e_value, TARGET, ALPHA, 600)
    assert (np.diff(most) >= 0).all()
    assert int(np.argmax(most >= 0)) == missing(0, 0, TARGET, ALPHA)
    for audits in (200, 400, 600):
        assert float(log_e_value(audits, most[audits], TARGET)) >= -math.log(ALPHA)
        assert float(log_e_value(audits, most[audits] + 1, TARGET)) < -math.log(ALPHA)


def test_one_look_of_clopper_and_pearson_needs_99_clean_audits() -> None:
    assert int(np.argmax(exact_limits(TARGET, ALPHA, 200) >= 0)) == 99


def test_the_uniform_reference_needs_148_clean_audits() -> None:
    assert int(np.argmax(limits(uniform_log_e, TARGET, ALPHA, 200) >= 0)) == 148


@pytest.mark.parametrize("audits", [700, 1500, 2400])
def test_at_every_moment_it_accepts_what_the_real_walk_certifies(easy: Stream, audits: int) -> None:
    most = [limits(log_e_value, TARGET, alpha_of(attempt, ALPHA), 2400) for attempt in range(1, 9)]
    expected = (0.0, 0.0)
    before = int(np.searchsorted(easy.places, audits))
    for attempt, version in enumerate(easy.versions, 1):
        if version.published > audits or not before:
            continue
        steps = len(version.planned)
        entered = np.diff(version.seen[:, :before], prepend=0, axis=1).astype(bool).argmax(axis=0).astype(float)
        entered[version.seen[-1, :before] == np.append(0, version.seen[-1, : before - 1])] = steps
        since = slice(int(np.searchsorted(easy.places, version.published)), before)
        thresholds = [-float(step) for step in range(steps)]
        found = walk(-entered[since], easy.wrong[since], thresholds, TARGET, alpha_of(attempt, ALPHA))
        if found.certified is not None:
            at = found.certified.step
            expected = max(expected, (float(version.planned[at]), float(version.coverage[at])))
    assert covered(guaranteed(easy, most), audits) == pytest.approx(expected[1])
    assert audits < 2400 or expected[1] > 0.5  # at the end there is something to agree on


def test_the_oracle_is_safe_and_no_certified_class_that_is_safe_is_larger(easy: Stream) -> None:
    for version in easy.versions:
        safe = version.error <= TARGET
        assert safe.any() and version.coverage[safe].max() <= version.oracle < 1


def test_a_calibration_is_in_service_from_when_it_was_published(easy: Stream) -> None:
    first = easy.versions[0]
    assert newest(easy, first.published - 1) is None
    assert newest(easy, first.published) is first
    assert one_look(easy, exact_limits(TARGET, ALPHA, 2400), first.published - 1).coverage == 0.0


def test_naive_looks_take_back_what_a_later_look_does_not_bear_out(easy: Stream) -> None:
    naive = every_look(easy, exact_limits(TARGET, ALPHA, 2400))
    assert [one.since for one in naive] == sorted(one.since for one in naive)
    assert any(later.coverage < before.coverage for before, later in pairwise(naive))
    at = naive[-1].since
    assert one_look(easy, exact_limits(TARGET, ALPHA, 2400), at).coverage == naive[-1].coverage


def test_the_promise_is_broken_when_any_accepted_class_was_worse() -> None:
    history = [Accepted(10, 0.4, 0.02), Accepted(20, 0.6, 0.031), Accepted(30, 0.5, 0.01)]
    assert broken(history, TARGET) and not broken(history[:1], TARGET) and not broken([], TARGET)
    assert (covered(history, 9), covered(history, 25), covered(history, 99)) == (0.0, 0.6, 0.5)


def test_in_the_easy_mix_it_covers_three_quarters_of_one_look_and_the_promise_holds() -> None:
    found = simulate(MIXES[0], 8, moments(2000), Promise())
    mean = {name: float(found.coverage[name][:, -1].mean()) for name in METHODS}
    assert 0.75 * mean["one look"] <= mean["guarantee"] < mean["oracle"]
    assert found.broken["guarantee"] <= 1


def test_the_reports_state_ratios_to_the_references() -> None:
    levels = {"oracle": 0.8, "one look": 0.5, "guarantee": 0.4, "uniform": 0.2, "naive": 0.6}
    coverage = {name: np.full((10, 16), level) for name, level in levels.items()}
    failed = {"oracle": 0, "one look": 0, "guarantee": 1, "uniform": 0, "naive": 4}
    found = {"easy": Found(10, coverage, failed), "hard": Found(30, coverage, dict.fromkeys(failed, 0))}
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in report_broken(found, Promise()).split("\n")
    ]
    assert cells[2] == ["the guarantee", "10.0%", "0.0%", "2.5%", "0.50"]
    assert cells[4] == ["naive looks", "40.0%", "0.0%", "10.0%", "2.00"]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in report_coverage(found, moments(4000)).split("\n")
    ]
    assert rows[2] == ["easy", "2,000", "0.800", "0.500", "0.200", "0.400", "0.80", "0.50", "2.00"]
    assert rows[3][1] == "4,000"
    assert over(1.0, 0.0) == "–"


def test_the_alarm_rings_soon_after_a_change_and_sooner_after_a_larger_one() -> None:
    quiet, twice, four = runs(TARGET, 6, SEED, 1000)
    assert quiet.mean > 500
    assert four.silent == 0 and four.mean < twice.mean
    stream_ = changed(np.random.default_rng(1), TARGET, 4.0)
    assert len(stream_) > BEFORE and 0 < (delay(stream_, TARGET) or 0) < 500


def test_the_picture_is_a_png_of_modest_size(tmp_path: Path) -> None:
    lines = {name: [0.0, 0.4, 0.8] for name in METHODS}
    plot(tmp_path / "images" / "one.png", [0, 10, 20], {"easy": lines, "hard": lines})
    written = (tmp_path / "images" / "one.png").read_bytes()
    assert written.startswith(b"\x89PNG") and len(written) < 150_000
