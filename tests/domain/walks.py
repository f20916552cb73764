"""Random histories of a framework: whatever the front door accepts, in whatever order.

Commands are built from their declared fields and from what the state holds, so that a new command
is walked without a line here. A few need more sense than their types tell; they stand in ``SENSE``.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec
from hypothesis import strategies as st
from msgspec import Struct

from cycle.aggregates.base import Command, Event, Refused
from cycle.aggregates.deliberation import Deliberation, DeliberationStage
from cycle.aggregates.framework import committee, meetings, needs, plan
from cycle.aggregates.framework.decision import options
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.setup import (
    AdmitMember,
    IdentifyActor,
    PrioritiseSectors,
    ProposeFramework,
    RecordDeliberation,
)
from cycle.aggregates.framework.state import Framework
from cycle.aggregates.organisation import Organisation
from cycle.aggregates.terms import (
    ActionId,
    CommuneCode,
    Constituency,
    ContributionId,
    DecisionMode,
    DeliberationId,
    MeetingId,
    MemberId,
    NeedId,
    ObstacleId,
    OrganisationId,
    Outcome,
    PolicyId,
    Presence,
    Seat,
    Votes,
    Window,
)
from tests.domain.story import DIORO, Story, story

ORGANISATIONS = {
    OrganisationId(f"o-{n}"): Organisation(
        1, OrganisationId(f"o-{n}"), DIORO.code, f"Organisation {n}", constituency, may_invest=n != 4
    )
    for n, constituency in enumerate(
        (Constituency.MUNICIPALITY, Constituency.PROFESSIONAL_ORGANISATION,
         Constituency.PROFESSIONAL_ORGANISATION, Constituency.TECHNICAL_SERVICE, Constituency.PARTNER)
    )
}  # fmt: skip
DELIBERATIONS = {
    DeliberationId(f"d-{outcome}"): Deliberation(
        2, DeliberationId(f"d-{outcome}"), DIORO.code, f"2026/{outcome}", "Cadre de concertation", outcome,
        date(2026, 1, 6), Votes(23, 20, 18, 1, 1), DeliberationStage.EXECUTORY, date(2026, 1, 6), date(2026, 1, 7),
    )
    for outcome in Outcome
}  # fmt: skip

_IDS: dict[object, Callable[[Framework], tuple[str, ...]]] = {
    MemberId: lambda s: tuple(s.members),
    NeedId: lambda s: tuple(s.needs),
    ActionId: lambda s: tuple(s.actions),
    ContributionId: lambda s: tuple(s.contributions),
    ObstacleId: lambda s: tuple(s.obstacles),
    MeetingId: lambda s: (s.meeting.id,) if s.meeting else (),
    OrganisationId: lambda s: tuple(ORGANISATIONS),
    DeliberationId: lambda s: tuple(DELIBERATIONS),
    CommuneCode: lambda s: (DIORO.code,),
    PolicyId: lambda s: (PolicyId("wocat-pact"),),
}


def value(hint: Any, state: Framework, on: date) -> st.SearchStrategy[Any]:
    """Values of a declared type that may make sense in this state; unknown ids now and then."""
    if hint in _IDS:
        known = _IDS[hint](state)
        return st.sampled_from([*known * 5, "X-9"])
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return value(args[0], state, on) if args[0] is not int else st.integers(1, 3)
    if origin in (Union, types.UnionType):
        inner = next(a for a in args if a is not type(None))
        return st.none() | value(inner, state, on) if type(None) in args else value(inner, state, on)
    if origin is tuple:
        return st.lists(value(args[0], state, on), min_size=1, max_size=3).map(tuple)
    if origin is dict:
        return st.dictionaries(st.just("reason"), st.just(msgspec.Raw(b'"mieux"')), max_size=1)
    if hint is date:
        return st.integers(0, 60).map(lambda days: on + timedelta(days=days))
    if hint is bool:
        return st.booleans()
    if hint is int:
        return st.integers(0, 3)
    if hint is Decimal:
        return st.integers(1, 100).map(Decimal)
    if hint is str:
        return st.sampled_from(("rice", "market-gardening", "fish", "réparer la pompe", "reason"))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(list(hint))
    if isinstance(hint, type) and issubclass(hint, Struct):
        return st.builds(hint, **fields(hint, state, on))
    raise TypeError(f"walks do not know how to make a {hint!r}")


def fields(struct: type[Struct], state: Framework, on: date) -> dict[str, st.SearchStrategy[Any]]:
    hints = get_type_hints(struct, include_extras=True)
    return {name: value(hints[name], state, on) for name in struct.__struct_fields__}


def _everybody(state: Framework) -> tuple[Presence, ...]:
    return tuple(Presence(m, women=2, men=3, youth=1) for m in state.members)


def _seats(state: Framework) -> tuple[Seat, ...]:
    return tuple(Seat(m, f"person-{m}", woman=n % 2 == 0, youth=n % 2 == 1) for n, m in enumerate(state.members))


def _complete_action(state: Framework, on: date) -> dict[str, Any]:
    return {
        "needs": tuple(state.needs)[:1],
        "responsible": next(iter(state.members), MemberId("X-9")),
        "due_on": on + timedelta(days=25),
    }


SENSE: dict[type[Command], Callable[[Framework, date], dict[str, Any]]] = {
    ProposeFramework: lambda s, on: {"policy": PolicyId("wocat-pact")},
    PrioritiseSectors: lambda s, on: {"sectors": ("rice", "fish")},
    IdentifyActor: lambda s, on: {"sector": next((x for x in s.sectors if x not in s.actor_sectors), "rice")},
    AdmitMember: lambda s, on: {"organisation": OrganisationId(f"o-{min(len(s.members), 4)}")},
    RecordDeliberation: lambda s, on: {"deliberation": DeliberationId(f"d-{Outcome.ADOPTED}")},
    needs.IdentifyNeed: lambda s, on: {"profession": next(iter(s.professions()), MemberId("X-9"))},
    needs.ValidateNeeds: lambda s, on: {
        "profession": next((p for p in s.professions() if p not in s.spoken), MemberId("X-9")),
        "ranked": tuple(
            n.id for n in s.needs.values()
            if n.profession == next((p for p in s.professions() if p not in s.spoken), None)
        ),
    },
    meetings.ConveneMeeting: lambda s, on: {"held_on": on},
    meetings.OpenMeeting: lambda s, on: {"attendance": _everybody(s)},
    plan.ProposeAction: lambda s, on: {**_complete_action(s, on), "obstacles": (), "continues": None},
    plan.AmendAction: lambda s, on: _complete_action(s, on),
    plan.AgreePlan: lambda s, on: {
        "window": Window(on, on + timedelta(days=80)), "mode": DecisionMode.CONSENSUS,
    },
    committee.InstallCommittee: lambda s, on: {"seats": _seats(s)},
    committee.RenewCommittee: lambda s, on: {"seats": _seats(s)},
}  # fmt: skip


@st.composite
def commands(draw: st.DrawFn, tale: Story) -> tuple[Command, date]:
    """One command that the stage knows, mostly one that its guards let through."""
    on = tale.now + timedelta(days=draw(st.sampled_from((0, 0, 1, 1, 3, 20, 95))))
    found = options(tale.state, msgspec.structs.replace(tale.known, on=on))
    from cycle.engine import COMMANDS

    allowed = [o.command for o in found if o.allowed]
    names = [*allowed * 4, *(o.command for o in found)]
    # What moves the framework on is one choice among many; without weight no walk would get far.
    names += [o.command for o in found if o.allowed and o.to and o.command not in ("dissolve", "suspend")] * 20
    command = COMMANDS[draw(st.sampled_from(sorted(names)))]
    built = fields(command, tale.state, on)
    if command in SENSE and draw(st.integers(0, 9)):
        fixed = {k: st.just(v) for k, v in SENSE[command](tale.state, on).items() if k in built}
        built |= fixed
    return draw(st.builds(command, **built)), on


def tale_begun() -> Story:
    """A framework that is proposed, in a commune that knows five organisations and its council."""
    return story(organisations=ORGANISATIONS, deliberations=DELIBERATIONS).given(
        ProposeFramework(commune=DIORO.code, title="Cadre de Dioro")
    )


def walk(data: st.DataObject, steps: int) -> Story:
    """A story of up to ``steps`` tries; refusals are part of life and change nothing."""
    tale = tale_begun()
    for _ in range(steps):
        command, on = data.draw(commands(tale))
        fact = next((e for e in tale.history if e.version == getattr(command, "fact_version", 0)), None)
        tale.know(fact=fact)
        before = tale.state
        tale.when(command, on=on)
        if isinstance(tale.outcome, Refused):
            assert tale.state is before
    return tale


def replay(history: list[Any]) -> Framework:
    """The state that a history leads to."""
    return framework.fold(framework.initial, history)


def types_of(history: list[Any]) -> list[type[Event]]:
    return [type(recorded.data) for recorded in history]
