"""What the engine asks of a store, whatever the database. The SQL store implements it.

One transaction per group of saves holds the events, their global positions, their index and
leaf hash in their log, and the receipt of each command's key.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from eventsourcing.persistence import ApplicationRecorder
from msgspec import Struct

from cycle.aggregates.base import LogName, StreamId
from cycle.catalogue import Language, template
from cycle.groups.shapes import LeaseStore
from cycle.identity.shapes import IdentityStore
from cycle.leaf import rfc3339
from cycle.proofs.rows import Save, Stored
from cycle.subscriptions.shapes import QueueStore
from cycle.turns import Turns
from cycle.vault.shapes import VaultChange, VaultStore
from cycle.webhooks.shapes import WebhookStore

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Select, Table

NOT_YET = datetime(1, 1, 1, microsecond=1, tzinfo=UTC)
"""The time of record of a fact that is not recorded; as wide as any other when it is written with microseconds."""
RECORDED_AT_HOLE = rfc3339(NOT_YET)
"""Stands in a new leaf where the store writes the commit time, under its lock."""
CONTENT_UNKNOWN = b""
"""The digest of a key that came with an imported log: the command's content is not in its events."""


class NewLeaf(Struct, frozen=True, gc=False):
    """A leaf on its way into the store: quacks as the library's ``StoredEvent``, and is cheap.

    ``state`` is the canonical bytes with ``RECORDED_AT_HOLE`` at offset ``hole``; ``topic`` is
    the event's type.
    """

    originator_id: str
    originator_version: int
    topic: str
    state: bytes
    id: str
    log: LogName
    schema: int
    hole: int


class StoredLeaf(NamedTuple):
    """A leaf as the store hands it back: quacks as the library's ``StoredEvent``, and is cheap."""

    originator_id: str
    originator_version: int
    topic: str
    state: bytes
    schema: int


Row = tuple[int, str, int, bytes]
"""One event in global order: position, type, schema and bytes."""


StreamRow = tuple[str, int, int, str, int, bytes]
"""One event in its stream: stream, version, position, type, schema and bytes."""


FeedRow = tuple[int, str, int, bytes]
"""One event in global order, with where it stands in its log: position, log, index and bytes."""


Cells = Mapping[str, int | str]
"""One row of a table by the names of its columns: bytes in hexadecimal, and nothing where there is nothing."""


class Claimed(NamedTuple):
    """A leaf that some log holds already, with the key and digest of the save that it is part of."""

    key: str
    digest: bytes
    leaf: NewLeaf


class Append(Struct, frozen=True):
    """One save: all of its leaves or none.

    ``leaves`` are in order, the versions of each stream contiguous; ``key`` and ``digest``
    (SHA-256 of the command's content) make it idempotent; ``log_sizes`` are logs that must not
    have grown since they were looked at. ``recorded_at`` overrides the store's clock (a log
    that is written from a given past); never earlier than what the log already holds. ``vault`` is
    what personal fields bring with them.
    """

    leaves: Sequence[NewLeaf]
    key: str
    digest: bytes
    log_sizes: tuple[tuple[LogName, int], ...] = ()
    recorded_at: datetime | None = None
    vault: VaultChange | None = None


class ReceiptLine(Struct, frozen=True, gc=False):
    """Where one fact stands: global position, and index and leaf hash (hex) in its log."""

    id: str
    type: str
    stream: StreamId
    version: int
    position: int
    log: LogName
    index: int
    leaf: str


class Receipt(Struct, frozen=True, gc=False):
    """What a command did. The same key with the same content gives the same receipt for ever."""

    key: str
    stream: StreamId
    version: int
    position: int
    recorded_at: datetime
    events: tuple[ReceiptLine, ...]


class Head(NamedTuple):
    """How far the store is: the last global position (0 when empty) and its commit time."""

    position: int
    recorded_at: datetime | None


class Conflict(Exception):  # noqa: N818
    """Somebody else wrote to the stream, or to a log that had to stay as it was, in between."""


class KeyReused(Exception):  # noqa: N818
    """The key was used before, for something else."""


def answer_again(key: str, digest: bytes, before: tuple[bytes, Receipt]) -> Receipt:
    """What a key that is known answers.

    Raises:
        KeyReused: it was used for something else.
    """
    if before[0] not in (digest, CONTENT_UNKNOWN):
        raise key_reused(key)
    return before[1]


def key_reused(key: str) -> KeyReused:
    return KeyReused(f"the key {key} was used before for something else: send this with a key of its own")


class Unavailable(Exception):  # noqa: N818
    """The store cannot be used now. Nothing was written.

    ``cause`` names what the catalogue says about it (``unavailable.<cause>``), ``what`` is what it
    is about: a file, a folder, the driver's own words; never an address with a password.
    """

    def __init__(self, cause: str, what: str = "") -> None:
        super().__init__(cause, what)
        self.cause, self.what = cause, what

    def told(self, language: Language) -> str:
        """Why, and what to do."""
        return template(f"unavailable.{self.cause}", language).format(what=self.what)

    def __str__(self) -> str:
        return self.told("en")


class Waker(Protocol):
    """Armed before the last look at the log, so that nothing is slept through."""

    def wait(self, timeout_seconds: float) -> bool:
        """Return True as soon as something may have been committed since the last call."""

    def wake(self) -> None:
        """End a wait from another thread."""

    def close(self) -> None: ...


class Moment(ABC):
    """Everything that is not derived, as it stood at one moment, however long it is read and whoever writes.

    ``tables`` names what there is beside the events, receipts first.
    """

    head: Head
    tables: Sequence[str]

    @abstractmethod
    def leaves(self) -> Iterator[bytes]:
        """The bytes of every event in order of position, as they arrive."""

    @abstractmethod
    def rows(self, table: str) -> Iterator[Cells]:
        """The rows of one of ``tables``, in an order that is the same on every database."""


class Loading(Moment):
    """The store under one hand: all that is written appears at once, or nothing of it."""

    @abstractmethod
    def write(self, saves: Iterable[Claimed], progress: Callable[[int], None]) -> int:
        """Append leaves as they are: positions and indexes go on from what is there.

        Neighbours with one key are one save; the key is known from then on.

        Returns:
            The last position.
        """

    @abstractmethod
    def fill(self, table: str, rows: Iterable[Cells]) -> None:
        """Write rows of one of ``tables``; those of the receipts come with ``write``.

        Raises:
            ValueError: a column is not known, or a cell is not of its type.
        """


class LogRecorder(ApplicationRecorder, ABC):
    """The library's recorder, with what an append-only log of leaves needs beside it."""

    database: Engine
    """For projections: same database, own connections."""
    vault: VaultStore
    """The openings of sealed fields, which are no part of the log."""
    identities: IdentityStore
    """What accounts sign in with, which is no part of the log either."""
    queue: QueueStore
    """What of the log waits for subscriptions."""
    leases: LeaseStore
    """Who has which of it."""
    webhooks: WebhookStore
    """The sealed secrets that sign what is sent."""
    turns: Turns
    """Work that one process does at a time."""
    grouped: Callable[[int, int], None] | None = None
    """Told of every group of saves that was committed together: how many, and how many new events."""

    @abstractmethod
    def append(self, save: Append) -> Receipt:
        """Store one save for good, or nothing of it.

        Raises:
            Conflict: a stream's version is taken or skips one, or a log of ``log_sizes`` grew.
            KeyReused: the key is known with another digest.
            Unavailable: disk full, read-only, connection lost: nothing was written.
        """

    @abstractmethod
    def demand_writable(self) -> None:
        """Find out whether a save could be written now, without writing.

        Raises:
            Unavailable: no, and why.
        """

    @abstractmethod
    def receipt(self, key: str) -> tuple[bytes, Receipt] | None:
        """The digest and receipt under a key, or None."""

    @abstractmethod
    def read_stream(
        self, stream: StreamId, *, after_version: int = 0, up_to_position: int | None = None
    ) -> Sequence[StoredLeaf]:
        """The leaves of one stream in order of version."""

    @abstractmethod
    def leaves(
        self,
        stream: StreamId,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Iterator[tuple[str, int, bytes]]:
        """Type, schema and bytes of a stream's leaves by version, as they arrive: all that a replay needs."""

    @abstractmethod
    def read_streams(
        self, streams: Sequence[str], *, up_to: int | None = None, types: Sequence[str] = ()
    ) -> Iterator[StreamRow]:
        """Leaves of some streams up to a position, those of each in order of version, as they arrive."""

    @abstractmethod
    def read_log(self, log: LogName, index: int) -> Iterator[Row]:
        """A log from an index on, as rows arrive: what is new in it is found at once, however long it is."""

    @abstractmethod
    def read(
        self,
        after: int,
        limit: int | None = None,
        *,
        up_to: int | None = None,
        log: LogName | None = None,
        types: Sequence[str] = (),
    ) -> Iterator[Row]:
        """Leaves in global order with ``after < position <= up_to``, at most ``limit``, as they arrive."""

    @abstractmethod
    def rows(self, query: Select[Any]) -> Iterator[tuple[Any, ...]]:
        """What a query of a derived table finds, as it arrives, and as the driver has it: a truth may be 0 or 1."""

    @abstractmethod
    def feed(
        self,
        after: int,
        up_to: int,
        limit: int,
        *,
        logs: Collection[str] | None = None,
        types: Collection[str] = (),
        stream: StreamId | None = None,
    ) -> tuple[int, Sequence[FeedRow]]:
        """The last position, and events of these logs (None: of all), types (none named: of all) and stream in order.

        ``after < position <= up_to``, at most ``limit``; of the others no more is read than what they are.
        """

    @abstractmethod
    def events_at(self, positions: Sequence[int]) -> Sequence[FeedRow]:
        """The events at these positions, in order; they may lie far apart."""

    @abstractmethod
    def count(
        self, after: int, up_to: int, most: int, *, logs: Collection[str] | None = None, types: Collection[str] = ()
    ) -> int:
        """How many events ``feed`` would show in a stretch; no further than ``most``."""

    @abstractmethod
    def tally(self, after: int, up_to: int) -> tuple[int, Mapping[tuple[str, str], int]]:
        """The last position, and how many events stand in a stretch, by log and type."""

    @abstractmethod
    def head(self) -> Head:
        """The last committed position and its time."""

    @abstractmethod
    def log_size(self, log: LogName, at: int | None = None) -> int:
        """How many leaves a log holds; ``at``: held at this position."""

    @abstractmethod
    def log_sizes(self) -> dict[str, int]:
        """Every log and how many leaves it holds, by the index of its last one."""

    @abstractmethod
    def stored(self, after: int, up_to: int) -> Generator[Stored]:
        """Whole rows with ``after < position <= up_to`` in order of position, as they arrive: for an audit.

        Who does not read to the end closes it, or it keeps what it sees alive in the database.
        """

    @abstractmethod
    def saves(self, after: int) -> Generator[Save]:
        """The receipts whose first position is above that, in its order; to be closed as ``stored``."""

    @abstractmethod
    def version_at(self, stream: StreamId, position: int) -> int:
        """The version that a stream had at a position; 0 before its first."""

    @abstractmethod
    def log_leaves(self, log: LogName, start: int, end: int) -> Iterator[tuple[bytes, bytes]]:
        """Bytes and stored hash of the leaves ``start`` up to but not including ``end`` of a log."""

    @abstractmethod
    def waker(self, pause_seconds: float = 0.0) -> Waker:
        """A new waker: in-process event and ``PRAGMA data_version``, or LISTEN.

        Between two of its answers lies the pause: many small looks cost more than a few.
        """

    @abstractmethod
    def add_rows(self, connection: Connection, table: Table, rows: Sequence[tuple[object, ...]]) -> None:
        """Write rows that are new into a table, by the thousand, in the transaction of a connection to ``database``.

        Raises:
            Conflict: a key is taken.
            Unavailable: disk full, read-only, connection lost.
        """

    @abstractmethod
    def alone(self) -> AbstractContextManager[None]:
        """Wait until nobody else is in here, of any process: for work that takes several transactions.

        Whoever dies in it lets go of it.

        Raises:
            Unavailable: it cannot be asked for.
        """

    @abstractmethod
    def moment(self) -> AbstractContextManager[Moment]:
        """The store as it is now, to be read in whatever time that takes; writers are not held up."""

    @abstractmethod
    def loading(self) -> AbstractContextManager[Loading]:
        """One transaction for leaves that come from elsewhere; writers wait until it ends.

        Raises:
            Conflict: a version, an index or a key is taken.
            Unavailable: disk full, read-only, connection lost: nothing was written.
        """
