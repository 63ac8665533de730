"""From samples to figures, and from figures to the page."""

from pathlib import Path

import pytest

from bench.report import throughput_table
from bench.table import put, table
from bench.throughput import Look, Throughput, rates
from bench.work import POLICY, decide, sample
from teachback.schemas.wire import Cluster, encode


def measured(speed: float, *, whole: bool = True, decided: int = 100) -> Throughput:
    return Throughput(rate=speed, cpu_us=7.0, whole=whole, decided=decided, repeats=0, reviews=0)


def looks(*pairs: tuple[float, int]) -> list[Look]:
    """Looks at (seconds, written) of a worker that always keeps half a processor busy."""
    return [Look(seconds, written, seconds / 2) for seconds, written in pairs]


def test_a_rate_counts_from_joining_the_group_to_the_last_record() -> None:
    assert rates(looks((0, 0), (1, 10), (4, 60), (5, 100)), 100)[0] == pytest.approx(20.0)


def test_work_done_before_anything_is_written_counts() -> None:
    assert rates(looks((0, 0), (3, 0), (4, 100)), 100)[0] == pytest.approx(25.0)


def test_processor_time_is_counted_over_the_same_span() -> None:
    assert rates(looks((10, 0), (14, 100)), 100)[1] == pytest.approx(2e6 / 100)


def test_transaction_markers_at_the_end_speed_nothing_up() -> None:
    with_markers, without = looks((0, 0), (2, 100), (3, 104)), looks((0, 0), (2, 100))
    assert rates(with_markers, 100) == rates(without, 100)


def test_a_run_that_was_cut_off_counts_up_to_its_last_look() -> None:
    assert rates(looks((0, 0), (1, 10), (5, 50)), 100)[0] == pytest.approx(10.0)


def test_ratios_compare_with_the_reference_of_the_same_guarantee_and_round() -> None:
    text = throughput_table(
        {
            ("teachback", "exactly_once"): [measured(50.0), measured(300.0)],
            ("confluent-kafka", "exactly_once"): [measured(100.0), measured(200.0)],
        },
        100,
    )
    assert [cell.strip() for cell in text.splitlines()[2].split("|")[3:6]] == ["175", "1.00", "0.50–1.50"]


def test_what_was_cut_off_is_not_called_missing() -> None:
    found = [measured(1.0, whole=False, decided=40)]
    text = throughput_table({("confluent-kafka", "exactly_once"): found}, 100)
    assert "cut off" in text and "60" not in text


def test_a_page_changes_only_between_its_markers(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Before\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nafter\n")
    put(page, "new")
    assert page.read_text() == "# Before\n<!-- bench:begin -->\nnew\n<!-- bench:end -->\nafter\n"


def test_a_page_without_markers_keeps_its_text_and_gets_them(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Before\n")
    put(page, "one")
    put(page, "two")
    text = page.read_text()
    assert text.startswith("# Before\n") and "two" in text and "one" not in text


def test_every_row_of_a_table_has_the_width_of_its_head() -> None:
    lines = table(("a", "b", "figure"), [("long cell", "x", "1")]).splitlines()
    assert len({len(line) for line in lines}) == 1


def test_the_work_sends_hedging_answers_to_review_and_decides_all() -> None:
    cluster = Cluster(bootstrap="nowhere", prefix="p.")
    made = [output for number in range(20) for output in decide(cluster, encode(sample(number)))]
    assert sum(output.topic == "p.chat.scored" for output in made) == 20
    assert sum(output.topic == "p.review.requests" for output in made) >= 2
    assert POLICY.bot == sample(0).bot
