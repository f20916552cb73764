"""What is declared of commands that take two people is looked at when the programme starts."""

from __future__ import annotations

import pytest

from cycle.aggregates.base import Command, Role
from cycle.aggregates.request import ConfirmRequest
from cycle.aggregates.terms import Personal, Telephone, Text
from cycle.commands import COMMANDS, check_seconds


class CloseTheMarket(Command):
    reason: Text
    roles = (Role.MAYOR,)
    seconds = True


class TakeTheMinutes(Command):
    """A role that may not confirm a request, and one that may."""

    reason: Text
    roles = (Role.MAYOR, next(role for role in Role if role not in ConfirmRequest.roles))
    seconds = True


class NameTheWitness(Command):
    witness: Personal
    roles = (Role.MAYOR,)
    seconds = True


class CallTheWitness(Command):
    """It need not be said for it to be personal."""

    telephone: Telephone | None = None
    roles = (Role.MAYOR,)
    seconds = True


class Alone(NameTheWitness):
    roles = TakeTheMinutes.roles
    seconds = False


def test_what_takes_two_people_and_can_be_confirmed_is_let_through() -> None:
    check_seconds([CloseTheMarket, Alone])
    assert any(command.seconds for command in COMMANDS.values())
    check_seconds(COMMANDS.values())


def test_what_nobody_could_confirm_does_not_start_up() -> None:
    with pytest.raises(TypeError, match="nobody could confirm take-the-minutes: see ConfirmRequest"):
        check_seconds([CloseTheMarket, TakeTheMinutes])


@pytest.mark.parametrize("command", [NameTheWitness, CallTheWitness])
def test_what_is_personal_does_not_wait_for_a_second_person(command: type[Command]) -> None:
    with pytest.raises(TypeError, match=f"{command.type}: what is personal cannot wait in the log"):
        check_seconds([CloseTheMarket, command])
