"""When a run starts, and what counts as new."""

from __future__ import annotations

from typing import Any

import pytest

from teachback.trainer.dataset.examples import Examples, examples
from teachback.trainer.dataset.split import Entry
from teachback.trainer.trigger import Counts, count, decide
from tests.trainer.fakes import decided, label, settings


def entry(name: str, place: int, side: str = "train", *, quarantined: bool = False, **fields: Any) -> Entry:
    one = label(name, **fields)
    return Entry(one, decided(one, f"leader-{name}", side, quarantined=quarantined), place)


ENOUGH = Counts(new=20, clusters=5, eval=2, eval_clusters=12)


@pytest.mark.parametrize(
    ("counts", "missing"),
    [
        (ENOUGH, ()),
        (Counts(new=19, clusters=5, eval=2, eval_clusters=12), ("19 of 20 new training labels",)),
        (Counts(new=20, clusters=4, eval=2, eval_clusters=12), ("4 of 5 different questions among the new labels",)),
        (Counts(new=20, clusters=5, eval=1, eval_clusters=12), ("1 of 2 labels on the locked side",)),
        (
            Counts(new=20, clusters=5, eval=40, eval_clusters=1),
            ("1 of 2 different questions on the locked side",),
        ),
        (Counts(new=20, clusters=5, eval=2, eval_clusters=12, rested=59.0), ("1 s of rest after the last run",)),
        (Counts(new=20, clusters=5, eval=2, eval_clusters=12, rested=61.0), ()),
        (
            Counts(new=20, clusters=5, eval=2, eval_clusters=12, rested=61.0, since_failure=7),
            ("7 of 8 new labels since the last run failed",),
        ),
        (Counts(new=20, clusters=5, eval=2, eval_clusters=12, rested=61.0, since_failure=8), ()),
        (
            Counts(new=0, clusters=0, eval=0, eval_clusters=0),
            (
                "0 of 20 new training labels",
                "0 of 5 different questions among the new labels",
                "0 of 2 labels on the locked side",
                "0 of 2 different questions on the locked side",
            ),
        ),
    ],
)
def test_a_run_starts_when_nothing_is_missing(counts: Counts, missing: tuple[str, ...], tmp_path: Any) -> None:
    told = settings(tmp_path, cooldown_seconds=60.0, labels_after_failure=8)
    decision = decide(counts, told)
    assert decision.missing == missing
    assert decision.start == (not missing)
    assert decision.counts == counts


def test_only_labels_that_no_finished_run_has_seen_are_new() -> None:
    usable = examples([entry(f"l{n}", n) for n in range(10)] + [entry("judge", 10, "eval")])
    assert count(usable, 0) == Counts(new=10, clusters=10, eval=1, eval_clusters=1)
    assert count(usable, 7) == Counts(new=3, clusters=3, eval=1, eval_clusters=1)
    assert count(usable, 7, 5.0, failed_at=9) == Counts(
        new=3, clusters=3, eval=1, eval_clusters=1, rested=5.0, since_failure=1
    )


def test_the_latest_revision_counts_whenever_it_came() -> None:
    new = entry("new", 0, exchange="x", revision=2)
    old = entry("old", 1, exchange="x", revision=1)
    assert examples([new, old]).train == (new,)


def test_a_revision_of_a_seen_label_is_new() -> None:
    usable = examples([entry("old", 0, exchange="x"), entry("new", 5, exchange="x", revision=2)])
    assert count(usable, 3).new == 1


def test_an_exchange_whose_latest_revision_is_quarantined_is_not_used() -> None:
    usable = examples([entry("old", 0, exchange="x"), entry("new", 1, exchange="x", revision=2, quarantined=True)])
    assert usable == Examples((), (), 1)


def test_a_copy_is_nothing_new() -> None:
    first = entry("a", 0, question="What is the fee?", answer="Four pounds.")
    copy = entry("b", 8, question="what is the fee", answer="four pounds")
    assert examples([copy, first]).train == (first,)
    assert count(examples([copy, first]), 5).new == 0


def test_a_data_set_of_the_past_is_what_it_was() -> None:
    entries = [entry(f"l{n}", n) for n in range(10)] + [entry("again", 10, exchange="x-l2", revision=2)]
    assert [one.id for one in examples(entries, 4).train] == ["l0", "l1", "l2", "l3"]
    assert [one.id for one in examples(entries).train][-1] == "again"
