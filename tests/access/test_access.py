"""What a state of access says, whatever the order in which its facts came."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cycle.access import ACTIONS, Access, Forbidden, authorize
from cycle.aggregates.account import (
    Account,
    AccountClosed,
    AccountOpened,
    Grant,
    GrantGiven,
    GrantRevoked,
    account,
    path_of,
    territory_of,
)
from cycle.aggregates.base import Event, Happened, Role
from cycle.aggregates.terms import AccountKind, GrantId
from cycle.telling import what_helps

DAY = date(2026, 3, 1)
DAYS = st.dates(DAY - timedelta(days=9), DAY + timedelta(days=9))
SEGMENTS = st.sampled_from(["ML", "Kat", "Kati", "Ségou", "Ségou/Macina", "ML-4-02-01", "ML-4-02-010"])
PATHS = st.lists(SEGMENTS, max_size=5).map(tuple)
GRANTS = st.builds(
    GrantGiven,
    account=st.just("awa"),
    grant=st.just(GrantId("")),
    role=st.sampled_from(Role),
    territory=PATHS.map(territory_of),
    since=DAYS,
    until=st.none() | DAYS,
)


def folded(facts: list[Event]) -> Access:
    history = [Happened(fact, DAY, n) for n, fact in enumerate([AccountOpened("awa", AccountKind.PERSON), *facts], 1)]
    return Access({"awa": account.fold(Account(), history)})


def numbered(grants: list[GrantGiven]) -> list[GrantGiven]:
    return [
        GrantGiven(g.account, GrantId(f"G-{n}"), g.role, g.territory, g.since, g.until) for n, g in enumerate(grants, 1)
    ]


@given(st.lists(GRANTS, max_size=6).map(numbered), st.randoms(), st.sampled_from(Role), PATHS, DAYS)
def test_the_order_of_grants_changes_nothing(grants, chance, role, path, day) -> None:  # type: ignore[no-untyped-def]
    shuffled = chance.sample(grants, len(grants))
    assert folded(grants).holds("awa", role, path, day) == folded(shuffled).holds("awa", role, path, day)


@given(st.lists(GRANTS, min_size=1, max_size=6).map(numbered), st.sampled_from(Role), PATHS, DAYS, st.integers(0, 5))
def test_what_is_revoked_is_gone_for_good_and_the_rest_stays(grants, role, path, day, which) -> None:  # type: ignore[no-untyped-def]
    lost = grants[which % len(grants)]
    left = [grant for grant in grants if grant is not lost]
    after = folded([*grants, GrantRevoked("awa", lost.grant, "fin")])
    assert after.holds("awa", role, path, day) == folded(left).holds("awa", role, path, day)
    closed = folded([*grants, AccountClosed("awa", "fin")])
    assert not closed.holds("awa", role, path, day)


@given(DAYS, st.none() | DAYS, DAYS)
def test_the_first_and_the_last_day_count(since: date, until: date | None, day: date) -> None:
    grant = Grant(GrantId("G-1"), Role.MAYOR, (), since, until)
    assert grant.on(day) == (since <= day and (until is None or day <= until))
    assert grant.on(since) == (until is None or since <= until)
    if until is not None and since <= until:
        assert grant.on(until)
        assert not grant.on(until + timedelta(days=1))


@given(st.lists(GRANTS, max_size=6).map(numbered), st.sampled_from(Role), PATHS, DAYS)
def test_what_is_held_is_what_some_grant_gives_on_that_day(grants, role, path, day) -> None:  # type: ignore[no-untyped-def]
    held = [Grant(g.grant, g.role, path_of(g.territory), g.since, g.until) for g in grants]
    allowed = any(each.role is role and each.covers(path) and each.on(day) for each in held)
    assert folded(grants).holds("awa", role, path, day) == allowed


@pytest.mark.parametrize("day", [DAY - timedelta(days=1), DAY + timedelta(days=3)])
def test_before_its_first_and_after_its_last_day_a_grant_lets_nobody_through(day: date) -> None:
    until = DAY + timedelta(days=2)
    access = folded([GrantGiven("awa", GrantId("G-1"), Role.FACILITATOR, "ML/Ségou", DAY, until)])
    here = ("ML", "Ségou", "Macina", "ML-4-02-01")
    for action in (ACTIONS["agree-plan"], ACTIONS["plans"], ACTIONS["export-paper"]):
        assert authorize(access, "awa", action, here, until) is Role.FACILITATOR
        with pytest.raises(Forbidden):
            authorize(access, "awa", action, here, day)
        assert access.readable("awa", action, until)
        assert not access.readable("awa", action, day)
    assert "agree-plan" not in access.for_tokens("awa", day)


@given(PATHS, PATHS)
def test_a_territory_is_read_by_whole_segments(territory: tuple[str, ...], path: tuple[str, ...]) -> None:
    grant = Grant(GrantId("G-1"), Role.MAYOR, territory, DAY)
    if len(territory) == 4:
        # One commune: its code says all, wherever its parents have changed to.
        assert grant.covers(path) == (len(path) == 4 and path[3] == territory[3])
    else:
        assert grant.covers(path) == (path[: len(territory)] == territory)


@pytest.mark.parametrize(
    ("territory", "inside"), [("ML/Kati", True), ("ML/Kat", False), ("ML", True), ("M", False), ("/", True)]
)
def test_kat_is_not_kati(territory: str, inside: bool) -> None:
    grant = Grant(GrantId("G-1"), Role.MAYOR, path_of(territory), DAY)
    assert grant.covers(("ML", "Kati", "Kati", "ML-2-03-01")) is inside


def test_who_grants_roles_is_not_sent_to_himself() -> None:
    def helped(actor: str, **roles: tuple[Role, ...]) -> str:
        accounts = {
            name: account.fold(
                Account(),
                [Happened(AccountOpened(name, AccountKind.PERSON), DAY, 1)]
                + [
                    Happened(GrantGiven(name, GrantId(f"G-{n}"), role, "/", DAY), DAY, n + 1)
                    for n, role in enumerate(held, 1)
                ],
            )
            for name, held in roles.items()
        }
        with pytest.raises(Forbidden) as refused:
            authorize(Access(accounts), actor, ACTIONS["agree-plan"], ("ML", "Ségou", "Macina", "ML-4-02-01"), DAY)
        return what_helps(refused.value.findings[0], "en")

    kadi = (Role.ADMINISTRATOR, Role.AUDITOR)
    alone = "You grant roles to others, and nobody grants one to himself"
    assert helped("kadi", kadi=kadi) == f"{alone}."
    assert helped("kadi", kadi=kadi, op=(Role.OPERATOR,)) == f"{alone}: these accounts can grant you one: op."
    assert "These accounts can grant it: kadi." in helped("awa", kadi=kadi, awa=(Role.AUDITOR,))


def test_what_may_not_be_read_is_told_apart_from_what_may_not_be_done() -> None:
    access = folded([GrantGiven("awa", GrantId("G-1"), Role.FACILITATOR, "ML/Ségou", DAY)])
    here, elsewhere = ("ML", "Ségou", "Macina", "ML-4-02-01"), ("ML", "Kayes", "Kita", "ML-1-04-01")
    with pytest.raises(Forbidden) as readable:
        authorize(access, "awa", ACTIONS["approve-minutes"], here, DAY, Role.MAYOR)
    assert readable.value.readable
    assert readable.value.findings[0].code in ("role-may-not", "not-authorised")
    with pytest.raises(Forbidden) as unreadable:
        authorize(access, "awa", ACTIONS["agree-plan"], elsewhere, DAY, Role.FACILITATOR)
    assert not unreadable.value.readable
    assert unreadable.value.findings[0].code == "nothing-there"
    assert dict(unreadable.value.findings[0].values) == {"account": "awa"}, "it says nothing of the place"
