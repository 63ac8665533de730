"""The decision table. Shorthand: `a` approve, `e:X` edit to X, `r` reject, `f` flag; an adjudicator's in capitals."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teachback.schemas import Judgment
from teachback.streams.consensus.decide import Labelled, Open, Rejected, Settlement, decide, first_agreed
from tests.streams.consensus.samples import BOT_ANSWER, ByLetter, judgments


def settle(shorthand: str, overlap: int = 2, bot_answer: str = BOT_ANSWER) -> Settlement:
    return decide(judgments(shorthand), overlap, bot_answer, ByLetter())


def approved(*people: str) -> Labelled:
    return Labelled(BOT_ANSWER, "approved", people)


def edited(answer: str, *people: str) -> Labelled:
    return Labelled(answer, "edited", people)


REVIEWER, ADJUDICATOR = Open("reviewer"), Open("adjudicator")

OVERLAP_2: dict[str, Settlement] = {
    "": REVIEWER,
    "a": REVIEWER,
    "e:X": REVIEWER,
    "r": REVIEWER,
    "f": ADJUDICATOR,
    # two
    "a a": approved("p0", "p1"),
    "a e:X": REVIEWER,
    "e:X a": REVIEWER,
    "a r": REVIEWER,
    "r a": REVIEWER,
    "e:X r": REVIEWER,
    "r e:X": REVIEWER,
    "r r": Rejected(("p0", "p1")),
    "e:X e:X": edited("X", "p0", "p1"),
    "e:Xlong e:X": edited("X", "p0", "p1"),
    "e:X e:Y": REVIEWER,
    "a f": ADJUDICATOR,
    "f a": ADJUDICATOR,
    "e:X f": ADJUDICATOR,
    "r f": ADJUDICATOR,
    "f f": ADJUDICATOR,
    # three
    "a e:X a": approved("p0", "p2"),
    "e:X a a": approved("p1", "p2"),
    "a r a": approved("p0", "p2"),
    "a e:X e:X": edited("X", "p1", "p2"),
    "e:X a e:Xlong": edited("X", "p0", "p2"),
    "e:X e:Y e:Xlong": edited("X", "p0", "p2"),
    "e:X e:Y e:Y": edited("Y", "p1", "p2"),
    "a r r": Rejected(("p1", "p2")),
    "r e:X r": Rejected(("p0", "p2")),
    "a e:X r": ADJUDICATOR,
    "a e:X e:Y": ADJUDICATOR,
    "r e:X e:Y": ADJUDICATOR,
    "e:X e:Y e:Z": ADJUDICATOR,
    "e:X e:Y a": ADJUDICATOR,
    "a e:X f": ADJUDICATOR,
    # a fourth reviewer, who was already at work
    "a e:X r a": ADJUDICATOR,
    "a f a a": ADJUDICATOR,
    # settled before
    "a a r r r": approved("p0", "p1"),
    "a a f": approved("p0", "p1"),
    "r r a a a": Rejected(("p0", "p1")),
    # an adjudicator
    "A": approved("p0"),
    "R": Rejected(("p0",)),
    "E:X": edited("X", "p0"),
    "F": ADJUDICATOR,
    "a e:X r A": approved("p0", "p3"),
    "a e:X r E:Xlong": edited("Xlong", "p1", "p3"),
    "a e:X r E:Z": edited("Z", "p3"),
    "a e:X r R": Rejected(("p2", "p3")),
    "a e:X r F": ADJUDICATOR,
    "f A": approved("p1"),
    "f E:X": edited("X", "p1"),
    "f F A": approved("p2"),
    # reopened: the last adjudicator's word counts
    "a a E:X": edited("X", "p2"),
    "a a E:X R": Rejected(("p3",)),
    "r r A": approved("p2"),
    "a a F": ADJUDICATOR,
    "a a F A": approved("p0", "p1", "p3"),
}


@pytest.mark.parametrize(("shorthand", "expected"), OVERLAP_2.items(), ids=lambda value: str(value) or "nobody")
def test_the_table_for_overlap_2(shorthand: str, expected: Settlement) -> None:
    assert settle(shorthand) == expected


OTHER_OVERLAPS: list[tuple[int, str, Settlement]] = [
    (1, "a", approved("p0")),
    (1, "r", Rejected(("p0",))),
    (1, "f", ADJUDICATOR),
    (1, "e:X", REVIEWER),  # an editor is never the only approver
    (1, "e:X e:X", edited("X", "p0", "p1")),
    (1, "e:X a", REVIEWER),
    (1, "e:X a a", approved("p1", "p2")),
    (1, "e:X a r", ADJUDICATOR),
    (3, "a a", REVIEWER),
    (3, "a a a", approved("p0", "p1", "p2")),
    (3, "a a r", approved("p0", "p1")),
    (3, "a e:X e:X", edited("X", "p1", "p2")),
    (3, "a e:X r", ADJUDICATOR),
    (4, "a a a", REVIEWER),
    (4, "a a a r", approved("p0", "p1", "p2")),
    (4, "a a r r", REVIEWER),
    (4, "a a r r r", Rejected(("p2", "p3", "p4"))),
    (4, "a a r r e:X", ADJUDICATOR),
    (4, "a e:X r e:Y", ADJUDICATOR),  # a fifth could make no majority
    (9, "a a a a a a a a", REVIEWER),
    (9, "a a a a a r r r r", approved("p0", "p1", "p2", "p3", "p4")),
    (9, "a a a a r r r r e:X", ADJUDICATOR),
]


@pytest.mark.parametrize(("overlap", "shorthand", "expected"), OTHER_OVERLAPS)
def test_the_rule_for_any_overlap(overlap: int, shorthand: str, expected: Settlement) -> None:
    assert settle(shorthand, overlap) == expected


def test_an_approved_empty_answer_is_no_label() -> None:
    assert settle("a a", bot_answer=" ") == Rejected(("p0", "p1"))
    assert settle("A", bot_answer="") == Rejected(("p0",))


def test_a_chain_of_similar_edits_is_no_agreement_of_all() -> None:
    """X is like Y and Y like Z, but X is not like Z: only two of them agree."""

    class Neighbours(ByLetter):
        def same(self, one: str, other: str, /) -> bool:
            return abs(ord(one[0]) - ord(other[0])) <= 1

    assert decide(judgments("e:X e:Z e:Y"), 3, BOT_ANSWER, Neighbours()) == edited("X", "p0", "p2")


@pytest.mark.parametrize(
    ("overlap", "shorthand", "expected"),
    [
        (2, "a", None),
        (2, "a a", True),
        (2, "r r", True),
        (2, "e:X e:Xlong", True),
        (2, "e:X e:Y", False),
        (2, "a e:X a", False),
        (2, "a f", False),
        (2, "f f", False),
        (2, "a A", None),
        (2, "a A a", True),  # an adjudicator is none of the first reviewers
        (1, "a", None),
        (3, "a a", None),
        (3, "a a r", False),
        (3, "a a a", True),
    ],
)
def test_whether_the_first_reviewers_agreed(overlap: int, shorthand: str, expected: bool | None) -> None:
    assert first_agreed(judgments(shorthand), overlap, ByLetter()) is expected


REVIEWS = st.lists(st.sampled_from(["a", "r", "e:X", "e:Xlong", "e:Y", "e:Z"]), max_size=9)
ANYTHING = st.lists(st.sampled_from(["a", "r", "f", "e:X", "e:Y", "A", "R", "F", "E:X"]), max_size=9)
OVERLAPS = st.integers(1, 9)


@given(ANYTHING, OVERLAPS)
def test_nothing_is_settled_by_fewer_than_overlap_people_but_by_an_adjudicator(words: list[str], overlap: int) -> None:
    result = settle(" ".join(words), overlap)
    if not isinstance(result, Open):
        assert len(words) >= overlap or any(word[0].isupper() for word in words)


@given(ANYTHING, OVERLAPS)
def test_an_editor_is_never_the_only_approver(words: list[str], overlap: int) -> None:
    result = settle(" ".join(words), overlap)
    if isinstance(result, Labelled) and result.origin == "edited":
        assert len(result.answered_by) >= 2 or any(word[0].isupper() for word in words)


@given(ANYTHING, OVERLAPS)
def test_those_who_are_said_to_stand_behind_an_answer_do(words: list[str], overlap: int) -> None:
    result = settle(" ".join(words), overlap)
    if isinstance(result, Labelled):
        said = {f"p{i}": word.lower() for i, word in enumerate(words)}
        wanted = "a" if result.origin == "approved" else f"e:{result.answer[0].lower()}"
        assert result.answered_by
        assert all(said[person].startswith(wanted) for person in result.answered_by)


@given(REVIEWS, OVERLAPS)
def test_a_majority_of_the_panel_is_never_overruled(words: list[str], overlap: int) -> None:
    """Reviewers' settlements are those of a strict majority of some first k ≥ overlap of them."""
    result = settle(" ".join(words), overlap)
    if isinstance(result, Labelled | Rejected):
        agreeing = len(result.answered_by)
        assert any(2 * agreeing > k for k in range(overlap, len(words) + 1))


@given(st.lists(st.sampled_from(["a", "r", "e:X", "e:Xlong", "e:Y"]), max_size=5), st.integers(2, 5))
def test_the_end_does_not_depend_on_the_order_of_reviewers(words: list[str], overlap: int) -> None:
    panel = words[: overlap | 1]
    ends = {_gist(settle(" ".join(order), overlap)) for order in permutations(panel)}
    assert len(ends) == 1


def _gist(result: Settlement) -> tuple[str, ...]:
    """What is promised not to depend on the order: the end and what it says, but not its wording."""
    if isinstance(result, Labelled):
        return ("labelled", result.origin, result.answer[0])
    return ("open", result.need) if isinstance(result, Open) else ("rejected",)


@given(REVIEWS, OVERLAPS)
def test_once_settled_further_reviewers_change_nothing(words: list[str], overlap: int) -> None:
    everything: list[Judgment] = judgments(" ".join(words))
    settled = [decide(everything[:k], overlap, BOT_ANSWER, ByLetter()) for k in range(len(words) + 1)]
    ended = [result for result in settled if not isinstance(result, Open)]
    assert all(result == ended[0] for result in ended)
    assert [isinstance(result, Open) for result in settled] == sorted(
        (isinstance(r, Open) for r in settled), reverse=True
    )
