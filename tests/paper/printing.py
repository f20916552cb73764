"""Each sheet as a test asks for it: its pages alone."""

from __future__ import annotations

from cycle.aggregates.terms import FrameworkId, Sheet
from cycle.catalogue import Language
from cycle.history import EVERYTHING, Cutoffs
from cycle.reading import Reader
from cycle_adapters.paper.printing import printed


def plan_pdf(
    reader: Reader,
    framework: FrameworkId,
    language: Language,
    *,
    cycle: int | None = None,
    cutoffs: Cutoffs = EVERYTHING,
    note: bytes | None = None,
) -> bytes:
    return pages(Sheet.PLAN, reader, framework, language, cycle, cutoffs, note)


def attendance_pdf(reader: Reader, framework: FrameworkId, language: Language, *, meeting: str | None = None) -> bytes:
    return pages(Sheet.ATTENDANCE, reader, framework, language, meeting)


def minutes_pdf(reader: Reader, framework: FrameworkId, language: Language, *, meeting: str | None = None) -> bytes:
    return pages(Sheet.MINUTES, reader, framework, language, meeting)


def pages(
    sheet: Sheet,
    reader: Reader,
    framework: FrameworkId,
    language: Language,
    which: str | int | None,
    cutoffs: Cutoffs = EVERYTHING,
    note: bytes | None = None,
) -> bytes:
    """``note`` is what is published of the commune's log."""
    found = printed(sheet, reader, framework, language, which=which, cutoffs=cutoffs, published=lambda log: note)
    return found.pages
