"""The local Kafka as a whole: real processes, real data, real accidents."""

from __future__ import annotations

import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Consumer, Producer

from teachback.infra.cache import default_cache
from teachback.infra.kafka.errors import AlreadyRunningError, HomeError, PortTakenError, StartError
from teachback.infra.kafka.node import Node, status, stop
from teachback.infra.kafka.ready import wait_ready
from teachback.infra.kafka.settings import KafkaSettings
from tests.kafka_fixture import KafkaCluster

pytestmark = pytest.mark.kafka


def test_a_record_is_read_back_with_broker_time(kafka: KafkaCluster, prefix: str) -> None:
    topic = kafka.create(f"{prefix}echo")
    produce(kafka.bootstrap, topic, [b"one"])
    assert consume(kafka.bootstrap, topic, 1) == [b"one"]


def test_what_was_acknowledged_survives_a_stop_and_a_kill(private_kafka: Callable[..., Node]) -> None:
    node = private_kafka()
    topic = KafkaCluster(node.bootstrap).create("kept", 2)
    bootstrap, pids = node.bootstrap, {node.pid}
    produce(bootstrap, topic, [b"before the stop"])
    node.stop()
    node.start()
    pids.add(node.pid)
    produce(bootstrap, topic, [b"before the kill"])
    node.kill()
    node.start()
    pids.add(node.pid)
    assert node.bootstrap == bootstrap
    assert len(pids) == 3
    assert sorted(consume(bootstrap, topic, 2)) == [b"before the kill", b"before the stop"]


def test_status_tells_a_running_node_from_a_stopped_and_a_new_one(
    private_kafka: Callable[..., Node], tmp_path: Path
) -> None:
    node = private_kafka()
    home = node.settings.home
    running = status(home)
    assert (running.state, running.bootstrap, running.pid) == ("running", node.bootstrap, node.pid)
    with pytest.raises(AlreadyRunningError, match=str(node.pid)):
        Node(node.settings).start()
    assert stop(node.settings)
    assert (status(home).state, status(home).bootstrap) == ("stopped", node.bootstrap)
    assert not stop(node.settings)
    assert status(tmp_path / "never").state == "new"


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        settings = KafkaSettings(home=tmp_path, cache=default_cache(), port=port)
        with pytest.raises(PortTakenError, match=rf"127\.0\.0\.1:{port}.*`port`"):
            Node(settings).start()
    assert status(tmp_path).state == "stopped"


def test_a_broker_that_ends_early_is_reported_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="heap"):
        Node(KafkaSettings(home=tmp_path, cache=default_cache(), heap_mb=1)).start()
    assert status(tmp_path).state == "stopped"


def test_a_home_that_is_no_folder_is_reported(tmp_path: Path) -> None:
    home = tmp_path / "file"
    home.write_text("in the way", encoding="utf-8")
    with pytest.raises(HomeError, match="file"):
        Node(KafkaSettings(home=home, cache=default_cache())).start()


def test_killing_the_parent_takes_the_broker_with_it(tmp_path: Path) -> None:
    parent = run_python(
        f"""
        import time
        from teachback.infra.kafka.node import Node
        node = Node({settings_code(tmp_path)}).start()
        print(node.pid, flush=True)
        time.sleep(600)
        """
    )
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert status(tmp_path).pid == pid
        parent.kill()
    until(lambda: status(tmp_path).state == "stopped", "the orphan to end")


def test_in_the_foreground_java_takes_the_process_over(tmp_path: Path) -> None:
    process = run_python(
        f"""
        from teachback.infra.kafka.node import foreground
        foreground({settings_code(tmp_path)})
        """
    )
    with process:
        until(lambda: process.poll() is not None or status(tmp_path).pid == process.pid, "the broker to hold its lock")
        bootstrap = status(tmp_path).bootstrap or ""
        wait_ready(bootstrap, 60, lambda: None if process.poll() is None else "the process ended")
        topic = KafkaCluster(bootstrap).create("foreground")
        produce(bootstrap, topic, [b"served"])
        process.terminate()
    assert process.returncode == SIGTERM_OF_JAVA
    assert status(tmp_path).state == "stopped"


SIGTERM_OF_JAVA = 143
"""Java's exit status after a clean shutdown by SIGTERM: 128 + 15."""


def settings_code(home: Path) -> str:
    """A `KafkaSettings` as an expression for `run_python`."""
    return f"KafkaSettings(home=Path({str(home)!r}), cache=Path({str(default_cache())!r}), heap_mb=256)"


def run_python(code: str) -> subprocess.Popen[str]:
    imports = "from pathlib import Path\nfrom teachback.infra.kafka.settings import KafkaSettings\n"
    return subprocess.Popen([sys.executable, "-c", imports + textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)


def until(done: Callable[[], bool], what: str, timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not done():
        assert time.monotonic() < deadline, f"waited {timeout_s:g} s for {what}"
        time.sleep(0.05)


def produce(bootstrap: str, topic: str, values: list[bytes]) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "message.timeout.ms": 20_000})
    failures: list[object] = []
    for value in values:
        producer.produce(topic, value, on_delivery=lambda error, _message: failures.append(error) if error else None)
    assert producer.flush(30) == 0
    assert failures == []


def consume(bootstrap: str, topic: str, count: int) -> list[bytes]:
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": f"{topic}.reader", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([topic])
    values: list[bytes] = []
    deadline = time.monotonic() + 30
    while len(values) < count and time.monotonic() < deadline:
        message = consumer.poll(0.5)
        if message is not None and message.error() is None:
            kind, stamp = message.timestamp()
            assert kind == TIMESTAMP_LOG_APPEND_TIME
            assert stamp > 0
            values.append(message.value() or b"")
    consumer.close()
    return values
