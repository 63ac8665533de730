"""`teachback replay FILE`: questions and answers out of a file, emitted as a chatbot would emit them."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from teachback.infra.away import answering
from teachback.infra.console import context_of

INTERRUPTED = 130


def register(app: typer.Typer) -> None:
    """Hang the command into the app."""
    app.command()(replay)


def replay(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV, JSON, JSON Lines or Parquet.", show_default=False)],
    rate: Annotated[float, typer.Option(min=0, help="Exchanges a second; 0 is as fast as Kafka takes them.")] = 10.0,
    question: Annotated[
        str | None, typer.Option(help="Its column of questions; found when not given.", show_default=False)
    ] = None,
    answer: Annotated[
        str | None, typer.Option(help="Its column of answers; found when not given.", show_default=False)
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many rows.", show_default=False)] = None,
    salt: Annotated[str, typer.Option(help="Another salt makes the same file new exchanges.", show_default=False)] = "",
) -> None:
    """Emit a file's questions and answers as exchanges (`source=batch`). The same file again changes nothing.

    Ctrl-C ends it early, with exit code 130: what is out stays out.
    """
    from teachback.producers.files import read_pairs
    from teachback.producers.replay import ReplaySettings
    from teachback.producers.replay import replay as emit
    from teachback.schemas.stopping import stopped_by_signal
    from teachback.schemas.wire import require_topics

    shared = context_of(context)
    installation = shared.installation()
    next(iter(read_pairs(file, question, answer, limit)), None)  # what is wrong with it is told before Kafka is asked
    settings = ReplaySettings(
        bot=installation.bot,
        cluster=answering(installation),
        file=file,
        rate=rate,
        question=question,
        answer=answer,
        limit=limit,
        salt=salt,
    )
    require_topics(settings.cluster, "chat.exchanges")
    stop = stopped_by_signal()
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=shared.out, transient=True) as bars:
        task = bars.add_task(file.name, total=None)
        stats = emit(settings, lambda done, total: bars.update(task, completed=done, total=total), stop)
    shared.out.print(
        f"{stats.delivered:,} exchanges of {file} are on {settings.cluster.topic('chat.exchanges')}",
        markup=False,
        soft_wrap=True,
    )
    if stop.is_set():
        raise typer.Exit(INTERRUPTED)
