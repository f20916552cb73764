"""What members promise, and what of it arrives."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from cycle.aggregates.base import Command, Refused
from cycle.aggregates.framework.adjustment import CarryOverAction, NextMeeting, OpenReview
from cycle.aggregates.framework.anytime import CorrectFact, FactCorrected
from cycle.aggregates.framework.contributions import (
    ContributionPledged,
    ContributionReceived,
    ContributionReneged,
    ContributionWaived,
    PledgeContribution,
    ReceiveContribution,
    RecordRenege,
    WaiveContribution,
)
from cycle.aggregates.framework.monitoring import CompleteAction
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.setup import WithdrawMember
from cycle.aggregates.terms import Ledger, MemberId, Nature, OrganisationId, ReviewKind, Use, Worth
from cycle.history import believed
from cycle.leaf import canonical
from tests.domain.dioro import (
    A1,
    A2,
    A9,
    C1,
    C9,
    CASH,
    ENDED,
    NOBODY,
    PARTNER,
    RICE,
    at_the_meeting,
    monitored,
    planned,
    proposed,
)
from tests.domain.story import Story, correct
from tests.domain.walks import ORGANISATIONS


def pledge(**changes: object) -> PledgeContribution:
    return replace(CASH, **changes)


def test_a_member_promises_money_work_or_land() -> None:
    told = proposed().when(pledge()).then(ContributionPledged, contribution=C1, worth=Worth(50_000))
    days = Worth(None, Decimal(12), "journées")
    told.when(pledge(nature=Nature.LABOUR, worth=days)).then(ContributionPledged, contribution="C-2", worth=days)


def test_the_approach_itself_is_kept_going_without_naming_an_action() -> None:
    proposed().when(pledge(ledger=Ledger.APPROACH, action=None)).then(ContributionPledged, action=None)


@pytest.mark.parametrize(
    ("nature", "worth"),
    [
        (Nature.CASH, Worth()),
        (Nature.CASH, Worth(0)),
        (Nature.CASH, Worth(50_000, Decimal(1), "sac")),
        (Nature.CASH, Worth(None, Decimal(1), "sac")),
        (Nature.IN_KIND, Worth(50_000)),
        (Nature.IN_KIND, Worth(None, Decimal(3))),
        (Nature.IN_KIND, Worth(None, None, "sac")),
        (Nature.LABOUR, Worth(None, Decimal(0), "journée")),
        (Nature.LABOUR, Worth(None, Decimal(-1), "journée")),
        (Nature.LAND, Worth(None, Decimal("NaN"), "ha")),
        (Nature.LAND, Worth(None, Decimal("Infinity"), "ha")),
        (Nature.LAND, Worth(None, Decimal("1E+400"), "ha")),
        (Nature.LAND, Worth(None, Decimal("0.0000001"), "ha")),
    ],
)
def test_cash_is_whole_xof_and_the_rest_counts_in_units(nature: Nature, worth: Worth) -> None:
    proposed().when(pledge(nature=nature, worth=worth)).refused("worth-does-not-fit")


def test_a_partner_that_may_not_invest_promises_no_capital() -> None:
    told = proposed().when(pledge(member=PARTNER, use=Use.CAPITAL)).refused("may-not-invest")
    assert isinstance(told.outcome, Refused)
    assert told.outcome.findings[0].article == "wocat-pact-1/10"
    told.when(pledge(member=PARTNER, use=Use.OPERATING)).then(ContributionPledged)
    told.when(pledge(member=RICE, use=Use.CAPITAL)).then(ContributionPledged)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"member": NOBODY}, "unknown-member"),
        ({"action": A9}, "unknown-action"),
        ({"action": None}, "ledger-and-action"),
        ({"ledger": Ledger.APPROACH}, "ledger-and-action"),
    ],
)
def test_a_promise_says_who_and_for_what(changes: dict[str, object], code: str) -> None:
    proposed().when(pledge(**changes)).refused(code)


def test_nothing_is_promised_for_an_action_that_has_its_outcome() -> None:
    monitored().given(CompleteAction(action=A1)).when(pledge()).refused("action-is-final")


def test_without_members_nobody_can_promise() -> None:
    everybody = tuple(MemberId(f"MB-{n}") for n in range(1, 6))
    told = at_the_meeting().given(*(WithdrawMember(member=m, reason="Dissoute") for m in everybody))
    told.when(pledge(ledger=Ledger.APPROACH, action=None)).refused("no-members")


def promised(nature: Nature = Nature.CASH, worth: Worth = CASH.worth) -> Story:
    """RICE has promised C-1 to A-1."""
    return monitored().given(pledge(nature=nature, worth=worth))


def test_several_deliveries_add_up_to_a_promise() -> None:
    told = promised().when(ReceiveContribution(contribution=C1, worth=Worth(20_000), receipt="recu-7"))
    told.then(ContributionReceived, receipt="recu-7")
    assert told.state.contributions[C1].received == Worth(20_000)
    told.when(ReceiveContribution(contribution=C1, worth=Worth(30_000))).then(ContributionReceived)
    assert not told.state.contributions


def test_received_never_counts_twice() -> None:
    told = promised().given(ReceiveContribution(contribution=C1, worth=Worth(20_000)))
    told.when(ReceiveContribution(contribution=C1, worth=Worth(30_001))).refused("more-than-pledged")
    told.given(ReceiveContribution(contribution=C1, worth=Worth(30_000)))
    told.when(ReceiveContribution(contribution=C1, worth=Worth(30_000))).refused("no-open-promise")


def test_quantities_add_up_exactly() -> None:
    told = promised(Nature.IN_KIND, Worth(None, Decimal("0.3"), "tonne"))
    for _ in range(2):
        told.given(ReceiveContribution(contribution=C1, worth=Worth(None, Decimal("0.1"), "tonne")))
    told.when(ReceiveContribution(contribution=C1, worth=Worth(None, Decimal("0.11"), "tonne")))
    told.refused("more-than-pledged")
    told.given(ReceiveContribution(contribution=C1, worth=Worth(None, Decimal("0.1"), "tonne")))
    assert not told.state.contributions


@pytest.mark.parametrize(
    ("worth", "codes"),
    [
        (Worth(None, Decimal(2), "sac"), ["another-unit"]),
        (Worth(5_000), ["another-unit", "worth-does-not-fit"]),
        (Worth(None, Decimal(0), "journée"), ["worth-does-not-fit"]),
        (Worth(None, Decimal("NaN"), "journée"), ["worth-does-not-fit"]),
    ],
)
def test_what_arrives_is_counted_as_it_was_promised(worth: Worth, codes: list[str]) -> None:
    told = promised(Nature.LABOUR, Worth(None, Decimal(10), "journée"))
    told.when(ReceiveContribution(contribution=C1, worth=worth)).refused(*codes)


@pytest.mark.parametrize(
    ("command", "fact"),
    [
        (WaiveContribution(contribution=C1, reason="Récolte perdue"), ContributionWaived),
        (RecordRenege(contribution=C1, reason="Refus"), ContributionReneged),
    ],
)
def test_what_will_not_come_is_decided(command: Command, fact: type[ContributionWaived]) -> None:
    told = promised().given(ReceiveContribution(contribution=C1, worth=Worth(20_000))).when(command).then(fact)
    assert not told.state.contributions


@pytest.mark.parametrize(
    "command",
    [
        ReceiveContribution(contribution=C9, worth=Worth(1)),
        WaiveContribution(contribution=C9, reason="?"),
        RecordRenege(contribution=C9, reason="?"),
    ],
    ids=lambda c: c.type,
)
def test_a_delivery_belongs_to_an_open_promise(command: Command) -> None:
    promised().when(command).refused("unknown-contribution")
    planned().when(command).refused("no-open-promise")


def delivered(*amounts: int) -> Story:
    """Of the 50 000 that RICE has promised, this has arrived."""
    return promised().given(*(ReceiveContribution(contribution=C1, worth=Worth(amount)) for amount in amounts))


def still_promised(told: Story) -> Story:
    return told


def waived(told: Story) -> Story:
    return told.given(WaiveContribution(contribution=C1, reason="Récolte perdue"))


def a_cycle_later(told: Story) -> Story:
    told.given(OpenReview(kind=ReviewKind.END), on=ENDED)
    return told.given(*(CarryOverAction(action=action, reason="Pas fini") for action in (A1, A2)), NextMeeting())


IN_PART, IN_FULL = (10_000, 20_000), (30_000, 20_000)


@pytest.mark.parametrize(
    ("amounts", "since"),
    [
        (IN_PART, still_promised),
        (IN_PART, waived),
        (IN_PART, a_cycle_later),
        (IN_FULL, still_promised),
        (IN_FULL, a_cycle_later),
    ],
)
def test_a_delivery_is_not_corrected_to_more_than_was_pledged(
    amounts: tuple[int, int], since: Callable[[Story], Story]
) -> None:
    """Also when the promise was settled and has left the state."""
    told = since(delivered(*amounts))
    left = 50_000 - amounts[0]
    correct(told, ContributionReceived, worth={"amount_xof": left + 1}).refused("more-than-pledged")
    assert isinstance(told.outcome, Refused)
    assert told.outcome.findings[0].values == {"contribution": C1, "open": str(left), "arriving": str(left + 1)}
    correct(told, ContributionReceived, worth={"amount_xof": left - 1}).then(FactCorrected)
    correct(told, ContributionReceived, worth={"amount_xof": left}).then(FactCorrected)


def test_what_a_correction_frees_may_arrive_once_more() -> None:
    told = correct(delivered(50_000), ContributionReceived, worth={"amount_xof": 40_000}).then(FactCorrected)
    told.state = framework.fold(framework.initial, believed(told.history))
    told.given(ReceiveContribution(contribution=C1, worth=Worth(10_000)))
    correct(told, ContributionReceived, worth={"amount_xof": 10_001}).refused("more-than-pledged")


@pytest.mark.parametrize("since", [still_promised, a_cycle_later])
def test_a_pledge_is_not_corrected_to_less_than_has_arrived(since: Callable[[Story], Story]) -> None:
    told = correct(since(delivered(*IN_FULL)), ContributionPledged, worth={"amount_xof": 49_999})
    told.refused("less-than-arrived")
    correct(told, ContributionReceived, worth={"amount_xof": 19_999}).then(FactCorrected)
    correct(told, ContributionPledged, worth={"amount_xof": 49_999}).then(FactCorrected)


def test_a_wrong_unit_is_set_right_in_the_pledge_first() -> None:
    told = promised(Nature.IN_KIND, Worth(None, Decimal(10), "sac"))
    told.given(ReceiveContribution(contribution=C1, worth=Worth(None, Decimal(10), "sac")))
    tonne = {"quantity": "0.5", "unit": "tonne"}
    correct(told, ContributionReceived, worth=tonne).refused("another-unit")
    correct(told, ContributionPledged, worth=tonne).then(FactCorrected)
    correct(told, ContributionReceived, worth={"quantity": "0.51", "unit": "tonne"}).refused("more-than-pledged")
    correct(told, ContributionReceived, worth=tonne).then(FactCorrected)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 60_000)), max_size=12))
def test_whatever_is_corrected_no_more_has_arrived_than_was_pledged(tries: list[tuple[int, int]]) -> None:
    told = promised()
    told.given(ReceiveContribution(contribution=C1, worth=Worth(5_000)))
    for which, amount in tries:
        found = [fact for fact in told.history if isinstance(fact.data, ContributionPledged | ContributionReceived)]
        if which < len(found):
            worth = {"worth": msgspec.Raw(canonical(Worth(amount)))}
            told.when(CorrectFact(fact_version=found[which].version, changes=worth, reason="Erreur"))
        else:
            told.when(ReceiveContribution(contribution=C1, worth=Worth(amount)))
        right = believed(told.history)
        told.state = framework.fold(framework.initial, right)
        pledged = sum(fact.data.worth.amount_xof for fact in right if isinstance(fact.data, ContributionPledged))
        arrived = sum(fact.data.worth.amount_xof for fact in right if isinstance(fact.data, ContributionReceived))
        assert arrived <= pledged
        assert (C1 in told.state.contributions) == (arrived < pledged)


def test_the_receipt_of_a_settled_promise_is_set_right() -> None:
    correct(delivered(50_000), ContributionReceived, receipt="recu-8").then(FactCorrected)


def invests(told: Story, organisation: str, may_invest: bool) -> Story:
    """What the organisation's own register says of its right to invest now."""
    found = {**ORGANISATIONS, organisation: replace(ORGANISATIONS[OrganisationId(organisation)], may_invest=may_invest)}
    return told.know(organisations=found)


def test_the_right_to_invest_is_the_organisations_of_today() -> None:
    """Not what it was when the member was admitted; what was seen stands in the fact."""
    capital = pledge(member=PARTNER, use=Use.CAPITAL)
    told = invests(proposed(), "o-4", may_invest=True).when(capital).then(ContributionPledged)
    [seen] = told.outcome[0].checks  # type: ignore[index, union-attr]
    assert (seen.code, seen.met, seen.values["member"]) == ("may-not-invest", True, PARTNER)
    invests(proposed(), "o-1", may_invest=False).when(pledge(use=Use.CAPITAL)).refused("may-not-invest")
