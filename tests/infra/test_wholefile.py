"""Files are there whole or not at all."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from teachback.infra import parts
from teachback.infra.settings import SettingsError
from teachback.infra.wholefile import whole


def test_a_file_is_replaced_in_one_step_with_its_mode_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    whole(file, "one", mode=0o600)
    whole(file, "twö", mode=0o600)
    assert file.read_text(encoding="utf-8") == "twö"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_salt_is_made_once_and_one_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    made = parts.salt(tmp_path / "home")
    assert parts.salt(tmp_path / "home") == made
    assert len(made) == 32
    (tmp_path / "home" / "split.salt").write_text("")
    with pytest.raises(SettingsError, match=r"split\.salt: too short"):
        parts.salt(tmp_path / "home")
