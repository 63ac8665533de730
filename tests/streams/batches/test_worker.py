"""Settings, and what Faust is told."""

from __future__ import annotations

import pytest
from faust.auth import SASLCredentials, SSLCredentials

from teachback.schemas.wire import Cluster
from teachback.streams.batches import Leg, StreamSettings, make_app, worker
from teachback.streams.batches.errors import MissingCodec
from teachback.streams.batches.ledger import MOST_OUT
from teachback.streams.batches.worker import credentials, faust_options
from tests.streams.batches.fakes import MemoryDelivery
from tests.streams.batches.test_deadletters import number

CLUSTER = Cluster(bootstrap="127.0.0.1:9,127.0.0.1:10", prefix="bank.")


def test_every_problem_of_the_settings_is_named_at_once() -> None:
    with pytest.raises(ValueError, match=r"guarantee is 'maybe'.*max_batch is 0.*dead_letter_limit is 3"):
        StreamSettings(cluster=CLUSTER, group="g", guarantee="maybe", max_batch=0, dead_letter_limit=3)  # type: ignore[arg-type]


def test_the_group_carries_the_prefix_of_the_installation() -> None:
    assert StreamSettings(cluster=CLUSTER, group="scoring").group_id == "bank.scoring"


def test_metadata_is_refreshed_soon_so_that_a_broker_restart_does_not_leave_everyone_without_partitions() -> None:
    assert faust_options(StreamSettings(cluster=CLUSTER, group="g"))["consumer_metadata_max_age_ms"] <= 5000


def test_faust_never_pauses_a_partition() -> None:
    """It would read it again when its buffer is nearly empty: under steady load, never. `Ledger` bounds what is out."""
    most = MOST_OUT * 1000  # of as many partitions as nobody has
    assert faust_options(StreamSettings(cluster=CLUSTER, group="g"))["stream_buffer_maxsize"] / 1.25 > most


def test_joining_a_group_waits_longer_than_the_longest_batch_of_the_others() -> None:
    options = faust_options(StreamSettings(cluster=CLUSTER, group="g", session_timeout=6.0, longest_batch=45.0))
    assert options["broker_session_timeout"] < options["broker_rebalance_timeout"] < options["broker_request_timeout"]


def test_every_broker_of_the_list_is_reached_through_our_transport() -> None:
    broker = faust_options(StreamSettings(cluster=CLUSTER, group="g"))["broker"]
    assert broker == "batches://127.0.0.1:9;batches://127.0.0.1:10"


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({}, type(None)),
        ({"security.protocol": "SSL"}, SSLCredentials),
        ({"security.protocol": "sasl_plaintext", "sasl.username": "u", "sasl.password": "p"}, SASLCredentials),
    ],
)
def test_librdkafka_security_options_hold_for_faust_too(options: dict[str, str], kind: type) -> None:
    assert isinstance(credentials(options), kind)


def test_a_sasl_login_is_handed_on_whole() -> None:
    login = credentials(
        {
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": "scoring",
            "sasl.password": "secret",
        }
    )
    assert (login.username, login.password, login.mechanism.value) == ("scoring", "secret", "SCRAM-SHA-512")
    assert login.ssl_context is not None


def test_an_unknown_protocol_is_named() -> None:
    with pytest.raises(ValueError, match="'TELNET'; known are"):
        credentials({"security.protocol": "TELNET"})


async def test_a_leg_is_an_agent_of_one_on_a_batch_topic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_delivery", lambda settings: MemoryDelivery())

    async def handle(good: object) -> list[object]:
        return []

    app = make_app(StreamSettings(cluster=CLUSTER, group="g"), Leg("bank.numbers", number, handle))  # type: ignore[arg-type]
    (agent,) = [agent for name, agent in app.agents.items() if name == "batches.bank.numbers"]
    assert agent.concurrency == 1
    assert app.batched == {"bank.numbers"}


def test_a_missing_codec_is_named_at_the_start_not_at_the_first_compressed_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("aiokafka.codec.has_lz4", lambda: False)
    with pytest.raises(MissingCodec, match=r"lz4.*cramjam"):
        make_app(StreamSettings(cluster=CLUSTER, group="g"))
