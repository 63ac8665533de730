"""A Faust application over batches, and its worker process."""

import asyncio
import ssl
from typing import Any, Literal, cast, get_args

import faust
import mode
import msgspec
from faust.auth import SASLCredentials, SSLCredentials

from teachback.schemas.wire import Cluster, producer_config
from teachback.streams.batches import touchpoints, transport
from teachback.streams.batches.deadletters import DeadLetterLimit
from teachback.streams.batches.delivery import AtLeastOnce, Delivery
from teachback.streams.batches.errors import leave
from teachback.streams.batches.pump import Leg, Pump
from teachback.streams.batches.transactions import ExactlyOnce

Guarantee = Literal["exactly_once", "at_least_once"]
NEVER_FULL = 100_000  # Faust pauses the partition that fills its buffer, until hardly anything of any is in it


class StreamSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a stream worker needs to know.

    `group` is the consumer group without the installation's prefix. `max_batch` is records a fetch, all partitions.
    `dead_letter_limit` is the largest bearable share of dead letters among the last thousand records. A dead worker is
    noticed after `session_timeout` seconds; a living one may take up to `longest_batch` seconds for a batch, and a
    rebalance waits for it: beyond that it loses its partitions, and the batch is done again elsewhere.
    """

    cluster: Cluster
    group: str
    guarantee: Guarantee = "exactly_once"
    max_batch: int = 1000
    dead_letter_limit: float = 0.2
    session_timeout: float = 8.0
    longest_batch: float = 45.0

    def __post_init__(self) -> None:
        problems = []
        if self.guarantee not in get_args(Guarantee):
            problems.append(f"guarantee is {self.guarantee!r}, not one of {', '.join(get_args(Guarantee))}")
        if self.max_batch < 1:
            problems.append(f"max_batch is {self.max_batch}, not 1 or more")
        if not 0 <= self.dead_letter_limit <= 1:
            problems.append(f"dead_letter_limit is {self.dead_letter_limit}, not a share between 0 and 1")
        if problems:
            raise ValueError("; ".join(problems))

    @property
    def group_id(self) -> str:
        """The consumer group's full name."""
        return self.cluster.prefix + self.group


class BatchSchema(faust.Schema[Any, Any]):
    """Hands a batch through Faust as it is. (Faust's public way of leaving out its codecs.)"""

    def loads_key(self, app: Any, message: Any, **options: Any) -> None:
        """Batches have no key."""

    def loads_value(self, app: Any, message: Any, **options: Any) -> Any:
        """The batch itself."""
        return message.value


class BatchApp(faust.App):
    """A Faust app whose topics deliver batches."""

    def __init__(self, group_id: str, delivery: Delivery, **options: Any) -> None:
        self.batched: set[str] = set()
        self.delivery = delivery
        super().__init__(group_id, **options)

    def batch_topic(self, name: str) -> Any:
        """A topic that an agent reads in batches."""
        self.batched.add(name)
        return self.topic(name, schema=BatchSchema())

    def _create_directories(self) -> None:
        """Without tables there is nothing to keep in a data directory."""


def make_app(settings: StreamSettings, *legs: Leg[Any]) -> BatchApp:
    """One agent per leg. Raises WrongVersion or MissingCodec when the installation is not what this was written for."""
    touchpoints.require_versions()
    touchpoints.require_codecs()
    transport.register()
    app = BatchApp(settings.group_id, _delivery(settings), **faust_options(settings))
    for leg in legs:
        _add(app, leg, settings)
    return app


def _add(app: BatchApp, leg: Leg[Any], settings: StreamSettings) -> None:
    limit = DeadLetterLimit(settings.dead_letter_limit)
    pump = Pump(leg, app.delivery, limit, lambda: cast(transport.Consumer, app.consumer).ledger.epoch, leave)
    app.agent(app.batch_topic(leg.source), name=f"batches.{leg.source}")(pump.run)


def _delivery(settings: StreamSettings) -> Delivery:
    config = producer_config(settings.cluster)
    if settings.guarantee == "at_least_once":
        return AtLeastOnce(config)
    client = {"bootstrap.servers": settings.cluster.bootstrap, "log_level": 2, **settings.cluster.options}
    return ExactlyOnce(config, settings.group_id, client)


def faust_options(settings: StreamSettings) -> dict[str, Any]:
    """Faust's settings. What differs from its defaults has its reason in `docs/decisions/0002`."""
    servers = ";".join(f"{transport.SCHEME}://{server}" for server in settings.cluster.bootstrap.split(","))
    return {
        "broker": servers,
        "broker_credentials": credentials(settings.cluster.options),
        "broker_client_id": settings.group_id,
        "broker_session_timeout": settings.session_timeout,
        "broker_heartbeat_interval": settings.session_timeout / 6,
        "broker_rebalance_timeout": settings.longest_batch,
        "broker_request_timeout": settings.longest_batch + 15.0,  # joining a group is one request, and waits that long
        "broker_commit_interval": 0.5,
        "broker_commit_every": 1,
        "broker_max_poll_records": settings.max_batch,
        "consumer_auto_offset_reset": "earliest",
        "consumer_max_fetch_size": 4 << 20,
        "consumer_metadata_max_age_ms": 5_000,  # after a broker restart nobody gets partitions until it is refreshed
        "producer_metadata_max_age_ms": 5_000,
        "stream_buffer_maxsize": NEVER_FULL,
        "agent_supervisor": mode.CrashingSupervisor,  # the default one restarts an agent while its offset stands still
        "store": "memory://",
        "web_enabled": False,
        "topic_disable_leader": True,
        "topic_allow_declare": False,
        "worker_redirect_stdouts": False,
    }


def credentials(options: dict[str, str]) -> Any:
    """librdkafka's security options as Faust's credentials; None for a plaintext cluster. Raises ValueError."""
    protocol = options.get("security.protocol", "plaintext").upper()
    if protocol not in {"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"}:
        raise ValueError(f"security.protocol is {protocol!r}; known are PLAINTEXT, SSL, SASL_PLAINTEXT and SASL_SSL")
    context = _tls(options) if protocol.endswith("SSL") else None
    if protocol.startswith("SASL"):
        return SASLCredentials(
            username=options.get("sasl.username"),
            password=options.get("sasl.password"),
            mechanism=options.get("sasl.mechanism", options.get("sasl.mechanisms", "PLAIN")),
            ssl_context=context,
        )
    return SSLCredentials(context) if context else None


def _tls(options: dict[str, str]) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=options.get("ssl.ca.location"))
    if certificate := options.get("ssl.certificate.location"):
        context.load_cert_chain(certificate, options.get("ssl.key.location"), options.get("ssl.key.password"))
    return context


def run(app: BatchApp) -> None:
    """Work in this process until SIGTERM or SIGINT, then return. A crash raises SystemExit with a code other than 0."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    worker = app.Worker(loop=loop, override_logging=False, quiet=True, redirect_stdouts=False)
    worker.spinner = None
    try:
        worker.execute_from_commandline()
    except SystemExit as end:
        if end.code:
            raise
