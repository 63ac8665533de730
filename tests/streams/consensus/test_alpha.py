"""Alpha against the worked examples of Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability"."""

from __future__ import annotations

import msgspec
import pytest

from teachback.schemas import Outcome
from teachback.streams.consensus.alpha import nominal_alpha, reviewer_alpha
from tests.streams.consensus.samples import CREATED, judgments


def by_unit(*observers: str) -> list[str]:
    """A column for each unit; `.` is a missing value."""
    return ["".join(column).replace(".", "") for column in zip(*observers, strict=True)]


@pytest.mark.parametrize(
    ("observers", "published"),
    [
        (("0100000010", "1110010000"), 0.095),  # A: binary data, two observers, no missing data
        (("aabbdcccedda", "babbbccceddd"), 0.692),  # B: nominal data, two observers, no missing data
        (("123321412...", "1233224125.3", ".3332342251.", "12332441251."), 0.743),  # C: any number, missing data
    ],
    ids=["A", "B", "C"],
)
def test_it_gives_the_published_values(observers: tuple[str, ...], published: float) -> None:
    assert nominal_alpha(by_unit(*observers)) == pytest.approx(published, abs=0.0005)


def test_perfect_agreement_is_one() -> None:
    assert nominal_alpha(["aa", "bb", "ccc"]) == 1.0


def test_steady_disagreement_is_below_zero() -> None:
    alpha = nominal_alpha(["ab", "ab", "ab"])
    assert alpha is not None
    assert alpha < 0


@pytest.mark.parametrize("units", [[], ["a"], ["a", "b"], ["aa", "aaa"]])
def test_it_is_not_defined_where_nothing_could_differ(units: list[str]) -> None:
    assert nominal_alpha(units) is None


def outcome(shorthand: str, late: str = "") -> Outcome:
    return Outcome(
        id="o",
        bot="harbour",
        created=CREATED,
        exchange="x",
        status="open",
        round=0,
        judgments=tuple(judgments(shorthand)),
        late=tuple(judgments(late)),
    )


def test_only_the_first_reviewers_of_an_exchange_count() -> None:
    plain = [outcome("a a"), outcome("r r"), outcome("a r"), outcome("e:X e:Y")]
    assert reviewer_alpha(plain) == nominal_alpha(["aa", "rr", "ar", "ee"])
    third = [outcome("a a", late="r"), outcome("r r"), outcome("a r a"), outcome("e:X e:Y A")]
    assert reviewer_alpha(third) == reviewer_alpha(plain)


def test_a_flag_is_no_decision() -> None:
    assert reviewer_alpha([outcome("a f"), outcome("a a"), outcome("r r")]) == nominal_alpha(["a", "aa", "rr"])


def test_an_outcome_survives_the_wire_with_the_same_alpha() -> None:
    plain = [outcome("a a"), outcome("r r"), outcome("a r")]
    again = [msgspec.json.decode(msgspec.json.encode(each), type=Outcome) for each in plain]
    assert reviewer_alpha(again) == reviewer_alpha(plain)
