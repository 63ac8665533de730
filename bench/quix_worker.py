"""A contender of the stream leg: Quix Streams, doing the same work by the same functions.

PYTHONPATH=src .venv-bench/bin/python -m bench.quix_worker '<Job as JSON>'

It has a virtual environment of its own (`bench/requirements-quix.lock`), because its pins and ours exclude each other.
"""

from __future__ import annotations

import sys
import tempfile
from typing import Any

from quixstreams import Application  # type: ignore[import-not-found]
from quixstreams.models import Serializer  # type: ignore[import-not-found]

from bench.job import Job, from_command_line
from teachback.schemas.wire import producer_config
from teachback.streams.batches import Output

GUARANTEES = {"exactly_once": "exactly-once", "at_least_once": "at-least-once"}
TOPICS = ("chat.scored", "review.requests")


class OutputValue(Serializer):  # type: ignore[misc]
    """An output is encoded already: its value goes on the wire as it is."""

    def __call__(self, value: Output, ctx: Any) -> bytes | None:
        return value.value


def application(job: Job, state: str) -> Any:
    """The application, with the producer's settings that everybody has, and else its own defaults."""
    producing = producer_config(job.cluster)
    del producing["bootstrap.servers"]
    return Application(
        broker_address=job.bootstrap,
        consumer_group=f"{job.prefix}bench",
        auto_offset_reset="earliest",
        auto_create_topics=False,
        processing_guarantee=GUARANTEES[job.guarantee],
        commit_interval=job.commit_seconds,
        producer_extra_config=producing,
        state_dir=state,
        loglevel="WARNING",
    )


def run(job: Job) -> None:
    """Until SIGTERM."""
    cluster = job.cluster
    sys.path.append(job.packages)  # behind what is installed here; only then can the work be imported
    from bench.work import decide_all, embedder_of

    embed = embedder_of(job.embedder)
    with tempfile.TemporaryDirectory() as state:
        app = application(job, state)
        source = app.topic(job.source, key_deserializer="bytes", value_deserializer="bytes")
        targets = {
            cluster.topic(name): app.topic(cluster.topic(name), key_serializer="bytes", value_serializer=OutputValue())
            for name in TOPICS
        }
        frame = app.dataframe(source).apply(lambda value: [*decide_all(cluster, [value], embed)], expand=True)
        frame = frame.set_headers(lambda output, key, timestamp, headers: output.headers)
        frame.to_topic(lambda output, key, timestamp, headers: targets[output.topic], key=lambda output: output.key)
        app.run()


if __name__ == "__main__":
    run(from_command_line())
