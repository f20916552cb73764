"""The front door of the framework: stage, role, dates and guards first, then the command's own rules."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from cycle.aggregates.base import Command, Event, Finding, Refused, Role, demand
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.state import Framework, Stage
from cycle.aggregates.framework.table import ROWS, Row, stages_of, triggers
from cycle.aggregates.known import Known


class Option(Struct, frozen=True, omit_defaults=True):
    """One trigger of the current stage: allowed, or every finding that refuses it.

    ``warnings`` do not refuse. ``to`` names the stages it may lead to; empty: it stays.
    """

    command: str
    allowed: bool
    roles: tuple[Role, ...]
    to: tuple[Stage, ...] = ()
    refused_by: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()


def options(state: Framework, known: Known) -> tuple[Option, ...]:
    """What may happen next in a framework, in table order, and what keeps the rest from happening."""
    found = []
    for row in triggers(state.stage):
        seen = tuple(_guarded(state, row, known))
        refused_by = tuple(f for f in seen if f.refuses)
        found.append(
            Option(
                row.command.type,
                not refused_by,
                row.command.roles,
                row.to,
                refused_by,
                tuple(f for f in seen if not f.met and not f.refuses),
            )
        )
    return tuple(found)


def decide(state: Framework, command: Command, known: Known) -> tuple[Event, ...]:
    """The facts that a command leads to.

    Raises:
        Refused: with every finding that refuses, the stage first.
    """
    row = ROWS.get((command.type, state.stage))
    if row is None:
        raise Refused(_wrong_stage(state, command))
    demand(*_about_the_saying(state, row, known), *_guarded(state, row, known))
    return framework.decide(state, command, known)


def _guarded(state: Framework, row: Row, known: Known) -> Iterator[Finding]:
    for guard in row.guards:
        yield from guard(state, known)


def _wrong_stage(state: Framework, command: Command) -> Finding:
    wanted = stages_of(type(command))
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


def _about_the_saying(state: Framework, row: Row, known: Known) -> Iterator[Finding]:
    if known.by.role not in row.command.roles:
        yield Finding(
            "role-may-not",
            values={
                "command": row.command.type,
                "role": known.by.role.value,
                "roles": tuple(role.value for role in row.command.roles),
            },
            lift=row.command.roles,
        )
    if known.on > known.today:
        yield Finding("not-happened-yet", values={"on": known.on.isoformat(), "today": known.today.isoformat()})
    # The order of the log is the order in which facts were recorded; a move that claims to lie
    # before the last one is nearly always a slip of the date (TIMINGS, "Time").
    since = state.stage_since
    if row.to and since is not None and known.on < since and not known.late_record:
        yield Finding(
            "before-the-last-move",
            values={"on": known.on.isoformat(), "since": since.isoformat(), "stage": state.stage or ""},
        )
