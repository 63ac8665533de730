"""Which adapter serves: gate and rollback cannot race."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from teachback.schemas.lineage import Lineage
from teachback.schemas.training import AdapterAlias, AdapterRegistered
from teachback.trainer.alias import rollback_of
from teachback.trainer.errors import RollbackRefused
from tests.trainer.fakes import BASE, BOT, MOMENT, dataset_ref

V0, V1, V2 = (f"{BOT}@v{n}" for n in range(3))


def alias(to: str, before: str, cause: Literal["promoted", "rollback"] = "promoted", bot: str = BOT) -> AdapterAlias:
    return AdapterAlias(id=f"{before}>{to}", bot=bot, created=MOMENT, adapter=to, expected_previous=before, cause=cause)


def registered(name: str) -> AdapterRegistered:
    return AdapterRegistered(
        id=name,
        bot=BOT,
        created=MOMENT,
        version=int(name[-1]),
        sha256="a" * 64,
        run=f"run of {name}",
        parent=V0,
        base=BASE,
        dataset=dataset_ref(),
        path=f"{BOT}/v{name[-1]}",
    )


def folded(*events: Any) -> Lineage:
    lineage = Lineage(BOT)
    for event in events:
        lineage = lineage.fold(event)
    return lineage


def test_the_bare_base_serves_first() -> None:
    assert folded().champion == V0
    assert folded(registered(V1)).champion == V0


def test_a_promotion_takes_effect_once() -> None:
    lineage = folded(registered(V1), alias(V1, V0), alias(V1, V0))
    assert (lineage.champion, len(lineage.changes), lineage.ignored) == (V1, 1, 1)
    assert list(lineage.registered) == [V1]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_a_promotion_and_a_rollback_at_once_the_first_on_the_log_wins(order: tuple[int, int]) -> None:
    """v1 serves; the gate promotes v2 over v1 while a person takes v1 back."""
    racing = [alias(V2, V1), alias(V0, V1, "rollback")]
    lineage = folded(alias(V1, V0), *(racing[n] for n in order))
    assert lineage.champion == racing[order[0]].adapter
    assert lineage.ignored == 1


def test_another_bot_s_events_change_nothing() -> None:
    assert folded(alias("other@v1", "other@v0", bot="other")) == Lineage(BOT)


def test_rollback_goes_back_and_forth() -> None:
    lineage = folded(registered(V1), alias(V1, V0))
    back = rollback_of(lineage, V0, "worse answers about fees")
    assert (back.adapter, back.expected_previous, back.cause) == (V0, V1, "rollback")
    lineage = lineage.fold(back)
    forth = rollback_of(lineage, V1, None)
    again = rollback_of(lineage.fold(forth), V0, None)
    assert lineage.fold(forth).champion == V1
    assert again.id != back.id
    assert lineage.fold(forth).fold(again).champion == V0


def test_the_same_rollback_asked_for_twice_is_one_event() -> None:
    lineage = folded(alias(V1, V0))
    first, second = rollback_of(lineage, V0, "a"), rollback_of(lineage, V0, "a")
    assert first.id == second.id
    assert lineage.fold(first).fold(second).changes[-1].id == first.id


def test_only_what_served_before_can_serve_again() -> None:
    lineage = folded(registered(V1), alias(V1, V0), registered(V2))
    with pytest.raises(RollbackRefused, match=f"{V2} has never been in service; to choose from: {V0}"):
        rollback_of(lineage, V2, None)
    with pytest.raises(RollbackRefused, match="in service already"):
        rollback_of(lineage, V1, None)
