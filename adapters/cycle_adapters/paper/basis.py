"""What a sheet rests on: the facts of one framework inside the cut-offs, and how far the log has come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from msgspec import Struct

from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.state import Framework
from cycle.aggregates.terms import FrameworkId
from cycle.engine import stream_of
from cycle.failures import REFUSED, Failure
from cycle.history import EVERYTHING, Cutoffs, Fact
from cycle.projections.base import Projection, R
from cycle.projections.folding import folded
from cycle.projections.frameworks import MemberRow, members
from cycle.projections.places import CommuneRow, communes
from cycle.reading import Filters, Reader


class CannotPrint(Failure):
    """There is nothing to print, or not yet."""

    kind = "cannot-print"
    code = "cannot-print"
    exit_code = REFUSED


class Basis(Struct, frozen=True):
    """``leaves`` are how many facts of the commune's log there are up to ``position``, the last that counts."""

    reader: Reader
    cutoffs: Cutoffs
    commune: CommuneRow
    state: Framework
    facts: tuple[Fact, ...]
    history: tuple[Fact, ...]
    """The facts of the whole commune, inside the cut-offs."""
    position: int
    recorded_at: datetime
    leaves: int
    size: int
    """How many facts the log holds by now."""
    members: dict[str, MemberRow]

    @property
    def identity(self) -> FrameworkId:
        return self.state.id

    def rows(self, projection: Projection[R]) -> list[R]:
        """Rows of this framework, inside the cut-offs."""
        return rows(projection, self.reader, self.cutoffs, self.history, self.commune.code, self.identity)

    def member(self, number: str | None) -> str:
        """``Coopérative Benkadi (MB-2)``, of those who left as well."""
        row = self.members.get(number or "")
        return f"{row.name} ({number})" if row else number or "—"


def basis(reader: Reader, identity: FrameworkId, cutoffs: Cutoffs = EVERYTHING) -> Basis:
    """Read what a sheet rests on.

    Raises:
        PlaceUnknown: there is no such framework, or the account may not read it.
        Forbidden: the account may not read its history.
        CannotPrint: nothing of it is inside the cut-offs.
    """
    code = reader.find(identity).commune
    history = reader.facts(code, cutoffs)
    stream = stream_of(framework, identity)
    facts = tuple(fact for fact in history if fact.recorded.stream == stream)
    if not facts:
        raise CannotPrint("nothing-then").about(identity)
    last = history[-1].recorded
    named = rows(members, reader, cutoffs, history, code, identity)
    return Basis(
        reader=reader,
        cutoffs=cutoffs,
        commune=rows(communes, reader, cutoffs, history, code)[0],
        state=reader.state(facts),
        facts=facts,
        history=tuple(history),
        position=history[-1].position,
        recorded_at=last.recorded_at,
        leaves=reader.engine.store.log_size(last.log, history[-1].position),
        size=reader.engine.store.log_size(last.log),
        members={row.member: row for row in named},
    )


def rows(
    projection: Projection[R],
    reader: Reader,
    cutoffs: Cutoffs,
    history: Sequence[Fact],
    code: str,
    identity: FrameworkId | None = None,
) -> list[R]:
    """Rows of a commune, or of one framework in it: those that are kept, or of a past moment what its facts lead to.

    Raises:
        Forbidden: the account may not read them.
    """
    if cutoffs == EVERYTHING:
        return cast("list[R]", reader.rows(projection.name, Filters(commune=code, framework=identity)))
    found = folded(projection, history)
    return [row for _, row in sorted(found.items()) if identity in (None, getattr(row, "framework", None))]
