"""Follows `models.adapters` and puts the champion in service, between generations.

A promotion whose base or quantisation is not the one that runs here is refused: the gate judged something else. A
refused or unreadable adapter changes nothing: the one in service goes on, and the log says why.
"""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from teachback.producers.bot.batcher import Batcher, Ungenerated
from teachback.producers.bot.shapes import LanguageModel
from teachback.schemas import Base
from teachback.schemas.lineage import ADAPTER_EVENTS, AdapterEvent, Lineage, bare
from teachback.schemas.log import Tail
from teachback.schemas.wire import Cluster

log = logging.getLogger(__name__)


class Refused(Exception):
    """An adapter that must not serve here; the message says why."""


class Champion:
    """The adapter in service. `name` is what exchanges are stamped with; `pin()` is what a request is admitted with."""

    def __init__(
        self, bot: str, cluster: Cluster, registry: Path, base: Base, model: LanguageModel, batcher: Batcher
    ) -> None:
        self._registry, self._base, self._model, self._batcher = registry, base, model, batcher
        self._lineage = Lineage(bot)
        self._tail: Tail[AdapterEvent] = Tail(cluster, "models.adapters", ADAPTER_EVENTS)
        self._stop = threading.Event()
        self._failed = ""
        self.name = bare(bot)
        self._thread = threading.Thread(target=self._follow, name="champion", daemon=True)

    def start(self, on_death: Callable[[BaseException], None]) -> None:
        """Catch up, put the champion in service, and follow from then on. `on_death` hears why following ended."""
        self._lineage = self._lineage.fold_all(self._tail.catch_up())
        self._serve()
        self._on_death = on_death
        self._thread.start()

    def pin(self) -> tuple[str, str | None]:
        """The adapter's name for the exchange, and for the model (None for the bare base)."""
        name = self.name
        return name, None if name == bare(self._lineage.bot) else name

    def close(self) -> None:
        """Stop following."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(5)
        self._tail.close()

    def _follow(self) -> None:
        try:
            while not self._stop.is_set():
                if records := self._tail.poll(0.5):
                    self._lineage = self._lineage.fold_all(records)
                    self._serve()
        except Exception as exc:  # noqa: BLE001 - the thread's outermost edge: the process must not go on deaf
            self._on_death(exc)

    def _serve(self) -> None:
        wanted, old = self._lineage.champion, self.name
        if wanted == old:
            return
        try:
            if wanted != bare(self._lineage.bot):
                folder = self._checked(wanted)
                self._batcher.call(lambda: self._model.load(wanted, folder)).result()
        except (Refused, OSError, ValueError, RuntimeError, Ungenerated) as exc:
            if self._failed != wanted:
                log.warning("%s is the champion, but can't serve here, %s goes on: %s", wanted, old, exc)
            self._failed = wanted
            return
        self.name, self._failed = wanted, ""
        log.info("%s serves now, %s did before", wanted, old)
        self._batcher.call(lambda: self._forget({wanted, old}))

    def _forget(self, kept: set[str]) -> None:
        """Let go of adapters that nobody waits for. The last champion stays: a request may just be let in with it."""
        for name in self._model.loaded - kept - self._batcher.pinned():
            self._model.unload(name)

    def _checked(self, name: str) -> Path:
        event = self._lineage.registered.get(name)
        if event is None:
            raise Refused("no AdapterRegistered event names it")
        if (event.base.sha256, event.base.quantization) != (self._base.sha256, self._base.quantization):
            raise Refused(f"it was judged on base {event.base}, and {self._base} runs here")
        folder = self._registry / event.path
        if not folder.is_dir():
            raise Refused(f"there is no folder {folder}")
        return folder
