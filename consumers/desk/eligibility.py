"""Who may be given an item: pure rules over one person and one item.

An adjudicator who reviews an item can no longer adjudicate it. So that no item ends with nobody left to settle it,
adjudicators review only where another adjudicator is left for it, or where the plain reviewers are too few anyway.
"""

from collections.abc import Collection, Iterable

from teachback.consumers.desk.item import Capacity, Item
from teachback.consumers.desk.settings import Reviewer


def lanes(who: Reviewer) -> tuple[Capacity, ...]:
    """The lanes that a person is served from, in order: what only few can do comes first."""
    return ("adjudicator", "reviewer") if who.may_adjudicate else ("reviewer",)


def may_judge(who: Reviewer, item: Item, everyone: Iterable[Reviewer], at_work: Collection[str]) -> bool:
    """Whether `who` may judge `item`. `everyone` are all who can sign in, `at_work` the names who hold it on lease."""
    if item.request is None or not item.is_open or who.name in item.judges or not who.knows(item.request.topic):
        return False
    if item.capacity == "adjudicator":
        return who.may_adjudicate
    return not who.may_adjudicate or not _is_reserved(who, item, everyone, at_work)


def _is_reserved(adjudicator: Reviewer, item: Item, everyone: Iterable[Reviewer], at_work: Collection[str]) -> bool:
    """Whether `adjudicator` must be kept free, to settle `item` should the reviewers differ."""
    assert item.request is not None
    topic, taken = item.request.topic, item.judges.union(at_work)
    others = [who for who in everyone if who.name != adjudicator.name and who.knows(topic)]
    if any(who.may_adjudicate and who.name not in taken for who in others):
        return False
    return sum(not who.may_adjudicate for who in others) >= item.target
