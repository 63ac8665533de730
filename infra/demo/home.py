"""The demo's own installation: below the user's home, on free ports, thrown away when the next demo starts."""

import shutil
from pathlib import Path

import msgspec

from teachback.infra import supervise
from teachback.infra.settings import Installation

BOT = "harbour"


def installation_of(installation: Installation) -> Installation:
    """The demo's installation: its own folder and a local Kafka of its own, whatever is configured."""
    from teachback.infra.settings import KafkaConfig

    return msgspec.structs.replace(
        installation, bot=BOT, home=installation.home / "demo", kafka=KafkaConfig(partitions=4, heap_mb=320)
    )


def installations(installation: Installation) -> list[Installation]:
    """The configured installation, and the demo's if there is one."""
    demo = installation_of(installation)
    return [installation, demo] if demo.home.exists() else [installation]


def fresh(demo: Installation) -> None:
    """Stop what an earlier demo left running, and remove what it left behind."""
    supervise.shutdown(demo)
    if demo.home.exists():
        shutil.rmtree(demo.home)
    demo.home.mkdir(parents=True)


def configure(demo: Installation, sections: dict[str, dict[str, object]]) -> Path:
    """Write the demo's configuration file, so that its processes and later commands read the same. Returns its path."""
    lines = [f"bot = {_toml(demo.bot)}", f"home = {_toml(str(demo.home))}"]
    kafka = {"partitions": demo.kafka.partitions, "heap_mb": demo.kafka.heap_mb}
    for name, values in ({"kafka": kafka} | sections).items():
        lines += ["", f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in values.items())]
    file = demo.home / "teachback.toml"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + " }"
    return msgspec.json.encode(value).decode()  # JSON's strings, numbers, booleans and arrays are TOML's
