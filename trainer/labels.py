"""The labels of one bot as the trainer knows them: in the table, decided on the log, counted, made into data sets."""

from collections.abc import Sequence

from teachback.schemas.label import SplitAssigned
from teachback.schemas.log import Tail
from teachback.trainer.dataset.build import Dataset, build
from teachback.trainer.dataset.embed import Embedder
from teachback.trainer.dataset.examples import Examples, examples
from teachback.trainer.dataset.split import Splitter
from teachback.trainer.dataset.table import read_labels
from teachback.trainer.errors import BadTable
from teachback.trainer.settings import TrainerSettings


class Labels:
    """Decisions and the version of the table that they are about. `version` is -1 until the table was read."""

    def __init__(self, settings: TrainerSettings, embed: Embedder) -> None:
        self.settings, self.embed = settings, embed
        self.version = -1
        self._splitter = Splitter(settings.bot, settings.split_salt, settings.eval_share, embed, settings.same_question)
        self._usable: tuple[int, Examples] = (0, Examples((), (), 0))

    def rebuild(self, timeout: float = 60.0) -> None:
        """Take all decisions from the log, in its order. Nothing that is decided is decided again."""
        with Tail(self.settings.cluster, "labels.splits", (SplitAssigned,)) as tail:
            decided = [r.event for r in tail.catch_up(timeout) if r.event and r.event.bot == self.settings.bot]
        if decided:
            stored = {label.id: label for label in read_labels(self.settings.table, self.settings.bot).labels}
            self._splitter.remember((one, stored.get(one.id)) for one in decided)

    def follow(self, announced: int) -> list[SplitAssigned]:
        """Decide for what is new in the table, if a newer version than was read is announced; to be published.

        Raises BadTable when the announced version is not there.
        """
        if announced <= self.version:
            return []
        snapshot = read_labels(self.settings.table, self.settings.bot)
        if snapshot.version < announced:
            raise BadTable(
                f"{self.settings.table} is at version {snapshot.version}, but {announced} was announced: "
                "is this the table that the shard writer writes?"
            )
        self.version = snapshot.version
        return self._splitter.assign(snapshot.labels)

    @property
    def decided(self) -> int:
        """How many decisions there are."""
        return self._splitter.decided

    @property
    def usable(self) -> Examples:
        """What can be used of all labels decided on."""
        if self._usable[0] != self.decided:
            self._usable = (self.decided, examples(self._splitter.entries.values()))
        return self._usable[1]

    def dataset(self, table_version: int, splits: int, bounds: Sequence[int]) -> Dataset:
        """The data set at a version of the table, of the first `splits` decisions; always the same for the same log.

        `bounds`: how many decisions the runs finished before had seen. Raises Stale and BadTable.
        """
        stored = read_labels(self.settings.table, self.settings.bot, table_version).labels
        return build(
            examples(self._splitter.entries.values(), splits),
            {label.id: label for label in stored},
            table_version=table_version,
            splits=splits,
            bounds=bounds,
            embed=self.embed,
            checked=self.settings.data_check,
            max_mismatched=self.settings.max_mismatched,
        )
