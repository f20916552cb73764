"""Random histories of a framework: whatever the front door accepts, in whatever order.

Commands are built from their declared fields and from what the state holds, so that a new command
is walked without a line here. A few need more sense than their types tell; they stand in ``SENSE``.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from random import Random
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from cycle.aggregates.base import Command, Event, Refused
from cycle.aggregates.deliberation import Deliberation, DeliberationStage
from cycle.aggregates.framework import (
    adjustment,
    anytime,
    committee,
    contributions,
    meetings,
    monitoring,
    needs,
    obstacles,
    plan,
    proposals,
)
from cycle.aggregates.framework.council import RecordDeliberation
from cycle.aggregates.framework.decision import options
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.setup import AdmitMember, IdentifyActor, PrioritiseSectors, ProposeFramework
from cycle.aggregates.framework.state import Framework, Stage
from cycle.aggregates.organisation import Organisation
from cycle.aggregates.terms import (
    ActionId,
    CommuneCode,
    Constituency,
    ContributionId,
    DeadlineKind,
    DecisionMode,
    DeliberationId,
    GrantId,
    Ledger,
    MeetingId,
    MemberId,
    Nature,
    NeedId,
    ObstacleId,
    OrganisationId,
    Outcome,
    PersonId,
    PolicyId,
    Presence,
    ReviewKind,
    Seat,
    TokenId,
    Use,
    Votes,
    Window,
    Worth,
)
from cycle.engine import COMMANDS
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
    GrantId: lambda s: (GrantId("G-1"),),
    TokenId: lambda s: (TokenId("T-1"),),
    PersonId: lambda s: (PersonId("p-1"),),
    PolicyId: lambda s: (PolicyId("wocat-pact"),),
}


PATTERNS = {
    r"^[a-z0-9]+(-[a-z0-9]+)*$": ("rice", "fish"),
    r"^[^\s]+$": ("recu-1", "person-9"),
    r"^[0-9a-f]{64}$": ("0" * 64,),
}
"""Texts that must have a form: codes, references, digests."""


def value(hint: Any, state: Framework, on: date, chance: Random) -> Any:
    """A value of a declared type that may make sense in this state; an unknown id now and then."""
    if hint in _IDS:
        known = _IDS[hint](state)
        return chance.choice([*known * 5, "X-9"])
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        patterns = {getattr(meta, "pattern", None) for meta in hint.__metadata__}
        for pattern, valid in PATTERNS.items():
            if pattern in patterns:
                return chance.choice(valid)
        return chance.randint(1, 3) if args[0] is int else value(args[0], state, on, chance)
    if origin in (Union, types.UnionType):
        if type(None) in args and chance.random() < 0.5:
            return None
        return value(next(a for a in args if a is not type(None)), state, on, chance)
    if origin is tuple:
        return tuple(value(args[0], state, on, chance) for _ in range(chance.randint(1, 2)))
    if origin is Mapping:
        return {"reason": msgspec.Raw(b'"mieux"')}
    if hint is date:
        return on + timedelta(days=chance.randint(0, 60))
    if hint is bool:
        return chance.random() < 0.5
    if hint is int:
        return chance.randint(0, 60)
    if hint is Decimal:
        return Decimal(chance.randint(1, 100))
    if hint is str:
        return chance.choice(("rice", "market-gardening", "fish", "réparer la pompe", "reason"))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return chance.choice(list(hint))
    if isinstance(hint, type) and issubclass(hint, Struct):
        return hint(**fields(hint, state, on, chance))
    raise TypeError(f"walks do not know how to make a {hint!r}")


def fields(struct: type[Struct], state: Framework, on: date, chance: Random) -> dict[str, Any]:
    hints = get_type_hints(struct, include_extras=True)
    return {name: value(hints[name], state, on, chance) for name in struct.__struct_fields__}


def _everybody(state: Framework) -> tuple[Presence, ...]:
    return tuple(Presence(m, women=2, men=3, youth=1) for m in state.members)


def _seats(state: Framework) -> tuple[Seat, ...]:
    seated = [*state.members] if len(state.members) > 2 else [*state.members] * 3
    return tuple(Seat(m, f"person-{n}-{m}", woman=n % 2 == 0, youth=n % 2 == 1) for n, m in enumerate(seated))


def _profession(state: Framework, *, with_needs: bool) -> MemberId:
    """One that has not spoken and has needs, or has none; one that has spoken rather than none at all."""
    professions = sorted(state.professions(), key=lambda p: p in state.spoken)
    having = {need.profession for need in state.needs.values()}
    return next((p for p in professions if (p in having) == with_needs), MemberId("X-9"))


def _validated(state: Framework) -> dict[str, Any]:
    profession = _profession(state, with_needs=True)
    return {"profession": profession, "ranked": tuple(n.id for n in state.needs.values() if n.profession == profession)}


def _candidate(state: Framework) -> OrganisationId:
    inside = {member.organisation for member in state.members.values()}
    return next((o for o in ORGANISATIONS if o not in inside), OrganisationId("o-4"))


def _running(state: Framework) -> ActionId:
    return next((a.id for a in state.unsettled()), ActionId("X-9"))


def _blocking(state: Framework) -> ObstacleId:
    return next((o.id for o in state.open_obstacles()), ObstacleId("X-9"))


def _delivery(state: Framework) -> dict[str, Any]:
    """A part of what is still open of a promise, of the last one as soon as of the first."""
    promises = sorted(state.contributions.values(), key=lambda c: (int(c.id[2:]) * 7) % 11)
    if not promises:
        return {"contribution": ContributionId("X-9"), "worth": Worth(25_000)}
    promise, left = promises[0], contributions.still_open(promises[0])
    cash = promise.nature is Nature.CASH
    worth = Worth(min(25_000, int(left))) if cash else Worth(None, min(Decimal("4.5"), left), promise.pledged.unit)
    return {"contribution": promise.id, "worth": worth}


def _free(state: Framework, on: date) -> date:
    return max(on, state.plan.free_from) if state.plan else on


def _complete_action(state: Framework, on: date) -> dict[str, Any]:
    return {
        "needs": tuple(state.needs)[:1],
        "responsible": next(iter(state.members), MemberId("X-9")),
        "due_on": _free(state, on) + timedelta(days=40),
    }


def _adjustment(state: Framework, on: date) -> dict[str, Any]:
    """What runs is done better; where nothing runs any more, the plan gains an action."""
    if any(state.unsettled()):
        return {"changes": (adjustment.ActionChange(_running(state), "mieux"),), "added": ()}
    ends_on = state.plan.window.ends_on if state.plan else on
    own = {"responsible": next(iter(state.members), MemberId("X-9")), "needs": tuple(state.needs)[:1]}
    return {"changes": (), "added": (adjustment.ActionAdded("autre chose", due_on=ends_on, **own),)}


SENSE: dict[type[Command], Callable[[Framework, date], dict[str, Any]]] = {
    ProposeFramework: lambda s, on: {"policy": PolicyId("wocat-pact")},
    PrioritiseSectors: lambda s, on: {"sectors": ("rice", "fish")},
    IdentifyActor: lambda s, on: {
        "sector": next((x for x in s.sectors if x not in s.actor_sectors), next(iter(s.sectors), "rice")),
        "actor": f"Groupement {len(s.actors) + 1}",
    },
    AdmitMember: lambda s, on: {"organisation": _candidate(s)},
    RecordDeliberation: lambda s, on: {"deliberation": DeliberationId(f"d-{Outcome.ADOPTED}")},
    needs.IdentifyNeed: lambda s, on: {"profession": next(iter(s.professions()), MemberId("X-9"))},
    needs.DeclareNoNeeds: lambda s, on: {"profession": _profession(s, with_needs=False)},
    needs.ValidateNeeds: lambda s, on: _validated(s),
    meetings.ConveneMeeting: lambda s, on: {"held_on": on},
    meetings.AdjournMeeting: lambda s, on: {"attendance": _everybody(s)},
    meetings.SendInvitations: lambda s, on: {"members": tuple(s.members)},
    meetings.ArrangeLogistics: lambda s, on: {"payer": next(iter(s.members), MemberId("X-9"))},
    meetings.ApproveMinutes: lambda s, on: {"meeting": next(iter(s.unapproved_minutes), MeetingId("X-9"))},
    contributions.PledgeContribution: lambda s, on: {
        "ledger": Ledger.APPROACH, "action": None, "use": Use.OPERATING,
        **(
            {"nature": Nature.CASH, "worth": Worth(50_000)}
            if on.day % 2
            else {"nature": Nature.LABOUR, "worth": Worth(None, Decimal(12), "journées")}
        ),
    },
    plan.RegisterInPdesc: lambda s, on: {"action": next((a.id for a in s.negotiated()), ActionId("X-9"))},
    contributions.ReceiveContribution: lambda s, on: _delivery(s),
    contributions.WaiveContribution: lambda s, on: {"contribution": _delivery(s)["contribution"]},
    contributions.RecordRenege: lambda s, on: {"contribution": _delivery(s)["contribution"]},
    monitoring.RecordMonitoring: lambda s, on: {"value": Decimal(3), "unit": "kg"},
    monitoring.ReportProgress: lambda s, on: {"action": _running(s)},
    monitoring.CompleteAction: lambda s, on: {"action": _running(s)},
    monitoring.AbandonAction: lambda s, on: {"action": _running(s)},
    adjustment.CarryOverAction: lambda s, on: {"action": _running(s)},
    adjustment.CarryOverObstacle: lambda s, on: {"obstacle": _blocking(s)},
    obstacles.CommunicateObstacle: lambda s, on: {"obstacle": _blocking(s), "members": tuple(s.members)},
    obstacles.ResolveObstacle: lambda s, on: {"obstacle": _blocking(s)},
    obstacles.AcceptObstacle: lambda s, on: {"obstacle": _blocking(s)},
    adjustment.OpenReview: lambda s, on: {
        "kind": ReviewKind.MID_TERM if s.plan and on < s.plan.window.ends_on else ReviewKind.END
    },
    adjustment.AdjustPlan: lambda s, on: {**_adjustment(s, on), "dropped": ()},
    committee.ReplaceCommitteeMember: lambda s, on: {
        "leaves": s.committee.seats[0].person if s.committee else "nobody",
        "seat": Seat(next(iter(s.members), MemberId("X-9")), f"person-{on}", woman=True, youth=True),
    },
    anytime.RecordDeadlinePassed: lambda s, on: next(
        (
            {"kind": kind, "about": about}
            for kind, about, day in anytime.deadlines(s)
            if day < on and (kind, about, day) not in s.deadlines_passed
        ),
        {"kind": DeadlineKind.PLAN, "about": "x"},
    ),
    anytime.CorrectFact: lambda s, on: {"fact_version": on.day % 20 + 1},
    meetings.OpenMeeting: lambda s, on: {"attendance": _everybody(s)},
    proposals.ProposeAction: lambda s, on: {**_complete_action(s, on), "obstacles": (), "continues": None},
    proposals.AmendAction: _complete_action,
    proposals.RankActions: lambda s, on: {"ranked": tuple(a.id for a in s.negotiated())},
    plan.AgreePlan: lambda s, on: {
        "window": Window(_free(s, on), _free(s, on) + timedelta(days=80)), "mode": DecisionMode.CONSENSUS,
    },
    committee.InstallCommittee: lambda s, on: {"seats": _seats(s)},
    committee.RenewCommittee: lambda s, on: {"seats": _seats(s)},
}  # fmt: skip


def _missing(tale: Story, name: str) -> bool:
    setting_up = name in ("admit-member", "identify-actor", "prioritise-sectors")
    return not setting_up or (tale.state.stage is Stage.DELIBERATION and len(tale.state.members) < 5)


def attempts(tale: Story, name: str, on: date, chance: Random) -> list[Command]:
    """Commands of one type for this state: made with sense, and by chance."""
    chosen = COMMANDS[name]
    tries = []
    for n in range(12):
        built = fields(chosen, tale.state, on, chance)
        if chosen in SENSE and n < 8:
            built |= {k: v for k, v in SENSE[chosen](tale.state, on).items() if k in built}
        if chosen is anytime.CorrectFact:
            built |= {"fact_version": 1, "changes": {"title": msgspec.Raw(b'"Cadre %d"' % n)}}
        tries.append(chosen(**built))
    return tries


def command(tale: Story, chance: Random) -> tuple[Command, date]:
    """One command that the stage knows, mostly one that its guards let through."""
    slow = tale.state.stage in (Stage.MONITORING, Stage.ADJUSTMENT)
    on = tale.now + timedelta(days=chance.choice((0, 1, 3, 20, 95) if slow else (0, 0, 0, 0, 1)))
    found = options(tale.state, msgspec.structs.replace(tale.known, on=on))
    names = [o.command for o in found if o.command not in RARE or chance.random() < 0.02]
    names += [o.command for o in found if o.allowed and o.command not in RARE] * 3
    # What moves the framework on is one choice among many; without weight no walk would get far.
    names += [o.command for o in found if o.allowed and o.to and o.command not in RARE] * 60
    names += [o.command for o in found if o.allowed and o.command in NEEDED and _missing(tale, o.command)] * 20
    chosen = COMMANDS[chance.choice(names)]
    built = fields(chosen, tale.state, on, chance)
    if chosen in SENSE and chance.random() < 0.9:
        built |= {k: v for k, v in SENSE[chosen](tale.state, on).items() if k in built}
    return chosen(**built), on


RARE = frozenset(
    {
        "dissolve",
        "suspend",
        "withdraw-member",
        "cancel-meeting",
        "withdraw-need",
        "withdraw-action",
        "reopen-negotiation",
    }
)
NEEDED = frozenset(
    {
        "declare-no-needs",
        "open-meeting",
        "close-meeting",
        "install-committee",
        "keep-committee",
        "define-mandate",
        "amend-mandate",
        "convene-meeting",
        "validate-needs",
        "identify-actor",
        "admit-member",
        "submit-to-council",
        "record-deliberation",
        "prioritise-sectors",
        "amend-action",
        "carry-over-action",
        "carry-over-obstacle",
        "complete-action",
    }
)


def tale_begun() -> Story:
    """A framework that is proposed, in a commune that knows five organisations and its council.

    Somebody else is always at hand who confirms what takes two.
    """
    return story(organisations=ORGANISATIONS, deliberations=DELIBERATIONS, seconded_by="second").given(
        ProposeFramework(commune=DIORO.code, title="Cadre de Dioro")
    )


def walk(seed: int, steps: int) -> Story:
    """A story of up to ``steps`` tries; refusals are part of life and change nothing."""
    chance, tale = Random(seed), tale_begun()
    for _ in range(steps):
        if tale.state.stage is Stage.DISSOLVED:
            break
        said, on = command(tale, chance)
        before = tale.state
        tale.when(said, on=on)
        if isinstance(tale.outcome, Refused):
            assert tale.state is before
    return tale


def replay(history: list[Any]) -> Framework:
    """The state that a history leads to."""
    return framework.fold(framework.initial, history)


def types_of(history: list[Any]) -> list[type[Event]]:
    return [type(recorded.data) for recorded in history]
