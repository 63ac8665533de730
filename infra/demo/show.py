"""Draws the board: live at a terminal, a line a stage elsewhere."""

from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from teachback.infra.demo.board import STAGES, Board, Stage

MARKS = {"waiting": Text("·", "dim"), "done": Text("✓", "green"), "failed": Text("✗", "bold red")}
FLOW = (
    ("exchanges", "answers"),
    ("scored", "scored"),
    ("requests", "to review"),
    ("verdicts", "verdicts"),
    ("labels", "labels"),
    ("rows", "rows in the table"),
)
SCRIPTED = "The reviewers in this demo are scripted. They work through the same HTTP API as people."


class Show:
    """A context that keeps the board on the screen. Without a terminal it prints each stage as it ends."""

    def __init__(self, board: Board, console: Console) -> None:
        self.board, self.console = board, console
        self._spinner = Spinner("dots", style="cyan")
        self._live = Live(get_renderable=self.draw, console=console, refresh_per_second=5, transient=False)
        self._said: set[str] = set()

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._live.start()
        else:
            self.console.print(f"teachback demo: {self.board.title}\n{SCRIPTED}\n")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.console.is_terminal:
            self._live.stop()
        else:
            self.tell()

    def tell(self) -> None:
        """Without a terminal: a line for each stage that has ended since."""
        if self.console.is_terminal:
            return
        for stage in self.board.stages.values():
            if stage.state in {"done", "failed"} and stage.key not in self._said:
                self._said.add(stage.key)
                mark = "done  " if stage.state == "done" else "FAILED"
                self.console.print(f"{mark} {stage.seconds:6.1f} s  {stage.title}: {stage.note}", soft_wrap=True)

    def draw(self) -> RenderableType:
        """The whole screen."""
        board = self.board
        seconds = board.seconds()["total"]
        head = Table.grid(expand=True)
        head.add_column()
        head.add_column(justify="right")
        head.add_row(
            Text.assemble(("teachback", "bold cyan"), f"  {board.title}"),
            Text(f"{_clock(seconds)}   {board.memory / 1024:.1f} GB   {board.adapter}", "dim"),
        )
        body = Group(head, Text(SCRIPTED, "dim italic"), Text(), self._stages(), Text(), self._flow(), *self._ticker())
        return Panel(body, border_style="cyan", padding=(0, 1))

    def _stages(self) -> Table:
        rows = Table.grid(padding=(0, 1), expand=True)
        rows.add_column(min_width=1)
        rows.add_column(no_wrap=True, min_width=max(len(title) for _, title in STAGES))
        rows.add_column(width=22)
        rows.add_column(justify="right", width=6)
        rows.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        for stage in self.board.stages.values():
            mark: RenderableType = self._spinner if stage.state == "running" else MARKS[stage.state]
            style = "dim" if stage.state == "waiting" else "bold" if stage.state == "running" else ""
            seconds = f"{stage.seconds:.0f} s" if stage.began else ""
            rows.add_row(mark, Text(stage.title, style), _bar(stage), Text(seconds, "dim"), Text(stage.note, "dim"))
        return rows

    def _flow(self) -> Table:
        grid = Table.grid(padding=(0, 2), expand=True)
        for _ in FLOW:
            grid.add_column(justify="center")
        counts = self.board.counts
        grid.add_row(*(Text(f"{counts.get(name, 0):,}", "bold") for name, _ in FLOW))
        grid.add_row(*(Text(title, "dim") for _, title in FLOW))
        grid.add_row(*(Text(_rate(self.board.rate(name)), "cyan") for name, _ in FLOW))
        return grid

    def _ticker(self) -> list[Text]:
        lines = [Text()]
        for who, what in list(self.board.ticker):
            line = Text(f"{who:<10}", "cyan", no_wrap=True, overflow="ellipsis")
            lines.append(line.append(what.replace("\n", " "), ""))
        return lines


def _bar(stage: Stage) -> RenderableType:
    if not stage.total or stage.state == "waiting":
        return Text()
    return ProgressBar(total=stage.total, completed=min(stage.done, stage.total), width=22)


def _rate(value: float) -> str:
    return f"{value:.1f}/s" if value > 0.05 else ""


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
