"""The broker's own configuration, and the command line that runs it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from teachback.infra.kafka.settings import HOST

NODE_ID = 1


def server_properties(*, data: Path, port: int, controller_port: int) -> str:
    """`server.properties` of a node that is broker, controller and the whole cluster."""
    values: Mapping[str, object] = {
        "process.roles": "broker,controller",
        "node.id": NODE_ID,
        # Static voters: unlike a dynamic quorum they are not written into the data, so that ports may change.
        "controller.quorum.voters": f"{NODE_ID}@{HOST}:{controller_port}",
        "listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": data,
        # Topics are declared, never made by a typing error; their order is the broker's, not the clients' clocks'.
        "auto.create.topics.enable": "false",
        "log.message.timestamp.type": "LogAppendTime",
        # One node holds every copy there is.
        "default.replication.factor": 1,
        "min.insync.replicas": 1,
        "offsets.topic.replication.factor": 1,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        # 50 partitions each, the default, would be 150 folders and as many open files for nothing.
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.num.partitions": 4,
        "share.coordinator.state.topic.num.partitions": 1,
        # The first consumer of a group does not wait 3 s for a second one.
        "group.initial.rebalance.delay.ms": 0,
        "group.min.session.timeout.ms": 1000,
        # After a kill -9 the dead registration must lapse before the broker may come back: 9 s by default.
        "broker.session.timeout.ms": 3000,
        "broker.heartbeat.interval.ms": 500,
        "num.network.threads": 2,
        "num.io.threads": 4,
        "background.threads": 4,
        # The default takes 128 MiB of heap at the start.
        "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
    }
    return "".join(f"{key}={value}\n" for key, value in values.items())


def log4j_properties(logs: Path) -> str:
    """One rolling file, 3 × 10 MB at most, and nothing on the terminal."""
    return f"""\
status = error
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = {logs / "server.log"}
appender.file.filePattern = {logs / "server.log"}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{{yyyy-MM-dd HH:mm:ss,SSS}} %p %m (%c{{1}})%n%ex
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 10MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 2
rootLogger.level = info
rootLogger.appenderRef.file.ref = file
"""


def java_command(java: Path, jars: Sequence[Path], home: Path, heap_mb: int, main: str, *arguments: str) -> list[str]:
    """The command that runs the class `main` of Kafka with `arguments`."""
    return [
        str(java),
        f"-Xms{min(128, heap_mb)}m",
        f"-Xmx{heap_mb}m",
        "-XX:+UseSerialGC",
        "-XX:+ExitOnOutOfMemoryError",
        # Shared counters under /tmp would outlive a kill -9, as would the unpacked native compressors.
        "-XX:-UsePerfData",
        f"-Djava.io.tmpdir={home / 'tmp'}",
        "-Djava.awt.headless=true",
        # Java 24 and newer warn about the native compressors otherwise.
        "--enable-native-access=ALL-UNNAMED",
        f"-Dlog4j2.configurationFile={home / 'log4j2.properties'}",
        "-cp",
        os.pathsep.join(map(str, jars)),
        main,
        *arguments,
    ]
