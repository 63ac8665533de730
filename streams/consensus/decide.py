"""The decision table: what the judgments about one exchange amount to. Pure.

Reviewers judge blind. With overlap 2 (n = 2), in the order in which the log has their verdicts:

| judgments so far                                | what follows                                               |
|-------------------------------------------------|------------------------------------------------------------|
| fewer than n                                    | open, needs a reviewer                                     |
| approve, approve                                | labelled, the bot's own answer                             |
| edit, edit that say the same                    | labelled, the edit nearest to all of them (medoid)         |
| reject, reject                                  | rejected: no answer to learn, no label                     |
| approve, edit · approve, reject · edit, reject  | open, needs a third reviewer                               |
| edit, edit that differ                          | open, needs a third reviewer                               |
| three, of which two agree                       | as those two                                               |
| three, of which no two agree                    | open, needs an adjudicator                                 |
| anything, flag                                  | open, needs an adjudicator, at once                        |
| waiting for an adjudicator, a reviewer's        | still open, needs an adjudicator                           |
| anything, an adjudicator's approve/edit/reject  | labelled or rejected, finally                              |
| anything, an adjudicator's flag                 | open, needs an adjudicator                                 |

For any overlap n: the first n reviewers judge whatever they say. From then on a strict majority of all reviewers so
far who agree with each other settles it. Without one, further reviewers are asked, one at a time, up to a panel of the
next odd number (n or n + 1, at least 3 when n < 3); when the rest of the panel could make no majority any more, an
adjudicator decides. An editor is never the only approver: a corrected text needs a second person who corrected it to
the same, so one edit alone (n = 1) asks for a second reviewer, and from there the table above holds.

"Agree" is: both approve, both reject, or both edit and every pair of the texts says the same (sameness of meaning is
not transitive, so a chain is not enough). An admin counts as an adjudicator. A bot's empty answer cannot be learnt:
approving it rejects.

Order: whether reviewers' judgments end labelled, rejected or with an adjudicator does not depend on their order, if
none is a flag; nor does what the label says, where "says the same" is transitive. Its wording may.
"""

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Literal, NamedTuple, Protocol

from teachback.schemas.label import Origin
from teachback.schemas.review import Judgment, Need


class Sameness(Protocol):
    """Whether texts say the same, and which of several says it best."""

    def same(self, one: str, other: str, /) -> bool:
        """Whether two answers say the same. Symmetric, and true of a text and itself."""

    def medoid(self, texts: Sequence[str], /) -> str:
        """The one of `texts` (at least one) that is nearest to all of them."""


class Open(NamedTuple):
    """More verdicts are needed."""

    need: Need


class Labelled(NamedTuple):
    """Agreed on an answer: whose words it is in, and the people who stand behind it, in order."""

    answer: str
    origin: Origin
    answered_by: tuple[str, ...]


class Rejected(NamedTuple):
    """Agreed that there is nothing to learn from this answer."""

    answered_by: tuple[str, ...]


Settlement = Open | Labelled | Rejected
Group = tuple[Judgment, ...]


def decide(judgments: Sequence[Judgment], overlap: int, bot_answer: str, sameness: Sameness) -> Settlement:
    """What the judgments, in log order and each of another person, amount to."""
    final = [judgment for judgment in judgments if is_adjudicator(judgment)]
    if final:
        return _adjudicated(final[-1], judgments, bot_answer, sameness)
    for count, judgment in enumerate(judgments, 1):
        if judgment.decision == "flag":
            return Open("adjudicator")
        if count < overlap:
            continue
        step = _settle(judgments[:count], overlap, sameness)
        if isinstance(step, tuple):
            return _result(step, bot_answer, sameness)
        if step == "adjudicator":
            return Open(step)
    return Open("reviewer")


def first_agreed(judgments: Sequence[Judgment], overlap: int, sameness: Sameness) -> bool | None:
    """Whether the first `overlap` reviewers agree; None until they have spoken, or if there is only one to ask."""
    first = [judgment for judgment in judgments if not is_adjudicator(judgment)][:overlap]
    if overlap < 2 or len(first) < overlap:
        return None
    return len(largest_group(first, sameness)) == overlap


def is_adjudicator(judgment: Judgment) -> bool:
    """Whether the judgment is final by its role."""
    return judgment.role != "reviewer"


def largest_group(judgments: Sequence[Judgment], sameness: Sameness) -> Group:
    """The most judgments that all agree with each other; of equals approvals before rejections before edits."""

    def having(decision: Literal["approve", "edit", "reject"]) -> Group:
        return tuple(judgment for judgment in judgments if judgment.decision == decision)

    return max(having("approve"), having("reject"), _largest_clique(having("edit"), sameness.same), key=len)


def _largest_clique(edits: Group, same: Callable[[str, str], bool]) -> Group:
    for size in range(len(edits), 1, -1):  # a panel has at most nine members: brute force is small
        for some in combinations(edits, size):
            if all(same(_text(one), _text(other)) for one, other in combinations(some, 2)):
                return some
    return edits[:1]


def _settle(judgments: Sequence[Judgment], overlap: int, sameness: Sameness) -> Group | Need:
    """The majority that settles it, or who must speak next."""
    group, count = largest_group(judgments, sameness), len(judgments)
    if 2 * len(group) > count and not (len(group) == 1 and group[0].decision == "edit"):
        return group
    panel = max(3, overlap | 1)
    within_reach = 2 * (len(group) + panel - count) > panel
    return "reviewer" if count < panel and within_reach else "adjudicator"


def _result(group: Group, bot_answer: str, sameness: Sameness) -> Settlement:
    decision, people = group[0].decision, _people(group)
    if decision == "edit":
        return Labelled(sameness.medoid([_text(judgment) for judgment in group]), "edited", people)
    if decision == "approve" and bot_answer.strip():
        return Labelled(bot_answer, "approved", people)
    return Rejected(people)


def _adjudicated(final: Judgment, judgments: Sequence[Judgment], bot_answer: str, sameness: Sameness) -> Settlement:
    """The adjudicator's decision, in the adjudicator's words, with everybody who agrees with it."""
    if final.decision == "flag":
        return Open("adjudicator")
    agreeing = tuple(
        judgment
        for judgment in judgments
        if judgment.decision == final.decision
        and (judgment is final or final.decision != "edit" or sameness.same(_text(judgment), _text(final)))
    )
    result = _result(agreeing if final.decision != "edit" else (final,), bot_answer, sameness)
    return result._replace(answered_by=_people(agreeing)) if isinstance(result, Labelled) else result


def _people(judgments: Sequence[Judgment]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(judgment.reviewer for judgment in judgments))


def _text(judgment: Judgment) -> str:
    assert judgment.answer is not None, f"edit {judgment.verdict} without a text"  # Verdict refuses such
    return judgment.answer
