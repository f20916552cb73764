"""SCDL deliberations into the register: judged row by row, recorded all together or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping as Table
from datetime import date, datetime
from hashlib import sha256
from typing import Protocol

import msgspec
from msgspec import Struct

from cycle.aggregates.acts import DeliberationsImported
from cycle.aggregates.base import By, LogName
from cycle.aggregates.deliberation import EnterDeliberation, TransmitDeliberation, vote_holds
from cycle.aggregates.terms import CommuneCode, DeliberationId, Outcome, Votes
from cycle.engine import Engine, Said
from cycle.failures import REFUSED, Failure
from cycle_adapters.files.mapping import Mapping, scdl
from cycle_adapters.files.register import NUMBERS, Cell, Key, Register, cells, differences
from cycle_adapters.files.shapes import wrong_shape
from cycle_adapters.files.table import FileBroken, Line, Oddity, read_table

OLDEST = date(1900, 1, 1)
"""What is dated before it is mistyped, such as 0026 for 2026."""
LINES_NAMED = 20


class Judged(Struct, frozen=True):
    """One row that can be recorded: the decision, its id, and when the authority got it.

    ``says`` are the fields that the row fills: about others it does not contradict anybody.
    """

    line: int
    identity: DeliberationId
    command: EnterDeliberation
    says: frozenset[str]
    transmitted_on: date | None = None
    authority: str | None = None

    @property
    def cells(self) -> dict[str, Cell]:
        return cells(self.command, self.transmitted_on, self.authority)

    def transmission(self, by: By) -> Said | None:
        """That the authority got it, where the row says so."""
        if self.transmitted_on is None:
            return None
        sent = TransmitDeliberation(transmitted_on=self.transmitted_on, authority=self.authority)
        return Said(command=sent, by=by, on=self.transmitted_on, target=self.identity)


class Report(Struct, frozen=True):
    """What a file holds and what was done with it, or would be.

    ``good`` are the rows that can be recorded, each decision once. Of these, ``new`` are not in the
    register yet, and ``completing`` bring the day of transmission of one that is there; the others
    change nothing. ``done``: it is written.
    """

    rows: int
    commune: CommuneCode
    good: tuple[Judged, ...]
    oddities: tuple[Oddity, ...]
    new: tuple[Judged, ...] = ()
    completing: tuple[Judged, ...] = ()
    done: bool = False

    @property
    def bad_lines(self) -> tuple[int, ...]:
        """The lines that cannot be recorded."""
        return tuple(sorted({oddity.line for oddity in self.oddities if oddity.bad}))

    @property
    def repeated(self) -> int:
        """How many rows say again what another one says."""
        return self.rows - len(self.good) - len(self.bad_lines)

    @property
    def known(self) -> int:
        """How many decisions are in the register already, and stay as they are."""
        return len(self.good) - len(self.new) - len(self.completing)

    @property
    def recorded(self) -> int:
        return len(self.new) if self.done else 0

    @property
    def completed(self) -> int:
        return len(self.completing) if self.done else 0

    def counts(self) -> dict[str, int]:
        return dict(sorted(Counter(oddity.code for oddity in self.oddities).items()))


class BadRows(Failure):
    """Some rows cannot be recorded, so none was."""

    kind = "bad-rows"
    code = "bad-rows"
    exit_code = REFUSED

    def __init__(self, report: Report) -> None:
        bad = report.bad_lines
        lines = ", ".join(map(str, bad[:LINES_NAMED])) + (" …" if len(bad) > LINES_NAMED else "")
        super().__init__("lines", count=len(bad), lines=lines)
        self.report = report


class Note(Protocol):
    """Notes what is odd about one row."""

    def __call__(self, code: str, *, bad: bool = False, **values: object) -> None: ...


def judge(data: bytes, commune: CommuneCode, mapping: Mapping, source: str, today: date) -> Report:
    """Read a whole file and judge every row; writes nothing.

    Raises:
        FileBroken: a file that cannot be read with this mapping.
    """
    lines, oddities = read_table(data, mapping)
    good: dict[DeliberationId, Judged] = {}
    numbers: dict[str, int] = {}
    for line in lines:
        judged, odd = _judge(line, commune, mapping, source, today)
        oddities += odd
        if judged is None:
            continue
        first = good.get(judged.identity)
        if first is not None:
            oddities.append(_again(judged, first))
            continue
        number = judged.command.number
        if number in numbers:
            oddities.append(
                Oddity(line.number, "number-repeated", values={"number": number, "line": str(numbers[number])})
            )
        numbers.setdefault(number, line.number)
        good[judged.identity] = judged
    return Report(len(lines), commune, tuple(good.values()), _in_order(oddities))


def _again(row: Judged, first: Judged) -> Oddity:
    """A decision that comes twice: alike, or one of the two is wrong."""
    differing = differences(first.cells, row.cells, first.says | row.says)
    if not differing:
        return Oddity(row.line, "row-repeated", values={"line": str(first.line)})
    return Oddity(row.line, "row-differs", True, {"line": str(first.line), "differences": differing})


def _in_order(oddities: list[Oddity]) -> tuple[Oddity, ...]:
    return tuple(sorted(oddities, key=lambda oddity: (oddity.line, oddity.code)))


def against(register: Register, report: Report) -> Report:
    """The report with what the register already knows of its rows."""
    new, completing, oddities = [], [], list(report.oddities)
    for row in report.good:
        held = register.find(row.identity, Key.of(row.command))
        if held is None:
            new.append(row)
            other = register.numbered(row.command.number)
            if other is not None:
                values = {"number": other.state.number, "subject": other.state.subject, "day": other.state.decided_on}
                oddities.append(Oddity(row.line, "number-known", values=values))
            continue
        says = row.says
        if held.awaits_transmission and row.transmitted_on is not None:
            completing.append(msgspec.structs.replace(row, identity=held.identity))
            says -= {"transmitted_on", "authority"}
        differing = differences(held.cells, row.cells, says)
        if differing:
            oddities.append(Oddity(row.line, "known-differently", values={"differences": differing}))
    return msgspec.structs.replace(report, new=tuple(new), completing=tuple(completing), oddities=_in_order(oddities))


def _judge(
    line: Line, commune: CommuneCode, mapping: Mapping, source: str, today: date
) -> tuple[Judged | None, list[Oddity]]:
    given, odd = line.cells, list[Oddity]()

    def note(code: str, *, bad: bool = False, **values: object) -> None:
        odd.append(Oddity(line.number, code, bad, values))

    for name in ("number", "subject"):
        if not given[name]:
            note(f"{name}-missing", bad=True)
    decided_on = _day("decided_on", given["decided_on"], mapping, today, note)
    sent = given.get("transmitted_on", "")
    transmitted_on = _day("transmitted_on", sent, mapping, today, note) if sent else None
    if not sent:
        note("in-force-unknown")
    elif decided_on is not None and transmitted_on is not None and transmitted_on < decided_on:
        note("transmitted-before-decided", bad=True, decided=decided_on, transmitted=transmitted_on)
    siret = given.get("siret", "")
    if siret and not (len(siret) == 14 and siret.isdigit()):
        note("siret-malformed", value=siret)
    votes = _votes(given, note)
    outcome = _outcome(given, votes, mapping, note)
    if votes is not None:
        for finding in vote_holds(votes, outcome):
            if finding.refuses:
                note(finding.code, bad=True, **finding.values)
        if votes.proxies is None and votes.cast > votes.present:
            note("votes-exceed-present", cast=votes.cast, present=votes.present)
    if any(oddity.bad for oddity in odd) or decided_on is None:
        return None, odd
    fields = {
        "commune": commune,
        "number": given["number"],
        "subject": given["subject"],
        "outcome": outcome,
        "decided_on": decided_on,
        "matter": given.get("matter") or None,
        "votes": votes,
        "document": given.get("document") or None,
        "source": f"{source}, line {line.number}",
    }
    try:
        command = msgspec.convert(msgspec.to_builtins(fields), EnterDeliberation)
    except msgspec.ValidationError as error:
        note("row-does-not-fit", bad=True, field=str(wrong_shape(error).values["where"]).removeprefix("$."))
        return None, odd
    says = frozenset(name for name, text in given.items() if text) | ({"outcome"} if votes else set())
    identity = Key.of(command).identity(commune)
    return Judged(line.number, identity, command, says, transmitted_on, given.get("authority") or None), odd


def _day(field: str, text: str, mapping: Mapping, today: date, note: Note) -> date | None:
    day = next((day for form in mapping.dates if (day := _read(text, form)) is not None), None)
    if day is None:
        note("date-invalid", bad=True, field=field, value=text)
    elif day > today:
        note("date-in-future", bad=True, field=field, day=day)
    elif day < OLDEST:
        note("date-too-old", bad=True, field=field, value=text)
    return day


def _read(text: str, form: str) -> date | None:
    try:
        return datetime.strptime(text, form).date()
    except ValueError:
        return None


def _votes(given: Table[str, str], note: Note) -> Votes | None:
    numbers = {name: given.get(name, "") for name in NUMBERS}
    if not any(numbers[name] for name in ("in_favour", "against", "abstaining")):
        note("no-vote")
        return None
    # Python refuses to read a number of thousands of digits.
    wrong = [
        name for name, text in numbers.items() if text and not (text.isascii() and text.isdigit() and len(text) < 9)
    ]
    lacking = [name for name in ("in_office", "present", "in_favour") if not numbers[name]]
    if wrong or lacking:
        note("vote-incomplete", bad=True, fields=(*wrong, *lacking))
        return None
    return Votes(**{name: int(text) for name, text in numbers.items() if text})


def _outcome(given: Table[str, str], votes: Votes | None, mapping: Mapping, note: Note) -> Outcome:
    said = given.get("outcome", "")
    if said:
        outcome = mapping.outcomes.get(said)
        if outcome is not None:
            return outcome
        note("outcome-unknown", bad=True, value=said)
    if votes is None:
        return Outcome.NOTED
    return Outcome.ADOPTED if votes.in_favour > votes.against else Outcome.REJECTED


def record(engine: Engine, report: Report, by: By, *, skip_bad_rows: bool = False) -> Report:
    """Record every good row that is not in the register yet, and what completes those that are, in one save.

    Raises:
        BadRows: some rows cannot be recorded and are not to be left out; nothing was written.
        Refused: the account has no right to it, or the commune is not registered; nothing was written.
    """
    log = LogName(report.commune)
    engine.act(by.actor, "import-deliberations", log)
    report = against(Register(engine, report.commune), report)
    if report.bad_lines and not skip_bad_rows:
        raise BadRows(report)
    saids = []
    for row in report.new:
        saids.append(Said(command=row.command, by=by, on=row.command.decided_on, target=row.identity))
        saids += filter(None, [row.transmission(by)])
    saids += filter(None, [row.transmission(by) for row in report.completing])
    if saids:
        key = "import-" + sha256(b"".join(said.digest for said in saids)).hexdigest()
        engine.execute_all(saids, key)
        done = DeliberationsImported(report.commune, len(report.new) + len(report.completing))
        engine.act(by.actor, "import-deliberations", log, done)
    return msgspec.structs.replace(report, done=True)


def recorded(engine: Engine, commune: CommuneCode, data: bytes, source: str, by: By) -> dict[str, DeliberationId]:
    """A file in the shipped mapping, recorded; the ids by the councils' own numbers."""
    report = record(engine, judge(data, commune, scdl(), source, engine.today()), by)
    return {row.command.number: row.identity for row in report.good}


__all__ = ["BadRows", "FileBroken", "Judged", "Report", "against", "judge", "record", "recorded"]
