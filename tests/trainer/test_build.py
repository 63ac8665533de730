"""A data set is a function of the log, and says how it came about."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from teachback.schemas import Label
from teachback.trainer.dataset.build import Dataset, build
from teachback.trainer.dataset.examples import examples
from teachback.trainer.dataset.split import Splitter
from teachback.trainer.dataset.table import read_labels
from teachback.trainer.errors import BadTable, Stale
from tests.trainer import fakes
from tests.trainer.fakes import BOT, append, embed, label, pairs


def built(labels: Sequence[Label], known: Sequence[Label] | None = None, **fields: Any) -> Dataset:
    splitter = Splitter(BOT, "a salt for tests", 0.25, embed)
    splitter.assign(labels)
    values: dict[str, Any] = {
        "table_version": 3,
        "splits": splitter.decided,
        "bounds": [],
        "embed": embed,
        "checked": True,
        "max_mismatched": 0.5,
    }
    table = {one.id: one for one in (labels if known is None else known)}
    return build(examples(splitter.entries.values(), fields.get("splits")), table, **(values | fields))


def swapped(labels: Sequence[Label]) -> list[Label]:
    """The labels, each with the next one's answer."""
    return [label(x.id, x.question, y.answer) for x, y in zip(labels, [*labels[1:], labels[0]], strict=True)]


def test_rows_end_with_the_agreed_answer_and_both_sides_are_there() -> None:
    labels = pairs(60)
    found = built(labels)
    by_id = {one.id: one for one in labels}
    for row in (*found.train, *found.eval):
        assert row.messages[:-1] == by_id[row.id].messages
        assert (row.messages[-1].role, row.answer) == ("assistant", by_id[row.id].answer)
    assert found.ref.train == len(found.train) and found.ref.eval == len(found.eval) > 5
    assert found.ref.labels == found.ref.train + found.ref.held_back
    assert not {row.leader for row in found.train} & {row.leader for row in found.eval}


def test_the_same_log_is_the_same_data_set() -> None:
    labels = pairs(60)
    assert built(labels) == built(labels)
    assert built(labels).ref.sha256 != built(labels[:-1]).ref.sha256


def test_later_labels_do_not_change_an_earlier_data_set() -> None:
    labels = pairs(60)
    early = built(labels[:40])
    assert built(labels, splits=40) == early


def test_mixed_up_answers_stop_the_run_and_say_why() -> None:
    found = built(swapped(pairs(60)))
    assert found.stopped is not None and "answers do not fit the questions" in found.stopped
    assert found.card.batches[0].mismatched > 0.5


def test_without_the_check_mixed_up_answers_pass() -> None:
    found = built(swapped(pairs(60)), checked=False)
    assert found.stopped is None and found.ref.held_back == 0 and not found.card.checked


def test_a_bad_batch_of_old_is_kept_out_of_a_good_one() -> None:
    found = built([*swapped(pairs(50)), *pairs(60, start=50)], bounds=[50])
    assert found.stopped is None
    old, new = found.card.batches
    assert (old.newest, new.newest) == (False, True)
    assert old.held_back > 0.8 * old.pairs and new.held_back < 0.1 * new.pairs
    assert set(found.card.held_back).isdisjoint(row.id for row in found.train)


def test_the_card_counts_topics_origins_and_reviewers() -> None:
    card = built(pairs(60)).card
    assert set(card.topics["train"]) == {"t0", "t1", "t2", "t3"}
    assert card.origins == {"edited": card.dataset.train}
    assert card.sources == {"live": card.dataset.train}
    assert card.reviewers == ("r1", "r2") and card.clusters["train"] == card.dataset.train


def test_an_erased_label_makes_an_open_run_stale() -> None:
    labels = pairs(60)
    with pytest.raises(Stale, match="no longer in the table"):
        built(labels, known=labels[1:])


def test_the_table_is_read_at_a_version_for_one_bot_in_order(tmp_path: Path) -> None:
    labels = pairs(6)
    first = append(tmp_path / "t", labels[:4])
    append(tmp_path / "t", [*labels[4:], label("other", bot="another")])
    assert read_labels(str(tmp_path / "t"), BOT, first).labels == tuple(labels[:4])
    assert read_labels(str(tmp_path / "t"), BOT).labels == tuple(labels)


def test_a_label_that_stands_twice_counts_once(tmp_path: Path) -> None:
    append(tmp_path / "t", [label("a", answer="first")])
    append(tmp_path / "t", [label("a", answer="second")])
    (only,) = read_labels(str(tmp_path / "t"), BOT).labels
    assert only.answer == "first"


def test_no_table_yet_holds_no_labels_but_an_announced_one_must_be_there(tmp_path: Path) -> None:
    assert read_labels(str(tmp_path / "none"), BOT).labels == ()
    with pytest.raises(BadTable, match="is it the right place"):
        read_labels(str(tmp_path / "none"), BOT, 1)
    version = append(tmp_path / "t", pairs(1))
    with pytest.raises(BadTable, match=f"version {version + 7} cannot be read"):
        read_labels(str(tmp_path / "t"), BOT, version + 7)


def test_fakes_fit_their_questions() -> None:
    """The fake embedder tells right from wrong, or the tests above would prove nothing."""
    one, other = pairs(2)
    (q0, q1), (a0, a1) = fakes.embed([one.question, other.question]), fakes.embed([one.answer, other.answer])
    assert min(q0 @ a0, q1 @ a1) > max(q0 @ a1, q1 @ a0)
