"""What a store keeps for the vault, whatever the database: ciphertexts, and what they are bound to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from msgspec import Struct

from cycle.aggregates.base import LogName, StreamId


class WrappedKey(Struct, frozen=True):
    """A person's data key, wrapped by the key outside the database that ``key_id`` names."""

    stream: StreamId
    log: LogName
    key_id: str
    wrapped: bytes


class SealedOpening(Struct, frozen=True):
    """The opening of one field of one event, encrypted under its person's data key."""

    stream: StreamId
    field: str
    version: int
    log: LogName
    event: str
    sealed: bytes


class VaultChange(Struct, frozen=True):
    """What one save does to the vault, in its own transaction.

    ``superseded`` are (stream, field) whose openings go before the new ones come; of ``forgotten``
    streams nothing stays.
    """

    keys: Sequence[WrappedKey] = ()
    superseded: Sequence[tuple[StreamId, str]] = ()
    openings: Sequence[SealedOpening] = ()
    forgotten: Sequence[StreamId] = ()


class StoredOpening(NamedTuple):
    """An opening with the key that it needs, and where the leaf stands that holds its digest."""

    opening: SealedOpening
    key: WrappedKey
    log_index: int
    leaf: bytes


class VaultStore(ABC):
    """The vault's tables beside a log; they are written by ``Append.vault`` and by nobody else but these."""

    @abstractmethod
    def key(self, stream: StreamId) -> WrappedKey | None:
        """A person's key, or None."""

    @abstractmethod
    def openings(
        self, *, stream: StreamId | None = None, log: LogName | None = None, size: int | None = None
    ) -> list[StoredOpening]:
        """The openings of a person or of the first ``size`` leaves of a log, in order of index and field."""

    @abstractmethod
    def rewrap(self, turned: Callable[[WrappedKey], WrappedKey]) -> int:
        """Put another in the place of every key, all or nothing; returns how many are others now."""

    @abstractmethod
    def streams(self) -> set[StreamId]:
        """Of whom the vault holds anything."""

    @abstractmethod
    def forget(self, streams: Collection[StreamId]) -> None:
        """Destroy what the vault holds of these people, and clean up."""

    @abstractmethod
    def clean(self) -> bool:
        """Take what was destroyed out of the database's files as far as it can be; False: somebody is in the way."""
