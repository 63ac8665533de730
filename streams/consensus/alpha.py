"""Krippendorff's alpha: how far reviewers agree beyond chance. 1 is always, 0 is as by chance, below 0 is worse.

Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), sections B to C, nominal metric, any number of
observers, missing values allowed.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence

from teachback.schemas.review import Outcome
from teachback.streams.consensus.decide import is_adjudicator


def nominal_alpha(units: Iterable[Sequence[Hashable]]) -> float | None:
    """Alpha over `units`, each with the values that its observers gave it; order and who said what don't matter.

    None when it is not defined: no unit has two values, or all values are the same one, so that nothing was told apart.
    """
    pairable = [Counter(unit) for unit in units if len(unit) > 1]
    totals: Counter[Hashable] = Counter()
    for unit in pairable:
        totals.update(unit)
    n = totals.total()
    expected = n * n - sum(count * count for count in totals.values())
    if expected == 0:
        return None
    observed = sum((unit.total() ** 2 - sum(c * c for c in unit.values())) / (unit.total() - 1) for unit in pairable)
    return 1 - (n - 1) * observed / expected


def reviewer_alpha(outcomes: Iterable[Outcome], first: int = 2) -> float | None:
    """Alpha over the decisions (approve, edit, reject) of the first `first` reviewers of each exchange.

    Only the first: a third is asked just where two disagree, and would make reviewers look worse than they are.
    Adjudicators see what others said, and late verdicts are no part of agreement, so neither counts. A flag is no
    decision. Two edits count as agreeing here, whatever their texts.
    """
    return nominal_alpha(
        [
            judgment.decision
            for judgment in [judgment for judgment in outcome.judgments if not is_adjudicator(judgment)][:first]
            if judgment.decision != "flag"
        ]
        for outcome in outcomes
    )
