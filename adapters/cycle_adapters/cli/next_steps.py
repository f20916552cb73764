"""``cycle next``: what is late, what to do now, what is missing for the next stage, and whom to call."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import click
from msgspec import Struct

from cycle.aggregates.base import Finding
from cycle.aggregates.framework.decision import Option
from cycle.aggregates.framework.state import Framework, Stage
from cycle.catalogue import Language, listed, shown, text
from cycle.projections.requests import RequestRow
from cycle.reading import Filters, Overdue, Reader, opened
from cycle.settings import Settings
from cycle.telling import (
    Missing,
    Steps,
    brief,
    confirming,
    explained,
    headline,
    leads_to,
    members_named,
    option_as_json,
    option_label,
    overdue_line,
    reason,
    request_as_json,
    request_lines,
    steps,
    whom_to_call,
    why_suspended,
    with_names,
)
from cycle_adapters.cli.places import framework_at
from cycle_adapters.cli.printing import emit, heading, paragraph
from cycle_adapters.moments import DAY

FIRST = 3
"""How much of what is late or missing is told at first: what to do and whom to call fit on one screen."""


class Asked(Struct, frozen=True):
    """What it takes to tell the next steps of one framework."""

    state: Framework
    on: date
    language: Language
    all: bool

    def say(self, key: str, **values: object) -> str:
        return text(f"message.{key}", self.language, "", **values)

    def named(self, words: str) -> str:
        return with_names(words, self.state.members)

    def first(self, several: Sequence[str]) -> Sequence[str]:
        """All of it, or the first few and how many more there are."""
        if self.all or len(several) <= FIRST + 1:
            return several
        return [*several[:FIRST], self.say("and-more", count=len(several) - FIRST)]


@click.command("next")
@click.argument("place", metavar="ID")
@click.option("--on", type=DAY)
@click.option("--all", "everything", is_flag=True)
@click.pass_obj
def next_(settings: Settings, place: str, on: date | None, everything: bool) -> None:
    """Show what may happen next, and what keeps the rest from happening."""
    language = settings.language
    with opened(settings.database) as engine:
        reader = Reader(engine, settings.actor)
        reader.catch_up()
        identity = framework_at(reader, place)
        found = reader.options(identity, on)
        state = reader.framework(identity)
        day = on or engine.today(state.zone)
        late = reader.overdue(day, Filters(framework=identity))
        requests = reader.requests(identity, day)
        names = {row.code: row.name for row in reader.communes()}
        suspended = state.stage is Stage.SUSPENDED
        why = why_suspended(reader.history(identity), language) if suspended else ""
    if settings.json:
        asked_for, options = [request_as_json(r) for r in requests], [option_as_json(o) for o in found]
        of = {"framework": identity, "stage": state.stage}
        emit({**of, "overdue": late, "requests": asked_for, "options": options})
        return
    asked = Asked(state, day, language, everything)
    heading(headline(state, names.get(state.commune, state.commune), language))
    if why:
        paragraph(why)
    if not found:
        click.echo(asked.say("nothing"))
        return
    told = steps(found)
    tell_late(late, asked)
    tell_requests(requests, asked)
    tell_moves(told, asked)
    if everything:
        section("possible", told.possible, asked)
        section("not-yet", told.not_yet, asked)
        section("any-time", told.any_time, asked)
    else:
        labels("possible-too", told.possible, asked)
        labels("not-yet-short", told.not_yet, asked)
        labels("any-time", told.any_time, asked)
    click.echo()
    paragraph(asked.say("how-to-do", framework=identity[-8:]), dim=True)
    if not everything:
        paragraph(asked.say("all-of-it", framework=identity[-8:]), dim=True)


def tell_late(late: Sequence[Overdue], asked: Asked) -> None:
    """What is late, the end of the plan first."""
    if not late:
        return
    click.echo()
    heading(asked.say("overdue"))
    for line in asked.first([overdue_line(each, asked.state, asked.language) for each in late]):
        paragraph(line, "  ! ")


def tell_requests(requests: Sequence[RequestRow], asked: Asked) -> None:
    """What is asked for and waits for a second person, each with the command that confirms it."""
    if not requests:
        return
    click.echo()
    heading(asked.say("asked-for"))
    for row in requests:
        what, who = request_lines(row, asked.language)
        paragraph(what, "  ? ")
        paragraph(who, "    ")
        paragraph(confirming(row), "      ")


def tell_moves(told: Steps, asked: Asked) -> None:
    """The moves that are possible now; then those that are not, with what is missing and whom to call."""
    if told.moves:
        click.echo()
        heading(asked.say("do-now"))
        for option in told.moves:
            paragraph(f"{label(option, asked)} · {option.command} · {by_whom(option, asked)}", "  ✓ ")
            beware(option, asked)
    if told.missing:
        click.echo()
        heading(asked.say("missing-for"))
    for missing in told.missing:
        tell_missing(missing, asked)


def tell_missing(missing: Missing, asked: Asked) -> None:
    """Moves with what they wait for; at first told once for all that wait for the same."""
    for option in missing.moves:
        paragraph(label(option, asked), "  ✗ ")
        for finding in missing.findings if asked.all else ():
            tell_finding(finding, asked)
    if asked.all:
        return
    for line in asked.first([brief(finding, asked.state.members, asked.language) for finding in missing.findings]):
        paragraph(line, "    – ")


def section(title: str, options: Sequence[Option], asked: Asked) -> None:
    """The options of one kind, each allowed or with every reason why not."""
    if not options:
        return
    click.echo()
    heading(asked.say(title))
    for option in options:
        paragraph(label(option, asked), "  ✓ " if option.allowed else "  ✗ ")
        for finding in option.refused_by:
            tell_finding(finding, asked)
        beware(option, asked)
        if option.allowed:
            paragraph(f"{option.command} · {by_whom(option, asked)}", "      ", dim=True)


def labels(title: str, options: Sequence[Option], asked: Asked) -> None:
    """The options of one kind by name, in as few lines as there can be."""
    if not options:
        return
    click.echo()
    heading(asked.say(title))
    paragraph(
        "\u00a0· ".join(f"{label(o, asked)} ({o.command})" if o.allowed else label(o, asked) for o in options), "  "
    )


def tell_finding(finding: Finding, asked: Asked) -> None:
    what, helps, *call = explained(finding, finding.lift, asked.language)
    paragraph(f"{asked.named(what)} {helps}", "      ")
    called = members_named(finding, asked.state.members)
    if called:
        call.append(asked.say("call-members", members=listed(called, asked.language)))
    if call:
        paragraph(" ".join(call), "      ")


def beware(option: Option, asked: Asked) -> None:
    for warning in option.warnings:
        paragraph(asked.say("beware", text=asked.named(reason(warning, asked.language))), "      ")


def by_whom(option: Option, asked: Asked) -> str:
    return asked.say("by-whom", roles=whom_to_call(option.roles, asked.language))


def label(option: Option, asked: Asked) -> str:
    """``Open the review → adjustment``."""
    to = leads_to(option, asked.state, asked.on)
    words = option_label(option, asked.language)
    return f"{words} → {shown(to, asked.language)}" if to else words
