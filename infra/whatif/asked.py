"""What a person asks to be changed, as the fields of a policy: options of `policy set` and of `whatif`."""

import math
from typing import Any, NamedTuple

import msgspec

from teachback.infra.policy import PolicyError, rule_problems
from teachback.schemas import Policy, Rule
from teachback.schemas.policy import Promise


class Limit(NamedTuple):
    """A budget that was given: items a day, or none."""

    items: int | None


class Weight(NamedTuple):
    """A topic's importance that was given; 1 takes it off the list."""

    topic: str
    weight: float


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The options as they were given; None where they were not."""

    threshold: float | None = None
    audit_rate: float | None = None
    overlap: int | None = None
    budget: Limit | None = None
    audit_hours: float | None = None
    thumbs_down: str | None = None
    feedback_days: float | None = None
    weights: tuple[Weight, ...] = ()
    rule: str | None = None
    topic: str | None = None
    pattern: str | None = None
    escalated: bool | None = None
    remove_rules: tuple[str, ...] = ()
    promise: bool | None = None
    target: float | None = None
    confidence: float | None = None
    start: float | None = None

    def changes(self, before: Policy) -> dict[str, Any]:
        """Field of a policy → its new value, for all that was asked. Raises PolicyError for what goes ill together."""
        plain = ("threshold", "audit_rate", "overlap", "audit_hours", "thumbs_down", "feedback_days")
        found: dict[str, Any] = {name: value for name in plain if (value := getattr(self, name)) is not None}
        if self.budget is not None:
            found["budget"] = self.budget.items
        if self.weights:
            weights = before.weights | {one.topic: one.weight for one in self.weights}
            found["weights"] = {topic: weight for topic, weight in weights.items() if weight != 1.0}
        if self.asks_rules:
            found["rules"] = self._rules(before)
        if self.asks_promise:
            found["promise"] = self._promise(before)
        return found

    @property
    def asks_rules(self) -> bool:
        """Whether anything is said about rules."""
        conditions = (self.topic, self.pattern, self.escalated)
        return bool(self.rule is not None or self.remove_rules or any(one is not None for one in conditions))

    @property
    def asks_promise(self) -> bool:
        """Whether anything is said about the promise."""
        return any(one is not None for one in (self.promise, self.target, self.confidence, self.start))

    def __bool__(self) -> bool:
        return self != Asked()

    def _rules(self, before: Policy) -> tuple[Rule, ...]:
        """The rules with one added or put in the place of its namesake, and some taken away."""
        names = {rule.name for rule in before.rules}
        if absent := [name for name in self.remove_rules if name not in names]:
            raise PolicyError(
                f"there is no rule {absent[0]!r} to remove; there are {', '.join(sorted(names)) or 'none'}"
            )
        kept = [rule for rule in before.rules if rule.name not in self.remove_rules]
        if self.rule is None:
            if not self.remove_rules or (self.topic, self.pattern, self.escalated) != (None, None, None):
                raise PolicyError(
                    "--topic, --pattern and --escalated are conditions of a rule: name it with --rule NAME"
                )
            return tuple(kept)
        new = Rule(name=self.rule, topic=self.topic, pattern=self.pattern, escalated=self.escalated)
        if problems := [*([] if self.rule.strip() else ["a rule's name is empty"]), *rule_problems(new)]:
            raise PolicyError("; ".join(problems))
        if any(rule.name == new.name for rule in kept):
            return tuple(new if rule.name == new.name else rule for rule in kept)
        return (*kept, new)

    def _promise(self, before: Policy) -> Promise | None:
        """The promise in force, or the default one, with what was given."""
        given = {"target": self.target, "confidence": self.confidence, "start": self.start}
        stated = {name: value for name, value in given.items() if value is not None}
        if self.promise is False:
            if stated:
                raise PolicyError("--no-promise takes the promise back: leave --target, --confidence and --start out")
            return None
        return msgspec.structs.replace(before.promise or Promise(), **stated)


def share(text: str) -> float:
    """A number from 0 to 1; `nan`, which every comparison lets pass, is none. Raises ValueError."""
    found = _number(text)
    if not 0 <= found <= 1:
        raise ValueError(f"{text!r} is no number from 0 to 1")
    return found


def proper_share(text: str) -> float:
    """A number between 0 and 1, neither of them. Raises ValueError."""
    found = _number(text)
    if not 0 < found < 1:
        raise ValueError(f"{text!r} is no number between 0 and 1")
    return found


def positive(text: str) -> float:
    """A finite number above 0. Raises ValueError."""
    found = _number(text)
    if not (math.isfinite(found) and found > 0):
        raise ValueError(f"{text!r} is no number above 0")
    return found


def limit(text: str) -> Limit:
    """A whole number from 0 up, or `none`. Raises ValueError."""
    if text.strip().lower() == "none":
        return Limit(None)
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"{text!r} is no whole number from 0 up; `none` takes the limit away")
    return Limit(int(text))


def weight(text: str) -> Weight:
    """`cards=2`: a topic and its importance. Raises ValueError."""
    topic, equals, number = text.rpartition("=")
    found = _number(number)
    if not (equals and topic and math.isfinite(found) and found >= 0):
        raise ValueError(f"{text!r} is no topic and weight: write TOPIC=W, such as cards=2, with W from 0 up")
    return Weight(topic, found)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
