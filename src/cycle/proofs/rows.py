"""The log as a database holds it, row by row: what an audit reads, and believes nothing of."""

from __future__ import annotations

from typing import NamedTuple


class Stored(NamedTuple):
    """A row of the log. Whoever can write to the database may have put anything into it."""

    position: int
    stream: str
    version: int
    type: str
    schema: int
    log: str
    log_index: int
    leaf_hash: bytes
    leaf: bytes


class Save(NamedTuple):
    """A receipt: the key of a command, and the positions of what it led to."""

    key: str
    first: int
    last: int
