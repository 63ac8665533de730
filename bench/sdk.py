"""What the SDK costs a chatbot: the time of one `.exchange()`, with Kafka up, with Kafka down, and without the SDK.

    python bench/sdk.py 127.0.0.1:9092 [--calls 5000]

A request is stood in for by a fixed piece of work (building and encoding the reply, as a server does). Each case runs
five rounds by turns; the median and the 99th percentile of all calls count. Bare turns have 1 KB; the others carry the
log-probabilities of 200 tokens with the five likeliest each, as in `choices[].logprobs`.
"""

from __future__ import annotations

import argparse
import json
import socket
import statistics
import sys
import time
import uuid
from collections.abc import Callable
from typing import Any

from confluent_kafka.cimpl import NewTopic

from teachback import Teachback
from teachback.schemas.wire import Cluster, admin

MESSAGES = [{"role": "system", "content": "Be helpful. " * 20}, {"role": "user", "content": "What does it cost? " * 10}]
ANSWER = "It costs nothing in the euro area. " * 15
TOP = [{"token": f"t{n}", "logprob": -0.1 * n, "bytes": [116]} for n in range(5)]
LOGPROBS = {"content": [{"token": "t", "logprob": -0.1, "bytes": [116], "top_logprobs": TOP} for _ in range(200)]}


def reply() -> str:
    """What a chatbot does anyway once it has an answer."""
    return json.dumps({"id": str(uuid.uuid4()), "choices": [{"message": {"role": "assistant", "content": ANSWER}}]})


def timed(work: Callable[[], object], calls: int) -> list[float]:
    """Microseconds of each call."""
    found = []
    for _ in range(calls):
        started = time.perf_counter()
        work()
        found.append((time.perf_counter() - started) * 1e6)
    return found


def cases(up: Cluster, down: Cluster) -> tuple[dict[str, Callable[[], object]], list[Teachback]]:
    """The pieces of work to compare, and the SDKs that they use."""
    sdks = {"Kafka up": Teachback(bot="bench", cluster=up), "Kafka down": Teachback(bot="bench", cluster=down)}
    found: dict[str, Callable[[], object]] = {"no SDK": reply}

    def with_sdk(sdk: Teachback, logprobs: Any) -> Callable[[], object]:
        return lambda: (reply(), sdk.exchange(messages=MESSAGES, answer=ANSWER, logprobs=logprobs))

    for name, sdk in sdks.items():
        found[name] = with_sdk(sdk, None)
        found[f"{name}, log-probs"] = with_sdk(sdk, LOGPROBS)
    return found, list(sdks.values())


def measure(bootstrap: str, calls: int) -> dict[str, list[float]]:
    """Microseconds of all calls of each case, by turns in five rounds."""
    up = Cluster(bootstrap=bootstrap, prefix=f"bench{uuid.uuid4().hex[:8]}.")
    client = admin(up)  # its answers are lost with it
    for made in client.create_topics([NewTopic(up.topic("chat.exchanges"), 4, 1)]).values():
        made.result(30)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        works, sdks = cases(up, Cluster(bootstrap=f"127.0.0.1:{nobody.getsockname()[1]}"))
        costs: dict[str, list[float]] = {name: [] for name in works}
        for _ in range(5):
            for name, work in works.items():
                costs[name] += timed(work, calls // 5)
        for sdk in sdks:
            print(sdk.stats(), file=sys.stderr)
            sdk.close(0.5)
    return costs


def main() -> None:
    """Measure, and print a line for each case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bootstrap")
    parser.add_argument("--calls", type=int, default=5000)
    given = parser.parse_args()
    report(measure(given.bootstrap, given.calls))


def report(costs: dict[str, list[float]]) -> None:
    """Median and tail, and what a call adds to the request without the SDK."""
    bare = statistics.median(costs["no SDK"])
    for name, found in costs.items():
        median, tail = statistics.median(found), statistics.quantiles(found, n=100)[98]
        print(f"{name:24} median {median:8.1f} µs   p99 {tail:8.1f} µs   added {median - bare:8.1f} µs")


if __name__ == "__main__":
    main()
