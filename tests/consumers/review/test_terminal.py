"""The terminal program, driven by keys, against a real desk in the same process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import msgspec
import pytest
from prompt_toolkit.formatted_text import to_plain_text
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from teachback.consumers.review.errors import SignInFailed
from teachback.consumers.review.terminal import Terminal
from teachback.schemas.exchange import Message
from tests.consumers.desk.making import ANN, BEN, outcome, policy, request, settings
from tests.consumers.desk.served import ServedDesk
from tests.consumers.review.making import HOSTILE, offer, raw

CTRL_S, ESC, ENTER, BACKSPACE = "\x13", "\x1b", "\r", "\x7f"
TOO_LONG = "\x1b[200~" + "y" * 40_000 + "\x1b[201~"  # pasted


class Window:
    """A terminal and the keys that go into it."""

    def __init__(self, desk: ServedDesk, terminal: Terminal, keys: PipeInput) -> None:
        self.desk, self.terminal, self.keys = desk, terminal, keys
        self.running = asyncio.ensure_future(terminal.run())

    @property
    def shown(self) -> str | None:
        return self.terminal.session.offer.exchange if self.terminal.session.offer else None

    def text(self, part: Callable[[], object]) -> str:
        return to_plain_text(part())  # type: ignore[arg-type]

    @property
    def screen(self) -> str:
        """What was drawn last, cell by cell; fails if anything was sent to the terminal beside it."""
        drawn = self.terminal.app.renderer.last_rendered_screen
        assert drawn is not None
        assert not any(escape for row in drawn.zero_width_escapes.values() for escape in row.values())
        return "\n".join("".join(cell.char for _, cell in sorted(row.items())) for row in drawn.data_buffer.values())

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
        made = Window(desk, terminal, keys)
        await made.until(lambda: made.shown == "x0")
        yield made
        desk.away = False
        if not made.running.done():
            terminal.session.editing = terminal.session.remarking = False
            keys.send_text("q")
        with contextlib.suppress(SignInFailed):
            await made.running


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
    await window.press("c", "wrong tone", ENTER, until=lambda: not window.terminal.session.remarking)
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


async def test_a_reviewer_with_nothing_to_judge_reads_that_the_budget_is_used_up_and_what_is_overflow(
    window: Window,
) -> None:
    window.desk.state.note_policy(policy(1, budget=1))
    await window.press("a", until=lambda: window.shown is None)
    await window.until(lambda: "budget of 1 is used up; 2 items are overflow" in window.text(window.terminal._reading))
    window.desk.state.note_policy(policy(2, budget=None))
    await window.until(lambda: window.shown == "x1")


async def test_an_item_that_others_got_stays_to_read_until_space(window: Window) -> None:
    await window.press("e", " More.", until=lambda: window.terminal.session.text.endswith("More."))
    window.terminal.session.lost("x0", "The lease is lost.")
    await window.press(CTRL_S, until=lambda: window.shown == "x0")
    assert "More." in window.terminal.editor.text
    assert window.desk.written == []


async def test_a_text_that_the_desk_refuses_comes_back_is_mended_and_sent(window: Window) -> None:
    await window.press("e", TOO_LONG, CTRL_S, until=lambda: window.shown == "x1")
    await window.press("a", until=lambda: window.shown == "x0")
    assert window.terminal.session.editing
    assert window.terminal.editor.text.endswith("y" * 40_000)
    assert "40000" in window.text(window.terminal._status)
    assert window.desk.written == []
    await window.press("\x15", "Six pounds.", until=lambda: window.terminal.editor.text == "Six pounds.")
    await window.press(CTRL_S, until=lambda: len(window.desk.written) == 1 and window.shown == "x2")
    await window.press("x", until=lambda: len(window.desk.written) == 2)
    assert [(v.exchange, v.answer) for v in window.desk.written] == [("x1", None), ("x0", "Six pounds.")]


async def test_a_desk_that_made_a_mistake_is_asked_again_only_by_the_reviewer(window: Window) -> None:
    window.desk.failing = RuntimeError("a defect")  # type: ignore[assignment]
    await window.press("c", "wrong tone", ENTER, "x", until=lambda: window.shown == "x1")
    window.terminal.session.release()
    await window.until(lambda: window.shown == "x0")
    assert "The desk made a mistake" in window.text(window.terminal._status)
    assert window.terminal.session.comments == {"x0": "wrong tone"}
    await asyncio.sleep(0.3)
    assert (window.shown, window.terminal.session.sending, window.terminal.session.done) == ("x0", [], 0)
    assert sorted(window.terminal.session.leases) == ["x0", "x1"]


async def test_a_text_whose_item_was_settled_meanwhile_stays_to_be_copied(window: Window) -> None:
    await window.press("e", " And it is free.", CTRL_S, until=lambda: window.shown == "x1")
    window.desk.state.note_outcome("x0", outcome("x0", "rejected"))
    window.terminal.session.release()
    await window.until(lambda: window.shown == "x0")
    assert window.terminal.session.gone
    assert window.terminal.editor.text.endswith("And it is free.")
    await window.press(ESC, until=lambda: not window.terminal.session.editing)
    await window.press("e", until=lambda: window.terminal.session.editing)
    assert window.terminal.editor.text.endswith("And it is free.")
    assert "copy" in window.text(window.terminal._status)
    await window.press(ESC, until=lambda: not window.terminal.session.editing)
    await window.press(" ", until=lambda: window.shown == "x1")


async def test_leaving_tells_the_texts_that_the_desk_refused_and_keeps_no_lease(
    window: Window, capsys: pytest.CaptureFixture[str]
) -> None:
    await window.press("e", TOO_LONG, CTRL_S, until=lambda: window.shown == "x1")
    window.keys.send_text("q")
    await window.until(lambda: len(window.desk.state.leases) == 0)
    await window.running
    told = capsys.readouterr().out
    assert "0 verdicts sent." in told
    assert "y" * 40_000 in told
    assert "40000" in told


async def test_a_token_that_is_taken_away_ends_the_program_and_the_texts_are_told(
    window: Window, capsys: pytest.CaptureFixture[str]
) -> None:
    await window.press("e", " And it is free.", CTRL_S, until=lambda: window.shown == "x1")
    window.desk.service._people.clear()
    with pytest.raises(SignInFailed):
        await window.running
    assert "And it is free." in capsys.readouterr().out


async def test_bytes_that_are_no_text_do_not_end_the_program(window: Window) -> None:
    window.keys.send_text("e")
    window.keys.send_bytes(b" caf\xe9!")
    await window.until(lambda: window.terminal.editor.text.endswith("\udce9!"))
    await window.press(CTRL_S, until=lambda: window.shown == "x1")
    window.keys.send_text("c")
    window.keys.send_bytes(b"na\xefve")
    await window.until(lambda: window.terminal.remark.text == "na\udcefve")
    await window.press(ENTER, "x", until=lambda: len(window.desk.written) == 1)
    await window.press("f", until=lambda: len(window.desk.written) == 2)
    assert window.desk.written[0].answer == "A replacement card costs 5 pounds. caf\ufffd!"
    assert window.desk.written[1].comment == "na\ufffdve"


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_nothing_foreign_reaches_the_terminal_raw_not_even_in_the_editor(window: Window, hostile: str) -> None:
    session = window.terminal.session
    strange = offer("x9", answer=f"Five{hostile}pounds", messages=(Message(role="user", content=f"How{hostile}?"),))
    session.ahead.insert(0, strange)
    session.leases["x9"] = strange.lease
    await window.press("a", "e", " yes", until=lambda: session.text.endswith("yes"))
    assert session.text == f"Five{hostile}pounds yes".replace("\udcff", "\ufffd")
    session.message = f"Alas{hostile}"
    window.terminal.redraw()
    await window.until(lambda: "Alas" in window.screen)
    assert "Your answer" in window.screen
    assert not raw(window.screen)
    window.terminal.link.trouble = f"Away{hostile}"
    window.terminal.me = msgspec.structs.replace(window.terminal.me, name=f"ann{hostile}")
    for part in (window.terminal._reading, window.terminal._changes, window.terminal._status, window.terminal._head):
        assert not raw(window.text(part))
    session.editing = False
    session.skip()
