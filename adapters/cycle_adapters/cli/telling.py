"""``cycle replay`` and ``cycle diff``: histories told fact by fact."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import click

from cycle.aggregates.framework.anytime import FactCorrected
from cycle.catalogue import Language, shown, template, text
from cycle.history import Cutoffs, Fact
from cycle.reading import Reader, opened
from cycle.settings import Settings
from cycle.telling import corrections, guards_saw, sentence
from cycle_adapters.cli.places import framework_at, place_at
from cycle_adapters.cli.printing import DAY, MOMENT, emit, heading, joined, pair, paragraph
from cycle_adapters.cli.states import changed, told

Corrected = Mapping[tuple[str, int], Sequence[Fact]]
"""Stream and version of a fact -> the corrections of it."""


def corrected(facts: Sequence[Fact]) -> Corrected:
    found: dict[tuple[str, int], list[Fact]] = defaultdict(list)
    for fact in facts:
        data = fact.recorded.data
        if isinstance(data, FactCorrected):
            found[fact.recorded.stream, data.fact_version].append(fact)
    return found


def tell(fact: Fact, language: Language, later: Corrected) -> None:
    """One fact: position, day, sentence, who, what the guards saw, what was corrected."""
    recorded = fact.recorded
    under = " " * 9
    paragraph(f"{shown(recorded.occurred_on, language)} · {sentence(recorded, language)}", f"{fact.position:>7}  ")
    who = f"{recorded.by.actor}, {shown(recorded.by.role, language)}"
    if recorded.by.on_behalf_of:
        who += ", " + text("message.on-behalf-of", language, "", whom=recorded.by.on_behalf_of)
    if recorded.recorded_at.date() != recorded.occurred_on:
        who += ", " + text("message.recorded-at", language, "", moment=recorded.recorded_at)
    paragraph(who, under, dim=True)
    saw = guards_saw(recorded, language)
    if saw:
        paragraph(pair(text("message.saw", language), joined(saw, language), language), under, dim=True)
    for line in corrections(recorded, language):
        paragraph(text("message.corrected", language, "", changes=line), under)
    for correction in later.get((recorded.stream, recorded.version), ()):
        changes = joined(corrections(correction.recorded, language), language)
        reason = getattr(correction.recorded.data, "reason", "—")
        values = {"position": str(correction.position), "reason": reason, "changes": changes}
        paragraph(template("message.corrected-later", language).format_map(values), under)


def as_json(fact: Fact, language: Language, later: Corrected) -> dict[str, object]:
    recorded = fact.recorded
    by = [correction.position for correction in later.get((recorded.stream, recorded.version), ())]
    return {
        "position": fact.position,
        "event": recorded,
        "sentence": sentence(recorded, language),
        "corrections": corrections(recorded, language),
        "corrected_by": by,
    }


@click.command()
@click.argument("place", metavar="PLACE")
@click.option("--as-of", type=DAY)
@click.option("--known-at", type=MOMENT)
@click.option("--at", type=int, metavar="POSITION")
@click.pass_obj
def replay(settings: Settings, place: str, as_of: date | None, known_at: datetime | None, at: int | None) -> None:
    """Tell the whole decision history of a commune or framework, and the state that it leads to."""
    language, cutoffs = settings.language, Cutoffs(as_of, known_at, at)
    with opened(settings.database) as engine:
        reader = Reader(engine, settings.actor)
        reader.catch_up()
        found = place_at(reader, place)
        if found.framework:
            facts = reader.framework_facts(found.framework, cutoffs)
        else:
            facts = reader.facts(found.commune, cutoffs)
        streams = dict.fromkeys(f.recorded.stream for f in facts if f.recorded.stream.startswith("framework-"))
        states = [reader.state([f for f in facts if f.recorded.stream == stream]) for stream in streams]
    later = corrected(facts)
    if settings.json:
        for fact in facts:
            emit(as_json(fact, language, later))
        return
    if not facts:
        click.echo(text("message.none-found", language))
    for fact in facts:
        tell(fact, language, later)
    for state in states:
        click.echo()
        heading(f"{text('message.state-now', language)} — {state.title} ({state.id})")
        for line in told(state, language):
            paragraph(pair(line.label, line.value, language), "  ")


class PositionOrDay(click.ParamType[Cutoffs]):
    """A position in the log, or a day."""

    name = "POSITION|DATE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Cutoffs:
        if isinstance(value, Cutoffs):
            return value
        if value.isascii() and value.isdecimal():
            return Cutoffs(at=int(value))
        return Cutoffs(as_of=DAY.convert(value, param, ctx))


@click.command()
@click.argument("place", metavar="ID")
@click.option("--from", "before", type=PositionOrDay(), required=True)
@click.option("--to", "after", type=PositionOrDay(), required=True)
@click.pass_obj
def diff(settings: Settings, place: str, before: Cutoffs, after: Cutoffs) -> None:
    """Tell what changed in a framework between two moments."""
    language = settings.language
    with opened(settings.database) as engine:
        reader = Reader(engine, settings.actor)
        reader.catch_up()
        identity = framework_at(reader, place)
        earlier = reader.framework_facts(identity, before)
        later = reader.framework_facts(identity, after)
        before_lines, after_lines = (told(reader.state(facts), language) for facts in (earlier, later))
    backward = len(earlier) > len(later)
    less, more = (later, earlier) if backward else (earlier, later)
    known = {fact.position for fact in less}
    between = [fact for fact in more if fact.position not in known]
    changes = changed(before_lines, after_lines, between, language, backward=backward)
    corrections_of = corrected(more)
    if settings.json:
        emit(
            {
                "facts": [as_json(fact, language, corrections_of) for fact in between],
                "changes": [
                    {"what": each.key, "label": each.label, "before": each.before, "after": each.after}
                    for each in changes
                ],
            }
        )
        return
    heading(text("message.facts-between", language, "", count=len(between)))
    for fact in between:
        tell(fact, language, corrections_of)
    click.echo()
    heading(text("message.what-changed" if changes else "message.nothing-changed", language))
    for each in changes:
        paragraph(pair(each.label, f"{each.before} → {each.after}", language), "  ")
