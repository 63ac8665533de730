"""The loop's legs beside named references, in one run on one local Kafka.

    python -m bench.loop [--markdown docs/benchmarks.md] [--note "what else ran on the machine"]

    stream leg   consume → decode → tier-0 signals → confidence → route → produce, by teachback, by Quix Streams, and by
                 a plain confluent-kafka loop, which is the reference; exactly once and at least once; then latency
    shards       Kafka → Parquet, beside raw pyarrow (`bench/shards.py`)
    SDK          a request with and without `.exchange()` (`bench/sdk.py`)

Ratios are what travels to another machine; absolute figures only say how fast this one was. Ratios above 1 are better
than the reference for throughput, and worse for times.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import sys
import tempfile
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import msgspec

from bench import sdk, shards
from bench.contender import PARTITIONS, QUIX_PYTHON, BenchError, create, fill, prepare
from bench.job import CONTENDERS, REFERENCE, Contender, Job
from bench.latency import latency
from bench.report import latency_table, sdk_table, shards_table, throughput_table
from bench.table import put
from bench.throughput import Throughput, throughput
from teachback.infra.cache import default_cache
from teachback.infra.kafka.jars import KAFKA_VERSION
from teachback.infra.kafka.node import Node
from teachback.infra.kafka.settings import KafkaSettings
from teachback.schemas.wire import Cluster
from teachback.streams.settings import ScoringSettings

QUICK_COMMIT_SECONDS = 0.1  # Quix Streams in the latency run: with its default of 5 s it would only show that


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How much of everything."""

    events: int
    rounds: int
    batch: int
    limit: float
    per_second: int
    seconds: float
    labels: int
    rows: int
    calls: int


class Bench:
    """Runs contenders on one Kafka, each on topics of its own."""

    def __init__(self, bootstrap: str, plan: Plan, log: Path) -> None:
        self._bootstrap = bootstrap
        self._plan = plan
        self._log = log
        self._cluster = Cluster(bootstrap=bootstrap, prefix="bench.")

    def throughputs(self) -> tuple[int, dict[Contender, list[Throughput]]]:
        """Mean size of an exchange in bytes, and the rounds of each contender, by turns."""
        create(self._cluster, {"exchanges": PARTITIONS, "exchanges.dlq": PARTITIONS})
        source = self._cluster.topic("exchanges")
        size = fill(self._cluster, source, self._plan.events)
        found: dict[Contender, list[Throughput]] = {contender: [] for contender in CONTENDERS}
        for turn in range(self._plan.rounds):
            for contender in CONTENDERS if turn % 2 == 0 else CONTENDERS[::-1]:  # nobody is always the first
                job = self._job(contender, source)
                one = throughput(job, self._plan.events, self._plan.limit, self._log)
                found[contender].append(one)
                say(f"{_name(contender)}: {one.rate:,.0f}/s, {one.cpu_us:,.0f} µs of processor time each")
        return size, found

    def latencies(self) -> dict[Contender, list[float]]:
        """Milliseconds of every exchange, by contender."""
        found = {}
        for place, contender in enumerate(CONTENDERS):
            source = f"quiet{place}"
            create(self._cluster, {source: PARTITIONS, f"{source}.dlq": PARTITIONS})
            job = self._job(contender, self._cluster.topic(source), QUICK_COMMIT_SECONDS)
            found[contender] = latency(job, self._plan.per_second, self._plan.seconds, self._log)
            say(f"{_name(contender)}: median {statistics.median(found[contender]):.0f} ms")
        return found

    def _job(self, contender: Contender, source: str, commit_seconds: float = 5.0) -> Job:
        kind, guarantee = contender
        job = Job(
            kind=kind,
            guarantee=guarantee,
            bootstrap=self._bootstrap,
            source=source,
            prefix=f"b{uuid.uuid4().hex[:8]}.",
            batch=self._plan.batch,
            commit_seconds=commit_seconds,
        )
        prepare(job)
        return job


def say(text: str) -> None:
    """Progress, apart from the result."""
    print(text, file=sys.stderr, flush=True)


def _name(contender: Contender) -> str:
    kind, guarantee = contender
    return f"{kind}, {guarantee.replace('_', ' ')}"


def shipped_batch() -> int:
    """How many records `teachback up` lets a scoring worker fetch at a time."""
    return next(int(field.default) for field in msgspec.structs.fields(ScoringSettings) if field.name == "max_batch")


def run(bootstrap: str, plan: Plan, log: Path) -> Iterator[str]:
    """The parts of the result, as they come."""
    bench = Bench(bootstrap, plan, log)
    say(f"Filling the source with {plan.events:,} exchanges …")
    size, rates = bench.throughputs()
    reviewed = rates[REFERENCE, "exactly_once"][0]
    share = reviewed.reviews / max(1, reviewed.decided)
    yield (
        f"**Stream leg, throughput.** {plan.events:,} exchanges of {size:,} bytes on {PARTITIONS} partitions, one "
        f"worker; {share:.0%} also go to `review.requests`. Everyone runs the same functions. At most {plan.batch:,} "
        f"records a transaction or flush (the scoring leg's own default is {shipped_batch()}); Quix Streams commits by "
        "the clock, by default every 5 s. Ratio: the rate to that of a plain confluent-kafka loop with the same "
        f"guarantee in the same round; means of the rounds, {plan.rounds} there and back; above 1 is faster. "
        "CPU: the worker's processor time for each exchange, and its ratio (above 1 is dearer); other work on the "
        "machine disturbs it less than the clock."
    )
    yield throughput_table(rates, plan.events)
    yield (
        f"**Stream leg, latency** at {plan.per_second} exchanges a second for {plan.seconds:g} s, from emitting to a "
        f"committed reader of `chat.scored`; Quix Streams commits every {QUICK_COMMIT_SECONDS:g} s here. A ratio above "
        "1 is slower."
    )
    yield latency_table(bench.latencies())
    say("Shards …")
    yield f"**Shards.** {plan.labels:,} labels of 1 KB, zstd, fsync; best of 3 by turns. Above 1 is faster."
    yield shards_table(shards.measure(bootstrap, plan.labels, plan.rows), plan.labels, plan.rows)
    say("SDK …")
    yield f"**SDK.** {plan.calls:,} calls of each case by turns; a request here only builds and encodes a reply."
    yield sdk_table(sdk.measure(bootstrap, plan.calls))


def conditions(load_before: float, note: str) -> str:
    """What the figures depend on. A machine that was busy before we began says so."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    parts = ("confluent-kafka", "faust-streaming", "aiokafka", "pyarrow", "deltalake")
    shared = "**the machine was shared with other work**" if load_before > cores / 2 else "the machine was quiet"
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {cores} cores for workers, broker and measuring alike, load {load_before:.1f} "
        f"before the start: {shared}{note and '; '}{note}. Apache Kafka {KAFKA_VERSION} in one node, "
        f"Python {sys.version.split()[0]}, {', '.join(f'{part} {version(part)}' for part in parts)}; Quix Streams and "
        "its confluent-kafka as in `bench/requirements-quix.lock`."
    )


def main() -> None:
    """Run everything, print it, and put it into the page when asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--batch", type=int, default=1000)
    parser.add_argument("--limit", type=float, default=60.0, help="seconds for one contender, at most")
    parser.add_argument("--per-second", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=8.0, help="of each latency run")
    parser.add_argument("--labels", type=int, default=100_000)
    parser.add_argument("--rows", type=int, default=10_000, help="labels a Parquet file")
    parser.add_argument("--calls", type=int, default=5000, help="of the SDK, for each case")
    parser.add_argument("--markdown", type=Path, help="page to refresh, between its markers")
    parser.add_argument("--note", default="", help="what a reader should know about the machine")
    given = vars(parser.parse_args())
    page, note = given.pop("markdown"), given.pop("note")
    if not QUIX_PYTHON.exists():
        raise SystemExit(
            f"{QUIX_PYTHON} is missing: Quix Streams needs an environment of its own; `make bench` makes it"
        )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that workers and broker end with us
    load_before = os.getloadavg()[0]
    log = Path(tempfile.gettempdir()) / "teachback-bench.log"
    log.write_bytes(b"")
    with tempfile.TemporaryDirectory() as home, Node(KafkaSettings(home=Path(home), cache=default_cache())) as node:
        try:
            parts = list(run(node.bootstrap, Plan(**given), log))
        except BenchError as exc:
            raise SystemExit(f"bench: {exc}") from exc
    text = "\n\n".join([conditions(load_before, note), *parts])
    print(text)
    if page:
        put(page, text)


if __name__ == "__main__":
    main()
