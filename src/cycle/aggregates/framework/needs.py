"""What each profession needs, before the first meeting and whenever needs are reopened."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from msgspec.structs import replace

from cycle.aggregates.base import Check, Command, Event, Finding, Happened, Role, checks, demand, ruled
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.rules import list_of, need_is_open, not_twice, policy_of
from cycle.aggregates.framework.state import Framework, Need, Stage
from cycle.aggregates.known import Known
from cycle.aggregates.terms import AmountXof, MemberId, NeedId, NeedKind, Of, Planned, Text


class NeedsIdentificationOpened(Event):
    cycle: int
    due_on: Planned | None = None
    correctable = frozenset({"due_on"})


class NeedIdentified(Event):
    need: NeedId
    cycle: int
    profession: MemberId
    kind: NeedKind
    description: Text
    estimate_xof: AmountXof | None = None
    correctable = frozenset({"kind", "description", "estimate_xof"})


class NeedAmended(Event):
    need: NeedId
    kind: NeedKind | None = None
    description: Text | None = None
    estimate_xof: AmountXof | None = None
    correctable = frozenset({"kind", "description", "estimate_xof"})


class NeedWithdrawn(Event):
    need: NeedId
    reason: Text
    correctable = frozenset({"reason"})


class ProfessionNeedsValidated(Event):
    profession: MemberId
    ranked: tuple[NeedId, ...]


class ProfessionDeclaredNoNeeds(Event):
    profession: MemberId


class NeedsIdentificationClosed(Event):
    cycle: int
    needs: tuple[NeedId, ...]
    checks: tuple[Check, ...] = ()
    strands = ("stage",)


class NeedsReopened(Event):
    cycle: int
    reason: Text
    due_on: Planned | None = None
    correctable = frozenset({"reason", "due_on"})
    strands = ("stage",)


class IdentifyNeed(Command):
    """Note a need of a profession."""

    profession: MemberId
    kind: NeedKind
    description: Text
    estimate_xof: AmountXof | None = None
    roles = (Role.ORGANISATION, Role.FACILITATOR)
    makes = NeedIdentified


class AmendNeed(Command):
    """Say a need better; fields that are left out stay. Its profession validates anew."""

    need: NeedId
    kind: NeedKind | None = None
    description: Text | None = None
    estimate_xof: AmountXof | None = None
    roles = (Role.ORGANISATION, Role.FACILITATOR)
    restates = {"kind": "needs.{need}.kind", "description": "needs.{need}.description"}


class WithdrawNeed(Command):
    """Take a need off the list. Its profession validates anew."""

    need: NeedId
    reason: Text
    roles = (Role.ORGANISATION, Role.FACILITATOR)


class ValidateNeeds(Command):
    """Validate a profession's open needs, the most important first."""

    profession: MemberId
    ranked: Annotated[tuple[NeedId, ...], Of("profession")]
    roles = (Role.ORGANISATION, Role.FACILITATOR)


class DeclareNoNeeds(Command):
    """Declare that a profession has no needs this time."""

    profession: MemberId
    roles = (Role.ORGANISATION, Role.FACILITATOR)


class CloseNeeds(Command):
    """Close the identification of needs; the meeting can be convened."""


def a_profession_is_represented(state: Framework, known: Known) -> Iterable[Finding]:
    """A professional organisation is a member."""
    yield Finding("no-profession", bool(state.professions()), lift=(Role.FACILITATOR,))


def a_profession_has_needs(state: Framework, known: Known) -> Iterable[Finding]:
    """A professional organisation has open needs to validate."""
    with_needs = any(need.profession in state.professions() for need in state.needs.values())
    yield Finding("no-needs", with_needs, lift=(Role.ORGANISATION, Role.FACILITATOR))


def a_profession_without_needs(state: Framework, known: Known) -> Iterable[Finding]:
    """A professional organisation has no open need: only then can it declare that."""
    asked = state.professions()
    free = not asked or any(not _needs_of(state, profession) for profession in asked)
    needs = tuple(need.id for need in state.needs.values())
    yield Finding("needs-are-open", free, values=list_of(needs=needs), lift=(Role.ORGANISATION,))


def a_need_is_open(state: Framework, known: Known) -> Iterable[Finding]:
    """There is a need to speak of."""
    yield Finding("no-needs", bool(state.needs), lift=(Role.ORGANISATION, Role.FACILITATOR))


def every_profession_has_spoken(state: Framework, known: Known) -> Iterable[Finding]:
    """Every profession has validated its needs or declared none (policy)."""
    policy = policy_of(known)
    rule = policy.needs_before_meeting
    for profession in state.professions():
        met = not rule.value or profession in state.spoken
        name, open_needs = state.members[profession].name, tuple(n.id for n in _needs_of(state, profession))
        lift = (Role.ORGANISATION, Role.FACILITATOR)
        values = list_of(profession=profession, name=name, needs=open_needs)
        yield ruled("profession-silent", policy, rule, met, lift=lift, **values)


def at_least_one_need(state: Framework, known: Known) -> Iterable[Finding]:
    """At least one need is open: without one there is nothing to negotiate."""
    yield Finding("no-needs", bool(state.needs), lift=(Role.ORGANISATION, Role.FACILITATOR))


def _needs_of(state: Framework, profession: MemberId) -> tuple[Need, ...]:
    return tuple(need for need in state.needs.values() if need.profession == profession)


def _is_profession(state: Framework, member: MemberId) -> Finding:
    professions = tuple(f"{p} {state.members[p].name}" for p in state.professions())
    return Finding("not-a-profession", member in state.professions(), values=list_of(member=member, known=professions))


@framework.decides(IdentifyNeed)
def identify_need(state: Framework, command: IdentifyNeed, known: Known) -> Iterable[Event]:
    demand(_is_profession(state, command.profession))
    need = NeedId(f"N-{state.needs_counted + 1}")
    yield NeedIdentified(need, state.cycle, command.profession, command.kind, command.description, command.estimate_xof)


@framework.decides(AmendNeed)
def amend_need(state: Framework, command: AmendNeed, known: Known) -> Iterable[Event]:
    said = (command.kind, command.description, command.estimate_xof)
    demand(need_is_open(state, command.need), Finding("nothing-amended", any(x is not None for x in said)))
    yield NeedAmended(command.need, *said)


@framework.decides(WithdrawNeed)
def withdraw_need(state: Framework, command: WithdrawNeed, known: Known) -> Iterable[Event]:
    demand(need_is_open(state, command.need))
    yield NeedWithdrawn(command.need, command.reason)


@framework.decides(ValidateNeeds)
def validate_needs(state: Framework, command: ValidateNeeds, known: Known) -> Iterable[Event]:
    demand(_is_profession(state, command.profession))
    own = tuple(need.id for need in _needs_of(state, command.profession))
    missing = tuple(need for need in own if need not in command.ranked)
    foreign = tuple(need for need in command.ranked if need not in own)
    demand(
        not_twice(command.ranked),
        Finding("needs-not-ranked", not missing, values=list_of(needs=missing)),
        Finding("needs-of-others", not foreign, values=list_of(needs=foreign, known=own)),
        Finding("no-needs-to-validate", bool(own), values={"profession": command.profession}),
    )
    yield ProfessionNeedsValidated(command.profession, command.ranked)


@framework.decides(DeclareNoNeeds)
def declare_no_needs(state: Framework, command: DeclareNoNeeds, known: Known) -> Iterable[Event]:
    demand(_is_profession(state, command.profession))
    own = tuple(need.id for need in _needs_of(state, command.profession))
    demand(Finding("needs-are-open", not own, values=list_of(needs=own), lift=(Role.ORGANISATION,)))
    yield ProfessionDeclaredNoNeeds(command.profession)


@framework.decides(CloseNeeds)
def close_needs(state: Framework, command: CloseNeeds, known: Known) -> Iterable[Event]:
    seen = checks(every_profession_has_spoken(state, known))
    yield NeedsIdentificationClosed(state.cycle, tuple(state.needs), seen)


@framework.evolves(NeedsIdentificationOpened)
def needs_identification_opened(state: Framework, recorded: Happened[NeedsIdentificationOpened]) -> Framework:
    return replace(state, needs_due_on=recorded.data.due_on, spoken=frozenset())


@framework.evolves(NeedIdentified)
def need_identified(state: Framework, recorded: Happened[NeedIdentified]) -> Framework:
    fact = recorded.data
    need = Need(fact.need, fact.cycle, fact.profession, fact.kind, fact.description, recorded.occurred_on)
    return replace(
        state,
        needs={**state.needs, fact.need: need},
        needs_counted=state.needs_counted + 1,
        spoken=state.spoken - {fact.profession},
    )


@framework.evolves(NeedAmended)
def need_amended(state: Framework, recorded: Happened[NeedAmended]) -> Framework:
    fact, before = recorded.data, state.needs[recorded.data.need]
    need = replace(before, kind=fact.kind or before.kind, description=fact.description or before.description)
    return replace(state, needs={**state.needs, fact.need: need}, spoken=state.spoken - {before.profession})


@framework.evolves(NeedWithdrawn)
def need_withdrawn(state: Framework, recorded: Happened[NeedWithdrawn]) -> Framework:
    gone = state.needs[recorded.data.need]
    return replace(
        state,
        needs={id: need for id, need in state.needs.items() if id != gone.id},
        spoken=state.spoken - {gone.profession},
    )


def profession_spoke(
    state: Framework, recorded: Happened[ProfessionNeedsValidated | ProfessionDeclaredNoNeeds]
) -> Framework:
    return replace(state, spoken=state.spoken | {recorded.data.profession})


framework.evolves(ProfessionNeedsValidated)(profession_spoke)
framework.evolves(ProfessionDeclaredNoNeeds)(profession_spoke)


@framework.evolves(NeedsIdentificationClosed)
def needs_identification_closed(state: Framework, recorded: Happened[NeedsIdentificationClosed]) -> Framework:
    return replace(state, stage=Stage.MEETING, stage_since=recorded.occurred_on, needs_due_on=None)


@framework.evolves(NeedsReopened)
def needs_reopened(state: Framework, recorded: Happened[NeedsReopened]) -> Framework:
    return replace(
        state,
        stage=Stage.NEEDS_IDENTIFICATION,
        stage_since=recorded.occurred_on,
        spoken=frozenset(),
        needs_due_on=recorded.data.due_on,
    )
