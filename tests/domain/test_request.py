"""What takes two people, whatever it is: who asks does not confirm, and what is closed stays closed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from msgspec import Raw
from msgspec.structs import replace

from cycle.aggregates.base import By, Command, Happened, LogName, Refused, Role
from cycle.aggregates.known import Known
from cycle.aggregates.request import (
    LAPSES_AFTER,
    ActConfirmed,
    ActRequested,
    ConfirmRequest,
    Request,
    RequestStage,
    RequestWithdrawn,
    WithdrawRequest,
    request,
)
from cycle.aggregates.terms import RequestId
from cycle.catalogue import LANGUAGES
from cycle.commands import COMMANDS
from cycle.telling import refusal_lines

DAY = date(2026, 3, 1)
TWO = [name for name, command in COMMANDS.items() if command.seconds]
"""Every command that takes two people."""


def asked(act: str, by: By) -> Request:
    """The state when it is asked for."""
    fact = ActRequested(RequestId("r-1"), LogName("ML-4-01-01"), act, Raw(b"{}"), "x-1", by, DAY)
    return request.fold(request.initial, [Happened(fact, DAY, 1)])


def said(state: Request, command: Command, by: By, on: date = DAY) -> Request:
    """The state after one more command."""
    facts = request.decide(state, command, Known(on=on, today=on, by=by))
    return request.fold(state, [Happened(fact, on, state.version + 1) for fact in facts])


def refused(state: Request, command: Command, by: By, on: date = DAY) -> dict[str, str]:
    """Why not, by code, in French."""
    with pytest.raises(Refused) as caught:
        said(state, command, by, on)
    assert all(refusal_lines(caught.value, language) for language in LANGUAGES)
    codes = [finding.code for finding in caught.value.findings]
    return dict(zip(codes, refusal_lines(caught.value, "fr"), strict=True))


FANTA, MOUSSA = By("fanta", Role.MAYOR), By("moussa", Role.MAYOR)


def test_two_commands_take_two_people_and_more_than_one_role_can_confirm_each() -> None:
    assert TWO == ["dissolve", "erase-person"]
    for name in TWO:
        assert len(set(COMMANDS[name].roles) & set(ConfirmRequest.roles)) > 1
    assert WithdrawRequest.roles == ConfirmRequest.roles


@pytest.mark.parametrize("act", TWO)
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (FANTA, FANTA),
        (FANTA, By("FANTA", Role.COUNCIL_SECRETARY)),
        (FANTA, replace(MOUSSA, on_behalf_of="fanta")),
        (FANTA, replace(MOUSSA, on_behalf_of="Fanta")),
        (replace(FANTA, on_behalf_of="issa"), By("issa", Role.MAYOR)),
        (replace(FANTA, on_behalf_of="issa"), replace(MOUSSA, on_behalf_of="ISSA")),
    ],
    ids=["same", "other-letters", "on-behalf", "on-behalf-other-letters", "for-whom-it-was", "both-for-one"],
)
def test_the_same_person_does_not_confirm_whatever_the_way(act: str, first: By, second: By) -> None:
    told = refused(asked(act, first), ConfirmRequest(), second)
    assert set(told) == {"second-person"}
    assert "fanta l'a demandé" in told["second-person"]


@pytest.mark.parametrize("act", TWO)
def test_another_person_confirms_and_confirming_again_is_answered(act: str) -> None:
    state = said(asked(act, replace(FANTA, on_behalf_of="issa")), ConfirmRequest(), replace(MOUSSA, on_behalf_of="awa"))
    assert state.stage is RequestStage.CONFIRMED
    for by in (FANTA, MOUSSA):
        for command in (ConfirmRequest(), WithdrawRequest(reason="?")):
            told = refused(state, command, by, DAY + timedelta(days=1))
            assert set(told) == {"request-confirmed"}
            assert "confirmée le 1er mars 2026" in told["request-confirmed"].replace("\u00a0", " ")


def test_who_has_asked_may_withdraw_and_nobody_confirms_what_is_withdrawn() -> None:
    state = said(asked("dissolve", FANTA), WithdrawRequest(reason="erreur"), FANTA)
    assert state.stage is RequestStage.WITHDRAWN
    assert set(refused(state, ConfirmRequest(), MOUSSA)) == {"request-withdrawn"}


def test_a_request_lapses_after_its_last_day() -> None:
    state, last = asked("dissolve", FANTA), DAY + LAPSES_AFTER
    assert set(refused(state, ConfirmRequest(), MOUSSA, last + timedelta(days=1))) == {"request-lapsed"}
    assert said(state, ConfirmRequest(), MOUSSA, last).stage is RequestStage.CONFIRMED


def test_nobody_confirms_what_nobody_has_asked_for() -> None:
    assert set(refused(request.initial, ConfirmRequest(), MOUSSA)) == {"request-unknown"}


def test_the_facts_of_a_request() -> None:
    known = Known(on=DAY, today=DAY, by=MOUSSA)
    state = asked("dissolve", FANTA)
    assert request.decide(state, ConfirmRequest(), known) == (ActConfirmed("dissolve"),)
    assert request.decide(state, WithdrawRequest(reason="x"), known) == (RequestWithdrawn("dissolve", "x"),)
