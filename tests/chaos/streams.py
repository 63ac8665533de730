"""Chaos for the stream workers: kill -9, zombies, a broker restart; then every record is counted from outside.

python -m tests.chaos.streams                          # the whole of it, then the control that must be caught
python -m tests.chaos.streams --records 20000 --kills 3 --stops 1 --guarantee at_least_once
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import msgspec

from teachback.infra.cache import default_cache
from teachback.infra.kafka.node import Node
from teachback.infra.kafka.settings import KafkaSettings
from teachback.streams.batches.worker import Guarantee
from tests.chaos.checker import Found, Progress, check
from tests.chaos.feed import EVERY_GARBAGE, Feed
from tests.chaos.fleet import Fleet, fleet
from tests.chaos.worker import Worker
from tests.kafka_fixture import KafkaCluster

PARTITIONS = 4
STALL = 10.0  # seconds of SIGSTOP: past the workers' session timeout of 6
DRAIN_SECONDS = 120.0


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is done to whom. Faults come every `gap` seconds on average, in a random order drawn from `seed`."""

    records: int
    kills: int
    stops: int
    restarts: int = 0
    guarantee: Guarantee = "exactly_once"
    control: bool = False
    workers: int = 2
    rate: float = 800.0
    gap: float = 6.0
    pause: float = 0.03
    raise_share: float = 0.0
    seed: int = 1


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    plan: Plan
    found: Found
    lag: int
    seconds: float
    exits: dict[int, int]
    ends: list[int]

    @property
    def lossless(self) -> bool:
        """Nothing missing, foreign or misplaced, no lag, a clean end, and in the exactly-once form nothing twice."""
        found = self.found
        unclean = [code for code in self.ends if code not in (0, -15)]  # -15: ended before it had begun
        wrong = found.missing + found.foreign + found.misplaced + self.lag + len(unclean)
        return wrong == 0 and (self.plan.guarantee == "at_least_once" or found.repeats == 0)


def faults(plan: Plan, ships: Fleet, restart: Callable[[], None]) -> list[Callable[[], None]]:
    """The faults of a plan, in random order."""
    draw = random.Random(plan.seed)

    def stall() -> None:
        place = draw.choice(ships.running())
        ships.stop(place)
        until = time.monotonic() + STALL
        while time.monotonic() < until:
            ships.tend()
            time.sleep(0.2)
        ships.wake(place)

    kill = [lambda: ships.kill(draw.choice(ships.running()))] * plan.kills
    order = [*kill, *[stall] * plan.stops, *[restart] * plan.restarts]
    draw.shuffle(order)
    return order


def tend(ships: Fleet, seconds: float) -> None:
    """Wait, and start again what ends meanwhile."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        ships.tend()
        time.sleep(0.1)


def drain(ships: Fleet, progress: Progress) -> int:
    """Wait until all is committed; the lag that is left."""
    until, lag = time.monotonic() + DRAIN_SECONDS, -1
    while lag != 0 and time.monotonic() < until:
        tend(ships, 0.3)
        lag = progress.lag()
    return lag


def run(plan: Plan, bootstrap: str, log: Path, restart: Callable[[], None]) -> Report:
    """Feed, break, drain, end, count."""
    name = f"chaos-{uuid.uuid4().hex[:8]}"
    source, target, group = f"{name}.in", f"{name}.out", f"{name}.group"
    cluster = KafkaCluster(bootstrap)
    cluster.create_all({source: PARTITIONS, target: PARTITIONS, f"{source}.dlq": PARTITIONS})
    worker = Worker(
        bootstrap=bootstrap,
        source=source,
        target=target,
        group=group,
        guarantee=plan.guarantee,
        control=plan.control,
        pause=plan.pause,
        raise_share=plan.raise_share,
    )
    started = time.monotonic()
    feed, progress = Feed(bootstrap, source, plan.records, plan.rate), Progress(bootstrap, group, source)
    feed.start()
    with fleet(worker, plan.workers, log) as ships:
        while progress.committed() == 0:
            tend(ships, 0.3)
        draw = random.Random(plan.seed)
        for fault in faults(plan, ships, restart):
            tend(ships, draw.uniform(0.5, 1.5) * plan.gap)
            fault()
        while feed.is_alive():
            tend(ships, 0.5)
        lag = drain(ships, progress)
        ends = ships.end()
        exits = dict(ships.exits)
    garbage = set(range(EVERY_GARBAGE // 2, plan.records, EVERY_GARBAGE))
    found = check(bootstrap, target, f"{source}.dlq", plan.records, garbage)
    seconds = time.monotonic() - started
    return Report(plan=plan, found=found, lag=lag, seconds=seconds, exits=exits, ends=ends)


def table(reports: list[Report]) -> str:
    """The reports as a table."""
    rows = ["| form | records | kill -9 | zombies | broker restarts | missing | repeats | dead letters | s | exits |"]
    rows.append("|---|---|---|---|---|---|---|---|---|---|")
    for report in reports:
        plan, found = report.plan, report.found
        form = "control: commits early" if plan.control else plan.guarantee.replace("_", " ")
        exits = " ".join(f"{code}×{count}" for code, count in sorted(report.exits.items()))
        rows.append(
            f"| {form} | {plan.records:,} | {plan.kills} | {plan.stops} | {plan.restarts} | {found.missing:,} | "
            f"{found.repeats:,} | {found.dead_letters} | {report.seconds:.0f} | {exits} |"
        )
    return "\n".join(rows)


def main() -> int:
    """Run on a broker of our own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--stops", type=int, default=5)
    parser.add_argument("--restarts", type=int, default=1)
    parser.add_argument("--rate", type=float, default=900.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--raise-share", type=float, default=0.0)
    parser.add_argument("--guarantee", choices=get_args(Guarantee), action="append")
    parser.add_argument("--no-control", action="store_true")
    parser.add_argument("--log", type=Path, default=Path(tempfile.gettempdir()) / "teachback-chaos.log")
    chosen = parser.parse_args()
    common = {"records": chosen.records, "kills": chosen.kills, "stops": chosen.stops, "restarts": chosen.restarts}
    common |= {"rate": chosen.rate, "seed": chosen.seed, "raise_share": chosen.raise_share}
    plans = [Plan(**common, guarantee=guarantee) for guarantee in chosen.guarantee or ["exactly_once"]]
    if not chosen.no_control:
        plans.append(Plan(records=20_000, kills=8, stops=0, guarantee="at_least_once", control=True, pause=0.5))
    return judge(plans, chosen.log)


def judge(plans: list[Plan], log: Path) -> int:
    """Run the plans; 0 when every form is lossless and every control was caught."""
    reports = []
    with tempfile.TemporaryDirectory() as home:
        for place, plan in enumerate(plans):
            with Node(KafkaSettings(home=Path(home) / str(place), cache=default_cache())) as node:

                def restart(node: Node = node) -> None:
                    node.kill()
                    time.sleep(2)
                    node.start()

                reports.append(run(plan, node.bootstrap, log, restart))
            print(msgspec.json.encode(reports[-1]).decode(), flush=True)
    print(table(reports))
    good = [(report.found.missing > 0) if report.plan.control else report.lossless for report in reports]
    print("as it should be" if all(good) else f"NOT as it should be; workers' log: {log}")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
