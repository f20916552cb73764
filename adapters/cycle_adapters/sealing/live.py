"""The check of a live database: every row, and every row that was sealed against what was signed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import NamedTuple
from urllib.parse import unquote

from msgspec import Struct

from cycle.aggregates.base import LogName
from cycle.leaf import leaf_hash
from cycle.proofs.audit import NOWHERE, Audit, Broken
from cycle.proofs.checkpoint import Checkpoint, open_checkpoint
from cycle.proofs.note import Note, VerifierKey
from cycle.proofs.receipt import Promise
from cycle.proofs.tree import Frontier
from cycle.sealing import CannotSeal, when_seen
from cycle.store import LogRecorder
from cycle_adapters.sealing.folder import Folder, Registry


class Old(NamedTuple):
    """A checkpoint kept from before; ``log`` is None for that of the registry."""

    log: str | None
    checkpoint: Checkpoint


class Verified(Struct, frozen=True):
    """What was found to hold. ``sealed`` counts the events that a signature covers."""

    position: int
    logs: dict[str, int]
    sealed: int
    sealed_at: str | None
    old: list[dict[str, object]]


class Target(NamedTuple):
    """A root that the leaves of a log must lead to at a size; ``cause`` says what else."""

    size: int
    root: bytes
    cause: str


class Sealed:
    """What was signed, so far as a folder of seals shows it; without one, nothing."""

    def __init__(self, folder: Folder | None) -> None:
        self._folder = folder
        self.sizes: dict[str, int] = {}
        self.targets: dict[str, list[Target]] = {}
        self.sealed_at: str | None = None
        self.registry: Registry | None = None
        if folder is None:
            return
        head = folder.checkpoint(None)
        if head is None:
            return
        self.registry = folder.registry()
        if self.registry.tree.size < head.size or self.registry.tree.root_at(head.size) != head.root:
            raise Broken("root", "registry", NOWHERE, None, size=head.size)
        self.sealed_at = when_seen(head)
        for log, placed in self.registry.last.items():
            if placed.at < head.size:
                self._add(log, placed.head.size, bytes.fromhex(placed.head.root))

    def _add(self, log: str, size: int, root: bytes) -> None:
        assert self._folder is not None
        self.sizes[log] = size
        tree = self._folder.trees.get(log)
        frontier = Frontier()
        if tree is not None and tree.size >= size:
            frontier.extend(tree.leaf_hashes(0, size))
        if frontier.root() != root:
            # The folder's own hashes cannot name the leaf; the signed root still tells that one is wrong.
            self._folder.trees.pop(log, None)
            self.targets[log] = [Target(size, root, "root")]

    def kept(self, log: str, index: int) -> bytes | None:
        if self._folder is None or index >= self.sizes.get(log, 0):
            return None
        return self._folder.kept(log, index)


def verify_live(store: LogRecorder, sealed: Sealed, old: Sequence[Old] = ()) -> Verified:
    """Read everything once, as the database is now.

    Raises:
        Broken: names the first log and index that does not hold.
    """
    for each in old:
        if each.log is None:
            _check_registry(sealed, each.checkpoint)
        else:
            wanted = Target(each.checkpoint.size, each.checkpoint.root, "old-root")
            sealed.targets.setdefault(each.log, []).append(wanted)
    top = store.head().position
    audit = Audit(sealed.kept)
    trees = {log: Frontier() for log in sealed.targets}
    with closing(store.saves(0)) as saves, closing(store.stored(0, top)) as rows:
        audit.read(saves)
        for row in rows:
            log, found = audit.check(row)
            if found and log in trees:
                trees[log].append(found)
                _check_root(log, trees[log], sealed.targets[log])
        audit.finish(sealed.sizes, lambda: store.head().position)
    for log, targets in sealed.targets.items():
        for target in targets:
            if target.size > audit.sizes.get(log, 0):
                raise Broken("old-shrunk", log, audit.sizes.get(log, 0), None, size=target.size)
    held = [
        {"origin": each.checkpoint.origin, "size": each.checkpoint.size, "root": each.checkpoint.root.hex()}
        for each in old
    ]
    return Verified(
        audit.position, dict(sorted(audit.sizes.items())), sum(sealed.sizes.values()), sealed.sealed_at, held
    )


def _check_root(log: str, tree: Frontier, targets: Sequence[Target]) -> None:
    for target in targets:
        if tree.size == target.size and tree.root() != target.root:
            raise Broken(target.cause, log, NOWHERE, None, size=target.size)


def _check_registry(sealed: Sealed, old: Checkpoint) -> None:
    tree = sealed.registry.tree if sealed.registry is not None else None
    if tree is None or tree.size < old.size:
        raise Broken("old-shrunk", "registry", tree.size if tree else 0, None, size=old.size)
    if tree.root_at(old.size) != old.root:
        raise Broken("old-root", "registry", NOWHERE, None, size=old.size)


def check_receipt(store: LogRecorder, promise: Promise) -> None:
    """That everything a receipt names stands in the log.

    Raises:
        Broken: it does not, and the receipt is evidence.
    """
    for fact in promise.facts:
        log = LogName(unquote(fact.origin.rpartition("/")[2]))
        found = [leaf_hash(leaf) for leaf, _ in store.log_leaves(log, fact.index, fact.index + 1)]
        if found != [fact.leaf_hash]:
            raise Broken("receipt-differs" if found else "receipt-gone", log, fact.index, None)


def kept_checkpoint(note: bytes, key: VerifierKey, witnesses: Sequence[VerifierKey], quorum: int) -> Old:
    """A checkpoint that somebody kept, of whichever log.

    Raises:
        NoteError: it is none, or not signed by the key and as many witnesses.
        CannotSeal: it is that of an empty log, or of another operator.
    """
    origin = Note.parse(note).text.partition("\n")[0]
    found = open_checkpoint(note, origin, key, witnesses, quorum)
    if found.size == 0:
        raise CannotSeal("old-empty")
    if origin == key.name:
        return Old(None, found)
    if not origin.startswith(f"{key.name}/"):
        raise CannotSeal("not-of-these", origin=origin)
    return Old(unquote(origin.removeprefix(f"{key.name}/")), found)
