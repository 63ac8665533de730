"""Rules, replayed on what `chat.scored` keeps: topics, and the names of the rules that matched."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teachback.infra.history import Decisions, History
from teachback.infra.history.columns import coded
from teachback.schemas import Policy, Rule


class Replayed(NamedTuple):
    """Rows that rules would have named, and the rules that can't be replayed everywhere."""

    named: NDArray[np.bool_]
    untold: tuple[str, ...]
    """Names of rules whose conditions need what is not recorded, and that were not in force everywhere."""


def replayed_rules(history: History, decisions: Decisions, rules: tuple[Rule, ...]) -> Replayed:
    """Which rows the rules would have named.

    A rule with a topic alone is replayed. One with a pattern or about escalation needs the exchange's text: where the
    same rule was in force its name stands in the row's reasons; elsewhere it matches nothing, and is told as untold.
    """
    named = np.zeros(len(history), dtype=bool)
    untold: list[str] = []
    versions = [(int(one), decisions.policy_of(int(one))) for one in np.unique(history.policy)]
    for rule in rules:
        if rule.pattern is None and rule.escalated is None:
            if rule.topic is not None:
                named |= coded(history.topic, history.topics, lambda topic, wanted=rule.topic: topic == wanted)
            continue
        for version, policy in versions:
            mine = history.policy == version
            name = _name_in(policy, rule)
            if name is None:
                untold.append(rule.name)
            else:
                said = f"rule:{name}"
                named |= mine & coded(history.reason, history.reasons, lambda reasons, said=said: said in reasons)
    return Replayed(named, tuple(dict.fromkeys(untold)))


def _name_in(policy: Policy | None, rule: Rule) -> str | None:
    """What the same rule, by its conditions, was called in a policy."""
    wanted = (rule.topic, rule.pattern, rule.escalated)
    rules = policy.rules if policy else ()
    return next((one.name for one in rules if (one.topic, one.pattern, one.escalated) == wanted), None)
