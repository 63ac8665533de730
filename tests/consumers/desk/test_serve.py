"""The desk as a process, as far as that can be seen without one."""

from __future__ import annotations

import pytest

from teachback.consumers.desk.errors import SUCCESSOR, Ending, Superseded
from teachback.consumers.desk.serve import Process
from tests.consumers.desk.making import ANN, settings


def test_a_desk_that_has_failed_refuses_from_then_on_and_remembers_the_first_reason() -> None:
    desk = Process(settings())
    first = Superseded(SUCCESSOR)
    for failure in (first, RuntimeError("and then the feed ended")):
        desk._fail(failure)
    with pytest.raises(Ending, match="taken over"):
        desk.service.me(ANN)
    assert desk.failure is first
