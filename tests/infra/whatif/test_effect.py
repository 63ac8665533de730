"""The whole answer: figures, days, notes, and how they are told."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from rich.console import Console

from teachback.infra.console import as_json
from teachback.infra.history import AUDIT, Decisions, HistoryError, Timed
from teachback.infra.whatif import terminal
from teachback.infra.whatif.change import Change
from teachback.infra.whatif.effect import Effect, effect
from teachback.infra.whatif.picture import draw
from teachback.infra.whatif.words import counted, per, percent, told_in_a_line, wrong_told
from teachback.infra.whatif.wrong import wrong
from teachback.schemas import Rule
from teachback.schemas.policy import Promise
from teachback.schemas.topics import DAY_MS
from tests.infra.whatif.making import DAY_0, decisions, policy, traffic

STRICT = policy()
MADE = traffic(2000, STRICT, days=2)
HISTORY = MADE.history(lambda number: number % 6 > 0)
END = DAY_0 + 2 * DAY_MS


def asked(change: Change | None = None, seconds: float | None = None, **fields: Any) -> Effect:
    return effect(HISTORY, decisions(STRICT), change or Change(**fields), DAY_0, END, seconds)


def shown(found: Effect, tty: bool = False) -> str:
    out = io.StringIO()
    terminal.show(Console(file=out, width=100, highlight=False, markup=False, force_terminal=tty), found)
    return out.getvalue()


def test_totals_are_those_of_the_routes_and_days_add_up_to_them() -> None:
    found = asked(threshold=0.5, audit_rate=0.3)
    for figures, routes in ((found.was, MADE.routed()), (found.then, MADE.routed(threshold=0.5, audit_rate=0.3))):
        assert [figures.audits, figures.reviews, figures.accepted] == [
            routes.count(route) for route in ("audit", "review", "accept")
        ]
        live = [route for route, one in zip(routes, MADE.exchanges, strict=True) if one.source == "live"]
        assert figures.accepted_share == pytest.approx(live.count("accept") / len(live))
    for name in ("audits", "reviews", "accepted"):
        assert sum(getattr(day.then, name) for day in found.daily) == getattr(found.then, name)
    assert sum(day.exchanges for day in found.daily) == found.exchanges == 2000
    assert [day.date for day in found.daily] == ["2024-10-04", "2024-10-05"]


def test_without_a_change_then_is_was() -> None:
    found = asked()
    assert found.was == found.then
    assert "would have been" not in shown(found)


def test_reviewers_hours_are_items_times_overlap_times_the_median() -> None:
    found = asked(seconds=90.0, overlap=3)
    items = found.was.audits + found.was.reviews
    assert found.was.hours == pytest.approx(items * 2 * 90 / 3600)
    assert found.then.hours == pytest.approx(items * 3 * 90 / 3600)
    served = asked(Change(budget=50), seconds=90.0).then
    assert served.hours == pytest.approx((served.audits + 2 * 50) * 2 * 90 / 3600)
    assert asked().was.hours is None


def test_days_count_from_the_first_policy() -> None:
    late = Decisions((Timed(STRICT, END - DAY_MS // 2),))
    assert effect(HISTORY, late, Change(), DAY_0, END).days == 0.5
    assert asked().days == 2.0


@pytest.mark.parametrize(
    ("days", "unit"), [(7, "a day"), (1, "a day"), (0.5, "in 12.0 h"), (0.01, "in 14 min"), (1e-6, "in 1 min")]
)
def test_counts_are_a_day_unless_there_is_less_than_one(days: float, unit: str) -> None:
    assert per(msgspec.structs.replace(asked(), days=days)) == unit


def test_of_no_traffic_there_are_no_figures_and_no_crash() -> None:
    nothing = HISTORY.rows(slice(0))
    change = Change(threshold=0.5, audit_rate=0.5, budget=3, rules=(), calibration=0, promise=Promise())
    found = effect(nothing, decisions(STRICT), change, DAY_0, END)
    assert (found.exchanges, found.was.accepted_share, found.then.wrong.answers) == (0, None, 0)
    assert found.risk_coverage == found.daily == ()
    assert "0 exchanges" in shown(found)


def test_a_promise_that_the_audits_carry_sets_the_threshold() -> None:
    kept = asked(promise=Promise(target=0.4, start=0.3, steps=10))
    assert kept.promised is not None and kept.then.threshold == kept.promised.threshold is not None
    assert f"{kept.promised.threshold:.4g} would be certified" in " ".join(shown(kept).split())
    broken = asked(promise=Promise(target=0.001))
    assert broken.promised is not None and broken.then == broken.was
    assert f"{broken.promised.lacking} more audits without an error" in " ".join(shown(broken).split())


def test_what_the_figures_cannot_know_is_said() -> None:
    unaudited = policy(2, audit_rate=0.0)
    made = traffic(800, STRICT, unaudited)
    history = made.history(lambda number: number % 2 > 0)
    notes = effect(
        history, decisions(STRICT, unaudited), Change(rules=(Rule(name="fees", pattern="fee"),)), DAY_0, END
    ).notes
    assert [note for note in notes if "there fees is taken to name nothing" in note]
    blind = int((history.live & (history.policy == 2)).sum())
    assert [note for note in notes if note.startswith(f"{blind} of {int(history.live.sum())} live exchanges")]
    late = int(((history.route == AUDIT) & ~history.settled).sum())
    assert [note for note in notes if note.startswith(f"{late} audits are not settled")]
    untold = history.rows(slice(None))
    untold.threshold[:] = np.nan  # as records of earlier versions
    assert [n for n in effect(untold, Decisions(), Change(), DAY_0, END).notes if "do not say what threshold" in n]
    assert asked(threshold=0.5).notes == tuple(note for note in asked().notes if "not settled" in note)


def test_json_has_what_was_asked_and_every_figure() -> None:
    found = msgspec.json.decode(as_json(asked(threshold=0.5, budget=None)))
    assert found["change"] == {"threshold": 0.5, "budget": None}
    assert found["then"]["wrong"]["count_high"] > found["then"]["wrong"]["count"] > 0
    assert found["was"]["overflow_wrong"] is None and len(found["risk_coverage"]) > 20


def test_a_table_sets_was_beside_then() -> None:
    said = shown(asked(threshold=0.5))
    assert "as it was" in said and "as it would have been" in said
    assert "wrong among accepted a day" in said and "all right, all wrong" in said
    assert "beyond the budget" not in said and "hours" not in said
    assert "reviewers' hours a day" in shown(asked(seconds=60.0))
    assert "of these beyond the budget a day" in shown(asked(budget=10))


def test_the_curve_is_drawn_at_a_terminal_only() -> None:
    found = asked(threshold=0.5)
    assert "accepted, % of live traffic" not in shown(found)
    drawn = shown(found, tty=True)
    assert "accepted, % of live traffic" in drawn
    assert "was: threshold 0.8" in drawn and "then: threshold 0.5" in drawn


def test_a_picture_is_written_and_of_nothing_none(tmp_path: Path) -> None:
    file = tmp_path / "curve.png"
    draw(asked(threshold=0.5), file)
    data = file.read_bytes()
    assert data.startswith(b"\x89PNG") and len(data) > 10_000
    nothing = effect(HISTORY.rows(slice(0)), decisions(STRICT), Change(), DAY_0, END)
    with pytest.raises(HistoryError, match="no curve to draw"):
        draw(nothing, tmp_path / "none.png")


def test_the_consequence_of_a_change_is_one_line() -> None:
    found = asked(threshold=0.5, budget=200)
    line = told_in_a_line(found)
    assert line.startswith(f"reviews {counted(found.was.reviews / 2)} → {counted(found.then.reviews / 2)} a day")
    assert f"accepted {percent(found.was.accepted_share)} → {percent(found.then.accepted_share)}" in line
    assert f"wrong let through about {wrong_told(found.was.unseen_wrong, 2.0)} → " in line
    assert "audits" not in line and "\n" not in line
    assert told_in_a_line(asked(audit_rate=0.5)).startswith("audits ")


def of_audits(audits: int, errors: int, answers: int = 1000) -> str:
    return wrong_told(wrong(answers, np.ones(audits), np.arange(audits) < errors, np.ones(audits, bool)))


def test_too_few_audits_are_said_to_be_too_few() -> None:
    assert of_audits(0, 0) == "unknown, up to 1,000: no audit is settled"
    assert of_audits(7, 0).endswith("410: too few audits (7)")
    assert of_audits(200, 4) == "20 (5.5–50)"
    assert of_audits(0, 0, answers=0) == "0"


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (3.0, "3"), (3.14, "3.1"), (9.96, "10"), (12345.6, "12,346")])
def test_counts_are_as_precise_as_they_are_small(value: float, text: str) -> None:
    assert counted(value) == text
