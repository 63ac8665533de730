"""The terminal program, driven by keys, against a real desk in the same process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from prompt_toolkit.formatted_text import to_plain_text
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from teachback.consumers.review.terminal import Terminal
from tests.consumers.desk.making import ANN, BEN, request, settings
from tests.consumers.desk.served import ServedDesk

CTRL_S, ESC, ENTER, BACKSPACE = "\x13", "\x1b", "\r", "\x7f"


class Window:
    """A terminal and the keys that go into it."""

    def __init__(self, desk: ServedDesk, terminal: Terminal, keys: PipeInput) -> None:
        self.desk, self.terminal, self.keys = desk, terminal, keys

    @property
    def shown(self) -> str | None:
        return self.terminal.session.offer.exchange if self.terminal.session.offer else None

    def text(self, part: Callable[[], object]) -> str:
        return to_plain_text(part())  # type: ignore[arg-type]

    async def press(self, *keys: str, until: Callable[[], bool]) -> None:
        """Type, and wait for what must come of it."""
        for key in keys:
            self.keys.send_text(key)
            await asyncio.sleep(0.02)
        await self.until(until)

    async def until(self, reached: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not reached():  # noqa: ASYNC110 (the screen has no event for what tests wait for)
                await asyncio.sleep(0.02)


@pytest.fixture
async def window() -> AsyncIterator[Window]:
    """Ann's terminal at a desk with three items."""
    desk = ServedDesk(settings(ANN, BEN, leases_each=4)).open()
    for n in range(3):
        desk.state.note_request(f"x{n}", request(f"x{n}", confidence=n / 10), 0)
    with desk.http, desk.client("ann", patience=0.0) as client, create_pipe_input() as keys:
        terminal = Terminal(client, client.me(), keys, DummyOutput())
        running = asyncio.ensure_future(terminal.run())
        made = Window(desk, terminal, keys)
        await made.until(lambda: made.shown == "x0")
        yield made
        desk.away = False
        if not running.done():
            terminal.session.editing = terminal.remarking = False
            keys.send_text("q")
        await running


async def test_one_key_approves_and_shows_the_next_and_the_one_after_makes_it_final(window: Window) -> None:
    await window.press("a", until=lambda: window.shown == "x1")
    assert window.desk.written == []
    await window.press("x", until=lambda: len(window.desk.written) == 1)
    assert [(v.exchange, v.decision) for v in window.desk.written] == [("x0", "approve")]


async def test_an_edit_starts_from_the_answer_shows_what_changes_and_is_submitted(window: Window) -> None:
    await window.press("e", *[BACKSPACE] * 9, "6 pounds.", until=lambda: "5 6" not in window.terminal.editor.text)
    await window.until(lambda: window.terminal.editor.text.endswith("6 pounds."))
    assert "6 pounds." in window.text(window.terminal._changes)
    await window.press(CTRL_S, until=lambda: window.shown == "x1")
    await window.press("a", until=lambda: len(window.desk.written) == 1)
    [verdict] = window.desk.written
    assert (verdict.decision, verdict.answer) == ("edit", "A replacement card costs 6 pounds.")


async def test_backspace_takes_a_decision_back_before_anything_is_written(window: Window) -> None:
    await window.press("x", until=lambda: window.shown == "x1")
    await window.press(BACKSPACE, until=lambda: window.shown == "x0")
    await window.press("a", until=lambda: window.shown == "x1")
    await window.press("f", until=lambda: len(window.desk.written) == 1)
    assert window.desk.written[0].decision == "approve"


async def test_a_skipped_item_goes_back_to_the_desk(window: Window) -> None:
    await window.press(" ", until=lambda: window.shown == "x1")
    await window.until(lambda: not window.desk.state.leases.on("x0"))
    assert window.desk.written == []


async def test_a_skipped_item_is_not_shown_again_however_slowly_it_goes_back(window: Window) -> None:
    window.desk.slow_to_take_back = 0.3
    await window.press(" ", until=lambda: window.shown == "x1")
    await window.press(" ", until=lambda: window.shown == "x2")
    await window.until(lambda: not window.desk.state.leases.on("x1"))


async def test_skipping_while_the_desk_is_away_gives_back_when_it_returns(window: Window) -> None:
    window.desk.away = True
    await window.press(" ", until=lambda: bool(window.terminal.link.trouble))
    window.desk.away = False
    await window.until(lambda: window.shown == "x1")
    assert not window.desk.state.leases.on("x0")


async def test_a_remark_goes_along_with_the_decision(window: Window) -> None:
    await window.press("c", "wrong tone", ENTER, until=lambda: not window.terminal.remarking)
    await window.press("x", "a", until=lambda: len(window.desk.written) == 1)
    assert (window.desk.written[0].decision, window.desk.written[0].comment) == ("reject", "wrong tone")


async def test_nothing_is_lost_while_the_desk_is_away(window: Window) -> None:
    await window.press("a", until=lambda: window.shown == "x1")
    window.desk.away = True
    await window.press("e", " And it is free.", until=lambda: "free" in window.terminal.session.text)
    await window.press(CTRL_S, until=lambda: bool(window.terminal.link.trouble))
    assert "2 decided and kept here" in window.text(window.terminal._status)
    window.desk.away = False
    await window.until(lambda: window.shown == "x2")
    await window.press("x", until=lambda: len(window.desk.written) == 2)
    assert [v.decision for v in window.desk.written] == ["approve", "edit"]
    assert window.terminal.link.trouble == ""


async def test_leaving_sends_what_is_decided_and_gives_the_rest_back(window: Window) -> None:
    await window.press("a", until=lambda: window.shown == "x1")
    await window.press("q", until=lambda: len(window.desk.written) == 1)
    await window.until(lambda: len(window.desk.state.leases) == 0)


async def test_a_keyboard_help_is_a_key_away(window: Window) -> None:
    await window.press("?", until=lambda: window.terminal.help)
    assert "approve" in window.text(window.terminal._reading)
    await window.press("?", until=lambda: not window.terminal.help)
    assert "replacement card costs 5 pounds" in window.text(window.terminal._reading)


async def test_an_item_that_others_got_stays_to_read_until_space(window: Window) -> None:
    await window.press("e", " More.", until=lambda: window.terminal.session.text.endswith("More."))
    window.terminal.session.lost("x0", "The lease is lost.")
    await window.press(CTRL_S, until=lambda: window.shown == "x0")
    assert "More." in window.terminal.editor.text
    assert window.desk.written == []
