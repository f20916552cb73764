"""The Merkle tree of a log: its frontier, its root, and proofs of inclusion and consistency.

A tree is never held whole. A ``Frontier`` grows it and knows its root; a proof names the ranges of
leaves whose hashes it needs, and gets them from whatever keeps leaf hashes or the hashes of complete
subtrees. Source: RFC 6962, section 2.1; the verifying algorithms are those of RFC 9162, section 2.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import islice
from typing import NamedTuple

from msgspec import Struct

HASH_BYTES = 32
MAX_SIZE = 2**63 - 1
EMPTY_ROOT = sha256().digest()
"""The root of a tree without leaves."""
STORED_FROM = 8
"""Keepers of subtree hashes keep them from this level on: one for 256 leaves."""


class ProofError(ValueError):
    """A proof that does not hold, or a number or hash that cannot be part of one; says why."""


class Range(NamedTuple):
    """Leaves ``start`` up to but not including ``end``, whose tree hash a proof needs."""

    start: int
    end: int


class Complete(Struct, frozen=True, gc=False):
    """The hash of a full subtree: leaves ``index << level`` up to ``(index + 1) << level``."""

    level: int
    index: int
    hash: bytes


Subtree = Callable[[int, int], bytes]
"""(level, index) -> the hash of that complete subtree; level 0 is a leaf hash."""


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """All that an append-only tree needs of its past: its size and one hash for each bit of it.

    ``size`` is how many leaves it holds.
    """

    __slots__ = ("_peaks", "size")

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def append(self, leaf_hash: bytes) -> None:
        self.extend((leaf_hash,))

    def extend(self, leaf_hashes: Iterable[bytes]) -> None:
        """Append leaf hashes in the order of their indexes."""
        peaks, size = self._peaks, self.size
        for peak in leaf_hashes:
            below = size
            while below & 1:
                peak = sha256(b"\x01" + peaks.pop() + peak).digest()  # noqa: PLW2901
                below >>= 1
            peaks.append(peak)
            size += 1
        self.size = size

    def complete(self, leaf_hash: bytes) -> list[Complete]:
        """Append one leaf hash; return each subtree that it completes, the leaf itself first."""
        closed = [Complete(0, self.size, leaf_hash)]
        peaks = self._peaks
        while self.size >> closed[-1].level & 1:
            right = closed[-1]
            closed.append(Complete(right.level + 1, right.index >> 1, node_hash(peaks.pop(), right.hash)))
        peaks.append(closed[-1].hash)
        self.size += 1
        return closed

    def root(self) -> bytes:
        """The tree hash, MTH of RFC 6962."""
        return _bagged(self._peaks)

    def copy(self) -> Frontier:
        other = Frontier()
        other.size, other._peaks = self.size, self._peaks.copy()
        return other

    def to_bytes(self) -> bytes:
        """The size (8 bytes, big-endian) and the hashes of its complete subtrees, the largest first."""
        return self.size.to_bytes(8, "big") + b"".join(self._peaks)

    @classmethod
    def from_bytes(cls, kept: bytes) -> Frontier:
        """What ``to_bytes`` wrote.

        Raises:
            ProofError: not that; whether the hashes are the right ones only a root can tell.
        """
        frontier = cls()
        frontier.size = int.from_bytes(kept[:8], "big")
        if len(kept) < 8 or frontier.size > MAX_SIZE or len(kept) != 8 + HASH_BYTES * frontier.size.bit_count():
            raise ProofError(f"{len(kept)} bytes are no frontier")
        frontier._peaks = [kept[at : at + HASH_BYTES] for at in range(8, len(kept), HASH_BYTES)]
        return frontier


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """The root of the tree over these leaf hashes."""
    frontier = Frontier()
    frontier.extend(leaf_hashes)
    return frontier.root()


def _bagged(peaks: Sequence[bytes]) -> bytes:
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


def _split(start: int, end: int) -> int:
    """Where RFC 6962 divides these leaves: behind the largest power of two below their number."""
    return start + (1 << (end - start - 1).bit_length() - 1)


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The ranges whose hashes prove that leaf ``index`` is in the tree of ``size`` leaves, in order.

    They are disjoint: the whole proof reads every leaf at most once.

    Raises:
        ProofError: there is no such leaf.
    """
    _check_size(size, "size")
    _check_size(index, "index")
    if index >= size:
        raise ProofError(f"index {index} is not in a tree of {size}")
    start, end = 0, size
    path: list[Range] = []
    while end - start > 1:
        split = _split(start, end)
        if index < split:
            path.append(Range(split, end))
            end = split
        else:
            path.append(Range(start, split))
            start = split
    return path[::-1]


def consistency_ranges(old_size: int, size: int) -> list[Range]:
    """The ranges whose hashes prove that the tree of ``old_size`` is the beginning of that of ``size``.

    Raises:
        ProofError: nothing is consistent with an empty tree, and no tree with a smaller one.
    """
    _check_growth(old_size, size)
    start, end = 0, size
    path: list[Range] = []
    while end != old_size:
        split = _split(start, end)
        if old_size <= split:
            path.append(Range(split, end))
            end = split
        else:
            path.append(Range(start, split))
            start = split
    if start:
        path.append(Range(start, end))
    return path[::-1]


def prove(ranges: Iterable[Range], subtree: Subtree) -> list[bytes]:
    """The proof: the tree hash of each range, out of the hashes of complete subtrees."""
    return [_range_hash(start, end, subtree) for start, end in ranges]


def _range_hash(start: int, end: int, subtree: Subtree) -> bytes:
    peaks = []
    while start < end:
        # A range of a proof begins at a multiple of the largest power of two that it holds.
        level = (end - start).bit_length() - 1
        peaks.append(subtree(level, start >> level))
        start += 1 << level
    return _bagged(peaks)


def inclusion_proof(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """The hashes that prove leaf ``index`` in the tree of ``size``; as for ``inclusion_ranges``."""
    return prove(inclusion_ranges(index, size), subtree)


def consistency_proof(old_size: int, size: int, subtree: Subtree) -> list[bytes]:
    """The hashes that prove ``old_size`` the beginning of ``size``; as for ``consistency_ranges``."""
    return prove(consistency_ranges(old_size, size), subtree)


def reading(
    leaf_hashes: Callable[[int, int], Iterable[bytes]], stored: Callable[[int, int], bytes | None] | None = None
) -> Subtree:
    """Complete subtrees out of leaf hashes, and out of stored ones where there are any.

    ``leaf_hashes(start, end)`` reads those of a range in order; ``stored(level, index)`` is asked
    for levels from ``STORED_FROM`` on and may not know. Without ``stored`` a proof takes one pass
    over the leaf hashes; with it, it reads at most 256 of them for each of its hashes.
    """

    def subtree(level: int, index: int) -> bytes:
        if stored is not None and level >= STORED_FROM:
            kept = stored(level, index)
            if kept is not None:
                return kept
            if level > STORED_FROM:
                return node_hash(subtree(level - 1, 2 * index), subtree(level - 1, 2 * index + 1))
        frontier = Frontier()
        frontier.extend(islice(leaf_hashes(index << level, (index + 1) << level), 1 << level))
        if frontier.size != 1 << level:
            raise ProofError(f"leaf hash {(index << level) + frontier.size} is missing")
        return frontier.root()

    return subtree


def verify_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Accept a proof that the leaf stands at ``index`` of the tree with this size and root.

    Raises:
        ProofError: it does not hold.
    """
    _check_size(size, "size")
    _check_size(index, "index")
    if index >= size:
        raise ProofError(f"index {index} is not in a tree of {size}")
    _check_hashes((leaf_hash, root, *proof))
    inner, last = index, size - 1
    found = leaf_hash
    for beside in proof:
        if last == 0:
            raise ProofError("the proof is too long")
        if inner & 1 or inner == last:
            found = node_hash(beside, found)
            while not inner & 1 and inner:
                inner, last = inner >> 1, last >> 1
        else:
            found = node_hash(found, beside)
        inner, last = inner >> 1, last >> 1
    if last:
        raise ProofError("the proof is too short")
    if found != root:
        raise ProofError(f"the proof of index {index} leads to another root")


def verify_consistency(old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """Accept a proof that the older tree is the beginning of the newer one.

    Raises:
        ProofError: it does not hold; from size 0 there is nothing to prove.
    """
    _check_growth(old_size, size)
    _check_hashes((old_root, root, *proof))
    if old_size == size:
        if proof or old_root != root:
            raise ProofError("two roots of one size differ" if old_root != root else "the proof is too long")
        return
    hashes: Iterator[bytes] = iter(proof)
    inner, last = old_size - 1, size - 1
    while inner & 1:
        inner, last = inner >> 1, last >> 1
    start = old_root if not inner else next(hashes, None)
    if start is None:
        raise ProofError("the proof is too short")
    older = newer = start
    for beside in hashes:
        if last == 0:
            raise ProofError("the proof is too long")
        if inner & 1 or inner == last:
            older, newer = node_hash(beside, older), node_hash(beside, newer)
            while not inner & 1 and inner:
                inner, last = inner >> 1, last >> 1
        else:
            newer = node_hash(newer, beside)
        inner, last = inner >> 1, last >> 1
    if last:
        raise ProofError("the proof is too short")
    if older != old_root:
        raise ProofError(f"the proof leads to another root of the first {old_size}")
    if newer != root:
        raise ProofError(f"the proof leads to another root of {size}")


def _check_growth(old_size: int, size: int) -> None:
    _check_size(old_size, "older size")
    _check_size(size, "size")
    if old_size == 0:
        raise ProofError("an empty tree is the beginning of every tree: it proves nothing")
    if old_size > size:
        raise ProofError(f"a tree of {size} has not grown out of one of {old_size}")


def _check_size(number: int, what: str) -> None:
    if type(number) is not int or not 0 <= number <= MAX_SIZE:
        raise ProofError(f"the {what} is no whole number between 0 and 2^63 - 1")


def _check_hashes(hashes: Iterable[bytes]) -> None:
    for each in hashes:
        if len(each) != HASH_BYTES:
            raise ProofError("a hash does not have 32 bytes")
