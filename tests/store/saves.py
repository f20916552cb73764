"""Leaves and saves for the tests of the store."""

from __future__ import annotations

from datetime import UTC, date, datetime
from hashlib import sha256

from cycle.aggregates.base import By, LogName, Recorded, Role, StreamId
from cycle.aggregates.framework.monitoring import ProgressReported
from cycle.aggregates.terms import ActionId
from cycle.codec import new_leaf
from cycle.store import Append, NewLeaf


def leaf(stream: str, version: int, *, log: str = "ML-4-01-01", key: str = "k", note: str = "à moitié") -> NewLeaf:
    """The leaf of one plausible fact."""
    return new_leaf(
        Recorded(
            by=By("awa", Role.COMMITTEE),
            causation=key,
            command="report-progress",
            correlation=key,
            data=ProgressReported(ActionId("A-1"), min(version, 100), note),
            id=f"{stream}-{version}",
            log=LogName(log),
            occurred_on=date(2026, 3, 1),
            recorded_at=datetime(1, 1, 1, tzinfo=UTC),
            schema=1,
            stream=StreamId(stream),
            type="progress-reported",
            version=version,
        )
    )


def save(
    stream: str, first: int = 1, many: int = 1, *, key: str = "", log: str = "ML-4-01-01", note: str = "à moitié",
    **more: object,
) -> Append:  # fmt: skip
    """A save of ``many`` leaves of one stream; the key is its own unless given."""
    key = key or f"{stream}/{first}"
    leaves = tuple(leaf(stream, version, log=log, key=key, note=note) for version in range(first, first + many))
    return Append(leaves, key, sha256(f"{stream}{first}{many}".encode()).digest(), **more)  # type: ignore[arg-type]
