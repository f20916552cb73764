"""SCDL deliberations into the register: judged row by row, recorded all together or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping as Table
from datetime import date, datetime
from hashlib import sha256
from uuid import UUID, uuid5

import msgspec
from msgspec import Struct

from cycle.aggregates.base import By, Refused, Role
from cycle.aggregates.deliberation import (
    EnterDeliberation,
    TransmitDeliberation,
    deliberation,
    entered,
    vote_holds,
)
from cycle.aggregates.terms import CommuneCode, DeliberationId, Outcome, Votes
from cycle.engine import Engine, Said, stream_of
from cycle_adapters.files.mapping import Mapping, scdl
from cycle_adapters.files.table import FileBroken, Line, Oddity, read_table

NAMESPACE = UUID("6f1f6f0e-5a7c-5d39-9a43-6f1a3c0d7a11")
BY = By("import:scdl", Role.COUNCIL_SECRETARY)
NUMBERS = ("in_office", "present", "proxies", "in_favour", "against", "abstaining")


class Judged(Struct, frozen=True):
    """One row that can be recorded: the decision, its id, and when the authority got it."""

    line: int
    identity: DeliberationId
    command: EnterDeliberation
    transmitted_on: date | None = None
    authority: str | None = None


class Report(Struct, frozen=True):
    """What a file holds and what was done with it.

    ``recorded`` counts new deliberations, ``known`` those that were in the register already.
    """

    rows: int
    good: tuple[Judged, ...]
    oddities: tuple[Oddity, ...]
    known: int = 0
    recorded: int = 0

    @property
    def bad_lines(self) -> tuple[int, ...]:
        """The lines that cannot be recorded."""
        return tuple(sorted({oddity.line for oddity in self.oddities if oddity.bad}))

    def counts(self) -> dict[str, int]:
        return dict(sorted(Counter(oddity.code for oddity in self.oddities).items()))


class BadRows(ValueError):  # noqa: N818
    """Some rows cannot be recorded, so none was."""

    def __init__(self, report: Report) -> None:
        lines = ", ".join(map(str, report.bad_lines[:20]))
        super().__init__(
            f"{len(report.bad_lines)} row(s) cannot be recorded (line {lines}), so nothing was: see them with"
            " --dry-run, mend the file, or leave them out with --skip-bad-rows"
        )
        self.report = report


def judge(data: bytes, commune: CommuneCode, mapping: Mapping, source: str) -> Report:
    """Read a whole file and judge every row; writes nothing.

    Raises:
        FileBroken: a file that no mapping can help.
    """
    lines, oddities = read_table(data, mapping)
    good: dict[DeliberationId, Judged] = {}
    numbers: dict[str, int] = {}
    for line in lines:
        judged, odd = _judge(line, commune, mapping, source)
        oddities += odd
        if judged is None:
            continue
        if judged.identity in good:
            first = str(good[judged.identity].line)
            oddities.append(Oddity(line.number, "row-repeated", values={"line": first}))
            continue
        number = judged.command.number
        if number in numbers:
            oddities.append(
                Oddity(line.number, "number-repeated", values={"number": number, "line": str(numbers[number])})
            )
        numbers.setdefault(number, line.number)
        good[judged.identity] = judged
    oddities.sort(key=lambda oddity: (oddity.line, oddity.code))
    return Report(len(lines), tuple(good.values()), tuple(oddities))


def _judge(line: Line, commune: CommuneCode, mapping: Mapping, source: str) -> tuple[Judged | None, list[Oddity]]:
    cells, odd = line.cells, list[Oddity]()

    def note(code: str, *, bad: bool = False, **values: str) -> None:
        odd.append(Oddity(line.number, code, bad, values))

    for name in ("number", "subject"):
        if not cells[name]:
            note(f"{name}-missing", bad=True)
    decided_on = _day(cells["decided_on"], mapping)
    if decided_on is None:
        note("date-invalid", bad=True, value=cells["decided_on"])
    transmitted_on = _day(cells.get("transmitted_on", ""), mapping)
    if cells.get("transmitted_on") and transmitted_on is None:
        note("date-invalid", bad=True, value=cells["transmitted_on"])
    if transmitted_on is None:
        note("in-force-unknown")
    elif decided_on is not None and transmitted_on < decided_on:
        note("transmitted-before-decided", bad=True, decided=str(decided_on), transmitted=str(transmitted_on))
    siret = cells.get("siret", "")
    if siret and not (len(siret) == 14 and siret.isdigit()):
        note("siret-malformed", value=siret)
    votes = _votes(cells, note)
    outcome = _outcome(cells, votes, mapping, note)
    if votes is not None:
        for finding in vote_holds(votes, outcome):
            if finding.refuses:
                note(finding.code, bad=True, **{k: str(v) for k, v in finding.values.items()})
        if votes.proxies is None and votes.cast > votes.present:
            note("votes-exceed-present", cast=str(votes.cast), present=str(votes.present))
    if any(oddity.bad for oddity in odd) or decided_on is None:
        return None, odd
    content = {name: value for name, value in sorted(cells.items()) if value}
    identity = DeliberationId(str(uuid5(NAMESPACE, f"{commune}\n{msgspec.json.encode(content).decode()}")))
    fields = {
        "commune": commune,
        "number": cells["number"],
        "subject": cells["subject"],
        "outcome": outcome,
        "decided_on": decided_on,
        "matter": cells.get("matter") or None,
        "votes": votes,
        "document": cells.get("document") or None,
        "source": f"{source}, line {line.number}",
    }
    try:
        command = msgspec.convert(msgspec.to_builtins(fields), EnterDeliberation)
        entered(command, identity)
    except (msgspec.ValidationError, Refused) as error:
        note("row-does-not-fit", bad=True, error=str(error))
        return None, odd
    return Judged(line.number, identity, command, transmitted_on, cells.get("authority") or None), odd


def _day(text: str, mapping: Mapping) -> date | None:
    for form in mapping.dates:
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    return None


def _votes(cells: Table[str, str], note: object) -> Votes | None:
    assert callable(note)
    given = {name: cells.get(name, "") for name in NUMBERS}
    if not any(given[name] for name in ("in_favour", "against", "abstaining")):
        note("no-vote")
        return None
    wrong = [name for name, text in given.items() if text and not (text.isascii() and text.isdigit())]
    lacking = [name for name in ("in_office", "present", "in_favour") if not given[name]]
    if wrong or lacking:
        note("vote-incomplete", bad=True, columns=", ".join((*wrong, *lacking)))
        return None
    return Votes(**{name: int(text) for name, text in given.items() if text})


def _outcome(cells: Table[str, str], votes: Votes | None, mapping: Mapping, note: object) -> Outcome:
    assert callable(note)
    said = cells.get("outcome", "")
    if said:
        outcome = mapping.outcomes.get(said)
        if outcome is not None:
            return outcome
        note("outcome-unknown", bad=True, value=said)
    if votes is None:
        return Outcome.NOTED
    return Outcome.ADOPTED if votes.in_favour > votes.against else Outcome.REJECTED


def record(engine: Engine, report: Report, *, skip_bad_rows: bool = False) -> Report:
    """Record every good row that is not in the register yet, all in one save.

    Raises:
        BadRows: some rows cannot be recorded and are not to be left out; nothing was written.
        Refused: the commune is not registered; nothing was written.
    """
    if report.bad_lines and not skip_bad_rows:
        raise BadRows(report)
    new = [row for row in report.good if not engine.store.read_stream(stream_of(deliberation, row.identity))]
    saids = []
    for row in new:
        decided = row.command.decided_on
        saids.append(Said(command=row.command, by=BY, on=decided, target=row.identity))
        if row.transmitted_on is not None:
            sent = TransmitDeliberation(transmitted_on=row.transmitted_on, authority=row.authority)
            saids.append(Said(command=sent, by=BY, on=row.transmitted_on, target=row.identity))
    if saids:
        key = "import-" + sha256("".join(row.identity for row in new).encode()).hexdigest()
        engine.execute_all(saids, key)
    return msgspec.structs.replace(report, recorded=len(new), known=len(report.good) - len(new))


def recorded(engine: Engine, commune: CommuneCode, data: bytes, source: str) -> dict[str, DeliberationId]:
    """A file in the shipped mapping, recorded; the ids by the councils' own numbers."""
    report = record(engine, judge(data, commune, scdl(), source))
    return {row.command.number: row.identity for row in report.good}


__all__ = ["BadRows", "FileBroken", "Judged", "Report", "judge", "record", "recorded"]
