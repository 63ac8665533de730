"""Leases under a clock that is told the time."""

from __future__ import annotations

from teachback.consumers.desk.leases import Leases, lease_id
from tests.consumers.desk.making import Clock


def test_a_lease_runs_out_unless_it_is_extended() -> None:
    clock = Clock()
    leases = Leases(60.0, clock)
    kept = leases.grant("x1", "ann", 0, "reviewer", clock())
    lost = leases.grant("x2", "ben", 0, "reviewer", clock())
    clock.now += 50
    leases.extend(kept)
    clock.now += 10
    assert [lease.id for lease in leases.expire()] == [lost.id]
    assert leases.find(kept.id) is not None
    assert leases.on("x2") == []
    clock.now += 50
    assert [lease.id for lease in leases.expire()] == [kept.id]
    assert len(leases) == 0


def test_every_grant_has_a_higher_token_and_a_heartbeat_keeps_it() -> None:
    leases = Leases(60.0, Clock(), first_token=41)
    first = leases.grant("x1", "ann", 0, "reviewer", None)
    assert leases.extend(first).token == first.token
    second = leases.grant("x1", "ann", 0, "reviewer", None)
    assert second.id == first.id == lease_id("x1", "ann", 0)
    assert second.token > first.token > 41
    assert len(leases) == 1


def test_a_lease_is_named_by_exchange_reviewer_and_round() -> None:
    ids = {lease_id(x, who, round_) for x in ("x1", "x2") for who in ("ann", "ben") for round_ in (0, 1)}
    assert len(ids) == 8


def test_releasing_twice_harms_nobody() -> None:
    leases = Leases(60.0, Clock())
    ann, ben = (leases.grant("x1", who, 0, "reviewer", None) for who in ("ann", "ben"))
    leases.release(ann)
    leases.release(ann)
    assert leases.on("x1") == [ben]
    assert leases.held_by("ann") == []
