"""From saves to rows, the same for both databases: splice the time of record, hash, receipts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from cycle.aggregates.base import LogName, StreamId
from cycle.leaf import leaf_hash
from cycle.store import RECORDED_AT_HOLE, Append, Conflict, KeyReused, Receipt, ReceiptLine, answer_again
from cycle.vault.shapes import VaultChange

WIDTH = len(RECORDED_AT_HOLE)


read = datetime.fromisoformat


def splice(leaf: bytes, hole: int, recorded_at: bytes) -> bytes:
    return leaf[:hole] + recorded_at + leaf[hole + WIDTH :]


class _Envelope(Struct):
    id: str
    recorded_at: str


_envelope = msgspec.json.Decoder(_Envelope).decode


def recorded_at(leaf: bytes) -> str:
    """When the system learned of a fact, as its leaf says it."""
    return _envelope(leaf).recorded_at


StoredLine = tuple[int, str, int, str, str, int, bytes, bytes]
"""position, stream, version, type, log, log_index, leaf_hash, leaf"""


def receipt_of(key: str, lines: Sequence[StoredLine]) -> Receipt:
    """The receipt of a save, from its rows."""
    found = []
    for position, stream, version, kind, log, index, digest, leaf in lines:
        found.append(
            ReceiptLine(
                _envelope(bytes(leaf)).id, kind, StreamId(stream), version, position, LogName(log), index,
                bytes(digest).hex(),
            )
        )  # fmt: skip
    last = found[-1]
    recorded_at = read(_envelope(bytes(lines[-1][7])).recorded_at)
    return Receipt(key, last.stream, last.version, last.position, recorded_at, tuple(found))


def first_versions(save: Append) -> dict[str, int]:
    """The first version of each stream of a save.

    Raises:
        Conflict: its versions are not contiguous.
    """
    leaves = save.leaves
    if len(leaves) == 1:
        return {leaves[0].originator_id: leaves[0].originator_version}
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for leaf in leaves:
        stream, version = leaf.originator_id, leaf.originator_version
        if last.setdefault(stream, version - 1) != version - 1:
            raise Conflict("the versions of a save are not contiguous")
        first.setdefault(stream, version)
        last[stream] = version
    return first


def receipt_of_new(save: Append, first: int, recorded_at: str, indexes: dict[str, int]) -> Receipt:
    """The receipt of a save that was stored just now; ``indexes`` is each log's first new index."""
    time, following, lines = recorded_at.encode(), dict(indexes), []
    for position, leaf in enumerate(save.leaves, first):
        index = following[leaf.log]
        following[leaf.log] = index + 1
        digest = leaf_hash(splice(leaf.state, leaf.hole, time)).hex()
        stream = StreamId(str(leaf.originator_id))
        lines.append(
            ReceiptLine(leaf.id, leaf.topic, stream, leaf.originator_version, position, leaf.log, index, digest)
        )
    last = lines[-1]
    return Receipt(save.key, last.stream, last.version, last.position, read(recorded_at), tuple(lines))


def known_key(save: Append, before: tuple[bytes, Receipt]) -> Receipt | KeyReused:
    """The outcome of a save whose key is known."""
    try:
        return answer_again(save.key, save.digest, before)
    except KeyReused as reused:
        return reused


Run = Callable[[str, Sequence[Any]], object]

_WRITES = (
    "INSERT INTO vault_keys (stream, log, key_id, wrapped) VALUES (?, ?, ?, ?)",
    "DELETE FROM vault_openings WHERE stream = ? AND field = ?",
    "INSERT INTO vault_openings (stream, field, version, log, event, sealed) VALUES (?, ?, ?, ?, ?, ?)",
)
_FORGET = (
    "DELETE FROM vault_openings WHERE stream = ?",
    "DELETE FROM vault_keys WHERE stream = ?",
    "INSERT INTO vault_cleaning (stream) VALUES (?) ON CONFLICT (stream) DO NOTHING",
)


def write_vault(run: Run, change: VaultChange, mark: str = "?") -> None:
    """Write a save's part of the vault, in the transaction of its events; ``run`` is the driver's."""
    keys, superseded, openings = (statement.replace("?", mark) for statement in _WRITES)
    for key in change.keys:
        run(keys, (key.stream, key.log, key.key_id, key.wrapped))
    for place in change.superseded:
        run(superseded, place)
    for each in change.openings:
        run(openings, (each.stream, each.field, each.version, each.log, each.event, each.sealed))
    for stream in change.forgotten:
        for statement in _FORGET:
            run(statement.replace("?", mark), (stream,))
