"""The documentation names what is there: files, commands, options, targets, settings."""

from __future__ import annotations

import ast
import inspect
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer

from teachback import Teachback
from teachback.infra import parts
from teachback.infra.command import app
from teachback.infra.demo import report
from teachback.infra.settings import SECTIONS, KafkaConfig, ModelsConfig, load, struct_of
from teachback.trainer.spec import GateSettings, RecipeSettings
from tests.docs.pages import PAGES, README, ROOT, anchors, fences, links, shell, table

CONFIGURATION = ROOT / "docs" / "configuration.md"
DEVELOPMENT = ROOT / "docs" / "development.md"
STRUCTS: dict[str, type[msgspec.Struct]] = {
    "`[kafka]`": KafkaConfig,
    "`[models]`": ModelsConfig,
    "The recipe": RecipeSettings,
    "The gate": GateSettings,
    **{f"`[{name}]`": struct_of(section) for name, section in SECTIONS.items()},
}


def names(pages: list[Path]) -> list[str]:
    return [str(page.relative_to(ROOT)) for page in pages]


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in links(page):
        target = (page.parent / link.path).resolve() if link.path else page
        if not target.exists() or (link.anchor and link.anchor not in anchors(target)):
            broken.append(f"{link.path}#{link.anchor}")
    assert not broken


def test_the_readme_leads_to_every_page() -> None:
    seen, ahead = {README}, [README]
    while ahead:
        page = ahead.pop()
        found = {(page.parent / link.path).resolve() for link in links(page) if link.path.endswith(".md")}
        ahead += found - seen
        seen |= found
    assert set(PAGES) <= seen


def words_of(line: str) -> list[str]:
    """What follows `teachback` in a command line, or nothing when it is none."""
    try:
        words = shlex.split(line)
    except ValueError:  # a backtick's content that only looks like one
        return []
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words.pop(0)
    if words[:1] != ["teachback"]:
        return []
    return words[3:] if words[1:2] == ["--config"] else words[1:]


def mentions(pages: list[Path]) -> Iterator[tuple[Path, list[str]]]:
    for page in pages:
        for line in shell(page):
            words = words_of(line)
            if words and re.fullmatch(r"[a-z-]+", words[0]) and not words[0].startswith("-"):
                yield page, words


def resolve(words: list[str]) -> tuple[str, Any]:
    """The command that the words name, walking down groups. Raises KeyError for one that is not there."""
    command: Any = typer.main.get_command(app)
    path = []
    for word in words:
        if not hasattr(command, "commands") or word.startswith("-"):
            break
        command = command.commands[word]
        path.append(word)
    return " ".join(path), command


def test_every_command_and_option_that_is_named_exists() -> None:
    unknown = []
    for page, words in mentions(PAGES):
        try:
            _, command = resolve(words)
        except KeyError as exc:
            unknown.append(f"{page.name}: teachback {' '.join(words)}: {exc}")
            continue
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        options = {word.partition("=")[0] for word in words if word.startswith("--")} - {"--help"}
        unknown += [f"{page.name}: teachback {' '.join(words)}: {option}" for option in options - known]
    assert not unknown


@pytest.mark.parametrize(
    "line", ["teachback adaptors list", "teachback adapters lst", "TEACHBACK_BOT=b teachback repaly x"]
)
def test_a_command_that_is_not_there_is_noticed(line: str) -> None:
    with pytest.raises(KeyError):
        resolve(words_of(line))


def test_the_readme_names_every_command() -> None:
    named = {resolve(words)[0] for _, words in mentions([README])}

    def visible(command: Any, path: str = "") -> Iterator[str]:
        for name, child in getattr(command, "commands", {}).items():
            if not child.hidden:
                yield from visible(child, f"{path} {name}".strip())
        if not hasattr(command, "commands"):
            yield path

    assert set(visible(typer.main.get_command(app))) <= named


def targets() -> dict[str, bool]:
    """Targets of the Makefile, and whether `make help` lists them."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    found = re.findall(r"^([a-z]+):([^=\n]*)$", text, re.MULTILINE)
    return {name: "##" in rest for name, rest in found}


def test_every_make_target_that_is_named_exists() -> None:
    named = set()
    for page in PAGES:
        for line in shell(page):
            words = line.split()
            if words[:1] == ["make"]:
                named |= {word for word in words[1:] if re.fullmatch(r"[a-z]+", word)}
    assert named
    assert named <= set(targets())


def test_every_make_target_is_explained() -> None:
    text = DEVELOPMENT.read_text(encoding="utf-8")
    assert [name for name in targets() if f"| `make {name}` |" not in text] == []


def test_the_readmes_python_fits_the_sdk() -> None:
    (code,) = fences(README.read_text(encoding="utf-8"), "python")
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    functions = {"Teachback": Teachback, "exchange": Teachback.exchange, "feedback": Teachback.feedback}
    found = set()
    for call in calls:
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        own = () if name == "Teachback" else (None,)  # for `self`
        inspect.signature(functions[name]).bind(*own, **{str(keyword.arg): None for keyword in call.keywords})
        found.add(name)
    assert found == set(functions)


def written(value: object) -> set[str]:
    """How a default may stand in a table."""
    if value is None or value == {}:
        return {"none"}
    if value == "":
        return {"empty"}
    if isinstance(value, msgspec.Struct):
        return {"below"}
    return {str(value).lower(), f"{value:.10f}".rstrip("0") if isinstance(value, float) else ""}


@pytest.mark.parametrize("heading", STRUCTS)
def test_every_setting_stands_in_the_configuration_page_with_its_default(heading: str, tmp_path: Path) -> None:
    environ = {"TEACHBACK_HOME": str(tmp_path), "TEACHBACK_KAFKA_BOOTSTRAP": "somewhere:9092"}
    section = SECTIONS.get(heading.strip("`[]"))
    filled_in = section.derive(load(None, environ)) if section else {}
    rows = table(CONFIGURATION, heading)
    expected = {field.name: field for field in msgspec.structs.fields(STRUCTS[heading])}
    for name, field in expected.items():
        if field.required:
            assert name in filled_in
            assert f"`{name}`" in CONFIGURATION.read_text(encoding="utf-8").split("## Top level")[0]
            continue
        default = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()  # type: ignore[operator,misc]
        assert rows[name] in written(filled_in.get(name, default)), name
    assert set(rows) <= set(expected)


def test_every_process_stands_in_the_architecture_page() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert [name for name in parts.NAMES if f"\n| {name} |" not in text] == []


def test_the_reports_schema_is_what_the_structs_say() -> None:
    assert report.SCHEMA.read_text(encoding="utf-8") == report.schema()


def test_every_field_of_the_report_is_explained() -> None:
    text = (ROOT / "docs" / "report.md").read_text(encoding="utf-8")
    fields = [field.name for field in msgspec.structs.fields(report.Report)]
    assert [name for name in fields if f"`{name}`" not in text] == []
