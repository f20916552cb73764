"""What the front door asks of a framework: the stage, the guards of the table, the order of the days."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from cycle.aggregates.base import Command, Event, Finding, Refused, Role
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.state import Framework, Stage
from cycle.aggregates.framework.table import ROWS, Row, stages_of, triggers
from cycle.aggregates.known import Known
from cycle.aggregates.standing import named


class Option(Struct, frozen=True, omit_defaults=True):
    """One trigger of the current stage: allowed, or every finding that refuses it.

    ``warnings`` do not refuse. ``to`` names the stages it may lead to; empty: it stays. ``takes_two``:
    it is asked for at first, and happens when a second person confirms.
    """

    command: str
    allowed: bool
    roles: tuple[Role, ...]
    to: tuple[Stage, ...] = ()
    refused_by: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    takes_two: bool = False


def options(state: Framework, known: Known) -> tuple[Option, ...]:
    """What may happen next in a framework, in table order, and what keeps the rest from happening."""
    found = []
    for row in triggers(state.stage):
        seen = tuple(finding for guard in row.guards for finding in guard(state, known))
        refused_by = tuple(f for f in seen if f.refuses)
        found.append(
            Option(
                row.command.type,
                not refused_by,
                row.command.roles,
                row.to,
                refused_by,
                tuple(f for f in seen if not f.met and not f.refuses),
                row.command.seconds,
            )
        )
    return tuple(found)


@framework.asks
def stage_and_guards(state: Framework, command: Command, known: Known) -> Iterator[Finding]:
    """What the state table asks of a command, and the day of the last move.

    Raises:
        Refused: the stage is another one; nothing else is then worth saying.
    """
    row = ROWS.get((command.type, state.stage))
    if row is None:
        raise Refused(wrong_stage(state, type(command)))
    yield from _in_its_time(state, row, known)
    for guard in row.guards:
        yield from guard(state, known)


@framework.weighs
def told_in_order(state: Framework, facts: tuple[Event, ...], known: Known) -> Iterator[Finding]:
    """No fact lies before what it names or what it goes on from, unless it is a late record (decision 0007)."""
    if known.late_record:
        return
    for name in dict.fromkeys(name for fact in facts for name in (*named(fact), *fact.strands)):
        since = state.since(name) or state.strand_since(name)
        if since is not None and known.on < since:
            values = {"thing": name, "on": known.on.isoformat(), "since": since.isoformat()}
            yield Finding("before-what-it-names", values=values)


def wrong_stage(state: Framework, command: type[Command]) -> Finding:
    """In which stages a command may be said, and which one it is."""
    wanted = stages_of(command)
    if state.stage is None:
        return Finding("framework-unknown", values={"command": command.type})
    if wanted == (None,):
        return Finding("framework-exists", values={"framework": state.id})
    return Finding(
        "wrong-stage",
        values={
            "command": command.type,
            "stage": state.stage.value,
            "wanted": tuple(stage.value for stage in wanted if stage),
        },
        lift=command.roles,
    )


def _in_its_time(state: Framework, row: Row, known: Known) -> Iterator[Finding]:
    proposed, since = state.proposed_on, state.stage_since
    if proposed is not None and known.on < proposed:
        yield Finding("before-the-framework", values={"on": known.on.isoformat(), "since": proposed.isoformat()})
    # The order of the log is the order in which facts were recorded; a move that claims to lie
    # before the last one is nearly always a slip of the date (TIMINGS, "Time").
    elif row.to and since is not None and known.on < since and not known.late_record:
        yield Finding(
            "before-the-last-move",
            values={"on": known.on.isoformat(), "since": since.isoformat(), "stage": state.stage or ""},
        )
