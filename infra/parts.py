"""The processes of an installation: what each runs, what settings it gets, and when it is ready."""

import secrets
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from teachback.infra.settings import SECTIONS, Installation, Section, SettingsError
from teachback.infra.wholefile import whole


class Part(NamedTuple):
    """One supervised process. `entry` is `module:function`, called with the settings of `section`."""

    name: str
    entry: str
    section: str
    does: str


PARTS: tuple[Part, ...] = (
    Part("scoring", "teachback.streams.scoring:run", "scoring", "scores and routes every exchange"),
    Part("calibration", "teachback.streams.calibration.process:run", "calibration", "learns how far to trust"),
    Part("feedback", "teachback.streams.feedback:run", "feedback", "sends thumbed-down answers to review"),
    Part("consensus", "teachback.streams.consensus:run", "consensus", "turns verdicts into labels"),
    Part("desk", "teachback.consumers.desk:run", "desk", "serves the review queue"),
    Part("shards", "teachback.consumers.shards:run", "shards", "writes labels to the Parquet table"),
    Part("trainer", "teachback.trainer.run:run", "trainer", "splits, triggers, trains, gates"),
    Part("chatbot", "teachback.producers.bot.server:run", "chatbot", "answers customers and emits exchanges"),
    Part("again", "teachback.producers.again.ask:run", "again", "asks edited questions again after a promotion"),
)
SHORTEST_SALT = 8
NAMES = tuple(part.name for part in PARTS)


def base_model(installation: Installation) -> Any:
    """The folder of the base model: the one configured, or where the small one is fetched to."""
    from teachback.infra.models import base_folder

    return installation.models.base or base_folder(installation.cache)


def embedder(installation: Installation) -> Any:
    """The folder of the sentence-transformers model."""
    from teachback.infra.models import embedder_folder

    return installation.models.embedder or embedder_folder(installation.cache)


def _common(installation: Installation) -> dict[str, Any]:
    return {"bot": installation.bot, "cluster": installation.cluster}


def _scoring(installation: Installation) -> dict[str, Any]:
    return _common(installation) | {"embedder": embedder(installation)}


def _feedback(installation: Installation) -> dict[str, Any]:
    return _common(installation) | {"store": installation.home / "feedback.sqlite"}


def _consensus(installation: Installation) -> dict[str, Any]:
    return _common(installation) | {"embedder": embedder(installation)}


def _desk(installation: Installation) -> dict[str, Any]:
    from teachback.infra.reviewers import read

    return _common(installation) | {"reviewers": read(installation.home)}


def _shards(installation: Installation) -> dict[str, Any]:
    return {"cluster": installation.cluster, "table": str(installation.home / "labels"), "instance": "shards-0"}


def _trainer(installation: Installation) -> dict[str, Any]:
    home = installation.home
    paths = {"table": str(home / "labels"), "registry": home / "registry", "work": home / "training"}
    models = {"base": base_model(installation), "embedder": embedder(installation)}
    return _common(installation) | paths | models | {"split_salt": salt(home)}


def salt(home: Path) -> str:
    """The installation's secret, made at first use: it decides new clusters' sides. Decisions made stay on the log."""
    file = home / "split.salt"
    try:
        found = file.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        home.mkdir(parents=True, exist_ok=True)
        made = secrets.token_hex(16)
        whole(file, made + "\n", mode=0o600)
        return made
    if len(found) < SHORTEST_SALT:
        raise SettingsError([f"{file}: too short to be this installation's secret; put it back from a copy"])
    return found


def _chatbot(installation: Installation) -> dict[str, Any]:
    return _common(installation) | {"base": base_model(installation), "registry": installation.home / "registry"}


def _again(installation: Installation) -> dict[str, Any]:
    chatbot = installation.part("chatbot")
    return _common(installation) | {"chatbot": f"http://{chatbot.host}:{chatbot.port}"}


def _section(struct: str, derive: Callable[[Installation], dict[str, Any]]) -> Section:
    return Section(f"teachback.{struct}", derive)


SECTIONS.update(
    scoring=_section("streams.settings:ScoringSettings", _scoring),
    calibration=_section("streams.calibration.settings:CalibrationSettings", _common),
    feedback=_section("streams.feedback.settings:FeedbackSettings", _feedback),
    consensus=_section("streams.consensus.settings:ConsensusSettings", _consensus),
    desk=_section("consumers.desk.settings:DeskSettings", _desk),
    shards=_section("consumers.shards.settings:ShardsSettings", _shards),
    trainer=_section("trainer.settings:TrainerSettings", _trainer),
    chatbot=_section("producers.bot.settings:BotSettings", _chatbot),
    again=_section("producers.again.settings:AgainSettings", _again),
)


def run(name: str, installation: Installation) -> None:
    """Become a part, until SIGTERM. Raises SettingsError for a name that is none."""
    if name == "kafka":
        from teachback.infra.kafka.node import foreground

        foreground(kafka_settings(installation))
        return
    part = next((part for part in PARTS if part.name == name), None)
    if part is None:
        raise SettingsError([f"there is no part {name!r}; there are kafka, {', '.join(NAMES)}"])
    module, _, function = part.entry.partition(":")
    getattr(import_module(module), function)(installation.part(part.section))


def kafka_settings(installation: Installation) -> Any:
    """The local node's settings."""
    from teachback.infra.kafka.settings import KafkaSettings

    config = installation.kafka
    return KafkaSettings(
        home=installation.home / "kafka", cache=installation.cache, port=config.port, heap_mb=config.heap_mb
    )
