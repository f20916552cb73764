"""The folder of seals: what was sealed of each log, the registry, and what is published of both.

verifier-key          the operator's key
standing              how far the last whole seal came, and how far each log was then
lock                  held by the one sealer
refused               why the sealer signs no more; a person takes it away
continues             of a log that continues another: the line for each log
registry/             checkpoint, leaves.jsonl, and its tree
logs/<log>/           checkpoint, and its tree
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote

import msgspec

from cycle.aggregates.base import LogName
from cycle.leaf import canonical, leaf_hash
from cycle.proofs.audit import Standing
from cycle.proofs.bundle import Sealed
from cycle.proofs.checkpoint import Checkpoint, log_origin, open_checkpoint, registry_origin
from cycle.proofs.note import MalformedKey, NoteError, VerifierKey
from cycle.proofs.registry import BadHead, Head, RegistryProof
from cycle.proofs.tree import root_of
from cycle.sealing import CannotSeal, SealsUnavailable
from cycle_adapters.sealing.disk import append, explained, new_folder, publish
from cycle_adapters.sealing.tree import KeptTree


class Placed(NamedTuple):
    """A head and where it stands in the registry."""

    at: int
    head: Head


class Registry:
    """The registry in its folder: its leaves as lines, and their tree."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tree = KeptTree(folder)
        self.last: dict[str, Placed] = {}
        """The newest head of each log."""
        self._bytes = 0
        hashes = []
        for index, line in enumerate(self.lines()):
            self._keep(index, line)
            hashes.append(leaf_hash(line))
        self._unseen = hashes[self.tree.size :]
        if root_of(hashes[: self.tree.size]) != self.tree.root():
            raise SealsUnavailable("damaged").about(folder)

    def lines(self) -> Iterator[bytes]:
        """Its leaves in order; what a crash left unfinished at the end is none."""
        with suppress(FileNotFoundError), (self.folder / "leaves.jsonl").open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    yield line[:-1]

    def append(self, heads: list[Head]) -> None:
        """Add heads for good. Whatever an earlier run wrote may have been signed, so it stays."""
        lines = [head.leaf() for head in heads]
        new_folder(self.folder)
        if lines:
            append(self.folder / "leaves.jsonl", self._bytes, b"".join(line + b"\n" for line in lines))
        first = self.tree.size + len(self._unseen)
        if self._unseen or lines:
            self.tree.grow([*self._unseen, *map(leaf_hash, lines)])
            self._unseen = []
        for index, line in enumerate(lines, first):
            self._keep(index, line)

    def find(self, log: str, size: int) -> Placed | None:
        """The head of a log at a size, wherever it stands."""
        last = self.last.get(log)
        if last is not None and last.head.size == size:
            return last
        found = (Placed(index, Head.parse(line)) for index, line in enumerate(self.lines()))
        return next((each for each in found if (each.head.log, each.head.size) == (log, size)), None)

    def _keep(self, index: int, line: bytes) -> None:
        try:
            head = Head.parse(line)
        except BadHead as error:
            raise SealsUnavailable("damaged").about(self.folder) from error
        self.last[head.log] = Placed(index, head)
        self._bytes += len(line) + 1


class Folder:
    """A folder of seals, to be read; ``locked`` to be written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def trees(self) -> dict[str, KeptTree]:
        """Each log that was ever sealed, as it was when they were first asked for."""
        with explained(self.path):
            found = sorted((self.path / "logs").glob("*/frontier"))
            return {unquote(each.parent.name): KeptTree(each.parent) for each in found}

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Raises:
        SealsUnavailable: another sealer works in it.
        """
        with explained(self.path):
            new_folder(self.path)
            file = (self.path / "lock").open("ab")
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise SealsUnavailable("locked").about(self.path) from error
            yield

    @property
    def is_new(self) -> bool:
        return not (self.path / "verifier-key").exists()

    @property
    def refused(self) -> Path:
        return self.path / "refused"

    @property
    def key(self) -> VerifierKey:
        """Raises:
        CannotSeal: it is no folder of seals.
        """
        try:
            return VerifierKey.parse((self.path / "verifier-key").read_text("ascii").strip())
        except (OSError, ValueError, MalformedKey) as error:
            raise CannotSeal("no-seals").about(self.path) from error

    def registry(self) -> Registry:
        return Registry(self.path / "registry")

    def tree(self, log: str) -> KeptTree:
        """The tree of a log, empty when it is new."""
        if log not in self.trees:
            self.trees[log] = KeptTree(self._log(log))
        return self.trees[log]

    def alone(self, log: str) -> KeptTree:
        """The tree of a log; no other is looked at."""
        with explained(self.path):
            return KeptTree(self._log(log))

    def kept(self, log: str, index: int) -> bytes | None:
        """The leaf hash that was sealed; None where nothing is."""
        tree = self.trees.get(log)
        return None if tree is None else tree.leaf_hash(index)

    def published(self) -> list[str]:
        """The logs of which there is a checkpoint; a witness keeps these and no trees."""
        return [unquote(path.parent.name) for path in sorted((self.path / "logs").glob("*/checkpoint"))]

    def checkpoint_path(self, log: str | None) -> Path:
        """Where the checkpoint of a log is published, or that of the registry (None)."""
        return (self._log(log) if log is not None else self.path / "registry") / "checkpoint"

    def note(self, log: str | None) -> bytes | None:
        """The signed note that is published of a log or of the registry (None); nothing when there is none yet."""
        with explained(self.path):
            path = self.checkpoint_path(log)
            return path.read_bytes() if path.exists() else None

    def opened(self, log: str | None, note: bytes) -> Checkpoint:
        """What a note of a log says.

        Raises:
            CannotSeal: it does not hold under the folder's own key.
        """
        key = self.key
        origin = registry_origin(key.name) if log is None else log_origin(key.name, LogName(log))
        try:
            return open_checkpoint(note, origin, key)
        except NoteError as error:
            raise CannotSeal("bad-checkpoint", why=str(error)).about(self.checkpoint_path(log)) from error

    def checkpoint(self, log: str | None) -> Checkpoint | None:
        """The published checkpoint of a log or of the registry (None); as for ``opened``."""
        note = self.note(log)
        return None if note is None else self.opened(log, note)

    def sealed(self, log: str, note: bytes | None = None) -> Sealed | None:
        """What a bundle needs of a log: its last checkpoint, or another of its own; None when there is none."""
        note, registry_note = note or self.note(log), self.note(None)
        if note is None or registry_note is None:
            return None
        registry_size = self.opened(None, registry_note).size
        registry = self.registry()
        placed = registry.find(log, self.opened(log, note).size)
        if placed is None or placed.at >= registry_size:
            return None
        path = registry.tree.inclusion(placed.at, registry_size)
        proof = RegistryProof(placed.head.leaf(), placed.at, tuple(path), registry_note)
        return Sealed(LogName(log), note, bytes(proof), self.key)

    def standing(self) -> Standing:
        """Where the last whole seal ended; the beginning when that is not known."""
        try:
            return msgspec.json.decode((self.path / "standing").read_bytes(), type=Standing)
        except (OSError, msgspec.DecodeError):
            return Standing()

    def stand(self, standing: Standing) -> None:
        publish(self.path / "standing", canonical(standing) + b"\n")

    def forget_standing(self) -> None:
        """The next seal looks at everything again."""
        (self.path / "standing").unlink(missing_ok=True)

    def continued(self) -> dict[str, str]:
        """The line that each log's checkpoints carry, where this folder continues another; "" is the registry."""
        try:
            return msgspec.json.decode((self.path / "continues").read_bytes(), type=dict[str, str])
        except FileNotFoundError:
            return {}

    def _log(self, log: str) -> Path:
        # A name of dots alone would lead out of the folder.
        return self.path / "logs" / quote(log, safe="").replace(".", "%2E")
