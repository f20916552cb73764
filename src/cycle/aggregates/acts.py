"""Acts on the platform: what left the log, what came into it, who was refused. Facts of the ``platform`` log.

Each account has one stream of them, written by the acts themselves; no command says them, so nobody
can record an export that was none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from cycle.aggregates.base import Aggregate, Event, LogName
from cycle.aggregates.terms import Code, CommuneCode, ExportForm, FrameworkId, Sheet, Territory

if TYPE_CHECKING:
    from cycle.aggregates.known import Known


class EventsExported(Event):
    """``of``: the log, or everything. Recorded before the first byte leaves."""

    up_to: int
    of: LogName | None = None


class BundleExported(Event):
    of: LogName
    size: int


class PaperExported(Event):
    """A sheet was printed; ``up_to`` is the last position of the log ``of`` that it rests on."""

    of: LogName
    framework: FrameworkId
    sheet: Sheet
    up_to: int


class CalendarExported(Event):
    """The days of one commune, or of all that the account may read; ``up_to`` is how far the log had come."""

    up_to: int
    of: LogName | None = None


class TablesExported(Event):
    """Facts and tables for evaluation, of one commune or of all that the account may carry away; without persons."""

    up_to: int
    form: ExportForm
    of: LogName | None = None


class BackupMade(Event):
    up_to: int


class DeliberationsImported(Event):
    """How many were recorded or completed; each says itself out of which file it came."""

    of: CommuneCode
    count: int


class AttemptRefused(Event):
    """Somebody with an account tried what no grant of his covers: the first time of that day."""

    act: Code
    territory: Territory


class TerritoryMoved(Event):
    """A commune has other parents: whatever was known of its path is looked up again."""

    commune: CommuneCode


class Acts(Struct, frozen=True):
    """Nothing is decided on what was done."""

    version: int = 0


acts: Aggregate[Acts, Known] = Aggregate("acts", Acts())
acts.ignores(
    EventsExported,
    BundleExported,
    PaperExported,
    CalendarExported,
    TablesExported,
    BackupMade,
    DeliberationsImported,
    AttemptRefused,
    TerritoryMoved,
)
