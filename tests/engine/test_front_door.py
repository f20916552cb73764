"""The engine lets nothing past the front door, by either of its ways in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from cycle.aggregates.base import Command, LogName, Refused, Role
from cycle.aggregates.commune import AddAlias, RegisterCommune, RenameCommune
from cycle.aggregates.deliberation import AnnulDeliberation, TransmitDeliberation
from cycle.aggregates.organisation import ChangeInvestmentRight, CountMembership, FormaliseOrganisation
from cycle.engine import Engine, Said
from cycle.store import Receipt
from tests.engine.path import DIORO
from tests.people import by, everybody

DAY = date(2026, 2, 2)
REGISTER = RegisterCommune(commune=DIORO, name="Dioro", region="Ségou", circle="Ségou")
Enter = Callable[[Engine, Said], Receipt]


def one(engine: Engine, said: Said) -> Receipt:
    return engine.execute(said)


def several(engine: Engine, said: Said) -> Receipt:
    return engine.execute_all([said], "k")


@pytest.fixture
def engine(database_url: str) -> Engine:
    return Engine(database_url, clock=lambda: datetime(2026, 2, 2, 12, tzinfo=UTC))


def refused(engine: Engine, enter: Enter, command: Command, role: Role, on: date) -> set[str]:
    with engine:
        everybody(engine)
        with pytest.raises(Refused) as caught:
            enter(engine, Said(command=command, by=by(role), on=on, target="x-1"))
        assert engine.store.log_size(LogName(DIORO)) == 0
    return {finding.code for finding in caught.value.findings}


@pytest.mark.parametrize("enter", [one, several])
@pytest.mark.parametrize(
    ("command", "role"),
    [
        (AnnulDeliberation(annulled_on=DAY, reason="x"), Role.PARTNER),
        (TransmitDeliberation(transmitted_on=DAY), Role.FACILITATOR),
        (ChangeInvestmentRight(may_invest=True, reason="x"), Role.ORGANISATION),
        (CountMembership(women=1, men=1), Role.PARTNER),
        (RenameCommune(name="Djoro", since=DAY), Role.TECHNICAL_SERVICE),
        (REGISTER, Role.ORGANISATION),
        (AddAlias(alias="x"), Role.MAYOR),
    ],
    ids=lambda value: value.type if isinstance(value, Command) else str(value),
)
def test_nobody_says_what_falls_to_others(engine: Engine, enter: Enter, command: Command, role: Role) -> None:
    assert refused(engine, enter, command, role, DAY) == {"role-may-not"}


@pytest.mark.parametrize("enter", [one, several])
@pytest.mark.parametrize("command", [REGISTER, FormaliseOrganisation(form="union", receipt="R", formalised_on=DAY)])  # type: ignore[arg-type]
@pytest.mark.parametrize("on", [DAY + timedelta(days=1), date(2099, 1, 1)])
def test_nothing_is_recorded_before_it_has_happened(engine: Engine, enter: Enter, command: Command, on: date) -> None:
    assert refused(engine, enter, command, command.roles[0], on) == {"not-happened-yet"}


@pytest.mark.parametrize(("zone", "on"), [("Pacific/Auckland", DAY + timedelta(days=1)), ("Africa/Bamako", DAY)])
def test_today_is_the_day_where_the_commune_is(engine: Engine, zone: str, on: date) -> None:
    """At noon in Bamako it is past midnight in Auckland."""
    register = RegisterCommune(commune=DIORO, name="Dioro", region="Ségou", circle="Ségou", zone=zone)
    with engine:
        everybody(engine)
        engine.execute(Said(command=register, by=by(Role.PROGRAMME), on=on))
        alias = Said(command=AddAlias(alias="Dyoro"), by=by(Role.PROGRAMME), on=on, target=DIORO)
        engine.execute(alias)
