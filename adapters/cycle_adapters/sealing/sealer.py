"""The sealer: reads what is new, checks it, lets its trees grow, signs their heads, publishes.

The order of its writes is what a crash may interrupt anywhere: leaf hashes and trees, then the
registry's leaves, then signatures. What may have been signed is never taken back, and what is signed
was durable before.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from typing import NamedTuple, Protocol

from cycle.aggregates.base import LogName, StreamId
from cycle.proofs.audit import NOWHERE, Audit, Broken, Standing
from cycle.proofs.checkpoint import Checkpoint, log_origin, registry_origin, sign_checkpoint
from cycle.proofs.note import SigningKey
from cycle.proofs.registry import head
from cycle.sealing import BINDING, EVERY_SECONDS, CannotSeal, SealRefused, SealsUnavailable, refusal_notice, seen_at
from cycle.store import LogRecorder, Unavailable
from cycle_adapters.sealing.disk import explained, new_folder, publish
from cycle_adapters.sealing.folder import Folder, Registry

BATCH = 100_000
"""Leaves between two writes of the trees: so many are read again at most after a crash."""
LOOK_AGAIN = 20_000
"""Sealed leaves that each seal reads again, from the first to the last and round: an edit is found in time."""


class Waits(Protocol):
    """What ends a wait: a waker of the store, or a test."""

    def wait(self, timeout_seconds: float) -> bool: ...


class Seal(NamedTuple):
    """What one seal did: how far the log is sealed, which logs grew, and how many leaves the registry has."""

    position: int
    grown: tuple[str, ...]
    registry: int


class Sealer:
    """Seals one store into one folder, which it holds the lock of.

    Raises:
        CannotSeal: the folder was sealed under another key.
    """

    def __init__(self, store: LogRecorder, folder: Folder, key: SigningKey, now: Callable[[], datetime]) -> None:
        self._store, self._folder, self._key, self._now = store, folder, key, now
        with explained(folder.path):
            if folder.is_new:
                publish(new_folder(folder.path) / "verifier-key", f"{key.verifier}\n".encode())
            if folder.key != key.verifier:
                raise CannotSeal("another-key", key=str(folder.key)).about(folder.path)
            self._check_published()
            self._registry: Registry = folder.registry()
            self._registry.append([])
            self._continues = folder.continued()
        self._standing = folder.standing()
        self._again: Audit | None = None
        self._published: set[str] = set()
        self._looked = 0
        """Up to here nothing was looked for that must not wait."""

    def _check_published(self) -> None:
        """That what was signed is the beginning of the trees: else the folder is not what it was."""
        for log in (None, *self._folder.trees):
            said = self._folder.checkpoint(log)
            tree = self._folder.registry().tree if log is None else self._folder.tree(log)
            if said is not None and (said.size > tree.size or tree.root_at(said.size) != said.root):
                raise SealsUnavailable("damaged").about(self._folder.checkpoint_path(log).parent)

    @property
    def position(self) -> int:
        return self._standing.position

    def seal(self, *, whole: bool = False) -> Seal:
        """One round; ``whole`` reads all that was sealed again, not a part of it.

        Raises:
            SealRefused: the log is not what was sealed, or not what could be; nothing is signed.
            Unavailable, SealsUnavailable: database or disk; nothing is lost, seal again.
        """
        if self._folder.refused.exists():
            raise SealRefused("before", path=str(self._folder.refused))
        begun = self._now()
        try:
            if whole:
                self._standing = Standing()
            before = self._standing.position
            self._read()
            if not whole:
                self._look_again(before)
        except Broken as broken:
            raise self._refuse(broken) from broken
        with explained(self._folder.path):
            return self._sign(begun)

    def run(
        self,
        waits: Waits,
        elapsed: Callable[[], float],
        stopped: Callable[[], bool],
        tell: Callable[[Seal | Unavailable | SealsUnavailable], None] = lambda said: None,
    ) -> None:
        """Seal every minute, and at once after binding decisions, until stopped.

        A database or disk that is away for a while is waited for; ``tell`` hears of it and of each seal.

        Raises:
            SealRefused: as ``seal``.
        """
        while not stopped():
            due = elapsed() + EVERY_SECONDS
            try:
                tell(self.seal())
                while not stopped() and (left := due - elapsed()) > 0:
                    if waits.wait(left) and not stopped() and self._is_binding():
                        break
            except (Unavailable, SealsUnavailable) as error:
                tell(error)
                waits.wait(EVERY_SECONDS)

    def _is_binding(self) -> bool:
        """Whether something is recorded that must not wait for its minute."""
        after, self._looked = max(self.position, self._looked), self._store.head().position
        return any(True for _ in self._store.read(after, 1, up_to=self._looked, types=sorted(BINDING)))

    def _read(self) -> None:
        """Everything that is new, into the trees."""
        top = self._head()
        self._check_sizes(top)
        audit = Audit(self._folder.kept, self._standing, self._version)
        with (
            closing(self._store.saves(audit.position)) as saves,
            closing(self._store.stored(audit.position, top)) as rows,
        ):
            audit.read(saves)
            fresh: dict[str, list[bytes]] = {}
            count = 0
            for row in rows:
                log, leaf_hash = audit.check(row)
                if leaf_hash and audit.sizes[log] > self._folder.tree(log).size:
                    fresh.setdefault(log, []).append(leaf_hash)
                    count += 1
                if count >= BATCH and audit.is_between_saves:
                    self._grow(fresh, audit)
                    fresh, count = {}, 0
            audit.finish(self._sizes(), self._head)
        self._grow(fresh, audit)

    def _grow(self, fresh: dict[str, list[bytes]], audit: Audit) -> None:
        with explained(self._folder.path):
            for log, hashes in fresh.items():
                self._folder.tree(log).grow(hashes)
            if audit.position != self._standing.position or fresh:
                self._standing = audit.standing
                self._folder.stand(self._standing)

    def _check_sizes(self, top: int) -> None:
        """Raises:
        Broken: a log has fewer leaves than were sealed.
        """
        sizes = self._store.log_sizes()
        for log, tree in self._folder.trees.items():
            if sizes.get(log, 0) < tree.size:
                raise Broken("shrunk", log, sizes.get(log, 0), None, size=tree.size)
        if top < self._standing.position:
            raise Broken("shrunk-all", None, NOWHERE, top + 1, size=self._standing.position)

    def _look_again(self, before: int) -> None:
        """Read the next part of what earlier seals have sealed, and begin again behind its end."""
        again = self._again or Audit(self._folder.kept)
        up_to = min(before, again.position + LOOK_AGAIN)
        with closing(self._store.saves(again.covered)) as saves:
            again.read(saves)
            self._check(again, again.position, up_to)
            if again.position < up_to:
                # Something is missing: what follows tells in which log.
                self._check(again, up_to, self._head())
                again.finish(self._sizes(), self._head)
                raise Broken("gap", None, NOWHERE, again.position + 1)
        self._again = again if again.position < before else None

    def _check(self, audit: Audit, after: int, up_to: int) -> None:
        with closing(self._store.stored(after, up_to)) as rows:
            for row in rows:
                audit.check(row)

    def _sizes(self) -> dict[str, int]:
        return {log: tree.size for log, tree in self._folder.trees.items()}

    def _head(self) -> int:
        return self._store.head().position

    def _version(self, stream: str, position: int) -> int:
        return self._store.version_at(StreamId(stream), position)

    def _refuse(self, broken: Broken) -> SealRefused:
        """Say it loudly, and look at everything when a person lets us go on."""
        with explained(self._folder.path):
            self._folder.forget_standing()
            self._standing, self._again = Standing(), None
            publish(self._folder.refused, refusal_notice(broken, self._now()).encode())
        return SealRefused("now", why=broken, path=str(self._folder.refused))

    def _sign(self, moment: datetime) -> Seal:
        trees = self._folder.trees
        last = self._registry.last
        grown = [log for log, tree in sorted(trees.items()) if log not in last or tree.size > last[log].head.size]
        self._registry.append([head(LogName(log), trees[log].size, trees[log].root(), moment) for log in grown])
        self._published.difference_update(grown)
        registry, name = self._registry.tree, self._key.verifier.name
        # The registry first: whoever finds a log's new checkpoint finds its head there.
        self._publish(
            None, Checkpoint(registry_origin(name), registry.size, registry.root(), self._extensions("", moment))
        )
        for log in sorted(trees):
            if log in grown or self._is_behind(log):
                tree = trees[log]
                said = Checkpoint(log_origin(name, LogName(log)), tree.size, tree.root(), self._extensions(log))
                self._publish(log, said)
        return Seal(self.position, tuple(grown), registry.size)

    def _is_behind(self, log: str) -> bool:
        """Whether an earlier run died between a head in the registry and the log's own checkpoint."""
        if log in self._published:
            return False
        found = self._folder.checkpoint(log)
        return found is None or found.size < self._folder.tree(log).size

    def _extensions(self, log: str, moment: datetime | None = None) -> tuple[str, ...]:
        continued = self._continues.get(log)
        return (*([seen_at(moment)] if moment else []), *([continued] if continued else []))

    def _publish(self, log: str | None, checkpoint: Checkpoint) -> None:
        publish(self._folder.checkpoint_path(log), sign_checkpoint(checkpoint, self._key))
        if log is not None:
            self._published.add(log)
