"""``cycle replay`` and ``cycle diff``: histories told fact by fact."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import click

from cycle.aggregates.base import Event, Recorded
from cycle.aggregates.corrections import FactCorrected
from cycle.catalogue import Language, joined, pair, shown, template, text
from cycle.history import Cutoffs, Fact
from cycle.naming import Names
from cycle.reading import Reader, opened
from cycle.settings import Settings
from cycle.states import compared, compared_as_json, told
from cycle.telling import corrected, corrections, fact_as_json, guards_saw, sentence
from cycle_adapters.cli.places import framework_at, place_at
from cycle_adapters.cli.printing import emit, heading, paragraph
from cycle_adapters.moments import DAY
from cycle_adapters.options import past_options


class Teller:
    """Tells facts of a history one by one, each with what is known of it from the others."""

    UNDER = " " * 9

    def __init__(self, facts: Sequence[Fact], language: Language) -> None:
        self._language = language
        self._later = corrected(facts)
        self._position = {(fact.recorded.stream, fact.recorded.version): fact.position for fact in facts}
        self._names = Names(language)
        for fact in facts:
            self._names.learn(fact.recorded)

    def tell(self, fact: Fact) -> None:
        """Position, day, sentence, who, what the guards saw, what was corrected."""
        recorded, language = fact.recorded, self._language
        said = self._names.beside(recorded, sentence(recorded, language))
        paragraph(f"{shown(recorded.occurred_on, language)} · {said}", f"{fact.position:>7}  ")
        who = f"{recorded.by.actor}, {shown(recorded.by.role, language)}"
        if recorded.by.on_behalf_of:
            who += ", " + text("message.on-behalf-of", language, "", whom=recorded.by.on_behalf_of)
        who += ", " + text("message.recorded-at", language, "", moment=recorded.recorded_at)
        paragraph(who, self.UNDER, dim=True)
        if saw := guards_saw(recorded, language):
            paragraph(pair(text("message.saw", language), joined(saw, language), language), self.UNDER, dim=True)
        self._tell_corrections(recorded)

    def _tell_corrections(self, recorded: Recorded[Event]) -> None:
        language = self._language
        if isinstance(recorded.data, FactCorrected):
            position = self._position.get((recorded.stream, recorded.data.fact_version))
            for line in corrections(recorded, language):
                values = {"changes": line, "position": str(position or "—")}
                paragraph(template("message.corrected-earlier", language).format_map(values), self.UNDER)
        for correction in self._later.get((recorded.stream, recorded.version), ()):
            changes = joined(corrections(correction.recorded, language), language)
            reason = getattr(correction.recorded.data, "reason", "—")
            values = {"position": str(correction.position), "reason": reason, "changes": changes}
            paragraph(template("message.corrected-later", language).format_map(values), self.UNDER)


@click.command()
@click.argument("place", metavar="PLACE")
@past_options
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
    if settings.json:
        later = corrected(facts)
        for fact in facts:
            emit(fact_as_json(fact, language, later))
        return
    if not facts:
        click.echo(text("message.none-found", language))
    teller = Teller(facts, language)
    for fact in facts:
        teller.tell(fact)
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
        found = compared(earlier, later, language)
    if settings.json:
        emit(compared_as_json(found, language))
        return
    heading(text("message.facts-between", language, "", count=len(found.between)))
    teller = Teller(found.facts, language)
    for fact in found.between:
        teller.tell(fact)
    click.echo()
    heading(text("message.what-changed" if found.changes else "message.nothing-changed", language))
    for each in found.changes:
        paragraph(pair(each.label, f"{each.before} → {each.after}", language), "  ")
