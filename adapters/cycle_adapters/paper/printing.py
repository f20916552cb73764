"""One way from a framework to its pages, whichever sheet it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from cycle.aggregates.acts import PaperExported
from cycle.aggregates.base import LogName
from cycle.aggregates.terms import FrameworkId, Sheet
from cycle.catalogue import Language
from cycle.history import EVERYTHING, Cutoffs
from cycle.reading import Reader
from cycle_adapters.paper.attendance import attendance_sheet
from cycle_adapters.paper.basis import Basis, basis
from cycle_adapters.paper.minutes import minutes_sheet
from cycle_adapters.paper.plan import plan_sheet
from cycle_adapters.paper.wording import Wording

Published = Callable[[LogName], bytes | None]
"""Gives the signed checkpoint of a log; None where nothing is sealed."""
SHEETS: Mapping[Sheet, Callable[[Basis, Wording, Any, bytes | None], bytes]] = {
    Sheet.PLAN: plan_sheet,
    Sheet.ATTENDANCE: attendance_sheet,
    Sheet.MINUTES: minutes_sheet,
}
"""What makes each sheet: of a cycle, or of a meeting."""


class Printed(Struct, frozen=True):
    """Pages, and what is to be recorded before they leave."""

    pages: bytes
    fact: PaperExported


def printed(
    sheet: Sheet,
    reader: Reader,
    framework: FrameworkId,
    language: Language,
    *,
    which: str | int | None = None,
    cutoffs: Cutoffs = EVERYTHING,
    published: Published,
) -> Printed:
    """A sheet as pages to print.

    Args:
        which: the cycle of a plan, the meeting of another sheet; None: the one that is meant now.

    Raises:
        PlaceUnknown, Forbidden: there is no framework that the account may read.
        CannotPrint: there is nothing to print.
    """
    of = basis(reader, framework, cutoffs)
    log = LogName(of.commune.code)
    pages = SHEETS[sheet](of, Wording(language), which, published(log))
    return Printed(pages, PaperExported(log, of.identity, sheet, of.position))
