"""Which audits certify: a fixed lot that nothing about the answer decides."""

from __future__ import annotations

import math

from teachback.streams.guarantee import CERTIFY_SHARE, side

IDS = [f"exchange-{number}" for number in range(20_000)]


def test_three_of_four_audits_certify() -> None:
    share = sum(side(one) == "certify" for one in IDS) / len(IDS)
    assert CERTIFY_SHARE == 0.75
    assert abs(share - 0.75) < 4 * math.sqrt(0.75 * 0.25 / len(IDS))


def test_the_side_of_an_id_is_the_same_for_ever() -> None:
    # A change here would let a calibration learn from audits that already certify.
    assert "".join(side(one)[1] for one in IDS[:24]) == "eaaaaeeaeeeaeaeeeaeeeeee"


def test_every_audit_has_one_of_two_sides() -> None:
    assert {side(one) for one in IDS} == {"certify", "calibrate"}
