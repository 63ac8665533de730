"""Micro-batches through Faust: lossless, exactly once, and fast.

Stock Faust handles one message at a time and acknowledges it by itself: a raise, a skip or a rebalance acks what
was never processed (`docs/decisions/0002-faust-in-micro-batches.md`), and it costs an asyncio task or two per message.
Both go away with one idea. **A fetched list of records of one partition is one Faust event**, and **only
`Batch.done()`, called after the outputs are delivered, permits a commit.**

    Kafka ── ConsumerThread ── Batch ── Faust's queue ── agent ── decode ─ handle ─ publish ── done() ── commit

Faust still does what it is good at: group membership, rebalances, the consumer's own thread (heartbeats go on while
the agent works), supervision, signals. We replace its aiokafka consumer by a subclass (`transport`), and nothing else.

*Rewinding.* Whenever Faust seeks to the committed offsets (an assignment, a rebalance, a paused flow) every batch that
was fetched before is void, for it will be read again. Each seek starts a new **epoch**; a batch carries the epoch in
which it was fetched, and is dropped wherever it turns up in a later one: at delivery, before processing, at the commit.

*Order.* An agent takes the batches of a partition in offset order. So a finished batch behind an unfinished one means
that the agent abandoned the first (it raised, and somebody restarted it): the worker exits, and the batch is re-read.

*Exactly once* (`transactions`). Each **input partition** has its own transactional producer. On assignment the new
owner first initialises it, which fences the old owner and ends its open transaction, and only then reads the committed
offset. Outputs, dead letters and the offset leave in one transaction. A zombie can write, but never commit.
*At least once* (`delivery`). One idempotent producer; the batch is flushed, then done, then committed: a crash in
between repeats outputs, which is harmless when ids are deterministic.

*Bad input.* What cannot be decoded goes to `<topic>.dlq` with its bytes, key, reason and origin; its neighbours go on.
Too large a share of dead letters stops the worker (`deadletters`). Anything unexpected ends the process, with nothing
committed, and the supervisor outside starts it again.

*The price.* Batch topics carry no Faust records, tables, joins, `take` or `group_by`, and concurrency stays 1. State
is a fold over a topic instead. A batch blocks the event loop while it decodes; heavy work belongs in an executor. And
we lean on names that Faust and aiokafka keep private: `touchpoints` lists and checks them, and both are pinned exactly.

    app = make_app(StreamSettings(cluster=cluster, group="scoring"), Leg("chat.exchanges", decode, handle))
    run(app)
"""

from teachback.streams.batches.batch import Batch, Output, Record
from teachback.streams.batches.errors import BadRecord, BatchError, DeliveryFailed, TooManyDeadLetters
from teachback.streams.batches.pump import Leg
from teachback.streams.batches.worker import BatchApp, Guarantee, StreamSettings, make_app, run

__all__ = [
    "BadRecord",
    "Batch",
    "BatchApp",
    "BatchError",
    "DeliveryFailed",
    "Guarantee",
    "Leg",
    "Output",
    "Record",
    "StreamSettings",
    "TooManyDeadLetters",
    "make_app",
    "run",
]
