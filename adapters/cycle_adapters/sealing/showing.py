"""What a server shows of the seals beside its database: read anew each time, for the sealer is at work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, NamedTuple

from cycle.aggregates.base import LogName
from cycle.engine import Engine
from cycle.failures import Failure
from cycle.proofs.audit import Broken
from cycle.proofs.bundle import appearing
from cycle.proofs.checkpoint import Checkpoint
from cycle.proofs.tree import ProofError, verify_consistency, verify_inclusion
from cycle.sealing import (
    CannotProve,
    CannotSeal,
    Consistency,
    Inclusion,
    LastSeal,
    SealedTo,
    SealsUnavailable,
    when_seen,
)
from cycle.store import Receipt
from cycle_adapters.sealing.asking import damage_of
from cycle_adapters.sealing.exporting import export
from cycle_adapters.sealing.folder import Folder
from cycle_adapters.sealing.looking import last_seal
from cycle_adapters.sealing.published import published
from cycle_adapters.sealing.receipts import signed_where_configured
from cycle_adapters.sealing.settings import seals_of
from cycle_adapters.sealing.tree import KeptTree
from cycle_adapters.whole import told


class Seals:
    """The seals of one database, where ``CYCLE_SEALS`` names them or beside its file."""

    def __init__(self, database: str) -> None:
        self._database = database

    def last(self) -> LastSeal:
        """When the registry was last signed."""
        return last_seal(self._database)

    def sealed(self, log: LogName) -> SealedTo | None:
        """How far a log is sealed; None where nothing is published, or it cannot be read now."""
        try:
            folder = self._folder()
            found, registry = folder.checkpoint(log), folder.checkpoint(None)
        except Failure:
            return None
        if found is None:
            return None
        return SealedTo(found.size, found.root.hex(), when_seen(registry) if registry else None)

    def published(self, log: LogName | None) -> bytes | None:
        """The signed note of a log, or of the registry (None), for the foot of a sheet; None: nothing is sealed."""
        return published(self._database, None, log)

    def note(self, log: LogName | None) -> bytes:
        """The signed note of a log, or of the registry (None).

        Raises:
            CannotSeal: nothing of it is sealed.
        """
        folder = self._folder()
        return _note(folder, log)

    def inclusion(self, log: LogName, index: int, size: int | None) -> Inclusion:
        """That a leaf stands where it stands, in the log as it was at a size (None: as it was last signed).

        Raises:
            CannotSeal: nothing of the log is sealed.
            CannotProve: it is not among what was signed.
        """
        kept, of = self._kept(log, size)
        if not index < of <= kept.signed.size:
            raise CannotProve("index", log=log, index=str(index), size=str(of), signed=str(kept.signed.size))
        with _whole(kept.tree):
            found, proof = kept.tree.leaf_hash(index) or b"", kept.tree.inclusion(index, of)
            verify_inclusion(found, index, of, proof, kept.root_at(of))
        return Inclusion(log, index, of, found.hex(), _hex(proof))

    def consistency(self, log: LogName, old_size: int, size: int | None) -> Consistency:
        """That a log of one size begins with what it was at another; as for ``inclusion``."""
        kept, of = self._kept(log, size)
        if not 0 < old_size <= of <= kept.signed.size:
            raise CannotProve("sizes", log=log, old_size=str(old_size), size=str(of), signed=str(kept.signed.size))
        with _whole(kept.tree):
            proof = kept.tree.consistency(old_size, of)
            verify_consistency(old_size, kept.root_at(old_size), of, kept.root_at(of), proof)
        return Consistency(log, old_size, of, _hex(proof))

    def bundle(self, engine: Engine, actor: str, log: LogName) -> IO[bytes]:
        """The bundle of a log as an archive, without anything personal; as for ``exporting.export``.

        Raises:
            NotWritten: there is no room for it.
        """
        with told("bundle"), TemporaryDirectory(prefix="cycle-") as folder:
            to = Path(folder) / "log.zip"
            export(engine, actor, self._folder(), log, lambda: appearing(to))
            # Who has opened it reads it, though its name is gone.
            return to.open("rb")

    def damage(self, engine: Engine) -> Broken | None:
        """The first place at which a log does not hold; None: all hold, or it cannot be told. Reads everything."""
        return damage_of(engine, self._database)

    def signed(self, receipt: Receipt) -> str:
        """A receipt as signed notes, where the key is at hand."""
        return signed_where_configured(receipt)

    def _folder(self) -> Folder:
        return Folder(seals_of(self._database))

    def _kept(self, log: LogName, size: int | None) -> tuple[_Kept, int]:
        """A log as it was sealed, and the size that is meant: what is signed of it is in its tree before."""
        folder = self._folder()
        signed = folder.opened(log, _note(folder, log))
        return _Kept(folder.alone(log), signed), signed.size if size is None else size


class _Kept(NamedTuple):
    """The tree of a log, and how much of it is signed."""

    tree: KeptTree
    signed: Checkpoint

    def root_at(self, size: int) -> bytes:
        return self.signed.root if size == self.signed.size else self.tree.root_at(size)


@contextmanager
def _whole(tree: KeptTree) -> Iterator[None]:
    """Nothing is handed out that does not hold: a failing disk is not to be taken for a log that was changed.

    Raises:
        SealsUnavailable: the files of the tree are damaged.
    """
    try:
        yield
    except ProofError as error:
        raise SealsUnavailable("damaged").about(tree.folder) from error


def _note(folder: Folder, log: LogName | None) -> bytes:
    note = folder.note(log)
    if note is None:
        raise CannotSeal("not-sealed", log=log or "registry")
    folder.opened(log, note)
    return note


def _hex(hashes: list[bytes]) -> tuple[str, ...]:
    return tuple(each.hex() for each in hashes)
