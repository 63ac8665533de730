"""Every private name of Faust and aiokafka that we touch, why, and how it has to look. Pinned, and checked by a test.

When one of the two is upgraded: set `PINS`, run the tests of this package, read the difference of each name below, then
`make chaos` with its control decides.
"""

import inspect
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version
from typing import Literal, NamedTuple

from aiokafka import codec  # type: ignore[import-untyped]

from teachback.streams.batches.errors import MissingCodec, WrongVersion

PINS = {"faust-streaming": "0.15.3", "aiokafka": "0.14.0"}

DRIVER = "faust.transport.drivers.aiokafka"
THREAD = f"{DRIVER}:AIOKafkaConsumerThread"
AIOKAFKA = "aiokafka:AIOKafkaConsumer"
CONSUMER = "faust.transport.consumer"
FETCH = "(self, consumer, active_partitions, timeout=None, max_records=None)"


class TouchPoint(NamedTuple):
    """`looks` is a signature (methods) or a piece of source that must still be there (attributes set in a body)."""

    owner: str
    name: str
    kind: Literal["method", "source"]
    looks: str
    why: str


POINTS = (
    TouchPoint(THREAD, "_fetch_records", "method", FETCH, "makes batches of what it returns"),
    TouchPoint(THREAD, "_create_worker_consumer", "method", "(self, transport)", "isolation"),
    TouchPoint(THREAD, "_ensure_consumer", "method", "(self)", "the aiokafka consumer"),
    TouchPoint(THREAD, "__post_init__", "method", "(self)", "our state beside Faust's"),
    TouchPoint(THREAD, "seek_to_committed", "method", "(self)", "rewinds all partitions"),
    TouchPoint(f"{DRIVER}:Consumer", "_new_consumer_thread", "method", "(self)", "puts our thread in"),
    TouchPoint(f"{DRIVER}:Consumer", "_to_message", "method", "(self, tp, record)", "a batch as a message"),
    TouchPoint(f"{DRIVER}:Consumer", "verify_event_path", "method", "(self, now, tp)", "silenced for batches"),
    TouchPoint(f"{CONSUMER}:Consumer", "perform_seek", "method", "(self)", "the start of an epoch"),
    TouchPoint(f"{CONSUMER}:Consumer", "_new_offset", "method", "(self, tp)", "what may be committed"),
    TouchPoint(f"{CONSUMER}:Consumer", "_add_gap", "method", "(self, tp, offset_from, offset_to)", "offsets have gaps"),
    TouchPoint(
        f"{CONSUMER}:Consumer", "_filter_tps_with_pending_acks", "method", "(self, topics=None)", "where commits look"
    ),
    TouchPoint(f"{CONSUMER}:Consumer", "__init__", "source", "self.callback = callback", "delivery goes through us"),
    TouchPoint(
        f"{CONSUMER}:Consumer", "__init__", "source", "self._read_offset = defaultdict", "replaced by the epoch"
    ),
    TouchPoint(f"{CONSUMER}:Consumer", "__init__", "source", "self._acked = defaultdict(list)", "emptied"),
    TouchPoint(f"{CONSUMER}:Consumer", "__init__", "source", "self._acked_index = defaultdict(set)", "emptied"),
    TouchPoint(
        f"{CONSUMER}:Consumer", "_drain_messages", "source", "self._read_offset.__getitem__", "asks our read offsets"
    ),
    TouchPoint(f"{CONSUMER}:Consumer", "_drain_messages", "source", "callback = self.callback", "asks our delivery"),
    TouchPoint("faust.app.base:App", "_create_directories", "method", "(self)", "no data directory"),
    TouchPoint(AIOKAFKA, "__init__", "source", "self._isolation_level = isolation_level", "isolation"),
    TouchPoint(AIOKAFKA, "__init__", "source", "self._subscription = ", "reads positions"),
    TouchPoint(AIOKAFKA, "start", "source", "isolation_level=self._isolation_level", "read at start"),
    TouchPoint(AIOKAFKA, "seek_to_committed", "method", "(self, *partitions)", "leaves offset 0 alone"),
    TouchPoint(AIOKAFKA, "seek_to_beginning", "method", "(self, *partitions)", "tells if it did"),
    TouchPoint(
        "aiokafka.consumer.subscription_state:Subscription", "_assign", "source", "= Assignment(", "new each rebalance"
    ),
    TouchPoint("faust.tables.recovery:Recovery", "_wait", "source", "raise RebalanceAgain()", "to seek again"),
    TouchPoint("aiokafka.consumer.subscription_state:Assignment", "state_value", "method", "(self, tp)", "positions"),
)


def require_versions() -> None:
    """Raises WrongVersion when a pinned library has another version than the one these names were read in."""
    for package, pinned in PINS.items():
        if (found := version(package)) != pinned:
            raise WrongVersion(
                f"{package} is {found}, but streams/batches was written against {pinned} and touches private names; "
                f"install {package}=={pinned}, or follow streams/batches/touchpoints.py to move the pin"
            )


def require_codecs() -> None:
    """Raises MissingCodec when aiokafka would stop at a compressed batch: producers choose the compression, not we."""
    missing = [name for name in ("lz4", "zstd", "snappy") if not getattr(codec, f"has_{name}")()]
    if missing:
        raise MissingCodec(f"aiokafka cannot read {', '.join(missing)}; install cramjam (the extra `streams` has it)")


def problems() -> Iterator[str]:
    """What of the list is not as it should be in the installed libraries."""
    for point in POINTS:
        module, _, owner = point.owner.partition(":")
        found = getattr(getattr(import_module(module), owner, None), point.name, None)
        if found is None:
            yield f"{point.owner}.{point.name} is gone ({point.why})"
        elif point.kind == "method" and (looks := _signature(found)) != point.looks:
            yield f"{point.owner}.{point.name}{looks} was {point.looks} ({point.why})"
        elif point.kind == "source" and point.looks not in inspect.getsource(found):
            yield f"{point.owner}.{point.name} no longer says {point.looks!r} ({point.why})"


def _signature(function: object) -> str:
    """The parameters without their annotations."""
    signature = inspect.signature(function)  # type: ignore[arg-type]
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    return str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty))
