"""``cycle show``: the projections as tables, live or as of a past moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import click

from cycle.aggregates.terms import Nature
from cycle.catalogue import Language, listed, shown, text
from cycle.engine import Engine
from cycle.history import Cutoffs
from cycle.projections.audit import AuditRow
from cycle.projections.base import Row
from cycle.projections.frameworks import FrameworkRow, MemberRow
from cycle.projections.meetings import AttendanceRow, CalendarRow
from cycle.projections.obstacles import ObstacleRow
from cycle.projections.plans import ActionRow, CommitmentRow, NeedRow, PlanRow
from cycle.reading import Filters, Reader
from cycle_adapters.cli.printing import DAY, MOMENT, emit, heading, table
from cycle_adapters.cli.settings import Settings


class Look:
    """One look at the projections: what was asked for, and what it takes to tell it."""

    def __init__(self, reader: Reader, filters: Filters, cutoffs: Cutoffs, language: Language, on: date) -> None:
        self.reader = reader
        self.filters = filters
        self.cutoffs = cutoffs
        self.language = language
        self.on = on
        self.places = {row.code: row.name for row in reader.communes()}
        members: list[Any] = reader.rows("members", filters, cutoffs)
        self.members: Mapping[tuple[str, str], MemberRow] = {(m.framework, m.member): m for m in members}

    def rows(self, name: str) -> list[Any]:
        return self.reader.rows(name, self.filters, self.cutoffs)

    def say(self, key: str) -> str:
        return text(f"message.{key}", self.language)

    def word(self, value: object) -> str:
        return str(shown(value, self.language))

    def member(self, framework: str, member: str | None) -> str:
        row = self.members.get((framework, member or ""))
        return f"{row.name} ({member})" if row else (member or "—")

    def place(self, row: Row) -> str:
        return self.places.get(row.commune, row.commune)

    def due(self, day: date | None, settled: bool) -> str:
        late = day is not None and not settled and day < self.on
        return f"{self.word(day)} {self.say('late')}" if late else self.word(day)


def show_frameworks(look: Look) -> None:
    rows: list[FrameworkRow] = look.rows("frameworks")
    titles = ["commune", "framework", "stage", "cycle", "since", "plan-until", "obstacles-open", "id"]
    table(
        [look.say(title) for title in titles],
        [
            [
                look.place(row),
                row.title,
                look.word(row.stage),
                str(row.cycle),
                look.word(row.since),
                look.due(row.plan_ends_on, row.stage not in ("plan", "monitoring")),
                str(len(row.open_obstacles)),
                row.framework[-8:],
            ]
            for row in rows
        ],
    )


def show_plan(look: Look) -> None:
    plans: list[PlanRow] = [row for row in look.rows("plans") if row.in_force]
    actions: list[ActionRow] = look.rows("actions")
    promises: dict[tuple[str, str | None], list[CommitmentRow]] = defaultdict(list)
    for row in look.rows("commitments"):
        promises[row.framework, row.action].append(row)
    for plan in plans:
        days = f"{look.word(plan.starts_on)} – {look.word(plan.ends_on)}"
        heading(f"{look.place(plan)} — {look.say('plan')} {plan.cycle}.{plan.plan_version} ({days})")
        own = [a for a in actions if a.framework == plan.framework and a.cycle == plan.cycle]
        titles = ["action", "what", "responsible", "due", "progress", "promises"]
        table(
            [look.say(title) for title in titles],
            [
                [
                    a.action,
                    a.description,
                    look.member(a.framework, a.responsible),
                    look.due(a.due_on, a.stage.final),
                    f"{a.percent} % ({look.word(a.stage)})",
                    "; ".join(_promise(look, c) for c in promises[a.framework, a.action]),
                ]
                for a in own
            ],
        )
        click.echo()


def _promise(look: Look, row: CommitmentRow) -> str:
    unit = row.unit if row.nature is not Nature.CASH else ("F CFA" if look.language == "fr" else "XOF")
    return f"{_number(look, row.received)}/{_number(look, row.pledged)} {unit} ({look.word(row.status)})"


def _number(look: Look, value: Decimal) -> str:
    return look.word(int(value)) if value == value.to_integral_value() else look.word(value)


def show_obstacles(look: Look) -> None:
    rows: list[ObstacleRow] = look.rows("obstacles")
    titles = ["commune", "obstacle", "what", "severity", "status", "age", "solution", "responsible", "path"]
    table(
        [look.say(title) for title in titles],
        [
            [
                look.place(row),
                row.obstacle,
                row.description,
                str(row.severity),
                look.word(row.stage),
                str(((row.closed_on or look.on) - row.identified_on).days),
                row.solution or "—",
                look.member(row.framework, row.responsible),
                " → ".join(f"{look.word(step.stage)} {step.on}" for step in row.path),
            ]
            for row in rows
        ],
    )


def show_needs(look: Look) -> None:
    rows: list[NeedRow] = look.rows("needs")
    titles = ["commune", "need", "profession", "kind", "what", "status", "answer", "waited"]
    table(
        [look.say(title) for title in titles],
        [
            [
                look.place(row),
                row.need,
                look.member(row.framework, row.profession),
                look.word(row.kind),
                row.description,
                look.word(row.status),
                listed(row.answered_by, look.language) or "—",
                "—" if row.answered_in_cycle is None else str(row.answered_in_cycle - row.cycle),
            ]
            for row in rows
        ],
    )


def show_commitments(look: Look) -> None:
    rows: list[CommitmentRow] = look.rows("commitments")
    titles = ["commune", "member", "ledger", "nature", "action", "pledged", "received", "status", "due"]
    table(
        [look.say(title) for title in titles],
        [
            [
                look.place(row),
                look.member(row.framework, row.member),
                look.word(row.ledger),
                look.word(row.nature),
                row.action or "—",
                f"{_number(look, row.pledged)} {row.unit}",
                f"{_number(look, row.received)} {row.unit}",
                look.word(row.status),
                look.due(row.due_on, row.status not in ("pledged", "partly-received")),
            ]
            for row in rows
        ],
    )
    sums: dict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for row in rows:
        if row.nature is Nature.CASH:
            both = sums[row.ledger, row.nature]
            both[0] += row.pledged
            both[1] += row.received
    for (ledger, nature), (pledged, received) in sorted(sums.items()):
        values = {"pledged": int(pledged), "received": int(received)}
        total = text("message.total-pledged", look.language, "", **values)
        click.echo(f"{look.word(ledger)}, {look.word(nature)}: {total} XOF")
    click.echo(look.say("never-added"))


def show_attendance(look: Look) -> None:
    rows: list[AttendanceRow] = look.rows("attendance")
    titles = ["commune", "meeting", "day", "member", "women", "men", "youth", "proxies"]
    table(
        [look.say(title) for title in titles],
        [
            [
                look.place(row),
                row.meeting,
                look.word(row.held_on),
                look.member(row.framework, row.member),
                str(row.women),
                str(row.men),
                str(row.youth),
                str(row.proxies),
            ]
            for row in rows
        ],
    )


def show_calendar(look: Look) -> None:
    rows: list[CalendarRow] = sorted(look.rows("calendar"), key=lambda row: row.day)
    titles = ["day", "commune", "kind", "id", "what", "status"]
    table(
        [look.say(title) for title in titles],
        [
            [
                look.due(row.day, row.status != "open"),
                look.place(row),
                look.word(row.kind),
                row.about,
                row.text or "—",
                look.word(row.status),
            ]
            for row in rows
        ],
    )


def show_audit(look: Look) -> None:
    rows: list[AuditRow] = look.rows("audit_trail")
    titles = ["id", "day", "commune", "fact", "who"]
    table(
        [look.say(title) for title in titles],
        [
            [
                str(row.position),
                f"{row.occurred_on} / {row.recorded_at:%Y-%m-%d %H:%M}",
                look.place(row),
                row.type + (f" → {row.corrects}" if row.corrects else ""),
                f"{row.actor} ({look.word(row.role)})",
            ]
            for row in rows
        ],
    )


WHAT: Mapping[str, tuple[Sequence[str], Callable[[Look], None]]] = {
    "frameworks": (("frameworks",), show_frameworks),
    "plan": (("plans", "actions", "commitments"), show_plan),
    "obstacles": (("obstacles",), show_obstacles),
    "needs": (("needs",), show_needs),
    "commitments": (("commitments",), show_commitments),
    "attendance": (("attendance",), show_attendance),
    "calendar": (("calendar",), show_calendar),
    "audit": (("audit_trail",), show_audit),
}


@click.command()
@click.argument("what", type=click.Choice(list(WHAT)))
@click.option("--framework", "framework_", metavar="ID")
@click.option("--commune", metavar="NAME")
@click.option("--circle", metavar="NAME")
@click.option("--region", metavar="NAME")
@click.option("--sector", metavar="CODE")
@click.option("--as-of", type=DAY, help="As held on this day, corrections applied.")
@click.option("--known-at", type=MOMENT, help="As believed at this moment (UTC).")
@click.option("--at", type=int, metavar="POSITION", help="As of this position in the log.")
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
    with Engine(settings.database) as engine:
        reader = Reader(engine)
        reader.catch_up()
        found = reader.find(commune) if commune else None
        filters = Filters(
            found.commune if found else None,
            reader.find_framework(framework_) if framework_ else (found.framework if found else None),
            circle,
            region,
            sector,
        )
        names, tell = WHAT[what]
        cutoffs = Cutoffs(as_of, known_at, at)
        if settings.json:
            emit({name: reader.rows(name, filters, cutoffs) for name in names})
            return
        look = Look(reader, filters, cutoffs, settings.language, as_of or engine.today())
        tell(look)
