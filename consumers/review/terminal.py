"""The terminal program: one item at a time, one key a decision.

prompt_toolkit reads keys and edits text, rich renders what is read (`view`). `session` knows what may happen; here keys
become its calls, and its state becomes a screen.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable

from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Condition, Filter
from prompt_toolkit.formatted_text import ANSI, AnyFormattedText, StyleAndTextTuples
from prompt_toolkit.input import Input
from prompt_toolkit.input.ansi_escape_sequences import ANSI_SEQUENCES
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import BufferControl, ConditionalContainer, FormattedTextControl, HSplit, Layout, Window
from prompt_toolkit.layout.dimension import Dimension
from prompt_toolkit.layout.processors import Processor, Transformation, TransformationInput
from prompt_toolkit.output import Output
from prompt_toolkit.styles import Style

from teachback.consumers.desk.shapes import Me, Today
from teachback.consumers.review import view
from teachback.consumers.review.client import DeskClient
from teachback.consumers.review.errors import ReviewError
from teachback.consumers.review.goodbye import goodbye
from teachback.consumers.review.link import IDLE_SECONDS, Link
from teachback.consumers.review.session import UNDO_SECONDS, Session, shortened
from teachback.consumers.review.visible import GLYPHS, encodable, visible
from teachback.schemas.review import Decision

PATIENCE = 3.0  # seconds that one request is tried; the loops around it go on for ever
DONE = {"approve": "Approved", "edit": "Corrected", "reject": "Rejected", "flag": "Flagged"}
BAR_READING = " a approve  e edit  x reject  f flag  space skip  c remark  Backspace undo  ? keys  q quit"
BAR_EDITING = " Ctrl+S submit and next   Esc back (the text is kept)"
BAR_REMARK = " Enter keep the remark   Esc back"
LOST = ("  Waiting for the desk.", "  Nothing that you decided or typed is lost.")
STYLE = Style.from_dict(
    {"head": "reverse", "bar": "reverse", "message": "bold", "trouble": "bold ansired", "title": "bold ansigreen"}
)
SUBMIT_KEYS = ("c-s", "c-j", "f24")


def review(base_url: str, token: str) -> None:
    """Review until the reviewer quits. Raises ReviewError when the desk cannot be reached or the token is unknown."""
    with DeskClient(base_url, token, patience=PATIENCE) as client:
        asyncio.run(Terminal(client, client.me()).run())


class Visible(Processor):
    """Shows a text that is edited as `visible` shows one that is read, and leaves it as it is."""

    def apply_transformation(self, transformation_input: TransformationInput) -> Transformation:
        """One line of the text."""
        return Transformation([(style, text.translate(GLYPHS)) for style, text, *_ in transformation_input.fragments])


class Terminal:
    """The screen and its keys."""

    def __init__(self, client: DeskClient, me: Me, keys: Input | None = None, screen: Output | None = None) -> None:
        self.me = me
        self.client = client
        self.today: Today | None = None  # as last seen while there was nothing to judge
        self.session = Session()
        self.link = Link(client, self.session, self.redraw)
        self.above: int | None = None  # rows scrolled away at the top; None: as many as it takes to see the answer
        self.help = False
        self._shown = ""  # the exchange on the screen, to notice a change
        self.editor = Buffer(multiline=True, on_text_changed=lambda _: self._typed())
        self.remark = Buffer(multiline=False)
        self.app: Application[None] = Application(
            layout=self._layout(),
            key_bindings=self._keys(),
            style=STYLE,
            full_screen=True,
            mouse_support=False,
            input=keys,
            output=screen,
        )
        self.app.ttimeoutlen = 0.05  # Esc alone is a key here, and should not be waited for
        # What terminals send for Ctrl+Enter when they tell it from Enter at all (xterm's and kitty's way).
        ANSI_SEQUENCES["\x1b[27;5;13~"] = ANSI_SEQUENCES["\x1b[13;5u"] = Keys.F24

    async def run(self) -> None:
        """Until `q`. Raises ReviewError if the desk turns us away."""
        try:
            await self._serve()
            await self.link.leave()
        finally:  # whatever ended us, nothing that was typed ends unseen
            self.session.release()
            print("\n".join(goodbye(self.session, self.link.trouble)))  # noqa: T201

    async def _serve(self) -> None:
        """The window, and what must run while it is open. Raises ReviewError."""
        loops = [asyncio.ensure_future(loop) for loop in (*self.link.loops(), self._look_why_idle())]
        for loop in loops:
            loop.add_done_callback(lambda _: self.app.is_running and self.app.exit())
        try:
            await self.app.run_async()
        finally:
            ended = [loop for loop in loops if loop.done()]
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
        for loop in ended:
            loop.result()

    async def _look_why_idle(self) -> None:
        """Keep the day's budget in sight while there is nothing to judge; what goes wrong, the link's loops tell."""
        while True:
            if self.session.offer is None:
                with contextlib.suppress(ReviewError):
                    self.today = (await asyncio.to_thread(self.client.queue)).today
                    self.redraw()
            await asyncio.sleep(IDLE_SECONDS)

    def redraw(self) -> None:
        """Take the session's state over to the screen."""
        offer = self.session.offer
        exchange = offer.exchange if offer else ""
        if exchange != self._shown:
            self._shown, self.above = exchange, None
            self._show_editor() if self.session.editing else self._show_reading()
        self.app.invalidate()

    # Keys

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()
        reading = Condition(lambda: not self.session.editing and not self.session.remarking)
        editing, remarking = Condition(lambda: self.session.editing), Condition(lambda: self.session.remarking)

        def on(names: tuple[str, ...], act: Callable[[], object], when: Filter) -> None:
            def handler(_: KeyPressEvent) -> None:
                act()
                self.redraw()

            for name in names:
                keys.add(*name.split(), filter=when, eager=True)(handler)

        on(("a",), lambda: self._decide("approve"), reading)
        on(("x",), lambda: self._decide("reject"), reading)
        on(("f",), lambda: self._decide("flag"), reading)
        on(("e",), self._edit, reading)
        on(("space",), self._skip, reading)
        on(("c",), self._begin_remark, reading)
        on(("backspace",), self._undo, reading)
        on(("?",), self._toggle_help, reading)
        on(("q", "c-c"), self.app_exit, reading)
        on(("down", "j"), lambda: self._scroll_by(1), reading)
        on(("up", "k"), lambda: self._scroll_by(-1), reading)
        on(("pagedown",), lambda: self._scroll_by(10), ~remarking)
        on(("pageup",), lambda: self._scroll_by(-10), ~remarking)
        on(SUBMIT_KEYS, lambda: self._decide("edit"), editing)
        on(("escape enter",), lambda: self._decide("edit"), editing)
        keys.add("escape", filter=editing)(lambda _: self._stop_editing())
        on(("enter",), lambda: self._end_remark(keep=True), remarking)
        on(("escape",), lambda: self._end_remark(keep=False), remarking)
        return keys

    def app_exit(self) -> None:
        """Leave; `run` sends what is still held."""
        self.app.exit()

    def _decide(self, decision: Decision) -> None:
        self.help = False
        if self.session.decide(decision, time.monotonic()):
            self.link.wake()

    def _undo(self) -> None:
        self.session.undo()

    def _skip(self) -> None:
        self.session.skip()
        self.link.wake()

    def _edit(self) -> None:
        if self.session.edit():
            self._show_editor()

    def _stop_editing(self) -> None:
        self.session.editing = False
        self._show_reading()
        self.redraw()

    def _typed(self) -> None:
        if self.session.editing and self.session.offer is not None:
            self.session.drafts[self.session.offer.exchange] = encodable(self.editor.text)

    def _begin_remark(self) -> None:
        if self.session.offer is not None:
            self.session.remarking = True
            self.remark.text = self.session.comments.get(self.session.offer.exchange, "")
            self.remark.cursor_position = len(self.remark.text)
            self.app.layout.focus(self.remark)

    def _end_remark(self, keep: bool) -> None:
        if keep and self.session.offer is not None:
            self.session.comments[self.session.offer.exchange] = encodable(self.remark.text.strip())
        self.session.remarking = False
        self._show_reading()

    def _toggle_help(self) -> None:
        self.help = not self.help

    def _scroll_by(self, count: int) -> None:
        self.above = max(0, (self.above or 0) + count)

    def _show_editor(self) -> None:
        text = self.session.text
        self.editor.set_document(self.editor.document.__class__(text, len(text)), bypass_readonly=True)
        self.app.layout.focus(self.editor)

    def _show_reading(self) -> None:
        self.app.layout.focus(self._body)

    # Screen

    def _layout(self) -> Layout:
        editing = Condition(lambda: self.session.editing)
        self._body = Window(FormattedTextControl(self._reading, focusable=True, show_cursor=False), wrap_lines=False)
        editor = HSplit(
            [
                Window(FormattedTextControl(" Your answer"), height=1, style="class:title"),
                Window(BufferControl(self.editor, [Visible()]), wrap_lines=True, height=Dimension(min=4, max=12)),
                Window(FormattedTextControl(" What you change"), height=1, style="class:title"),
                Window(FormattedTextControl(self._changes), wrap_lines=False, height=Dimension(min=2, max=12)),
            ]
        )
        remark = Window(BufferControl(self.remark, [Visible()]), height=1)
        return Layout(
            HSplit(
                [
                    Window(FormattedTextControl(self._head), height=1, style="class:head"),
                    self._body,
                    ConditionalContainer(editor, editing),
                    ConditionalContainer(remark, Condition(lambda: self.session.remarking)),
                    Window(FormattedTextControl(self._status), wrap_lines=True, height=Dimension(min=1, max=3)),
                    Window(FormattedTextControl(self._bar), height=1, style="class:bar"),
                ]
            ),
            focused_element=self._body,
        )

    def _head(self) -> AnyFormattedText:
        doing = "adjudicating" if self.session.offer and self.session.offer.acting == "adjudicator" else self.me.role
        more = f"{self.link.waiting}{'+' if self.link.waiting >= 1000 else ''} more for you"
        return visible(f" Review · {self.me.bot} · {self.me.name} ({doing}) · {more} · {self.session.done} done")

    def _reading(self) -> AnyFormattedText:
        width, height = self._size()
        offer = self.session.offer
        if self.help:
            rows = view.HELP.split("\n")
        elif offer is None:
            rows = ["", *(LOST if self.link.trouble else view.idle(self.today))]
        else:
            rows = view.lines(view.item(offer), width)
        most = max(0, len(rows) - height)
        self.above = most if self.above is None else min(self.above, most)
        if self.above:
            rows[self.above] = f"  ↑ {self.above + 1} more lines"
        return ANSI("\n".join(rows[self.above :]))

    def _changes(self) -> AnyFormattedText:
        if self.session.offer is None:
            return ""
        return ANSI("\n".join(view.lines(view.changes(self.session.offer.answer, self.editor.text), self._size()[0])))

    def _status(self) -> AnyFormattedText:
        parts: StyleAndTextTuples = []
        if self.link.trouble:
            unsent = len(self.session.sending) + (self.session.held is not None)
            kept = f" {unsent} decided and kept here until then." if unsent else ""
            parts.append(("class:trouble", f" No connection, trying again.{kept} ({visible(self.link.trouble)})"))
        if self.session.message:
            parts.append(("class:message", f" {visible(self.session.message)}"))
        if (held := self.session.held) is not None and not parts:
            left = max(0.0, UNDO_SECONDS - (time.monotonic() - held.moment))
            done = f" {DONE[held.decision]}: “{shortened(held.offer)}” · Backspace undoes ({left:.0f} s)"
            parts.append(("", done))
        return parts

    def _bar(self) -> AnyFormattedText:
        if self.session.remarking:
            return BAR_REMARK
        return BAR_EDITING if self.session.editing else BAR_READING

    def _size(self) -> tuple[int, int]:
        size = self.app.output.get_size()
        info = self._body.render_info
        return size.columns, info.window_height if info else size.rows - 3
