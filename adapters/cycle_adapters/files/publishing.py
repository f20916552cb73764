"""A council's register as the French schema SCDL "Délibérations" (2.1.5) has it: what the importer reads again.

The schema tells no outcome: readers take it from the vote. Where the vote would tell another one than the council's
(a text deferred, say), the row stands without the vote, so that nothing false is read from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import IO

from msgspec import Struct

from cycle.aggregates.terms import Outcome, Votes
from cycle.exports.columns import Column, Kind
from cycle_adapters.files.register import Held
from cycle_adapters.tabular import CannotExport, write_csv

COLUMNS = tuple(
    Column(name, kind, source, unit, "scdl")
    for name, kind, source, unit in (
        ("COLL_NOM", Kind.TEXT, "projection communes.name", ""),
        ("COLL_SIRET", Kind.TEXT, "--siret", ""),
        ("DELIB_ID", Kind.TEXT, "log.data.number", ""),
        ("DELIB_DATE", Kind.DAY, "log.data.decided_on", "local-day"),
        ("DELIB_MATIERE_CODE", Kind.TEXT, "log.data.matter", ""),
        ("DELIB_MATIERE_NOM", Kind.TEXT, "log.data.matter", ""),
        ("DELIB_OBJET", Kind.TEXT, "log.data.subject", ""),
        ("BUDGET_ANNEE", Kind.TEXT, "", ""),
        ("BUDGET_NOM", Kind.TEXT, "", ""),
        ("PREF_ID", Kind.TEXT, "log.data.authority", ""),
        ("PREF_DATE", Kind.DAY, "log.data.transmitted_on", "local-day"),
        ("VOTE_EFFECTIF", Kind.WHOLE, "log.data.votes.in_office", "person"),
        ("VOTE_REEL", Kind.WHOLE, "log.data.votes.present", "person"),
        ("VOTE_POUR", Kind.WHOLE, "log.data.votes.in_favour", "voice"),
        ("VOTE_CONTRE", Kind.WHOLE, "log.data.votes.against", "voice"),
        ("VOTE_ABSTENTION", Kind.WHOLE, "log.data.votes.abstaining", "voice"),
        ("DELIB_URL", Kind.TEXT, "log.data.document", ""),
    )
)
"""All columns of the schema, in its order."""
SIRET = re.compile(r"[0-9]{14}")
_ACTES = re.compile(r"([0-9]\.[0-9]{1,2})\b")
"""A matter that begins with its code in the nomenclature ACTES."""
_URL = re.compile(r"https?://[^\s]+")


class Published(Struct, frozen=True):
    """What a file holds. ``untold``: rows without their outcome; ``wanting``: without a cell that the schema wants."""

    rows: int
    untold: int
    wanting: int


def demand_siret(given: str | None) -> None:
    """Raises:
    CannotExport: it is none.
    """
    if given is not None and not SIRET.fullmatch(given):
        raise CannotExport("bad-siret", given=given)


def publish(file: IO[bytes], register: Iterable[Held], name: str, siret: str | None) -> Published:
    """Write a register, the oldest decision first."""
    counted = _Counting(name, siret or "")
    rows = write_csv(file, COLUMNS, counted.rows(register))
    return Published(rows, counted.untold, counted.wanting)


class _Counting:
    """Rows on their way out."""

    def __init__(self, name: str, siret: str) -> None:
        self._name, self._siret = name, siret
        self.untold = self.wanting = 0

    def rows(self, register: Iterable[Held]) -> Iterator[tuple[str | int | date | None, ...]]:
        for held in register:
            votes = held.state.votes if _told(held.state.votes) is held.state.outcome else None
            matter = str(held.cells["matter"] or "")
            code = _ACTES.match(matter)
            self.untold += _told(votes) is not held.state.outcome
            self.wanting += not (self._siret and code and matter)
            document = str(held.cells["document"] or "")
            yield (
                self._name,
                self._siret,
                held.state.number,
                held.state.decided_on,
                code[1] if code else "",
                matter,
                held.state.subject,
                "",
                "",
                str(held.cells["authority"] or ""),
                held.state.transmitted_on,
                *(_counts(votes) if votes else (None,) * 5),
                document if _URL.fullmatch(document) else "",
            )


def _told(votes: Votes | None) -> Outcome:
    """The outcome that a reader takes from a row, as the importer does."""
    if votes is None:
        return Outcome.NOTED
    return Outcome.ADOPTED if votes.in_favour > votes.against else Outcome.REJECTED


def _counts(votes: Votes) -> tuple[int, ...]:
    return votes.in_office, votes.present, votes.in_favour, votes.against, votes.abstaining
