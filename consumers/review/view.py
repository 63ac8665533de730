"""An item as lines of text with colours: what a reviewer reads. Pure: `rich` renders into a string.

All that others wrote goes through `visible`: rich lets escape sequences through, and its colours must be the only ones.
"""

import io
import re
from collections.abc import Iterable

from rich.box import ROUNDED
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from teachback.consumers.desk.shapes import Differing, Offer, Today
from teachback.consumers.review.diff import word_diff
from teachback.consumers.review.visible import visible
from teachback.schemas.exchange import Message

DOUBT = re.compile(r"confidence<(?P<threshold>[\d.]+)")
STYLES = {"same": "", "gone": "red strike", "new": "bold green underline"}
SPEAKERS = {
    "user": ("Customer", "bold cyan"),
    "assistant": ("Bot", "bold magenta"),
    "system": ("Instructions to the bot", "dim"),
    "tool": ("Tool", "dim"),
}
VERBS = {"approve": "approved it", "edit": "changed it to", "reject": "rejected it", "flag": "flagged it"}
HELP = """\
a           approve: right as it stands
e           edit: correct the answer in place; Ctrl+S (or Ctrl+Enter, Alt+Enter) submits, Esc goes back
x           reject: no good answer can be made of it
f           flag: somebody should look at this item
space       skip: give it to somebody else
c           remark: a line that goes along with your decision
Backspace   undo: your last decision is held for a few seconds, or until the next one
↑ ↓ PgUp PgDn   scroll
?           these keys       q   quit (what you decided is sent first)"""


def lines(content: RenderableType, width: int) -> list[str]:
    """Render to lines with ANSI colours, `width` columns wide."""
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system="256", legacy_windows=False)
    with console.capture() as capture:
        console.print(content)
    return capture.get().rstrip("\n").split("\n")


def item(offer: Offer) -> RenderableType:
    """The whole item: why it is here, conversation, passages, what others said (for adjudicators), the answer."""
    parts: list[RenderableType] = [why(offer), Rule(style="dim")]
    parts += [_said(message) for message in offer.messages]
    if offer.passages:
        parts.append(_passages(offer))
    parts.append(
        Panel(
            _shown(offer.answer or "(empty)"), title="The bot’s answer", title_align="left", box=ROUNDED, style="bold"
        )
    )
    if offer.judgments:
        parts.append(_differing(offer.answer, offer.judgments))
    return Group(*parts)


def why(offer: Offer) -> Text:
    """Why people are asked about it, in words."""
    reasons = [_in_words(reason, offer.confidence) for reason in offer.reasons]
    if offer.route == "audit":
        reasons.insert(0, "drawn by lot, to check the whole traffic")
    if offer.source == "replay":
        reasons.insert(0, "an old question, asked again of a newer version of the bot")
    elif offer.source != "live":
        reasons.insert(0, f"source: {offer.source}")
    if offer.acting == "adjudicator":
        reasons.insert(0, "the reviewers differ, you settle it")
    topic = f"topic {offer.topic} · " if offer.topic else ""
    return _shown(f"Why: {'; '.join(reasons) or 'sent to review'}\n", "yellow").append(
        _shown(f"{topic}confidence {offer.confidence:.2f} · answered by {offer.adapter}", "dim")
    )


def idle(today: Today | None) -> tuple[str, ...]:
    """What stands on the screen while there is nothing to judge; `today` is the budget, once it is known."""
    if today is None or today.budget is None or not today.overflow or today.begun < today.budget:
        return ("  Nothing to judge right now.", "  New items appear here by themselves; q quits.")
    items = "1 item is overflow and waits" if today.overflow == 1 else f"{today.overflow} items are overflow and wait"
    return (
        f"  Today's budget of {today.budget} is used up; {items} for another day (it turns at midnight UTC).",
        "  Audits, and second opinions on what was begun, still appear here by themselves; q quits.",
    )


def changes(old: str, new: str) -> Text:
    """A word diff in colours; struck through and underlined too, for those who see no colours."""
    text = Text()
    for change in word_diff(visible(old), visible(new)):
        text.append(change.text, style=STYLES[change.kind])
    return text


def _shown(foreign: str, style: str = "") -> Text:
    return Text(visible(foreign), style=style)


def _in_words(reason: str, confidence: float) -> str:
    if match := DOUBT.fullmatch(reason):
        return f"the score doubts it ({confidence:.2f}, and below {match['threshold']} people look)"
    if reason == "thumbs_down":
        return "the customer gave it a thumbs-down"
    kind, _, name = reason.partition(":")
    return f"the rule “{name}” names it" if kind == "rule" and name else reason


def _said(message: Message) -> RenderableType:
    name, style = SPEAKERS[message.role]
    quiet = "dim" if message.role in {"system", "tool"} else ""
    return Padding(Group(Text(name, style=style), _shown(message.content, quiet)), (0, 0, 1, 0))


def _passages(offer: Offer) -> RenderableType:
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for number, passage in enumerate(offer.passages, 1):
        title = f"{passage.title}\n" if passage.title else ""
        table.add_row(f"[{number}]", _shown(title, "bold").append(_shown(passage.content, "not bold")))
    return Padding(Group(Text("What the bot was given to read", style="bold blue"), table), (0, 0, 1, 0))


def _differing(answer: str, judgments: Iterable[Differing]) -> RenderableType:
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0))
    table.add_column(style="bold yellow", no_wrap=True)
    table.add_column()
    for judgment in judgments:
        said = Text(VERBS[judgment.decision])
        if judgment.answer is not None:
            said.append("\n").append(changes(answer, judgment.answer))
        table.add_row(_shown(judgment.by), said)
    return Panel(table, title="What reviewers said", title_align="left", box=ROUNDED, border_style="yellow")
