"""Where adapters are kept: `<registry>/<bot>/v<N>/`, written once and never changed.

    adapter_model.safetensors, adapter_config.json    what peft loads
    card.json                                         where it comes from: `Card`
    README.md                                         the same for people

An adapter is put there whole, by renaming a folder that is complete and synced. Whoever finds the version taken takes
the next one. Putting what the same run has put before gives the version it got then: a trainer that dies between the
folder and its event leaves nothing to clean up.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec

from teachback.schemas.ids import sha256_of
from teachback.trainer.card import Card, Provenance, model_card
from teachback.trainer.errors import BadRegistry

CARD = "card.json"
CONFIG = "adapter_config.json"
README = "README.md"


class Registry:
    """One bot's adapters in a folder."""

    def __init__(self, root: Path, bot: str) -> None:
        self.root, self.bot = root, bot
        self.home = root / bot

    def put(self, adapter: Path, made: Provenance) -> Card:
        """Put the adapter in the folder `adapter` there, or find it there already. The card names its version.

        A gate record in `made` gets the name that the adapter got. Raises BadRegistry for a folder without weights.
        """
        files = fingerprints(adapter)
        while True:
            for known in self.cards():
                if known.provenance.run == made.run and known.files == files:
                    return known
            card = self._card(files, made)
            if self._place(adapter, card):
                return card

    def cards(self) -> Iterator[Card]:
        """The cards of all adapters here, the oldest first. Raises BadRegistry for one that cannot be read."""
        for version in self._versions():
            yield self.card(version)

    def card(self, version: int) -> Card:
        """The card of one version. Raises BadRegistry when it is missing or malformed."""
        file = self.path(version) / CARD
        try:
            return msgspec.json.decode(file.read_bytes(), type=Card)
        except (OSError, msgspec.DecodeError) as exc:
            raise BadRegistry(f"{file}: {exc}; restore the registry from its backup") from exc

    def verified(self, name: str) -> Path:
        """The folder of an adapter, such as `bot@v3`, its files compared with its card. Raises BadRegistry."""
        bot, _, version = name.rpartition("@v")
        if bot != self.bot or not version.isdigit():
            raise BadRegistry(f"{name!r} is no adapter of {self.bot}: names look like {self.bot}@v3")
        card = self.card(int(version))
        found = fingerprints(self.path(card.version))
        if found != card.files:
            changed = sorted(file for file in card.files if found.get(file) != card.files[file])
            raise BadRegistry(f"{name}: {', '.join(changed) or 'a file'} is not what its card says; restore it")
        return self.path(card.version)

    def path(self, version: int) -> Path:
        """The folder of a version."""
        return self.home / f"v{version}"

    def next_version(self) -> int:
        """The version that the next new adapter will get, unless another gets there first."""
        return max(self._versions(), default=0) + 1

    def _versions(self) -> list[int]:
        if not self.home.is_dir():
            return []
        names = (entry.name for entry in self.home.iterdir() if entry.is_dir())
        return sorted(int(name[1:]) for name in names if name[0] == "v" and name[1:].isdigit())

    def _card(self, files: dict[str, str], made: Provenance) -> Card:
        version = self.next_version()
        name = f"{self.bot}@v{version}"
        if made.gate is not None:
            made = msgspec.structs.replace(made, gate=msgspec.structs.replace(made.gate, challenger=name))
        return Card(name=name, version=version, sha256=combined(files), files=files, provenance=made)

    def _place(self, adapter: Path, card: Card) -> bool:
        """Copy, sync, rename; False when the version was taken in the meantime."""
        self.home.mkdir(parents=True, exist_ok=True)
        fresh = self.home / f".v{card.version}.{os.getpid()}"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        for name in card.files:
            shutil.copyfile(adapter / name, fresh / name)
        (fresh / CARD).write_bytes(msgspec.json.format(msgspec.json.encode(card), indent=2) + b"\n")
        (fresh / README).write_text(model_card(card))
        for file in fresh.iterdir():
            sync(file)
        sync(fresh)
        try:
            fresh.rename(self.path(card.version))  # fails on a folder that holds something
        except OSError:
            shutil.rmtree(fresh)
            if self.path(card.version).exists():
                return False
            raise
        sync(self.home)
        return True


def fingerprints(adapter: Path) -> dict[str, str]:
    """The SHA-256 of each file that peft loads: the configuration and all safetensors. Raises BadRegistry."""
    weights = sorted(adapter.glob("*.safetensors"))
    if not weights or not (adapter / CONFIG).is_file():
        raise BadRegistry(f"{adapter}: no adapter; {CONFIG} and a .safetensors file must be there")
    return {file.name: _sha256(file) for file in (adapter / CONFIG, *weights)}


def combined(files: dict[str, str]) -> str:
    """One SHA-256 for all files, over names and contents in the order of names."""
    return sha256_of(f"{name} {files[name]}" for name in sorted(files))


def sync(path: Path) -> None:
    """Have a file's or folder's content on the disk before going on."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
