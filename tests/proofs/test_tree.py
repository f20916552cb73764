"""Trees and their proofs: the vectors of others, the definition itself, and every way to be wrong."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cycle.leaf import leaf_hash
from cycle.proofs.tree import (
    EMPTY_ROOT,
    MAX_SIZE,
    STORED_FROM,
    Complete,
    Frontier,
    ProofError,
    consistency_proof,
    consistency_ranges,
    inclusion_proof,
    inclusion_ranges,
    reading,
    root_of,
    verify_consistency,
    verify_inclusion,
)

VECTORS = json.loads((Path(__file__).parents[3] / "shared/data/rfc6962/inclusion.json").read_bytes())
GOLDEN = json.loads((Path(__file__).parent / "golden/trees.json").read_bytes())
MOST = 256
HASHES = [leaf_hash(b"%d" % n) for n in range(MOST)]
STORED: dict[tuple[int, int], bytes] = {}
ROOTS = [EMPTY_ROOT]

frontier = Frontier()
for each in HASHES:
    STORED.update({(closed.level, closed.index): closed.hash for closed in frontier.complete(each)})
    ROOTS.append(frontier.root())


def subtree(level: int, index: int) -> bytes:
    return STORED[level, index]


def raw(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def raws(texts: list[str] | None) -> list[bytes]:
    return [raw(text) for text in texts or ()]


@pytest.mark.parametrize("name", VECTORS["inclusion"])
def test_an_inclusion_vector_of_transparency_dev(name: str) -> None:
    case = VECTORS["inclusion"][name]
    holds(case, verify_inclusion, raw(case["leafHash"]), case["leafIdx"], case["treeSize"])


@pytest.mark.parametrize("name", [n for n, c in VECTORS["subtreeinclusion"].items() if c["start"] == 0])
def test_an_inclusion_vector_of_a_subtree_that_is_a_tree(name: str) -> None:
    case = VECTORS["subtreeinclusion"][name]
    holds(case, verify_inclusion, raw(case["leafHash"]), case["leafIdx"], case["end"])


@pytest.mark.parametrize("name", [n for n, c in VECTORS["subtreeconsistency"].items() if c["start"] == 0])
def test_a_consistency_vector_of_a_subtree_that_is_a_tree(name: str) -> None:
    """We refuse two things more: an empty tree, which proves nothing, and roots that are no hashes."""
    case = VECTORS["subtreeconsistency"][name]
    given = (case["end"], raw(case["root1"]), case["size"], raw(case["root2"]), raws(case["proof"]))
    if case["wantErr"] or case["end"] == 0 or len(given[1]) != 32:
        with pytest.raises(ProofError):
            verify_consistency(*given)
    else:
        verify_consistency(*given)


def holds(case: dict[str, Any], verify: Any, leaf: bytes, index: int, size: int) -> None:
    given = (leaf, index, size, raws(case["proof"]), raw(case["root"]))
    if case["wantErr"]:
        with pytest.raises(ProofError):
            verify(*given)
    else:
        verify(*given)


def test_the_roots_of_transparency_dev() -> None:
    hashes = [leaf_hash(bytes.fromhex(each)) for each in VECTORS["leaf_inputs_hex"]]
    for size, root in enumerate(VECTORS["root_hashes_hex_by_size"]):
        assert root_of(hashes[:size]).hex() == root


def test_the_golden_trees() -> None:
    hashes = [leaf_hash(bytes.fromhex(each)) for each in GOLDEN["leaves_hex"]]
    read = reading(lambda start, end: hashes[start:end])
    roots = [bytes.fromhex(each) for each in GOLDEN["roots"]]
    assert [root_of(hashes[:size]) for size in range(len(hashes) + 1)] == roots
    for case in GOLDEN["inclusion"]:
        proof = [bytes.fromhex(each) for each in case["proof"]]
        assert inclusion_proof(case["index"], case["size"], read) == proof
        verify_inclusion(hashes[case["index"]], case["index"], case["size"], proof, roots[case["size"]])
    for case in GOLDEN["consistency"]:
        old, size, proof = case["old_size"], case["size"], [bytes.fromhex(each) for each in case["proof"]]
        assert consistency_proof(old, size, read) == proof
        verify_consistency(old, roots[old], size, roots[size], proof)


def mutated(proof: list[bytes]) -> Iterator[list[bytes]]:
    """The proof with one thing wrong."""
    for at, each in enumerate(proof):
        yield [*proof[:at], each[:7] + bytes([each[7] ^ 4]) + each[8:], *proof[at + 1 :]]
    if proof:
        yield proof[:-1]
        yield proof[1:]
        yield [*proof[:-1], proof[-1][:-1]]
    if len(proof) > 1:
        yield [proof[1], proof[0], *proof[2:]]
    yield [*proof, HASHES[0]]
    yield [HASHES[0], *proof]


@pytest.mark.parametrize("part", range(8))
def test_every_inclusion_up_to_256_and_nothing_beside_it(part: int) -> None:
    for size in range(1 + part, MOST + 1, 8):
        for index in range(size):
            leaf, root = HASHES[index], ROOTS[size]
            proof = inclusion_proof(index, size, subtree)
            verify_inclusion(leaf, index, size, proof, root)
            for wrong in mutated(proof):
                with pytest.raises(ProofError):
                    verify_inclusion(leaf, index, size, wrong, root)
            with pytest.raises(ProofError):
                verify_inclusion(leaf, index ^ 1, size, proof, root)
            with pytest.raises(ProofError):
                verify_inclusion(root, index, size, proof, leaf if size > 1 else ROOTS[2])


@pytest.mark.parametrize("part", range(8))
def test_every_consistency_up_to_256_and_nothing_beside_it(part: int) -> None:
    for size in range(1 + part, MOST + 1, 8):
        for old in range(1, size + 1):
            proof = consistency_proof(old, size, subtree)
            verify_consistency(old, ROOTS[old], size, ROOTS[size], proof)
            assert (proof == []) == (old == size)
            for wrong in mutated(proof):
                with pytest.raises(ProofError):
                    verify_consistency(old, ROOTS[old], size, ROOTS[size], wrong)
            for roots in ((ROOTS[old - 1], ROOTS[size]), (ROOTS[old], ROOTS[size - 1])):
                with pytest.raises(ProofError):
                    verify_consistency(old, roots[0], size, roots[1], proof)


@pytest.mark.parametrize("number", [-1, MAX_SIZE + 1, 2**64, 10**30, True, 1.0, "1", None])
def test_a_hostile_size_or_index_is_refused_and_never_crashes(number: Any) -> None:
    root = ROOTS[1]
    for wrong in (
        lambda: verify_inclusion(root, number, 2, [root], root),
        lambda: verify_inclusion(root, 0, number, [root], root),
        lambda: verify_consistency(number, root, 2, root, [root]),
        lambda: verify_consistency(1, root, number, root, [root]),
        lambda: inclusion_ranges(number, 2),
        lambda: consistency_ranges(1, number),
    ):
        with pytest.raises(ProofError, match="no whole number"):
            wrong()


def test_the_largest_trees_are_proved_as_the_smallest() -> None:
    path = inclusion_ranges(MAX_SIZE - 1, MAX_SIZE)
    assert len(path) <= 63
    assert sum(end - start for start, end in path) == MAX_SIZE - 1
    with pytest.raises(ProofError, match="too short"):
        verify_inclusion(HASHES[0], 0, MAX_SIZE, [], HASHES[0])
    with pytest.raises(ProofError, match="too long"):
        verify_inclusion(HASHES[0], 0, MAX_SIZE, [HASHES[1]] * 100, HASHES[0])
    with pytest.raises(ProofError, match="too long"):
        verify_consistency(1, HASHES[0], MAX_SIZE, HASHES[0], [HASHES[1]] * 100)


def test_nothing_is_consistent_with_nothing() -> None:
    with pytest.raises(ProofError, match="proves nothing"):
        verify_consistency(0, EMPTY_ROOT, 5, ROOTS[5], [])
    with pytest.raises(ProofError, match="proves nothing"):
        consistency_proof(0, 5, subtree)
    with pytest.raises(ProofError, match="has not grown"):
        verify_consistency(6, ROOTS[6], 5, ROOTS[5], [])


def test_a_tree_without_leaves_includes_nothing() -> None:
    assert Frontier().root() == sha256().digest()
    with pytest.raises(ProofError, match="index 0 is not in a tree of 0"):
        verify_inclusion(HASHES[0], 0, 0, [], EMPTY_ROOT)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, MOST), st.integers(0, MOST))
def test_a_frontier_that_is_kept_grows_as_one_that_is_not(first: int, more: int) -> None:
    grown = Frontier()
    grown.extend(HASHES[:first])
    kept = Frontier.from_bytes(grown.to_bytes())
    copied = kept.copy()
    kept.extend(HASHES[first : first + more])
    assert kept.root() == ROOTS[min(first + more, MOST)]
    assert copied.to_bytes() == grown.to_bytes()
    assert len(grown.to_bytes()) == 8 + 32 * first.bit_count()


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=80))
def test_bytes_that_are_no_frontier_are_refused(kept: bytes) -> None:
    with suppress(ProofError):
        assert Frontier.from_bytes(kept).to_bytes() == kept


def test_a_proof_reads_each_leaf_at_most_once() -> None:
    for old, size in pairwise((1, 2, 3, 100, 177, 255, 256)):
        for ranges in (consistency_ranges(old, size), inclusion_ranges(old, size)):
            ends = [0, *(at for each in sorted(ranges) for at in each), size]
            assert ends == sorted(ends)


def test_stored_subtrees_spare_the_reading() -> None:
    """A log of 3,000 leaves, with its complete subtrees of 256 and more kept as they closed."""
    hashes = [leaf_hash(b"%d" % n) for n in range(3_000)]
    kept: dict[tuple[int, int], bytes] = {}
    grown, read = Frontier(), list[int]()
    for each in hashes:
        for closed in grown.complete(each):
            if closed.level >= STORED_FROM:
                kept[closed.level, closed.index] = closed.hash

    def leaves(start: int, end: int) -> list[bytes]:
        read.append(end - start)
        return hashes[start:end]

    lean = reading(leaves, lambda level, index: kept.get((level, index)))
    full = reading(lambda start, end: hashes[start:end])
    for index in (0, 255, 256, 1_700, 2_047, 2_048, 2_999):
        read.clear()
        assert inclusion_proof(index, 3_000, lean) == inclusion_proof(index, 3_000, full)
        assert sum(read) < 512
    kept.pop((9, 0))
    assert consistency_proof(2_000, 3_000, lean) == consistency_proof(2_000, 3_000, full)


def test_a_leaf_hash_that_is_missing_is_named() -> None:
    with pytest.raises(ProofError, match="leaf hash 5 is missing"):
        inclusion_proof(0, 8, reading(lambda start, end: HASHES[start : min(end, 5)]))


def test_a_leaf_completes_every_subtree_that_it_ends() -> None:
    grown = Frontier()
    grown.extend(HASHES[:7])
    assert grown.complete(HASHES[7]) == [Complete(level, 7 >> level, STORED[level, 7 >> level]) for level in range(4)]
    assert grown.root() == ROOTS[8]
