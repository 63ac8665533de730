"""Which policy the desk goes by."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from teachback.consumers.desk.policy import in_force
from teachback.schemas.policy import Policy, Rule
from tests.consumers.desk.making import policy


@given(st.lists(st.integers(0, 5)))
def test_versions_count_up_by_one_and_any_other_is_ignored(versions: list[int]) -> None:
    current: Policy | None = None
    for n, version in enumerate(versions):
        before = current.version if current else 0
        event = policy(version, budget=n)
        after = in_force(current, event)
        assert after is (event if version == before + 1 else current)
        current = after


def test_a_policy_that_scoring_passes_over_is_not_the_desk_s_either() -> None:
    first = policy(1, budget=5)
    broken = policy(2, budget=9, rules=(Rule(name="broken", pattern="("),))
    assert in_force(first, broken) is first
    assert in_force(first, policy(2, budget=7)) == policy(2, budget=7)
