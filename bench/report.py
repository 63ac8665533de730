"""What was measured, as tables: figures, and ratios to the named reference."""

from __future__ import annotations

import statistics

from bench.job import REFERENCE, Contender
from bench.table import table
from bench.throughput import Throughput


def throughput_table(found: dict[Contender, list[Throughput]], events: int) -> str:
    """Rates, and ratios to the reference of the same guarantee in the same round."""
    rows = []
    for (kind, guarantee), rounds in found.items():
        reference = found[REFERENCE, guarantee]
        ratios = [mine.rate / its.rate for mine, its in zip(rounds, reference, strict=True)]
        spread = f"{min(ratios):.2f}–{max(ratios):.2f}" if kind != REFERENCE else "the reference"
        lost, repeats = sum(events - r.decided for r in rounds), sum(r.repeats for r in rounds)
        missing = f"{lost:,}" if all(r.whole for r in rounds) else "cut off"
        rate = statistics.mean(r.rate for r in rounds)
        cpu = statistics.mean(r.cpu_us for r in rounds)
        cpu_ratio = cpu / statistics.mean(r.cpu_us for r in reference)
        cells = (
            f"{rate:,.0f}",
            f"{statistics.mean(ratios):.2f}",
            spread,
            f"{cpu:,.0f}",
            f"{cpu_ratio:.2f}",
            missing,
            f"{repeats:,}",
        )
        rows.append((kind, guarantee.replace("_", " "), *cells))
    head = (
        "stream leg",
        "guarantee",
        "exchanges/s",
        "ratio",
        "in the rounds",
        "CPU µs",
        "CPU ratio",
        "missing",
        "repeats",
    )
    return table(head, rows)


def latency_table(found: dict[Contender, list[float]]) -> str:
    """Median and tail, and the median's ratio to the reference of the same guarantee."""
    rows = []
    for (kind, guarantee), times in found.items():
        median, tail = statistics.median(times), statistics.quantiles(times, n=100)[98]
        ratio = median / statistics.median(found[REFERENCE, guarantee])
        rows.append((kind, guarantee.replace("_", " "), f"{median:,.0f}", f"{tail:,.0f}", f"{ratio:.2f}"))
    return table(("stream leg", "guarantee", "p50 ms", "p99 ms", "ratio of p50"), rows)


def shards_table(best: dict[str, float], labels: int, rows_a_file: int) -> str:
    """Labels a second, and the ratio to raw pyarrow."""
    rows = [
        (name, f"files of {rows_a_file:,}", f"{labels / seconds:,.0f}", f"{best['raw pyarrow'] / seconds:.2f}")
        for name, seconds in best.items()
    ]
    return table(("Kafka to Parquet", "", "labels/s", "ratio"), rows)


def sdk_table(costs: dict[str, list[float]]) -> str:
    """Microseconds of a stand-in request, and what the SDK adds to it."""
    bare = statistics.median(costs["no SDK"])
    rows = []
    for name, times in costs.items():
        median, tail = statistics.median(times), statistics.quantiles(times, n=100)[98]
        figures = (f"{median:,.1f}", f"{tail:,.1f}", f"{median - bare:,.1f}", f"{median / bare:.2f}")
        rows.append(("a request", name, *figures))
    return table(("SDK", "case", "p50 µs", "p99 µs", "added µs", "ratio"), rows)
