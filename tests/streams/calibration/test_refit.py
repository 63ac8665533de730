"""When a fit is due, what it may see, and when it is not worth publishing."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import numpy as np
import pytest

from teachback.schemas import Calibration, Term
from teachback.schemas.ids import sha256_of
from teachback.schemas.scored import Route
from teachback.streams.calibration.attempts import Timed
from teachback.streams.calibration.evidence import Known, Settled, may_learn
from teachback.streams.calibration.refit import Labels, Worse, cross_validated, due, labels, refit
from teachback.streams.confidence import PRIOR, Weights
from teachback.streams.guarantee import side
from tests.streams.calibration.test_evidence import HOUR, START

PERFECT = Weights(3, 0.0, (Term(signal="qa_cosine", weight=60.0, centre=0.5, scale=1.0, missing=0.0),))
"""Knows what decides in these tests, and is surer of it than a fit that is shrunk can be."""


def known(number: int, cosine: float, *, route: Route = "review", at: int = 0) -> Known:
    return Known(f"x{number}", START + at, (0, number), "base", route, False, 1, 0, {"qa_cosine": cosine})


def sharp(n: int, seed: int = 0) -> Labels:
    """Reviews whose answer is right exactly when its cosine is above a half."""
    cosines = np.round(np.random.default_rng(seed).random(n), 3)
    return Labels(tuple(known(i, float(c), at=i) for i, c in enumerate(cosines)), cosines > 0.5)


def traffic(found: Labels) -> list[dict[str, float]]:
    return [one.signals for one in found.known]


def calibration(found: Labels) -> Calibration:
    made = refit("demo", found, traffic(found), PRIOR, None, (0.2, 10))
    assert isinstance(made, Calibration)
    return made


def test_the_audits_that_certify_are_never_among_the_labels() -> None:
    audits = [known(number, 0.5, route="audit") for number in range(400)]
    reviews = [known(number, 0.5) for number in range(400, 500)]
    found = labels([*audits, *reviews], {one.id: Settled(True, START) for one in [*audits, *reviews]})
    learnt = {one.id for one in found.known}
    assert not any(one.id in learnt for one in audits if side(one.id) == "certify")
    assert all(one.id in learnt for one in audits if side(one.id) == "calibrate")
    assert all(one.id in learnt for one in reviews)  # a review certifies nothing, whatever its hash
    assert len(found.acceptable) == len(found.known)


def test_labels_keep_their_order_and_their_outcomes() -> None:
    rows = [known(number, 0.5) for number in range(6)]
    found = labels(rows, {one.id: Settled(number % 3 == 0, START) for number, one in enumerate(rows)})
    assert [one.id for one in found.known] == [one.id for one in rows if may_learn(one)]
    assert found.acceptable.tolist() == [True, False, False, True, False, False]


def test_a_first_fit_waits_for_enough_labels_and_the_next_for_half_as_many_again() -> None:
    assert not due(49, None, 50)
    assert due(50, None, 50)
    last = calibration(sharp(61))
    assert not due(91, last, 50)
    assert due(92, last, 50)  # 61 × 1.5, rounded up
    assert not due(92, last, 100)


def test_a_better_fit_is_published_as_the_next_version() -> None:
    found = sharp(80)
    made = calibration(found)
    assert made.version == 1
    assert made.labels == 80 and made.audits == 0
    assert made.wrong == int((~found.acceptable).sum())
    assert made.sha256 == sha256_of(sorted(one.id for one in found.known))
    assert made.traffic == 80 and made.walk[-1].coverage == 1.0
    assert made.forerunner is not None and made.forerunner.log_loss is not None
    assert made.quality.log_loss is not None and made.quality.log_loss < made.forerunner.log_loss
    more = refit("demo", sharp(150), traffic(sharp(150)), PRIOR, Timed(made, START), (0.2, 10))
    assert isinstance(more, Calibration) and more.version == 2


def test_a_fit_that_is_worse_than_its_forerunner_is_not_published() -> None:
    found = sharp(60)
    made = refit("demo", found, traffic(found), PERFECT, None, (0.2, 10))
    assert isinstance(made, Worse)
    assert made.candidate > made.forerunner and made.n == 60


@pytest.mark.parametrize("slow", [-30, 0, 30])
def test_it_is_judged_on_what_came_since_the_forerunner_by_the_brokers_clock(slow: int) -> None:
    """Whatever the writer's own clock said, in days."""
    old = sharp(60)
    made_then = calibration(old)
    last = msgspec.structs.replace(made_then, created=made_then.created + timedelta(days=slow))
    published = START + 100 * HOUR
    new = sharp(40, seed=1)
    later = tuple(
        one._replace(id=f"new-{i}", time=published + (i + 1) * HOUR, place=(0, 100 + i))
        for i, one in enumerate(new.known)
    )
    both = Labels((*old.known, *later), np.concatenate([old.acceptable, new.acceptable]))
    made = refit("demo", both, traffic(both), PERFECT, Timed(last, published), (0.2, 10))
    assert isinstance(made, Worse) and made.n == 40


@pytest.mark.parametrize(("audits", "judged"), [(9, 40), (10, 10)])
def test_new_audits_alone_judge_it_once_there_are_ten(audits: int, judged: int) -> None:
    found = sharp(40)
    mixed = tuple(one._replace(route="audit") if i < audits else one for i, one in enumerate(found.known))
    made = refit("demo", Labels(mixed, found.acceptable), traffic(found), PERFECT, None, (0.2, 10))
    assert isinstance(made, Worse) and made.n == judged


def test_random_outcomes_get_no_good_quality_from_a_fit_that_saw_them() -> None:
    """Quality is cross-validated: on coin flips no signal tells right from wrong."""
    found = sharp(200)
    flips = Labels(found.known, np.random.default_rng(9).random(200) < 0.5)
    signals = np.array([[one.signals["qa_cosine"]] for one in flips.known])
    scores = cross_validated(flips, signals, ("qa_cosine",), signals)
    assert abs(float(np.corrcoef(scores, flips.acceptable)[0, 1])) < 0.25
    seen = cross_validated(found, signals, ("qa_cosine",), signals)
    assert float(np.corrcoef(seen, found.acceptable)[0, 1]) > 0.7
