"""One stream worker for the chaos runs: numbers in, the same numbers out, garbage to the dead letters.

python -m tests.chaos.worker '<Worker as JSON>'
"""

from __future__ import annotations

import asyncio
import logging
import random
import sys
from collections.abc import Sequence
from typing import Any

import msgspec

from teachback.schemas.wire import Cluster
from teachback.streams.batches import BadRecord, Leg, Output, Record, StreamSettings, make_app, pump, run
from teachback.streams.batches.batch import Batch
from teachback.streams.batches.worker import BatchApp, Guarantee

GARBAGE = b"\xff\xfe"  # a record that starts so is no JSON; its number follows


class Number(msgspec.Struct):
    """What the feed writes."""

    id: int
    text: str


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """How this worker works. `control` commits before the work is done, which the checker must notice."""

    bootstrap: str
    source: str
    target: str
    group: str
    guarantee: Guarantee
    control: bool = False
    max_batch: int = 500
    pause: float = 0.03
    """Seconds that a batch takes on average, besides the real work; between half and one and a half times it."""
    raise_share: float = 0.0
    """Share of batches at which `handle` raises."""


decode_number = msgspec.json.Decoder(Number).decode


def decode(record: Record) -> Number:
    """A number, or a dead letter."""
    try:
        return decode_number(record.value)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise BadRecord(f"no number: {exc}") from exc


def leg(worker: Worker) -> Leg[Number]:
    """The same numbers to the target, after a while in a thread."""

    async def handle(good: list[tuple[Record, Number]]) -> Sequence[Output]:
        await asyncio.sleep(worker.pause * random.uniform(0.5, 1.5))
        if random.random() < worker.raise_share:
            raise RuntimeError("a bug in the handler")
        return await asyncio.to_thread(encode_all, worker.target, good)

    return Leg(worker.source, decode, handle)


def encode_all(target: str, good: list[tuple[Record, Number]]) -> list[Output]:
    """The heavy part, off the event loop."""
    return [Output(target, record.key, msgspec.json.encode(number)) for record, number in good]


async def commit_early(self: pump.Pump[Any], batch: Batch) -> None:
    """The control: permit the commit first, then work."""
    batch.done()
    await ORIGINAL(self, batch)


ORIGINAL = pump.Pump._process


def app(worker: Worker) -> BatchApp:
    """The worker's application."""
    settings = StreamSettings(
        cluster=Cluster(bootstrap=worker.bootstrap),
        group=worker.group,
        guarantee=worker.guarantee,
        max_batch=worker.max_batch,
        session_timeout=6.0,
    )
    if worker.control:
        pump.Pump._process = commit_early  # type: ignore[method-assign]
    return make_app(settings, leg(worker))


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s")
    run(app(msgspec.json.decode(sys.argv[1], type=Worker)))
