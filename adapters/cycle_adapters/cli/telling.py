"""``cycle replay`` and ``cycle diff``: histories told fact by fact."""

from __future__ import annotations

from datetime import date, datetime

import click

from cycle.aggregates.framework.state import Framework
from cycle.catalogue import Language, shown, text
from cycle.engine import Engine
from cycle.history import Cutoffs
from cycle.projections.base import Fact
from cycle.reading import Reader
from cycle.telling import corrections, guards_saw, sentence, tidy
from cycle_adapters.cli.printing import DAY, MOMENT, emit, heading, paragraph
from cycle_adapters.cli.settings import Settings


def tell(fact: Fact, language: Language) -> None:
    """One fact: position, day, sentence, who, what the guards saw, what was corrected."""
    recorded = fact.recorded
    behalf = recorded.by.on_behalf_of
    who = f"{recorded.by.actor}, {shown(recorded.by.role, language)}"
    if behalf:
        who += ", " + text("message.on-behalf-of", language, "", whom=behalf)
    if recorded.recorded_at.date() != recorded.occurred_on:
        who += ", " + text("message.recorded-at", language, "", moment=recorded.recorded_at)
    paragraph(f"{shown(recorded.occurred_on, language)} · {sentence(recorded, language)}", f"{fact.position:>6} ")
    paragraph(who, "         ")
    for line in guards_saw(recorded, language):
        paragraph(f"{text('message.saw', language)}: {line}", "         ")
    for line in corrections(recorded, language):
        paragraph(text("message.corrected", language, "", changes=line), "         ")


def as_json(fact: Fact, language: Language) -> dict[str, object]:
    return {
        "position": fact.position,
        "event": fact.recorded,
        "sentence": sentence(fact.recorded, language),
        "corrections": corrections(fact.recorded, language),
    }


def told_state(state: Framework, language: Language) -> list[tuple[str, str]]:
    """A state in a few lines: what a reader asks first."""

    def said(value: object) -> str:
        return str(shown(value, language))

    plan = state.plan
    lines = [
        ("stage", said(state.stage)),
        ("cycle", said(state.cycle)),
        ("members", ", ".join(m.name for m in state.members.values()) or "—"),
        ("need", ", ".join(state.needs) or "—"),
        (
            "plan",
            f"{plan.cycle}.{plan.version}: {said(plan.window.starts_on)} – {said(plan.window.ends_on)}"
            if plan
            else "—",
        ),
    ]
    lines += [
        (f"action {a.id}", f"{a.description}: {said(a.stage)}, {a.percent} %, {said(a.due_on)}")
        for a in state.actions.values()
    ]
    lines += [(f"obstacle {o.id}", f"{o.description}: {said(o.stage)}, {o.severity}") for o in state.obstacles.values()]
    lines += [
        (f"promise {c.id}", f"{c.member}: {c.received.amount_xof or c.received.quantity or 0} / "
         f"{c.pledged.amount_xof or c.pledged.quantity} {c.pledged.unit or 'XOF'}")
        for c in state.contributions.values()
    ]  # fmt: skip
    return lines


def label(key: str, language: Language) -> str:
    kind, _, identity = key.partition(" ")
    kind = "promises" if kind == "promise" else kind
    return f"{text(f'message.{kind}', language)} {identity}".strip()


@click.command()
@click.argument("place")
@click.option("--as-of", type=DAY, help="Facts that happened up to this day, corrections applied.")
@click.option("--known-at", type=MOMENT, help="Facts recorded up to this moment (UTC).")
@click.option("--at", type=int, metavar="POSITION", help="Facts up to this position.")
@click.pass_obj
def replay(settings: Settings, place: str, as_of: date | None, known_at: datetime | None, at: int | None) -> None:
    """Tell the whole decision history of a commune or framework, and the state that it leads to."""
    language, cutoffs = settings.language, Cutoffs(as_of, known_at, at)
    with Engine(settings.database) as engine:
        reader = Reader(engine)
        reader.catch_up()
        found = reader.find(place)
        if found.framework:
            facts = reader.framework_facts(found.framework, cutoffs)
        else:
            facts = reader.facts(found.commune, cutoffs)
        streams = dict.fromkeys(f.recorded.stream for f in facts if f.recorded.stream.startswith("framework-"))
        states = {s: reader.state([f for f in facts if f.recorded.stream == s]) for s in streams}
    if settings.json:
        for fact in facts:
            emit(as_json(fact, language))
        return
    for fact in facts:
        tell(fact, language)
    for state in states.values():
        click.echo()
        heading(f"{text('message.state-now', language)} — {state.title} ({state.id})")
        for key, value in told_state(state, language):
            paragraph(tidy(f"{label(key, language)}: {value}"), "  ")


class PositionOrDay(click.ParamType[Cutoffs]):
    """A position in the log, or a day."""

    name = "POSITION|DATE"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> Cutoffs:
        if value.isdigit():
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
    with Engine(settings.database) as engine:
        reader = Reader(engine)
        reader.catch_up()
        identity = reader.find_framework(place)
        earlier = reader.framework_facts(identity, before)
        later = reader.framework_facts(identity, after)
        states = reader.state(earlier), reader.state(later)
    known = {fact.position for fact in earlier}
    between = [fact for fact in later if fact.position not in known]
    was, now = (dict(told_state(state, language)) for state in states)
    changes = {
        key: (was.get(key, "—"), now.get(key, "—"))
        for key in dict.fromkeys((*was, *now))
        if was.get(key) != now.get(key)
    }
    if settings.json:
        emit(
            {
                "facts": [as_json(fact, language) for fact in between],
                "changes": [{"what": key, "before": a, "after": b} for key, (a, b) in changes.items()],
            }
        )
        return
    click.echo(text("message.facts-between", language, "", count=len(between)))
    for fact in between:
        tell(fact, language)
    click.echo()
    for key, (a, b) in changes.items():
        paragraph(tidy(f"{label(key, language)}: {a} → {b}"), "  ")
