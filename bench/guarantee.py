"""Whether the promise holds, and how much it lets through: streams of made-up audits, with a look after every audit.

    python -m bench.guarantee [--streams 2000] [--audits 4000] [--quick] [--plot docs/images/guarantee.png]

`--streams` are shared among three mixes of traffic (`bench/guarantee_traffic.py`). In each stream audits are split
into those that teach and those that certify. Calibrations are fitted on the way, each with its own share of α, and each
walks from strict to loose thresholds. The truth is known, so it can be said whether the accepted class was ever worse
than promised. References, on the same audits: one single look of Clopper and Pearson, by the newest calibration and
with the whole of α (the limit); the loosest threshold that is truly safe (the oracle); the e-value with a uniform
density; and who looks after every audit as if each look were the only one.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc, betaln

from bench.guarantee_drift import LONGEST, runs
from bench.guarantee_plot import plot
from bench.guarantee_streams import (
    AUDITS,
    Counts,
    LogE,
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
from bench.guarantee_traffic import MIXES, Floats, Mix, Population, population
from bench.table import table
from teachback.schemas import Promise
from teachback.streams.guarantee import alpha_of, log_e_value

SEED = 20_240
ATTEMPTS = 12
POINTS = 16  # moments at which coverage is noted
METHODS = ("oracle", "one look", "guarantee", "uniform", "naive")


class Limits(NamedTuple):
    """The most errors allowed, by number of audits: of each attempt, and of one look with the whole of α."""

    guarantee: list[Counts]
    uniform: list[Counts]
    look: Counts


class Found(NamedTuple):
    """Of one mix: streams; coverage by method, (streams, points); and in which streams a method broke the promise."""

    streams: int
    coverage: Mapping[str, Floats]
    broken: Mapping[str, int]


def main() -> None:
    """Simulate, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=2_000, help="of all mixes together")
    parser.add_argument("--audits", type=int, default=AUDITS)
    parser.add_argument("--quick", action="store_true", help="60 streams, short runs of the drift alarm")
    parser.add_argument("--plot", type=Path, help="where to write the picture")
    given = parser.parse_args()
    streams = 60 if given.quick else given.streams
    promise, looks = Promise(), moments(given.audits)
    each = math.ceil(streams / len(MIXES))
    found = {mix.name: simulate(mix, each, looks, promise) for mix in MIXES}
    print(f"{each} streams of {given.audits:,} audits in each mix, a look after every audit")
    print(f"promise: at most {promise.target:.0%} wrong, {promise.confidence:.0%} sure\n")
    print(report_broken(found, promise), report_coverage(found, looks), "", sep="\n\n")
    size = (20, LONGEST // 10) if given.quick else (200, LONGEST)
    print(report_drift(promise.target, *size))
    if given.plot:
        plot(given.plot, [0, *looks], {name: curves(one) for name, one in found.items()})


def moments(audits: int) -> list[int]:
    """Numbers of audits at which coverage is noted; the middle and the end among them."""
    return [round(audits * point / POINTS) for point in range(1, POINTS + 1)]


def simulate(mix: Mix, streams: int, looks: list[int], promise: Promise) -> Found:
    """Every method on the same streams of one mix."""
    people = population(mix, SEED)
    audits = looks[-1]
    allowed = limits_of(promise, audits)
    coverage = {name: np.zeros((streams, len(looks))) for name in METHODS}
    failed = dict.fromkeys(METHODS, 0)
    for number in range(streams):
        for name, row, bad in methods(people, (SEED, MIXES.index(mix), number), looks, promise, allowed):
            coverage[name][number] = row
            failed[name] += bad
    return Found(streams, coverage, failed)


def limits_of(promise: Promise, audits: int) -> Limits:
    """The tables that every stream is looked up in."""
    alpha = 1 - promise.confidence
    shares = [alpha_of(attempt, alpha) for attempt in range(1, ATTEMPTS + 1)]

    def by(log_e: LogE) -> list[Counts]:
        return [limits(log_e, promise.target, share, audits) for share in shares]

    return Limits(by(log_e_value), by(uniform_log_e), exact_limits(promise.target, alpha, audits))


def methods(
    people: Population, seed: tuple[int, ...], looks: list[int], promise: Promise, allowed: Limits
) -> Iterator[tuple[str, list[float], bool]]:
    """Of one stream: each method's coverages at `looks`, and whether it broke the promise."""
    target = promise.target
    one = stream(people, seed, target, (promise.start, promise.steps), looks[-1])
    yield "oracle", [oracle(one, look) for look in looks], False
    single = [one_look(one, allowed.look, look) for look in looks]
    yield "one look", [at.coverage for at in single], broken(single[-1:], target)
    every = {
        "guarantee": guaranteed(one, allowed.guarantee),
        "uniform": guaranteed(one, allowed.uniform),
        "naive": every_look(one, allowed.look),
    }
    for name, accepted in every.items():
        yield name, [covered(accepted, look) for look in looks], broken(accepted, target)


def oracle(one: Stream, audits: int) -> float:
    """Coverage of the loosest threshold that is truly safe, by the calibration in service then."""
    version = newest(one, audits)
    return 0.0 if version is None else version.oracle


def uniform_log_e(audits: ArrayLike, errors: ArrayLike, target: float) -> Floats:
    """The reference: ln E with a density that is the same everywhere below the target."""
    n, k = np.asarray(audits, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    with np.errstate(divide="ignore"):
        below = np.log(betainc(k + 1, n - k + 1, target))
    found: Floats = betaln(k + 1, n - k + 1) + below - (k + 1) * math.log(target) - (n - k) * math.log1p(-target)
    return found


def report_broken(found: Mapping[str, Found], promise: Promise) -> str:
    """In which share of streams the accepted class was ever worse than promised."""
    names = {"guarantee": "the guarantee", "uniform": "the same, uniform density", "naive": "naive looks"}
    allowed = 1 - promise.confidence
    rows = []
    for name, label in names.items():
        shares = [one.broken[name] / one.streams for one in found.values()]
        whole = sum(one.broken[name] for one in found.values()) / sum(one.streams for one in found.values())
        rows.append((label, *(f"{share:.1%}" for share in (*shares, whole)), f"{whole / allowed:.2f}"))
    head = ("promise ever broken in", *found, "all streams", f"so many times the allowed {allowed:.0%}")
    return table(head, rows)


def report_coverage(found: Mapping[str, Found], looks: list[int]) -> str:
    """Mean coverage half-way and at the end, and the ratio of the guarantee to the references."""
    rows = []
    for name, one in found.items():
        for at in (len(looks) // 2 - 1, len(looks) - 1):
            mean = {method: float(one.coverage[method][:, at].mean()) for method in METHODS}
            ratios = (over(mean["guarantee"], mean[other]) for other in ("one look", "oracle", "uniform"))
            covers = (f"{mean[method]:.3f}" for method in ("oracle", "one look", "uniform", "guarantee"))
            rows.append((name, f"{looks[at]:,}", *covers, *ratios))
    head = ("mix", "audits", "oracle", "one look", "uniform", "the guarantee", "÷ one look", "÷ oracle", "÷ uniform")
    return table(head, rows)


def over(value: float, reference: float) -> str:
    """A ratio; nothing where the reference accepts nothing."""
    return f"{value / reference:.2f}" if reference else "–"


def report_drift(target: float, streams: int, longest: int) -> str:
    """Audits of the class until the drift alarm."""
    rows = [
        (run.name, str(run.streams), f"{run.mean:,.0f}", f"{run.median:,.0f}", str(run.silent))
        for run in runs(target, streams, SEED, longest)
    ]
    return table(("the drift alarm", "streams", "mean audits to it", "median", f"silent for {longest:,}"), rows)


def curves(one: Found) -> dict[str, list[float]]:
    """Mean coverages by method, from 0 audits."""
    return {name: [0.0, *one.coverage[name].mean(axis=0).tolist()] for name in METHODS}


if __name__ == "__main__":
    main()
