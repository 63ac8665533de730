"""The change detector: quiet while the promise holds, loud soon after it doesn't."""

from __future__ import annotations

import numpy as np
import pytest

from teachback.streams.guarantee import AVERAGE_RUN, alarm

TARGET = 0.03


def audits(seed: int, n: int, wrong: float) -> list[bool]:
    return [bool(one) for one in np.random.default_rng(seed).random(n) < wrong]


def test_there_is_no_alarm_in_most_streams_that_are_as_bad_as_promised() -> None:
    alarms = sum(alarm(audits(seed, 1500, TARGET), TARGET) is not None for seed in range(40))
    assert alarms <= 1500 / AVERAGE_RUN * 40 + 6  # the bound on the mean, and sampling


@pytest.mark.parametrize("seed", range(8))
def test_three_times_the_target_is_noticed_within_600_audits(seed: int) -> None:
    assert alarm(audits(seed, 600, 3 * TARGET), TARGET) is not None


def test_a_change_after_a_long_good_time_is_noticed_soon() -> None:
    good = audits(1, 800, 0.01)
    at = alarm(good + audits(2, 600, 4 * TARGET), TARGET)
    assert at is not None and 800 < at < 1200


def test_the_alarm_is_the_first_audit_that_suffices() -> None:
    stream = audits(3, 600, 3 * TARGET)
    at = alarm(stream, TARGET)
    assert at is not None
    assert alarm(stream[: at - 1], TARGET) is None
    assert alarm(stream[:at], TARGET) == at
    assert stream[at - 1]  # a right answer never raises it


def test_a_clean_stream_and_an_empty_one_raise_no_alarm() -> None:
    assert alarm([], TARGET) is None
    assert alarm([False] * 3000, TARGET) is None


def test_a_shorter_average_run_alarms_sooner() -> None:
    stream = audits(4, 600, 3 * TARGET)
    soon, late = alarm(stream, TARGET, 100), alarm(stream, TARGET)
    assert soon is not None and late is not None and soon < late


def test_on_average_its_statistic_grows_by_at_most_one_an_audit() -> None:
    """So that false alarms are as rare as stated: the mean time to one is at least the average run."""
    times = [alarm(audits(100 + seed, 600, TARGET), TARGET, 60.0) or 600 for seed in range(80)]
    assert np.mean(times) >= 60.0
