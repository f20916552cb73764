"""What the rooms beside this one do for it: handed over where all are put together, known here by their shape."""

from __future__ import annotations

from typing import IO, Protocol

from msgspec import Struct

from cycle.aggregates.acts import PaperExported, TablesExported
from cycle.aggregates.base import LogName
from cycle.aggregates.terms import FrameworkId, Sheet
from cycle.catalogue import Language
from cycle.engine import Engine
from cycle.fanout.handing import Lag
from cycle.history import Cutoffs
from cycle.proofs.audit import Broken
from cycle.reading import Filters, Reader
from cycle.sealing import Consistency, Inclusion, LastSeal, SealedTo
from cycle.store import Receipt
from cycle.timings.measuring import By


class Seals(Protocol):
    """What is sealed of the logs, and what proves it."""

    def last(self) -> LastSeal:
        """When the registry was last signed."""

    def sealed(self, log: LogName) -> SealedTo | None:
        """How far a log is sealed; None where nothing is, or it cannot be read now."""

    def published(self, log: LogName | None) -> bytes | None:
        """The signed note of a log, or of the registry (None); None where nothing is sealed."""

    def note(self, log: LogName | None) -> bytes:
        """The signed note of a log, or of the registry (None).

        Raises:
            CannotSeal: nothing of it is sealed.
        """

    def inclusion(self, log: LogName, index: int, size: int | None) -> Inclusion:
        """Raises:
        CannotSeal, CannotProve: nothing is sealed, or not that.
        """

    def consistency(self, log: LogName, old_size: int, size: int | None) -> Consistency:
        """Raises:
        CannotSeal, CannotProve: nothing is sealed, or not that.
        """

    def bundle(self, engine: Engine, actor: str, log: LogName) -> IO[bytes]:
        """A log with its proofs as an archive, whose leaving is recorded.

        Raises:
            CannotSeal, Forbidden, Broken: nothing is sealed, the account may not, or the log does not hold.
        """

    def damage(self, engine: Engine) -> Broken | None:
        """The first place at which a log does not hold; None: all hold, or it cannot be told. Reads everything."""

    def signed(self, receipt: Receipt) -> str:
        """A receipt as signed notes, where the key is at hand; else nothing."""


class Published(Protocol):
    """Gives what is signed of a log."""

    def __call__(self, log: LogName, /) -> bytes | None: ...


class PublishedOfAll(Protocol):
    """The same; of the registry of all logs where none is named."""

    def __call__(self, log: LogName | None, /) -> bytes | None: ...


class Printed(Protocol):
    """Pages, and what is to be recorded before they leave."""

    @property
    def pages(self) -> bytes: ...

    @property
    def fact(self) -> PaperExported: ...


class Prints(Protocol):
    """Prints one sheet: ``which`` cycle or meeting."""

    def __call__(
        self,
        sheet: Sheet,
        reader: Reader,
        framework: FrameworkId,
        language: Language,
        *,
        which: str | int | None = None,
        cutoffs: Cutoffs = ...,
        published: Published,
    ) -> Printed: ...


class Reported(Protocol):
    """The pages of a report, and what is to be recorded before they leave."""

    @property
    def pages(self) -> bytes: ...

    @property
    def fact(self) -> TablesExported: ...


class Reports(Protocol):
    """Prints the evaluator's report; ``place``: what it is narrowed to, as it was named."""

    def __call__(
        self,
        reader: Reader,
        by: By | None,
        filters: Filters,
        language: Language,
        *,
        place: str | None = None,
        cutoffs: Cutoffs = ...,
        published: PublishedOfAll,
    ) -> Reported: ...


class Days(Protocol):
    """Writes meetings and deadlines for a calendar; ``of``: what it is called after."""

    def __call__(
        self, reader: Reader, filters: Filters, language: Language, *, cutoffs: Cutoffs = ..., of: str | None = None
    ) -> bytes: ...


class Fanned(Protocol):
    """Says how far what is handed on is behind the log; None: nothing is handed on here.

    Raises:
        Failure: it cannot be told.
    """

    def __call__(self, engine: Engine, /) -> Lag | None: ...


class Rooms(Struct, frozen=True):
    """All of them."""

    seals: Seals
    prints: Prints
    reports: Reports
    days: Days
    fanned: Fanned
