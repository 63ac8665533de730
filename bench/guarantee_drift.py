"""How long the drift alarm keeps quiet while the promise holds, and how soon it rings when it no longer does."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bench.guarantee_traffic import Bools
from teachback.streams.guarantee import AVERAGE_RUN, alarm

LONGEST = 6 * AVERAGE_RUN
BEFORE = 500  # audits that are as good as before, until the change


class Run(NamedTuple):
    """What was tried, how often, and audits to the alarm: mean and median of those that rang; how many did not."""

    name: str
    streams: int
    mean: float
    median: float
    silent: int


def runs(target: float, streams: int, seed: int, longest: int = LONGEST) -> list[Run]:
    """At the target itself, the worst that is promised; then from half of it suddenly to twice, and to four times."""
    dice = np.random.default_rng([seed, 99])
    quiet = [alarm((dice.random(longest) < target).tolist(), target) for _ in range(streams)]
    found = [_run(f"no change: {target:.1%} wrong", quiet, longest)]
    for factor in (2.0, 4.0):
        late = [delay(changed(dice, target, factor), target) for _ in range(streams)]
        found.append(_run(f"after {target / 2:.1%} wrong suddenly {factor * target:.1%}", late, longest))
    return found


def changed(dice: np.random.Generator, target: float, factor: float) -> Bools:
    """Audits of a class that is half as bad as promised, and then `factor` times as bad."""
    wrong: Bools = np.concatenate([dice.random(BEFORE) < target / 2, dice.random(BEFORE * 8) < factor * target])
    return wrong


def delay(wrong: Bools, target: float) -> int | None:
    """Audits from the change to the alarm; an alarm before it counts as none."""
    at = alarm(wrong.tolist(), target)
    return None if at is None or at <= BEFORE else at - BEFORE


def _run(name: str, times: list[int | None], longest: int) -> Run:
    """A stream that did not ring counts with its whole length in the mean: the true mean is longer."""
    rang = [longest if one is None else one for one in times]
    return Run(name, len(times), float(np.mean(rang)), float(np.median(rang)), sum(one is None for one in times))
