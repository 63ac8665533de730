"""Who may be given an item, and as what: pure rules over one person and one item.

An adjudicator who reviews an item can no longer adjudicate it. So that no item ends with nobody left to settle it, the
last adjudicator of an item waits until every plain reviewer has judged it, and then settles it.
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


def acts_as(who: Reviewer, item: Item, everyone: Iterable[Reviewer], at_work: Collection[str]) -> Capacity:
    """What `who`, who may judge `item`, does so as.

    Where opinions differ and everybody else has given theirs, the last adjudicator's settles it: as one more reviewer's
    it could leave the item open for ever. A first opinion settles nothing, whoever gives it.
    """
    if item.capacity == "adjudicator":
        return "adjudicator"
    last = who.may_adjudicate and not _another_adjudicates(who, item, everyone, at_work)
    return "adjudicator" if last and item.judges else "reviewer"


def _is_reserved(adjudicator: Reviewer, item: Item, everyone: Iterable[Reviewer], at_work: Collection[str]) -> bool:
    """Whether `adjudicator` must be kept free, to settle `item` should the reviewers differ."""
    if _another_adjudicates(adjudicator, item, everyone, at_work):
        return False
    return any(not who.may_adjudicate and who.name not in item.judges for who in _able(item, everyone))


def _another_adjudicates(who: Reviewer, item: Item, everyone: Iterable[Reviewer], at_work: Collection[str]) -> bool:
    taken = item.judges.union(at_work, {who.name})
    return any(other.may_adjudicate and other.name not in taken for other in _able(item, everyone))


def _able(item: Item, everyone: Iterable[Reviewer]) -> list[Reviewer]:
    """All who know the item's topic."""
    assert item.request is not None
    return [who for who in everyone if who.knows(item.request.topic)]
