"""The options that `policy set` and `whatif` share: what could be otherwise about a policy."""

from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, TypeVar

import typer

from teachback.infra.whatif import asked as ask

T = TypeVar("T")


def parsing(parse: Callable[[str], T]) -> Callable[[str], T]:
    """A parser whose message reaches the user: of a ValueError, click would tell the value alone."""

    @wraps(parse)
    def told(text: str) -> T:
        try:
            return parse(text)
        except ValueError as exc:
            raise typer.BadParameter(str(exc)) from exc

    return told


def option(*names: str, help: str, **more: Any) -> Any:  # noqa: A002  # typer's own name
    """An option that need not be given, and has no default to show."""
    return typer.Option(*names, help=help, show_default=False, **more)


SHARE = {"parser": parsing(ask.share), "metavar": "0…1"}
PROPER_SHARE = {"parser": parsing(ask.proper_share), "metavar": "0…1"}

Threshold = Annotated[float | None, option("--threshold", help="Confidence below it is reviewed.", **SHARE)]
AuditRate = Annotated[
    float | None, option("--audit-rate", "--epsilon", help="Share of live traffic drawn by lot for audit.", **SHARE)
]
Overlap = Annotated[int | None, option("--overlap", min=1, max=9, help="Reviewers for each item, at least.")]
Budget = Annotated[
    Any,
    option("--budget", parser=parsing(ask.limit), metavar="N|none", help="Review items a day (UTC), audits apart."),
]
Weights = Annotated[
    list[Any] | None,
    option(
        "--weight",
        parser=parsing(ask.weight),
        metavar="TOPIC=W",
        help="A topic's importance in the queue; 1 takes it off the list. Repeat it.",
    ),
]
RuleName = Annotated[
    str | None, option("--rule", metavar="NAME", help="Add a rule, or put it in its namesake's place; its conditions:")
]
RuleTopic = Annotated[str | None, option("--topic", help="The exchange's topic is this.")]
RulePattern = Annotated[
    str | None, option("--pattern", metavar="REGEX", help="The question matches this, anywhere, case ignored.")
]
RuleEscalated = Annotated[
    bool | None, option("--escalated/--not-escalated", help="The customer was handed to a person, or was not.")
]
RemoveRules = Annotated[list[str] | None, option("--remove-rule", metavar="NAME", help="Repeat it for several.")]
Promised = Annotated[
    bool | None, option("--promise/--no-promise", help="Whether certificates set the threshold; see --target.")
]
Target = Annotated[
    float | None, option("--target", help="The promise: at most so many wrong among those accepted.", **PROPER_SHARE)
]
Confidence = Annotated[float | None, option("--confidence", help="The promise: how sure.", **PROPER_SHARE)]
Start = Annotated[
    float | None, option("--start", help="The promise: the coverage that is tried first.", **PROPER_SHARE)
]
