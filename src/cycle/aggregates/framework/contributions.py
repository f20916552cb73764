"""What members promise, to an action or to the approach itself, and what of it arrives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from msgspec.structs import replace

from cycle.aggregates.base import Check, Command, Event, Finding, Happened, Recorded, Role, checks, demand, ruled
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.rules import list_of, member_is_known, policy_of, runs, worth_fits
from cycle.aggregates.framework.state import Contribution, Framework
from cycle.aggregates.known import Known
from cycle.aggregates.terms import (
    ActionId,
    ContributionId,
    Ledger,
    MemberId,
    Nature,
    Planned,
    Reference,
    Text,
    Use,
    Worth,
)


class ContributionPledged(Event):
    contribution: ContributionId
    cycle: int
    member: MemberId
    ledger: Ledger
    nature: Nature
    use: Use
    worth: Worth
    action: ActionId | None = None
    due_on: Planned | None = None
    checks: tuple[Check, ...] = ()
    correctable = frozenset({"worth", "due_on"})


class ContributionReceived(Event):
    """One delivery; several may add up to the pledge. ``receipt`` points at the paper."""

    contribution: ContributionId
    worth: Worth
    receipt: Reference | None = None
    correctable = frozenset({"worth", "receipt"})


class ContributionWaived(Event):
    contribution: ContributionId
    reason: Text
    correctable = frozenset({"reason"})


class ContributionReneged(Event):
    contribution: ContributionId
    reason: Text
    correctable = frozenset({"reason"})


RECEIVERS = (Role.FACILITATOR, Role.COMMITTEE, Role.MAYOR)


class PledgeContribution(Command):
    """Promise a contribution to an action, or to keeping the approach itself going."""

    member: MemberId
    ledger: Ledger
    nature: Nature
    worth: Worth
    use: Use = Use.OPERATING
    action: ActionId | None = None
    due_on: Planned | None = None
    roles = (Role.FACILITATOR, Role.ORGANISATION, Role.MAYOR, Role.PARTNER, Role.TECHNICAL_SERVICE)
    makes = ContributionPledged


class ReceiveContribution(Command):
    """Note what has arrived of a promise; several deliveries may add up to it."""

    contribution: ContributionId
    worth: Worth
    receipt: Reference | None = None
    roles = RECEIVERS


class WaiveContribution(Command):
    """Release a member from what is still open of a promise."""

    contribution: ContributionId
    reason: Text
    roles = RECEIVERS


class RecordRenege(Command):
    """Record that what is still open of a promise will not come."""

    contribution: ContributionId
    reason: Text
    roles = RECEIVERS


def somebody_is_member(state: Framework, known: Known) -> Iterable[Finding]:
    """The framework has members."""
    yield Finding("no-members", bool(state.members))


def a_promise_is_open(state: Framework, known: Known) -> Iterable[Finding]:
    """Something that was pledged has not arrived."""
    yield Finding("no-open-promise", bool(state.contributions))


def _is_open(state: Framework, contribution: ContributionId) -> Finding:
    known = tuple(state.contributions)
    values = list_of(contribution=contribution, known=known)
    return Finding("unknown-contribution", contribution in state.contributions, values=values)


@framework.decides(PledgeContribution)
def pledge_contribution(state: Framework, command: PledgeContribution, known: Known) -> Iterable[Event]:
    policy = policy_of(known)
    demand(member_is_known(state, command.member), worth_fits(command.nature, command.worth))
    member, rule = state.members[command.member], policy.capital_by_investors_only
    # The right to invest is the organisation's of today, not what it was when the member was admitted.
    organisation = known.organisations.get(member.organisation)
    may_invest = member.may_invest if organisation is None else organisation.may_invest
    names = {"member": member.id, "name": member.name}
    found = []
    if rule.value and command.use is Use.CAPITAL:
        found.append(ruled("may-not-invest", policy, rule, may_invest, lift=(Role.FACILITATOR,), **names))
    seen = checks(found)
    fits = (command.ledger is Ledger.ACTION) == (command.action is not None)
    found.append(Finding("ledger-and-action", fits, values={"ledger": command.ledger.value}))
    if command.action is not None:
        found += runs(state, command.action)
    demand(*found)
    yield ContributionPledged(
        ContributionId(f"C-{state.contributions_counted + 1}"),
        state.cycle,
        command.member,
        command.ledger,
        command.nature,
        command.use,
        command.worth,
        command.action,
        command.due_on,
        seen,
    )


@framework.decides(ReceiveContribution)
def receive_contribution(state: Framework, command: ReceiveContribution, known: Known) -> Iterable[Event]:
    demand(_is_open(state, command.contribution))
    demand(*_delivery_fits(state.contributions[command.contribution], command.worth))
    yield ContributionReceived(command.contribution, command.worth, command.receipt)


def _delivery_fits(promise: Contribution, worth: Worth) -> Iterable[Finding]:
    """What arrives is counted as it was promised, and is not more than what is open."""
    fits, unit = worth_fits(promise.nature, worth), promise.pledged.unit
    same = Finding("another-unit", worth.unit == unit, values={"unit": unit or "XOF"})
    yield from (fits, same)
    if fits.met and same.met:
        left, arriving = still_open(promise), _amount(worth)
        values = {"contribution": promise.id, "open": str(left), "arriving": str(arriving)}
        yield Finding("more-than-pledged", arriving <= left, values=values)


def promise_holds(history: Iterable[Recorded[Event]], right: Recorded[Event]) -> Iterable[Finding]:
    """What a corrected pledge or delivery (``right``) keeps to, also once its promise has left the state."""
    others = [fact.data for fact in history if fact.version != right.version]
    match right.data:
        case ContributionReceived(contribution=contribution, worth=worth):
            yield from _delivery_fits(_promise_in(others, contribution), worth)
        case ContributionPledged(contribution=contribution, nature=nature, worth=worth) as pledge:
            fits = worth_fits(nature, worth)
            yield fits
            if fits.met:
                promise = _promise_in([pledge, *others], contribution)
                arrived, pledged = str(_amount(promise.received)), str(_amount(worth))
                values = {"contribution": contribution, "arrived": arrived, "pledged": pledged}
                yield Finding("less-than-arrived", still_open(promise) >= 0, values=values)


def _promise_in(history: Sequence[Event], contribution: ContributionId) -> Contribution:
    """A promise with all that has arrived of it."""
    pledges = (fact for fact in history if isinstance(fact, ContributionPledged))
    promise = next(_pledged(fact) for fact in pledges if fact.contribution == contribution)
    for fact in history:
        if isinstance(fact, ContributionReceived) and fact.contribution == contribution:
            # Where the unit of a pledge was set right, a delivery counts once it has followed.
            promise = _with(promise, fact.worth) if fact.worth.unit == promise.pledged.unit else promise
    return promise


def still_open(promise: Contribution) -> Decimal:
    """What has not arrived of a promise, in XOF or in its unit."""
    return _amount(promise.pledged) - _amount(promise.received)


def _amount(worth: Worth) -> Decimal:
    return Decimal(worth.amount_xof) if worth.amount_xof is not None else worth.quantity or Decimal(0)


@framework.decides(WaiveContribution)
def waive_contribution(state: Framework, command: WaiveContribution, known: Known) -> Iterable[Event]:
    demand(_is_open(state, command.contribution))
    yield ContributionWaived(command.contribution, command.reason)


@framework.decides(RecordRenege)
def record_renege(state: Framework, command: RecordRenege, known: Known) -> Iterable[Event]:
    demand(_is_open(state, command.contribution))
    yield ContributionReneged(command.contribution, command.reason)


def released(state: Framework, actions: tuple[ActionId, ...], reason: Text) -> Iterable[ContributionWaived]:
    """Nobody owes what was promised for an action that is no longer part of the plan."""
    for promise in state.contributions.values():
        if promise.action in actions:
            yield ContributionWaived(promise.id, reason)


@framework.evolves(ContributionPledged)
def contribution_pledged(state: Framework, recorded: Happened[ContributionPledged]) -> Framework:
    promise = replace(_pledged(recorded.data), since=recorded.occurred_on)
    return replace(
        state,
        contributions={**state.contributions, promise.id: promise},
        contributions_counted=state.contributions_counted + 1,
    )


def _pledged(fact: ContributionPledged) -> Contribution:
    return Contribution(
        fact.contribution,
        fact.cycle,
        fact.member,
        fact.ledger,
        fact.nature,
        fact.use,
        fact.worth,
        Worth(),
        fact.action,
        fact.due_on,
    )


@framework.evolves(ContributionReceived)
def contribution_received(state: Framework, recorded: Happened[ContributionReceived]) -> Framework:
    # A later correction may have closed the promise already when an old delivery is replayed.
    promise = state.contributions.get(recorded.data.contribution)
    if promise is None:
        return state
    promise = _with(promise, recorded.data.worth)
    contributions, delivered = dict(state.contributions), state.delivered
    if promise.action in state.actions and promise.cycle == state.cycle and promise.id not in delivered:
        delivered = (*delivered, promise.id)
    if still_open(promise) > 0:
        contributions[promise.id] = promise
    else:
        del contributions[promise.id]
    return replace(state, contributions=contributions, delivered=delivered)


def _with(promise: Contribution, worth: Worth) -> Contribution:
    """The promise after one more delivery."""
    before = promise.received
    if worth.amount_xof is not None:
        return replace(promise, received=Worth((before.amount_xof or 0) + worth.amount_xof))
    return replace(promise, received=Worth(None, _amount(before) + _amount(worth), worth.unit))


def contribution_given_up(state: Framework, recorded: Happened[ContributionWaived | ContributionReneged]) -> Framework:
    contributions = dict(state.contributions)
    contributions.pop(recorded.data.contribution, None)
    return replace(state, contributions=contributions)


framework.evolves(ContributionWaived)(contribution_given_up)
framework.evolves(ContributionReneged)(contribution_given_up)
