"""``cycle show``: the projections as tables, live or as of a past moment."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import click

from cycle.aggregates.framework.state import Stage
from cycle.aggregates.terms import Nature
from cycle.catalogue import Language, joined, listed, pair, shown, text
from cycle.history import Cutoffs
from cycle.projections.audit import AuditRow
from cycle.projections.base import Row
from cycle.projections.frameworks import FrameworkRow, MemberRow
from cycle.projections.meetings import AttendanceRow, CalendarRow, MeetingRow
from cycle.projections.obstacles import ObstacleRow
from cycle.projections.plans import ActionRow, CommitmentRow, NeedRow, PlanRow
from cycle.projections.requests import RequestRow
from cycle.reading import Filters, Overdue, Reader, opened
from cycle.settings import Settings
from cycle.telling import act_label, confirming, moves_from, request_status, sentence
from cycle_adapters.cli.places import filters_at
from cycle_adapters.cli.printing import emit, heading, paragraph, table, width
from cycle_adapters.options import area_options, past_options

ROOMY = 110
"""From this many columns on there is room for what is only nice to know."""
SNUG = 92
"""From this many columns on there is room for a day beside the names."""


class Look:
    """One look at the projections: what was asked for, and what it takes to tell it."""

    def __init__(self, reader: Reader, filters: Filters, cutoffs: Cutoffs, language: Language, on: date) -> None:
        self.reader = reader
        self.filters = filters
        self.cutoffs = cutoffs
        self.language = language
        self.on = on
        self.places = {row.code: row.name for row in reader.communes(cutoffs)}
        members: list[Any] = reader.rows("members", filters, cutoffs)
        self.members: Mapping[tuple[str, str], MemberRow] = {(m.framework, m.member): m for m in members}

    def rows(self, name: str) -> list[Any]:
        return self.reader.rows(name, self.filters, self.cutoffs)

    def overdue(self) -> list[Overdue]:
        return self.reader.overdue(self.on, self.filters, self.cutoffs)

    def say(self, key: str, **values: object) -> str:
        return text(f"message.{key}", self.language, "", **values)

    def word(self, value: object) -> str:
        return str(shown(value, self.language))

    def day(self, value: date | None) -> str:
        """A day in few columns."""
        if value is None:
            return "—"
        return f"{value:%d/%m/%Y}" if self.language == "fr" else value.isoformat()

    def member(self, framework: str, member: str | None) -> str:
        row = self.members.get((framework, member or ""))
        return f"{row.name} ({member})" if row else (member or "—")

    def place(self, row: Row) -> str:
        """The commune of a row; nothing where all rows are of the same one."""
        return "" if self.filters.commune or self.filters.framework else self.places.get(row.commune, row.commune)

    def is_late(self, day: date | None, settled: bool) -> bool:
        return day is not None and not settled and day < self.on

    def due(self, day: date | None, settled: bool) -> str:
        return f"{self.day(day)} {self.say('late')}" if self.is_late(day, settled) else self.day(day)

    def number(self, value: Decimal) -> str:
        return self.word(int(value)) if value == value.to_integral_value() else self.word(value.normalize())

    def amount(self, value: Decimal, unit: str, nature: Nature) -> str:
        return f"{self.number(value)} {self.unit(unit, nature)}"

    def unit(self, unit: str, nature: Nature) -> str:
        return unit if nature is not Nature.CASH else ("F CFA" if self.language == "fr" else "XOF")

    def table(self, titles: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[str] = ()) -> None:
        figures = [titles.index(title) for title in right]
        table([self.say(title) for title in titles], rows, self.language, right=figures)

    def total(self, words: str) -> None:
        paragraph(pair(self.say("total"), words, self.language))


def show_frameworks(look: Look) -> None:
    rows: list[FrameworkRow] = look.rows("frameworks")
    rows.sort(key=lambda row: (look.places.get(row.commune, row.commune), row.framework))
    several = len({row.commune for row in rows}) < len(rows)
    titles = ["commune", "framework", "stage", "cycle", "since", "plan-until", "obstacles-open"]
    titles += ["overdue-count", "next-move", "id"]
    overdue = Counter(each.framework for each in look.overdue())
    settled = {row.framework: row.stage not in (Stage.PLAN, Stage.MONITORING) for row in rows}
    look.table(
        titles,
        [
            [
                look.places.get(row.commune, row.commune),
                row.title if several else "",
                look.word(row.stage),
                str(row.cycle),
                look.day(row.since) if width() >= ROOMY else "",
                look.due(row.plan_ends_on, settled[row.framework]) if width() >= SNUG else "",
                str(len(row.open_obstacles)) if width() >= ROOMY else "",
                str(overdue[row.framework]) if overdue[row.framework] else "",
                " / ".join(text(f"command.{move}", look.language) for move in moves_from(row.stage)),
                row.framework[-8:],
            ]
            for row in rows
        ],
        right=["cycle", "obstacles-open", "overdue-count"],
    )
    late = sum(look.is_late(row.plan_ends_on, settled[row.framework]) for row in rows)
    look.total(look.say("total-frameworks", all=len(rows), late=late, overdue=overdue.total()))


def show_plan(look: Look) -> None:
    plans: list[PlanRow] = [row for row in look.rows("plans") if row.in_force]
    actions: list[ActionRow] = look.rows("actions")
    promises: dict[tuple[str, str | None], list[CommitmentRow]] = defaultdict(list)
    for row in look.rows("commitments"):
        promises[row.framework, row.action].append(row)
    if not plans:
        click.echo(look.say("no-plan-in-force"))
    for n, plan in enumerate(plans):
        if n:
            click.echo()
        days = f"{look.word(plan.starts_on)} – {look.word(plan.ends_on)}"
        version = look.say("negotiated-in", cycle=plan.cycle, version=plan.plan_version)
        heading(f"{look.places.get(plan.commune, plan.commune)} — {look.say('plan')}, {version} ({days})")
        own = [a for a in actions if a.framework == plan.framework and a.cycle == plan.cycle]
        look.table(
            ["action", "what", "responsible", "due", "progress", "received-of-pledged"],
            [
                [
                    a.action,
                    a.description,
                    look.member(a.framework, a.responsible),
                    look.due(a.due_on, a.stage.final),
                    f"{look.say('percent-of', percent=a.percent)} {look.word(a.stage)}",
                    joined([_promise(look, c) for c in promises[a.framework, a.action]], look.language),
                ]
                for a in own
            ],
        )
        late = sum(look.is_late(a.due_on, a.stage.final) for a in own)
        if late:
            look.total(look.say("total-late", count=late))


def _promise(look: Look, row: CommitmentRow) -> str:
    unit = look.unit(row.unit, row.nature)
    return f"{look.number(row.received)} / {look.number(row.pledged)} {unit} ({look.word(row.status)})"


def show_obstacles(look: Look) -> None:
    rows: list[ObstacleRow] = look.rows("obstacles")
    look.table(
        ["commune", "obstacle", "what", "severity", "age", "solution", "responsible", "due", "path"],
        [
            [
                look.place(row),
                row.obstacle,
                row.description,
                str(row.severity),
                str(((row.closed_on or look.on) - row.identified_on).days),
                row.solution or "—",
                look.member(row.framework, row.responsible),
                look.due(row.due_on, not row.stage.open),
                " → ".join(f"{look.word(step.stage)} {look.day(step.on)}" for step in row.path),
            ]
            for row in rows
        ],
        right=["severity", "age"],
    )
    look.total(look.say("total-obstacles", all=len(rows), open=sum(row.stage.open for row in rows)))


def show_requests(look: Look) -> None:
    rows: list[RequestRow] = look.rows("requests")
    look.table(
        ["commune", "request", "what", "about", "reason", "asked-by", "asked-on", "until", "status"],
        [
            [
                look.place(row),
                row.request[-8:],
                act_label(row.act, look.language),
                row.target[-8:] if row.framework else row.target,
                look.word(row.reason),
                look.say("asked-for-whom", who=row.asked_by, whom=row.on_behalf_of),
                look.day(row.asked_on),
                look.day(row.lapses_on),
                request_status(row, look.on, look.language),
            ]
            for row in rows
        ],
    )
    waiting = [row for row in rows if row.waits(look.on)]
    look.total(look.say("total-requests", all=len(rows), open=len(waiting)))
    for row in waiting:
        paragraph(confirming(row), "  ", dim=True)


def show_needs(look: Look) -> None:
    rows: list[NeedRow] = look.rows("needs")
    look.table(
        ["commune", "need", "profession", "kind", "what", "status", "answer", "waited"],
        [
            [
                look.place(row),
                row.need,
                look.member(row.framework, row.profession),
                look.word(row.kind),
                row.description,
                look.word(f"need-{row.status}"),
                listed(row.answered_by, look.language) or "—",
                "—" if row.answered_in_cycle is None else str(row.answered_in_cycle - row.cycle),
            ]
            for row in rows
        ],
        right=["waited"],
    )
    counts = {status: sum(row.status == status for row in rows) for status in ("answered", "open", "withdrawn")}
    look.total(look.say("total-needs", named=len(rows), **counts))


def show_commitments(look: Look) -> None:
    rows: list[CommitmentRow] = look.rows("commitments")
    look.table(
        ["commune", "member", "ledger", "nature", "action", "pledged", "received", "status", "due"],
        [
            [
                look.place(row),
                look.member(row.framework, row.member),
                look.word(row.ledger),
                look.word(row.nature),
                row.action or "—",
                look.amount(row.pledged, row.unit, row.nature),
                look.amount(row.received, row.unit, row.nature),
                look.word(row.status),
                look.due(row.due_on, row.status not in ("pledged", "partly-received")),
            ]
            for row in rows
        ],
        right=["pledged", "received"],
    )
    sums: dict[tuple[str, Nature, str], list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for row in rows:
        both = sums[row.ledger, row.nature, row.unit]
        both[0] += row.pledged
        both[1] += row.received
    # Cash first: what is of another nature or in another unit has a line of its own, never a sum.
    ordered = sorted(sums.items(), key=lambda item: (item[0][0], item[0][1] is not Nature.CASH, item[0][1:]))
    click.echo()
    heading(look.say("totals"))
    for (ledger, nature, unit), amounts in ordered:
        pledged, received = (look.number(amount) for amount in amounts)
        words = f"{look.say('total-pledged', pledged=pledged, received=received)} {look.unit(unit, nature)}"
        paragraph(pair(f"{look.word(ledger)}, {look.word(nature)}", words, look.language), "  ")
    paragraph(look.say("never-added"))


def show_attendance(look: Look) -> None:
    rows: list[AttendanceRow] = look.rows("attendance")
    rows.sort(key=lambda row: (look.places.get(row.commune, ""), row.framework, row.held_on, row.meeting))
    look.table(
        ["commune", "meeting", "day", "member", "women", "men", "youth", "proxies"],
        [
            [
                look.place(row),
                row.meeting,
                look.day(row.held_on),
                look.member(row.framework, row.member),
                str(row.women),
                str(row.men),
                str(row.youth),
                str(row.proxies) if row.proxies else "—",
            ]
            for row in rows
        ],
        right=["women", "men", "youth", "proxies"],
    )
    meetings: list[MeetingRow] = [row for row in look.rows("meetings") if row.present is not None]
    came: dict[tuple[str, str], list[AttendanceRow]] = defaultdict(list)
    for row in rows:
        came[row.framework, row.meeting].append(row)
    click.echo()
    heading(look.say("people"))
    for meeting in sorted(meetings, key=lambda row: (look.places.get(row.commune, ""), row.framework, row.held_on)):
        there = came[meeting.framework, meeting.meeting]
        sums = {name: sum(getattr(row, name) for row in there) for name in ("women", "men", "youth")}
        where = " ".join(part for part in (look.place(meeting), meeting.meeting, look.day(meeting.held_on)) if part)
        words = look.say("total-attendance", present=meeting.present, members=meeting.members, **sums)
        paragraph(pair(where, words, look.language), "  ")


def show_calendar(look: Look) -> None:
    rows: list[CalendarRow] = sorted(look.rows("calendar"), key=lambda row: row.day)
    look.table(
        ["day", "commune", "kind", "id", "what", "status"],
        [
            [
                look.due(row.day, row.status != "open"),
                look.place(row),
                look.word(f"day-{row.kind}"),
                row.about,
                row.text or "—",
                look.word(f"day-{row.status}"),
            ]
            for row in rows
        ],
    )


def show_audit(look: Look) -> None:
    rows: list[AuditRow] = look.rows("audit_trail")
    told = {fact.position: fact.recorded for fact in look.reader.facts(look.filters.commune, look.cutoffs)}
    for row in rows:
        place, what = look.places.get(row.commune, row.commune), told.get(row.position)
        said = sentence(what, look.language) if what else row.type
        where = "" if look.place(row) == "" or row.commune == "platform" else f"{place} · "
        paragraph(f"{look.day(row.occurred_on)} · {where}{said}", f"{row.position:>7}  ")
        who = f"{row.actor}, {look.word(row.role)}"
        if row.on_behalf_of:
            who += ", " + look.say("on-behalf-of", whom=row.on_behalf_of)
        paragraph(f"{who}, {look.say('recorded-at', moment=row.recorded_at)} · {row.type}", " " * 9, dim=True)


WHAT: Mapping[str, tuple[Sequence[str], Callable[[Look], None]]] = {
    "frameworks": (("frameworks",), show_frameworks),
    "plan": (("plans", "actions", "commitments"), show_plan),
    "obstacles": (("obstacles",), show_obstacles),
    "requests": (("requests",), show_requests),
    "needs": (("needs",), show_needs),
    "commitments": (("commitments",), show_commitments),
    "attendance": (("attendance",), show_attendance),
    "calendar": (("calendar",), show_calendar),
    "audit": (("audit_trail",), show_audit),
}


@click.command()
@click.argument("what", type=click.Choice(list(WHAT)), metavar="WHAT")
@click.option("--framework", "framework_", metavar="ID")
@area_options
@past_options
@click.pass_obj
def show(
    settings: Settings,
    what: str,
    framework_: str | None,
    commune: str | None,
    circle: str | None,
    region: str | None,
    sector: str | None,
    as_of: date | None,
    known_at: datetime | None,
    at: int | None,
) -> None:
    """Show a projection."""
    with opened(settings.database) as engine:
        reader = Reader(engine, settings.actor)
        reader.catch_up()
        names, tell = WHAT[what]
        cutoffs, day = Cutoffs(as_of, known_at, at), as_of or engine.today()
        filters = filters_at(reader, cutoffs, framework_, commune, circle, region, sector)
        if settings.json:
            late = {"overdue": reader.overdue(day, filters, cutoffs)} if what == "frameworks" else {}
            emit({name: reader.rows(name, filters, cutoffs) for name in names} | late)
            return
        look = Look(reader, filters, cutoffs, settings.language, day)
        if look.rows(names[0]):
            tell(look)
        else:
            click.echo(look.say("none-found"))
