"""A tree kept in files: its frontier, its leaf hashes, and the subtree hashes that make proofs quick.

The frontier is written last, so it says how much of the other files counts: what a crash left behind
it is written over. Leaf hashes and the hashes of one level stand one after another, 32 bytes each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from cycle.proofs.tree import (
    HASH_BYTES,
    STORED_FROM,
    Frontier,
    ProofError,
    Range,
    consistency_proof,
    inclusion_proof,
    prove,
    reading,
)
from cycle.sealing import SealsUnavailable
from cycle_adapters.sealing.disk import append, new_folder, publish

BLOCK = 256
"""Leaf hashes that are read at a time."""


class KeptTree:
    """One tree in a folder of its own; a reader sees what was there when it opened it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._frontier = _frontier(folder)
        self._block = lru_cache(maxsize=4)(self._read_block)

    @property
    def size(self) -> int:
        return self._frontier.size

    def root(self) -> bytes:
        return self._frontier.root()

    def grow(self, leaf_hashes: Iterable[bytes]) -> None:
        """Append, for good."""
        grown, before = self._frontier.copy(), self._frontier.size
        levels: dict[int, list[bytes]] = {}
        for leaf_hash in leaf_hashes:
            for closed in grown.complete(leaf_hash):
                if closed.level == 0 or closed.level >= STORED_FROM:
                    levels.setdefault(closed.level, []).append(closed.hash)
        new_folder(self.folder)
        for level, hashes in sorted(levels.items()):
            append(self._path(level), (before >> level) * HASH_BYTES, b"".join(hashes))
        publish(self.folder / "frontier", grown.to_bytes())
        self._frontier = grown
        self._block.cache_clear()

    def leaf_hash(self, index: int) -> bytes | None:
        """The leaf hash at an index, None beyond the end."""
        if not 0 <= index < self.size:
            return None
        block = self._block(index // BLOCK)
        at = index % BLOCK * HASH_BYTES
        return block[at : at + HASH_BYTES]

    def leaf_hashes(self, start: int, end: int) -> Iterator[bytes]:
        """Those of a range, as they are read."""
        with self._path(0).open("rb") as file:
            file.seek(start * HASH_BYTES)
            left = end - start
            while left > 0 and (block := file.read(min(left, BLOCK) * HASH_BYTES)):
                yield from (block[at : at + HASH_BYTES] for at in range(0, len(block), HASH_BYTES))
                left -= BLOCK

    def root_at(self, size: int) -> bytes:
        """The root that the tree had at a size."""
        if size == 0:
            return Frontier().root()
        return prove([Range(0, size)], reading(self.leaf_hashes, self._stored))[0]

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Proves a leaf in the tree as it was at a size."""
        return inclusion_proof(index, size, reading(self.leaf_hashes, self._stored))

    def consistency(self, old_size: int, size: int) -> list[bytes]:
        """Proves one size of the tree the beginning of another."""
        return consistency_proof(old_size, size, reading(self.leaf_hashes, self._stored))

    def check(self) -> None:
        """That the leaf hashes lead to the frontier: after a failing disk they might not.

        Raises:
            SealsUnavailable: they do not.
        """
        found = Frontier()
        found.extend(self.leaf_hashes(0, self.size) if self.size else ())
        if found.to_bytes() != self._frontier.to_bytes():
            raise SealsUnavailable("damaged").about(self.folder)

    def _path(self, level: int) -> Path:
        return self.folder / (f"subtrees-{level}" if level else "leaf-hashes")

    def _read_block(self, number: int) -> bytes:
        with self._path(0).open("rb") as file:
            file.seek(number * BLOCK * HASH_BYTES)
            return file.read(BLOCK * HASH_BYTES)

    def _stored(self, level: int, index: int) -> bytes | None:
        if (index + 1) << level > self.size:
            return None
        with self._path(level).open("rb") as file:
            file.seek(index * HASH_BYTES)
            found = file.read(HASH_BYTES)
        return found if len(found) == HASH_BYTES else None


def _frontier(folder: Path) -> Frontier:
    try:
        return Frontier.from_bytes((folder / "frontier").read_bytes())
    except FileNotFoundError:
        return Frontier()
    except ProofError as error:
        raise SealsUnavailable("damaged").about(folder) from error
