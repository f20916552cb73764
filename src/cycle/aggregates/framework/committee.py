"""The monitoring committee and its evolving mandate."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from cycle.aggregates.base import Check, Command, Event, Finding, Happened, Role, checks, demand, ruled
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.rules import list_of, members_are_known, not_twice, policy_of
from cycle.aggregates.framework.state import Committee, Framework, Mandate
from cycle.aggregates.known import Known
from cycle.aggregates.terms import MandateCause, Reference, Seat, Someone, Text


class CommitteeInstalled(Event):
    cycle: int
    seats: tuple[Seat, ...]
    checks: tuple[Check, ...] = ()
    strands = ("committee",)


class CommitteeKept(Event):
    cycle: int
    seats: tuple[Seat, ...]
    checks: tuple[Check, ...] = ()
    strands = ("committee",)


class CommitteeRenewed(Event):
    cycle: int
    seats: tuple[Seat, ...]
    checks: tuple[Check, ...] = ()
    strands = ("committee",)


class CommitteeMemberReplaced(Event):
    cycle: int
    leaves: Someone
    seat: Seat
    reason: Text
    checks: tuple[Check, ...] = ()
    correctable = frozenset({"reason"})
    strands = ("committee",)


class MandateDefined(Event):
    cycle: int
    mandate_version: int
    tasks: tuple[Text, ...]
    cause: MandateCause
    strands = ("mandate",)


class MandateAmended(Event):
    cycle: int
    mandate_version: int
    tasks: tuple[Text, ...]
    cause: MandateCause
    strands = ("mandate",)


class InstallCommittee(Command):
    """Install the first monitoring committee."""

    seats: tuple[Seat, ...]


class KeepCommittee(Command):
    """Keep the committee of the last cycle for this one."""


class RenewCommittee(Command):
    """Seat a new committee for this cycle."""

    seats: tuple[Seat, ...]
    restates = {"seats": "committee.seats"}


class ReplaceCommitteeMember(Command):
    """Seat somebody in the place of somebody who leaves the committee."""

    leaves: Reference
    seat: Seat
    reason: Text


class DefineMandate(Command):
    """Define what the committee is asked to do."""

    tasks: tuple[Text, ...]


class AmendMandate(Command):
    """Change the mandate because of results or of new needs."""

    tasks: tuple[Text, ...]
    cause: MandateCause
    roles = (Role.FACILITATOR, Role.COMMITTEE)
    restates = {"tasks": "mandate.tasks"}


def none_installed_yet(state: Framework, known: Known) -> Iterable[Finding]:
    """No committee was installed before; later ones are kept or renewed."""
    yield Finding("committee-installed-already", state.committee is None)


def one_to_keep(state: Framework, known: Known) -> Iterable[Finding]:
    """There is a committee of an earlier cycle."""
    if state.committee is None:
        yield Finding("no-committee-to-keep", lift=(Role.FACILITATOR,))
    else:
        earlier = state.committee.cycle < state.cycle
        yield Finding("committee-kept-already", earlier, values={"cycle": state.cycle})


def one_to_renew(state: Framework, known: Known) -> Iterable[Finding]:
    """There is a committee to renew."""
    yield Finding("no-committee-to-renew", state.committee is not None, lift=(Role.FACILITATOR,))


def still_inclusive(state: Framework, known: Known) -> Iterable[Finding]:
    """The committee still satisfies the policy."""
    if state.committee is not None:
        yield from inclusive(state, state.committee.seats, known)


def in_office(state: Framework, known: Known) -> Iterable[Finding]:
    """A committee is in office."""
    yield Finding("no-committee", state.committee is not None, lift=(Role.FACILITATOR,))


def in_office_for_this_cycle(state: Framework, known: Known) -> Iterable[Finding]:
    """A committee is installed, kept or renewed for this cycle."""
    met = state.committee is not None and state.committee.cycle == state.cycle
    yield Finding("no-committee-this-cycle", met, values={"cycle": state.cycle}, lift=(Role.FACILITATOR,))


def no_mandate_yet(state: Framework, known: Known) -> Iterable[Finding]:
    """No mandate is defined; later versions amend it."""
    yield Finding("mandate-defined-already", state.mandate is None)


def a_mandate_to_amend(state: Framework, known: Known) -> Iterable[Finding]:
    """A mandate is defined."""
    yield Finding("no-mandate", state.mandate is not None, lift=(Role.FACILITATOR,))


def mandate_for_this_cycle(state: Framework, known: Known) -> Iterable[Finding]:
    """The mandate has a version for this cycle (policy)."""
    policy = policy_of(known)
    rule, lift = policy.mandate_per_cycle, (Role.FACILITATOR, Role.COMMITTEE)
    met = not rule.value or (state.mandate is not None and state.mandate.cycle == state.cycle)
    yield ruled("no-mandate-this-cycle", policy, rule, met, lift=lift, cycle=state.cycle)


def inclusive(state: Framework, seats: tuple[Seat, ...], known: Known) -> list[Finding]:
    """Size, women, young people and constituencies of a committee, as the policy wants them."""
    policy, lift = policy_of(known), (Role.FACILITATOR,)
    women, youth = sum(seat.woman for seat in seats), sum(seat.youth for seat in seats)
    counts = (
        ("committee-too-small", policy.committee_min, len(seats), len(seats) >= policy.committee_min.value),
        ("committee-too-large", policy.committee_max, len(seats), len(seats) <= policy.committee_max.value),
        ("too-few-women", policy.committee_women_min, women, women >= policy.committee_women_min.value),
        ("too-few-young-people", policy.committee_youth_min, youth, youth >= policy.committee_youth_min.value),
    )
    found = [
        ruled(code, policy, rule, met, lift=lift, count=count, required=rule.value) for code, rule, count, met in counts
    ]
    sitting = {state.members[seat.member].constituency for seat in seats if seat.member in state.members}
    rule = policy.committee_constituencies
    found += [
        ruled("constituency-not-seated", policy, rule, wanted in sitting, lift=lift, constituency=wanted)
        for wanted in rule.value
    ]
    left = tuple(seat.person for seat in seats if seat.member not in state.members)
    found.append(Finding("seat-of-no-member", not left, values=list_of(persons=left), lift=lift))
    return found


def _seats_hold(state: Framework, seats: tuple[Seat, ...], known: Known) -> list[Finding]:
    people = not_twice(seat.person for seat in seats)
    return [
        *members_are_known(state, dict.fromkeys(seat.member for seat in seats)),
        people,
        *inclusive(state, seats, known),
    ]


@framework.decides(InstallCommittee)
def install_committee(state: Framework, command: InstallCommittee, known: Known) -> Iterable[Event]:
    found = _seats_hold(state, command.seats, known)
    demand(*found)
    yield CommitteeInstalled(state.cycle, command.seats, checks(found))


@framework.decides(KeepCommittee)
def keep_committee(state: Framework, command: KeepCommittee, known: Known) -> Iterable[Event]:
    assert state.committee is not None
    yield CommitteeKept(state.cycle, state.committee.seats, checks(still_inclusive(state, known)))


@framework.decides(RenewCommittee)
def renew_committee(state: Framework, command: RenewCommittee, known: Known) -> Iterable[Event]:
    found = _seats_hold(state, command.seats, known)
    demand(*found)
    yield CommitteeRenewed(state.cycle, command.seats, checks(found))


@framework.decides(ReplaceCommitteeMember)
def replace_committee_member(state: Framework, command: ReplaceCommitteeMember, known: Known) -> Iterable[Event]:
    assert state.committee is not None
    people = tuple(seat.person for seat in state.committee.seats)
    values = list_of(person=command.leaves, known=people)
    demand(Finding("not-in-the-committee", command.leaves in people, values=values))
    found = _seats_hold(state, _seats_after(state.committee, command.leaves, command.seat), known)
    demand(*found)
    yield CommitteeMemberReplaced(state.cycle, command.leaves, command.seat, command.reason, checks(found))


def _seats_after(committee: Committee, leaves: str, seat: Seat) -> tuple[Seat, ...]:
    return tuple(seat if before.person == leaves else before for before in committee.seats)


@framework.decides(DefineMandate)
def define_mandate(state: Framework, command: DefineMandate, known: Known) -> Iterable[Event]:
    demand(Finding("no-task-named", bool(command.tasks)))
    yield MandateDefined(state.cycle, 1, command.tasks, MandateCause.INSTALLATION)


@framework.decides(AmendMandate)
def amend_mandate(state: Framework, command: AmendMandate, known: Known) -> Iterable[Event]:
    assert state.mandate is not None
    demand(
        Finding("no-task-named", bool(command.tasks)),
        Finding("cause-of-amendment", command.cause is not MandateCause.INSTALLATION),
    )
    yield MandateAmended(state.cycle, state.mandate.version + 1, command.tasks, command.cause)


def committee_sits(
    state: Framework, recorded: Happened[CommitteeInstalled | CommitteeKept | CommitteeRenewed]
) -> Framework:
    return replace(state, committee=Committee(recorded.data.cycle, recorded.data.seats, recorded.occurred_on))


framework.evolves(CommitteeInstalled)(committee_sits)
framework.evolves(CommitteeKept)(committee_sits)
framework.evolves(CommitteeRenewed)(committee_sits)


@framework.evolves(CommitteeMemberReplaced)
def committee_member_replaced(state: Framework, recorded: Happened[CommitteeMemberReplaced]) -> Framework:
    assert state.committee is not None
    seats = _seats_after(state.committee, recorded.data.leaves, recorded.data.seat)
    return replace(state, committee=replace(state.committee, seats=seats, since=recorded.occurred_on))


def mandate_given(state: Framework, recorded: Happened[MandateDefined | MandateAmended]) -> Framework:
    fact = recorded.data
    return replace(state, mandate=Mandate(fact.cycle, fact.mandate_version, fact.tasks, recorded.occurred_on))


framework.evolves(MandateDefined)(mandate_given)
framework.evolves(MandateAmended)(mandate_given)
