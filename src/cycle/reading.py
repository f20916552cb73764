"""What the doors read: rows of projections, live or as of a past moment, and histories of places."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any, cast

from msgspec import Struct
from sqlalchemy import MetaData, Select, make_url, select
from sqlalchemy.exc import ArgumentError

from cycle.access import READING, Action, Forbidden, declared
from cycle.aggregates.account import Path as TerritoryPath
from cycle.aggregates.base import Event, LogName, Recorded
from cycle.aggregates.corrections import FactCorrected
from cycle.aggregates.framework.decision import Option
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.state import Framework, Stage
from cycle.aggregates.terms import DeadlineKind, FrameworkId
from cycle.engine import Engine, stream_of
from cycle.history import EVERYTHING, Cutoffs, Fact
from cycle.past import Frameworks, SideBySide, of_frameworks, types_for
from cycle.projections.all import PROJECTIONS
from cycle.projections.audit import AuditRow
from cycle.projections.base import Row
from cycle.projections.folding import folded
from cycle.projections.frameworks import FrameworkRow, frameworks
from cycle.projections.meetings import CalendarRow, calendar
from cycle.projections.places import CommuneRow, communes
from cycle.projections.plans import CommitmentRow, commitments
from cycle.projections.requests import RequestRow, requests
from cycle.projections.runner import Runner
from cycle.store import Unavailable
from cycle.territory import codes_within

declared(PROJECTIONS, READING)


class PlaceUnknown(LookupError):  # noqa: N818
    """No commune or framework is called so."""


class PlaceAmbiguous(LookupError):  # noqa: N818
    """Several communes or frameworks are called so; ``candidates`` names them."""

    def __init__(self, place: str, candidates: Sequence[str]) -> None:
        super().__init__(place)
        self.candidates = tuple(candidates)


class Place(Struct, frozen=True):
    """A commune, or one framework in it."""

    commune: str
    framework: str | None = None


class Filters(Struct, frozen=True):
    """Which rows. ``commune`` and ``framework`` are ids; ``circle`` and ``region`` are names."""

    commune: str | None = None
    framework: str | None = None
    circle: str | None = None
    region: str | None = None
    sector: str | None = None


def is_missing(database: str) -> bool:
    """Whether this is the address of a SQLite file that does not exist, in a folder that does."""
    try:
        url = make_url(database)
    except ArgumentError:
        return False
    path = Path(url.database or "")
    return url.drivername == "sqlite" and not path.exists() and path.absolute().parent.is_dir()


def opened(database: str) -> Engine:
    """An engine to read with: only who writes makes a database.

    Raises:
        Unavailable: there is no such database, or it cannot be used.
    """
    if is_missing(database):
        raise Unavailable("no-database", make_url(database).database or "")
    return Engine(database)


class Page(Struct, frozen=True):
    """Some rows in the order of their keys. ``after``: the key behind which to go on; None: that was all."""

    rows: Sequence[Row]
    after: str | None = None


class Overdue(Struct, frozen=True):
    """Something whose day has gone by: the end of a plan, a meeting, the needs, an action, a contribution."""

    framework: str
    kind: DeadlineKind
    about: str
    day: date
    days: int
    text: str | None = None
    member: str | None = None
    """Who promised it."""


class Reader:
    """Reads for one engine and one account, and no more than this account may read.

    A list leaves out what lies elsewhere; a place that is named and lies elsewhere is refused, or
    unknown as what does not exist is. Live rows are brought up to date before they are read.
    """

    def __init__(self, engine: Engine, actor: str, runner: Runner | None = None) -> None:
        self.engine = engine
        self.actor = actor
        self.runner = runner or Runner(engine.store, engine.leaves)

    def acting_as(self, actor: str) -> Reader:
        """The same for another account."""
        return Reader(self.engine, actor, self.runner)

    def catch_up(self) -> int:
        """Learn what is new about accounts, fold what is new; returns the position that all projections have."""
        self.engine.door.refresh()
        return self.runner.catch_up()

    def _may(self, question: str, commune: str | None = None) -> tuple[TerritoryPath, ...]:
        """The territories in which the account may ask this; at least the commune that is named.

        Raises:
            Forbidden: nowhere, or not there.
        """
        door, action = self.engine.door, self._asked(question)
        for again in (True, False):
            path, zone = door.home(LogName(commune)) if commune else (None, "")
            known = door.now
            try:
                door.let(known, self.actor, action, path, zone=zone)
            except Forbidden as forbidden:
                door.refresh()
                # Another thread may have read what is new.
                if again and door.now is not known:
                    continue
                door.note(None, forbidden)
                raise
            break
        return door.now.readable(self.actor, action, door.today())

    def _asked(self, question: str) -> Action:
        """What it takes to ask this."""
        return READING[question]

    def readable(self, question: str, commune: str | None = None) -> frozenset[str] | None:
        """The communes in whose logs the account may ask this; None: in all logs, and that of the platform.

        Raises:
            Forbidden: nowhere, or not in the commune that is named.
        """
        return self._readable(self._may(question, commune))

    def _readable(self, territories: tuple[TerritoryPath, ...]) -> frozenset[str] | None:
        """The codes of the communes in some territories; None: of everything."""
        codes = codes_within(territories)
        if codes is None:
            return None
        return frozenset(code for (code,) in self._selected(codes))

    def rows(self, name: str, filters: Filters = Filters(), cutoffs: Cutoffs = EVERYTHING) -> list[Row]:  # noqa: B008
        """Rows of a projection in the order of their keys.

        Raises:
            Forbidden: the account may read it nowhere, or not in the commune that is named.
            KeyError: there is no such projection.
        """
        return [row for _, row in self._rows(name, filters, cutoffs)]

    def each(self, name: str, filters: Filters, cutoffs: Cutoffs) -> Iterator[Row]:
        """The same one by one, of however many there are.

        Raises:
            Forbidden, KeyError: as ``rows``.
        """
        return (row for _, row in self._found(name, filters, cutoffs))

    def together(self, filters: Filters, cutoffs: Cutoffs) -> Callable[[str], Iterator[Row]]:
        """``each`` of several tables, by its name, for whoever reads them side by side.

        Of a past moment, what is of frameworks is found in one pass over the log.

        Raises (when the first row of one of them is read):
            Forbidden, KeyError: as ``rows``.
        """
        if cutoffs == EVERYTHING:
            return lambda name: self.each(name, filters, cutoffs)

        def begin(names: Sequence[str]) -> Iterator[Sequence[Sequence[Row]]]:
            pieces = self._as_they_were(names, filters, cutoffs)
            return ([[row for _, row in rows] for rows in piece] for piece in pieces)

        shared = SideBySide(begin)
        return lambda name: shared(name) if of_frameworks(PROJECTIONS[name]) else self.each(name, filters, cutoffs)

    def page(self, name: str, filters: Filters, cutoffs: Cutoffs, limit: int, after: str = "") -> Page:
        """At most so many rows behind a key: whoever goes on meets each row once, whatever is written meanwhile.

        Raises:
            Forbidden, KeyError: as ``rows``.
        """
        found = self._rows(name, filters, cutoffs, after, limit + 1)
        return Page([row for _, row in found[:limit]], found[limit - 1][0] if len(found) > limit else None)

    def _rows(
        self, name: str, filters: Filters, cutoffs: Cutoffs, after: str = "", limit: int | None = None
    ) -> list[tuple[str, Row]]:
        return list(self._found(name, filters, cutoffs, after, limit))

    def _found(
        self, name: str, filters: Filters, cutoffs: Cutoffs, after: str = "", limit: int | None = None
    ) -> Iterator[tuple[str, Row]]:
        territories = self._may(name, filters.commune)
        if cutoffs == EVERYTHING:
            return self._live(name, filters, territories, after, limit)
        return islice(self._of_past(name, filters, territories, cutoffs, after), limit)

    def _of_past(
        self, name: str, filters: Filters, territories: tuple[TerritoryPath, ...], cutoffs: Cutoffs, after: str = ""
    ) -> Iterator[tuple[str, Row]]:
        projection = PROJECTIONS[name]
        if of_frameworks(projection):
            pieces = self._as_they_were([name], filters, cutoffs, after.partition("/")[0])
            return ((key, row) for [rows] in pieces for key, row in rows if key > after)
        own, place = self._readable(territories), self.codes(filters, cutoffs)
        chosen = self._frameworks(filters, cutoffs)
        facts = self._past(types_for(projection, cutoffs), self._logs(filters, own, place), cutoffs.at)
        # What is appended for good shows each fact as it was recorded; its corrections are rows of their own.
        found = folded(projection, cutoffs.cut(facts, corrected=not projection.appends))
        return (
            (key, row)
            for key, row in sorted(found.items())
            if key > after
            and (own is None or row.commune in own)
            and (place is None or row.commune in place)
            and (chosen is None or _framework(row) in chosen)
        )

    def _as_they_were(
        self, names: Sequence[str], filters: Filters, cutoffs: Cutoffs, begin: str = ""
    ) -> Iterator[Sequence[Sequence[tuple[str, Row]]]]:
        """Framework by framework, from one on: the rows of each of some tables inside some cut-offs, by their keys."""
        owns = [self.readable(name, filters.commune) for name in names]
        place, chosen = self.codes(filters, cutoffs), self._frameworks(filters, cutoffs)
        table = frameworks.table_named(frameworks.name, MetaData())
        query = select(table.c.key, table.c.commune).where(table.c.key >= begin).order_by(table.c.key)
        if place is not None:
            query = query.where(table.c.commune.in_(place))
        if chosen is not None:
            query = query.where(table.c.key.in_(chosen))
        homes = {
            framework: commune
            for framework, commune in self._selected(query)
            if any(own is None or commune in own for own in owns)
        }
        past = Frameworks(self.engine.store, self.engine.leaves, [PROJECTIONS[name] for name in names], cutoffs)
        return (
            [rows if own is None or home in own else [] for own, rows in zip(owns, each, strict=True)]
            for home, each in zip(homes.values(), past.rows(homes), strict=True)
        )

    def _logs(self, filters: Filters, own: frozenset[str] | None, place: Sequence[str] | None) -> Iterable[str | None]:
        """The logs in which a question about the past looks; None: everywhere at once."""
        if place is None and filters.framework is not None:
            place = [row.commune for row in self.frameworks() if row.framework == filters.framework]
        codes = own if place is None else place
        return (None,) if codes is None else sorted(codes)

    def _past(self, types: Sequence[str], logs: Iterable[str | None], at: int | None) -> Iterator[Fact]:
        for log in logs:
            yield from self._read(log, types, at)

    def _live(
        self, name: str, filters: Filters, territories: tuple[TerritoryPath, ...], after: str, limit: int | None
    ) -> Iterator[tuple[str, Row]]:
        projection = PROJECTIONS[name]
        table = projection.table_named(name, MetaData())
        query = select(table.c.key, *(table.c[field.name] for field in projection.fields)).order_by(table.c.key)
        query = query.where(table.c.key > after).limit(limit)
        own = codes_within(territories)
        if own is not None:
            query = query.where(table.c.commune.in_(own))
        place, chosen = self.codes(filters), self._frameworks(filters, EVERYTHING)
        if place is not None:
            query = query.where(table.c.commune.in_(place))
        if chosen is not None and "framework" in table.c:
            query = query.where(table.c.framework.in_(chosen))
            if len(chosen) == 1 and projection.framed:
                query = query.where(table.c.key >= chosen[0], table.c.key < f"{chosen[0]}0")
        elif chosen is not None and "stream" in table.c:
            query = query.where(table.c.stream.in_([f"framework-{identity}" for identity in chosen]))
        from_columns = projection.from_columns
        for key, *columns in self._selected(query):
            yield key, from_columns(columns)

    def _selected(self, query: Select[Any]) -> Iterator[tuple[Any, ...]]:
        """What a question about live rows finds."""
        return self.engine.store.rows(query)

    def codes(self, filters: Filters, cutoffs: Cutoffs = EVERYTHING) -> list[str] | None:
        """The communes that are asked for; None: all."""
        if filters.commune is not None:
            return [filters.commune]
        if filters.circle is None and filters.region is None:
            return None
        return [
            row.code
            for row in self.communes(cutoffs)
            if (filters.circle is None or plain(row.circle) == plain(filters.circle))
            and (filters.region is None or plain(row.region) == plain(filters.region))
        ]

    def _frameworks(self, filters: Filters, cutoffs: Cutoffs) -> list[str] | None:
        if filters.framework is not None:
            return [filters.framework]
        if filters.sector is None:
            return None
        without = Filters(filters.commune, None, filters.circle, filters.region)
        found = cast("list[FrameworkRow]", self.rows(frameworks.name, without, cutoffs))
        return [row.framework for row in found if filters.sector in row.sectors]

    def overdue(self, on: date, filters: Filters = Filters(), cutoffs: Cutoffs = EVERYTHING) -> list[Overdue]:  # noqa: B008
        """What should have happened before a day and has not: plans first, then as they were due."""
        days = cast("list[CalendarRow]", self.rows(calendar.name, filters, cutoffs))
        promises = cast("list[CommitmentRow]", self.rows(commitments.name, filters, cutoffs))
        dissolved = {row.framework for row in self.frameworks(cutoffs) if row.stage is Stage.DISSOLVED}
        found = [
            Overdue(row.framework, row.kind, row.about, row.day, (on - row.day).days, row.text)
            for row in days
            if row.day < on and row.status in ("open", "passed") and row.kind is not DeadlineKind.CONTRIBUTION
        ]
        found += [
            Overdue(
                row.framework,
                DeadlineKind.CONTRIBUTION,
                row.contribution,
                row.due_on,
                (on - row.due_on).days,
                member=row.member,
            )
            for row in promises
            if row.due_on is not None and row.due_on < on and row.status in ("pledged", "partly-received")
        ]
        living = (each for each in found if each.framework not in dissolved)
        return sorted(living, key=lambda each: (each.framework, _FIRST.index(each.kind), each.day))

    def communes(self, cutoffs: Cutoffs = EVERYTHING) -> list[CommuneRow]:
        """Every commune, named and placed as it was inside the cut-offs."""
        return cast("list[CommuneRow]", self.rows(communes.name, cutoffs=cutoffs))

    def frameworks(self, cutoffs: Cutoffs = EVERYTHING) -> list[FrameworkRow]:
        return cast("list[FrameworkRow]", self.rows(frameworks.name, cutoffs=cutoffs))

    def find(self, place: str) -> Place:
        """A commune or framework by code, id, beginning or end of an id, name or alias.

        Raises:
            PlaceUnknown, PlaceAmbiguous: with what to name instead.
        """
        wanted = plain(place)
        named = [
            Place(row.code)
            for row in self.communes()
            if row.code.casefold() == place.casefold() or wanted in map(plain, (row.name, *row.aliases))
        ]
        try:
            own = self.frameworks()
        except Forbidden:
            # Where the communes are may be known to everybody.
            if not named:
                raise
            own = []
        whole = [Place(row.commune, row.framework) for row in own if row.framework == place]
        part = [
            Place(row.commune, row.framework)
            for row in own
            if len(place) >= 4 and (row.framework.startswith(place) or row.framework.endswith(place))
        ]
        found = whole or named or part
        if not found:
            raise PlaceUnknown(place)
        if len(found) > 1:
            raise PlaceAmbiguous(place, [p.framework or p.commune for p in found])
        return found[0]

    def find_framework(self, place: str) -> FrameworkId:
        """A framework by its id, or by the name of a commune that has one living framework.

        Raises:
            PlaceUnknown, PlaceAmbiguous: with what to name instead.
        """
        found = self.find(place)
        if found.framework is not None:
            return FrameworkId(found.framework)
        own = cast("list[FrameworkRow]", self.rows(frameworks.name, Filters(commune=found.commune)))
        living = [row for row in own if row.stage != "dissolved"] or own
        if not living:
            raise PlaceUnknown(place)
        if len(living) > 1:
            raise PlaceAmbiguous(place, [row.framework for row in living])
        return FrameworkId(living[0].framework)

    def facts(self, commune: str | None = None, cutoffs: Cutoffs = EVERYTHING, *, corrected: bool = True) -> list[Fact]:
        """The history of a commune (all of its streams), or of all that the account may read, inside the cut-offs.

        Raises:
            Forbidden: the account may read it nowhere, or not in the commune that is named.
        """
        own = self._readable(self._may("replay", commune))
        read = self._read(commune, at=cutoffs.at)
        facts = (fact for fact in read if own is None or fact.recorded.log in own)
        return cutoffs.cut(facts, corrected=corrected)

    def framework_facts(self, identity: str, cutoffs: Cutoffs = EVERYTHING) -> list[Fact]:
        """The history of one framework, inside the cut-offs.

        Raises:
            PlaceUnknown: there is none, or the account may not read it.
        """
        commune = self._home(identity)
        self._may("replay", commune)
        stream = stream_of(framework, identity)
        return cutoffs.cut(fact for fact in self._read(commune, at=cutoffs.at) if fact.recorded.stream == stream)

    def corrections(self, commune: str | None = None, cutoffs: Cutoffs = EVERYTHING) -> list[Fact]:
        """The corrections among ``facts``, without reading the others where nothing is cut off.

        Raises:
            Forbidden: as for ``facts``.
        """
        if cutoffs != EVERYTHING:
            return [fact for fact in self.facts(commune, cutoffs) if isinstance(fact.recorded.data, FactCorrected)]
        own = self._readable(self._may("replay", commune))
        facts = self._read(commune, (FactCorrected.type,))
        return [fact for fact in facts if own is None or fact.recorded.log in own]

    def requests(self, identity: FrameworkId, on: date) -> list[RequestRow]:
        """What is asked for in a framework and can be confirmed by a second person on a day."""
        found = cast("list[RequestRow]", self.rows(requests.name, Filters(framework=identity)))
        return [row for row in found if row.waits(on)]

    def _home(self, identity: str) -> str:
        """The commune of a framework that the account may read."""
        for row in self.frameworks():
            if row.framework == identity:
                return row.commune
        raise PlaceUnknown(identity)

    def options(self, identity: FrameworkId, on: date | None = None) -> tuple[Option, ...]:
        """What may happen next in a framework, and what keeps the rest from happening.

        Raises:
            PlaceUnknown: there is none, or the account may not read it.
        """
        self._may("next", self._home(identity))
        return self.engine.options(identity, on)

    def framework(self, identity: FrameworkId) -> Framework:
        """The state of a framework now.

        Raises:
            PlaceUnknown: there is none, or the account may not read it.
        """
        self._may("frameworks", self._home(identity))
        return self.engine.framework(identity)

    def history(self, identity: FrameworkId) -> list[Recorded[Event]]:
        """The facts of a framework as they are believed now.

        Raises:
            PlaceUnknown: there is none, or the account may not read it.
        """
        self._may("replay", self._home(identity))
        return self.engine.states.history(stream_of(framework, identity))

    def _read(self, commune: str | None, types: Sequence[str] = (), at: int | None = None) -> Iterator[Fact]:
        leaves, log = self.engine.leaves, LogName(commune) if commune else None
        for position, topic, schema, leaf in self.engine.store.read(0, up_to=at, log=log, types=types):
            yield Fact(position, leaves[topic, schema](leaf))

    def state(self, history: Sequence[Fact]) -> Framework:
        """The state of a framework that a history leads to."""
        return framework.fold(framework.initial, (fact.recorded for fact in history))


_FIRST = [DeadlineKind.PLAN, DeadlineKind.NEEDS, DeadlineKind.MEETING, DeadlineKind.ACTION, DeadlineKind.CONTRIBUTION]


def _framework(row: Row) -> str | None:
    """The framework that a row is about; an audit row names its stream."""
    if isinstance(row, AuditRow):
        kind, _, identity = row.stream.partition("-")
        return identity if kind == framework.name else None
    found: str | None = getattr(row, "framework", None)
    return found


def plain(name: str) -> str:
    """A name without accents, hyphens and case: ``Boky-Wèrè`` and ``Bokywere`` are one."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    return "".join(c for c in bare if c.isalnum())
