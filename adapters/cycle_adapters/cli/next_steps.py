"""``cycle next``: what may happen now, and for what may not: why, and whom to call."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date

import click

from cycle.aggregates.base import Finding
from cycle.aggregates.framework import anytime, council, setup
from cycle.aggregates.framework.decision import Option
from cycle.aggregates.framework.state import Framework
from cycle.catalogue import Language, listed, shown, text
from cycle.engine import COMMANDS
from cycle.reading import Reader, opened
from cycle.telling import option_as_json, reason, what_helps, whom_to_call
from cycle_adapters.cli.places import framework_at
from cycle_adapters.cli.printing import DAY, emit, heading, paragraph
from cycle_adapters.cli.settings import Settings

ALWAYS = frozenset({setup.AdoptPolicy.type, council.FollowDeliberation.type, setup.WithdrawMember.type})


@click.command("next")
@click.argument("place", metavar="ID")
@click.option("--on", type=DAY)
@click.pass_obj
def next_(settings: Settings, place: str, on: date | None) -> None:
    """Show what may happen next, and what keeps the rest from happening."""
    language = settings.language
    with opened(settings.database) as engine:
        reader = Reader(engine)
        reader.catch_up()
        identity = framework_at(reader, place)
        found = engine.options(identity, on)
        state = engine.framework(identity)
        names = {row.code: row.name for row in reader.communes()}
    if settings.json:
        emit({"framework": identity, "stage": state.stage, "options": [option_as_json(o) for o in found]})
        return
    values: Mapping[str, object] = {
        "commune": names.get(state.commune, state.commune),
        "title": state.title,
        "stage": state.stage,
        "cycle": state.cycle,
        "since": state.stage_since,
    }
    heading(text("message.stage-of", language, "", **values))
    if not found:
        click.echo(text("message.nothing", language))
        return
    moves = [o for o in found if not always(o) and o.to]
    notes = [o for o in found if not always(o) and not o.to]
    possible = [o for o in notes if o.allowed]
    section("moves", moves, state, language)
    section("possible", possible, state, language)
    section("not-yet", [o for o in notes if not o.allowed], state, language)
    section("any-time", [o for o in found if always(o)], state, language)
    click.echo()
    paragraph(text("message.how-to-do", language, "", framework=identity[-8:]), dim=True)


def always(option: Option) -> bool:
    """Whether it belongs to no stage in particular."""
    return option.command in ALWAYS or COMMANDS[option.command].__module__ == anytime.__name__


def section(title: str, options: Sequence[Option], state: Framework, language: Language) -> None:
    """The options of one kind, each allowed or with every reason why not."""
    if not options:
        return
    click.echo()
    heading(text(f"message.{title}", language))
    for option in options:
        to = f" → {listed((str(shown(s, language)) for s in option.to), language)}" if len(option.to) == 1 else ""
        paragraph(f"{text(f'command.{option.command}', language)}{to}", "  ✓ " if option.allowed else "  ✗ ")
        for finding in option.refused_by:
            paragraph(f"{named(reason(finding, language), state)} {what_helps(finding, language)}", "      ")
            if finding.lift:
                roles = whom_to_call(finding.lift, language)
                paragraph(text("message.call", language, "", roles=roles) + members(finding, state, language), "      ")
        for warning in option.warnings:
            said = named(reason(warning, language), state)
            paragraph(text("message.beware", language, "", text=said), "      ")
        if option.allowed:
            roles = text("message.by-whom", language, "", roles=whom_to_call(option.roles, language))
            paragraph(f"{option.command} · {roles}", "      ", dim=True)


def named(words: str, state: Framework) -> str:
    """A sentence in which a member's number has its name beside it."""

    def name(found: re.Match[str]) -> str:
        member = next((m for m in state.members.values() if m.id == found[0]), None)
        return f"{member.name} ({member.id})" if member and member.name not in words else found[0]

    return re.sub(r"\bMB-[0-9]+\b", name, words)


def members(finding: Finding, state: Framework, language: Language) -> str:
    """The members that a finding is about: whom to call, by name."""
    found: list[str] = []
    for value in finding.values.values():
        for part in value if isinstance(value, tuple) else (value,):
            number = str(part).partition(" ")[0]
            found += [f"{m.name} ({m.id})" for m in state.members.values() if m.id == number]
    called = list(dict.fromkeys(found))
    return " " + text("message.call-members", language, "", members=listed(called, language)) if called else ""
