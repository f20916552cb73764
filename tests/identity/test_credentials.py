"""Who sets and takes away what an account signs in with; each is a fact, and no secret is in it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from unittest.mock import Mock

import pytest
from msgspec.structs import replace

from cycle.access import DECIDING, OF_PEOPLE, Forbidden
from cycle.aggregates.account import GiveGrant
from cycle.aggregates.base import By, Command, Refused, Role
from cycle.aggregates.credentials import SetPassword, SetSecondFactor, SignOutAccount
from cycle.aggregates.terms import TokenId
from cycle.door import within
from cycle.engine import Engine, Said
from cycle.identity import sessions
from cycle.identity.credentials import INVITATION_SECONDS
from cycle.identity.failures import IdentityRefused, NotSignedIn
from cycle.identity.secrets import new_token, parsed
from cycle.identity.shapes import Stage
from tests.access.places import FANTA as SEGOUS
from tests.access.places import say, two_communes
from tests.access.test_processes import PAPER
from tests.identity.house import DHIS, FANTA, HERE, KADI, OTHER, OUSMANE, PASSWORD, House
from tests.people import ADMINISTRATOR, DAY

ISSUER = "https://id.example.ml"
DONE_BY_KADI = By(KADI, Role.ADMINISTRATOR)


def why(asked: Callable[[], object]) -> set[str]:
    with pytest.raises(Refused) as refused:
        asked()
    return {finding.code for finding in refused.value.findings if finding.refuses}


def test_nobody_sets_the_password_of_somebody_else(house: House) -> None:
    assert why(lambda: house.credentials.set_password(KADI, OUSMANE, PASSWORD)) == {"role-may-not"}
    assert why(lambda: house.credentials.set_password(OUSMANE, KADI, PASSWORD)) == {"role-may-not"}
    assert house.engine.store.identities.password(OUSMANE) is None


@pytest.mark.parametrize("command", [SetPassword(), SetSecondFactor(), SignOutAccount()], ids=lambda each: each.type)
def test_the_holder_of_an_account_is_that_of_no_other(house: House, command: Command) -> None:
    holder = By(FANTA, Role.ACCOUNT_HOLDER)
    said = Said(command=command, by=holder, on=house.engine.today(), target=OUSMANE)
    assert why(lambda: house.engine.execute(said)) == {"not-authorised"}
    assert house.engine.execute(replace(said, target=FANTA))


@pytest.mark.parametrize(
    "asked",
    [
        lambda credentials: credentials.invite(FANTA, OUSMANE),
        lambda credentials: credentials.sign_out(FANTA, OUSMANE),
        lambda credentials: credentials.reset_factor(FANTA, OUSMANE, "perdu"),
        lambda credentials: credentials.issue(FANTA, DHIS, ("plans",), 30),
        lambda credentials: credentials.link(FANTA, OUSMANE, ISSUER, "x"),
        lambda credentials: credentials.close(FANTA, OUSMANE, "parti"),
    ],
    ids=["invite", "sign out", "reset", "issue", "link", "close"],
)
def test_what_an_administrator_does_nobody_else_does(house: House, asked: Callable[[object], object]) -> None:
    with pytest.raises(Forbidden):
        asked(house.credentials)


@pytest.mark.parametrize(
    "asked",
    [
        lambda credentials: credentials.invite(KADI, KADI),
        lambda credentials: credentials.reset_factor(KADI, KADI, "perdu"),
        lambda credentials: credentials.link(KADI, KADI, ISSUER, "x"),
    ],
    ids=["invite", "reset", "link"],
)
def test_who_has_stolen_an_administrators_session_makes_it_last_no_longer(
    house: House, asked: Callable[[object], object]
) -> None:
    assert why(lambda: asked(house.credentials)) == {"credential-of-oneself"}


def test_a_machine_has_neither_password_nor_link(house: House) -> None:
    for asked in (
        lambda: house.credentials.set_password(DHIS, DHIS, PASSWORD),
        lambda: house.credentials.invite(KADI, DHIS),
        lambda: house.credentials.link(KADI, DHIS, ISSUER, "x"),
    ):
        assert why(asked) == {"machine-signs-in"}


def test_nobody_is_granted_to_be_the_holder_of_an_account(house: House) -> None:
    give = GiveGrant(role=Role.ACCOUNT_HOLDER, territory="/")
    assert why(lambda: house.engine.execute(Said(command=give, by=ADMINISTRATOR, on=DAY, target=OUSMANE))) == {
        "role-of-oneself"
    }


def test_an_account_that_is_not_there_is_told_so(house: House) -> None:
    assert why(lambda: house.credentials.invite(KADI, "nobody")) >= {"account-unknown"}
    house.credentials.close(KADI, OUSMANE, "parti")
    assert why(lambda: house.credentials.set_password(OUSMANE, OUSMANE, PASSWORD)) == {"account-closed"}


def test_an_invitation_sets_the_password_once(house: House) -> None:
    secret = house.credentials.invite(KADI, OUSMANE)
    assert house.last(OUSMANE) == ("account-invited", DONE_BY_KADI)
    assert house.credentials.invited(secret) == OUSMANE
    with pytest.raises(IdentityRefused, match="characters"):
        house.sessions.accept(secret, "court", HERE)
    begun = house.sessions.accept(secret, PASSWORD, HERE)
    assert (begun.stage, house.who(begun)) == (Stage.IN, OUSMANE)
    assert house.last(OUSMANE) == ("password-set", By(OUSMANE, Role.ACCOUNT_HOLDER))
    for again in (lambda: house.credentials.invited(secret), lambda: house.credentials.accept(secret, OTHER)):
        with pytest.raises(IdentityRefused, match="link was used"):
            again()
    assert house.enters().account == OUSMANE


def test_an_invitation_is_over_after_a_day_and_when_another_one_is_made(house: House) -> None:
    first = house.credentials.invite(KADI, OUSMANE)
    second = house.credentials.invite(KADI, OUSMANE)
    with pytest.raises(IdentityRefused):
        house.credentials.invited(first)
    assert house.later(INVITATION_SECONDS - 1).credentials.invited(second) == OUSMANE
    with pytest.raises(IdentityRefused):
        house.later(1).credentials.accept(second, PASSWORD)


def test_an_invitation_is_over_when_the_account_is_signed_out_or_closed(house: House) -> None:
    for ending in (
        lambda: house.credentials.sign_out(KADI, OUSMANE),
        lambda: house.credentials.close(KADI, OUSMANE, "parti"),
    ):
        secret = house.credentials.invite(KADI, OUSMANE)
        ending()
        with pytest.raises(IdentityRefused):
            house.credentials.invited(secret)


def test_a_factor_that_was_reset_is_none_even_where_it_was_not_destroyed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.with_password(FANTA).sets_up()
    monkeypatch.setattr(house.engine.store.identities, "forget_factor", lambda account: None)
    house.credentials.reset_factor(KADI, FANTA, "téléphone perdu")
    assert house.last(FANTA) == ("second-factor-reset", DONE_BY_KADI)
    assert house.enters(FANTA).stage is Stage.SET_UP
    house.later(60).sets_up()
    assert house.enters(FANTA).stage is Stage.CODE


def test_a_token_is_for_a_machine_and_for_some_of_what_it_may_do(house: House) -> None:
    token, last = house.credentials.issue(KADI, DHIS, ("plans", "frameworks", "plans"), 30)
    assert house.sessions.by_token(str(token)) == (DHIS, frozenset({"plans", "frameworks"}))
    assert last == house.engine.today() + timedelta(days=30)
    fact = house.facts(DHIS)[-1]
    assert (fact.type, fact.by, fact.data.scope) == ("token-issued", DONE_BY_KADI, ("frameworks", "plans"))
    assert token.secret not in repr(token) + repr(fact)
    assert parsed(str(token)) == token


@pytest.mark.parametrize(
    ("account", "scope", "days", "code"),
    [
        (OUSMANE, ("plans",), 30, "token-for-a-person"),
        (DHIS, (), 30, "token-without-scope"),
        (DHIS, ("plans", "identify-need"), 30, "scope-beyond-grants"),
        (DHIS, ("fly",), 30, "scope-beyond-grants"),
        (DHIS, ("plans",), 367, "token-too-long"),
        (DHIS, ("plans",), -1, "not-a-day-to-plan"),
    ],
)
def test_a_token_that_is_not_issued(house: House, account: str, scope: tuple[str, ...], days: int, code: str) -> None:
    assert code in why(lambda: house.credentials.issue(KADI, account, scope, days))
    assert house.engine.store.identities.tokens() == []


@pytest.mark.parametrize("act", ["agree-plan", "record-deliberation", "give-grant", "issue-token", "confirm-request"])
def test_what_people_decide_is_for_no_token_whatever_is_granted(house: House, act: str) -> None:
    for role in (Role.FACILITATOR, Role.COUNCIL_SECRETARY, Role.ADMINISTRATOR, Role.MAYOR):
        house.grants(DHIS, role)
    assert act in OF_PEOPLE
    assert why(lambda: house.credentials.issue(KADI, DHIS, (act,), 30)) == {"scope-beyond-grants"}
    assert house.credentials.issue(KADI, DHIS, ("identify-need",), 30)


def test_who_decides_is_derived_from_what_binds_and_what_takes_two() -> None:
    assert {Role.MAYOR, Role.COUNCIL_SECRETARY, Role.FACILITATOR, Role.ADMINISTRATOR, Role.OPERATOR} <= DECIDING
    assert not {Role.AUDITOR, Role.EVALUATOR, Role.INTEGRATOR, Role.ACCOUNT_HOLDER} & DECIDING


def bad(house: House, token: str) -> str:
    with pytest.raises(NotSignedIn) as refused:
        house.sessions.by_token(token)
    return str(refused.value.cause)


def test_a_token_that_does_not_hold_is_told_in_one_way(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    token, _ = house.credentials.issue(KADI, DHIS, ("plans",), 30)
    text = str(token)
    for wrong in ("", "cyc_", text[:-1], text + "x", text.replace("cyc", "CYC"), str(new_token(_ones))):
        assert bad(house, wrong) == "bad-token"
    assert bad(house, text[:-1] + ("0" if text[-1] != "0" else "1")) == "bad-token"
    house.later(30 * 86_400)
    assert house.sessions.by_token(text)[0] == DHIS, "its last day counts"
    assert bad(house.later(86_400), text) == "bad-token"


def _ones(length: int) -> bytes:
    return b"\x01" * length


def test_the_table_is_asked_for_a_token_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it still holds is asked of the log, each time."""
    token, _ = house.credentials.issue(KADI, DHIS, ("plans",), 30)
    text, store = str(token), house.engine.store.identities
    asked, used = Mock(wraps=store.token), Mock(wraps=store.use_token)
    monkeypatch.setattr(store, "token", asked)
    monkeypatch.setattr(store, "use_token", used)
    for _ in range(3):
        assert house.sessions.by_token(text)[0] == DHIS
        assert bad(house, text[:-1] + ("0" if text[-1] != "0" else "1")) == "bad-token"
    assert (asked.call_count, used.call_count) == (1, 1)
    monkeypatch.setattr(sessions, "MOST_TOKENS", 1)
    other, _ = house.credentials.issue(KADI, DHIS, ("plans",), 30)
    assert house.sessions.by_token(str(other))[0] == house.sessions.by_token(text)[0] == DHIS
    assert asked.call_count == 3, "no more are remembered than there is room for"


def test_a_token_is_revoked_by_the_log_alone(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    token, _ = house.credentials.issue(KADI, DHIS, ("plans",), 30)
    kept, other = house.credentials.issue(KADI, DHIS, ("plans",), 30)[0], house.another()
    monkeypatch.setattr(house.engine.store.identities, "forget_token", lambda token: None)
    assert other.sessions.by_token(str(token))[0] == DHIS
    house.credentials.revoke(KADI, token.id)
    assert house.last(DHIS) == ("token-revoked", DONE_BY_KADI)
    assert bad(other, str(token)) == "bad-token"
    assert other.sessions.by_token(str(kept))[0] == DHIS
    with pytest.raises(IdentityRefused, match="no token"):
        house.credentials.revoke(KADI, token.id)
    house.credentials.close(KADI, DHIS, "remplacé")
    assert bad(other, str(kept)) == "bad-token"
    with pytest.raises(IdentityRefused, match="no token"):
        house.credentials.revoke(KADI, TokenId("unknown"))
    other.engine.close()


def test_the_day_of_last_use_is_kept(house: House) -> None:
    token, _ = house.credentials.issue(KADI, DHIS, ("plans",), 30)

    def used() -> date | None:
        return house.engine.store.identities.tokens()[0].used_on

    assert used() is None
    house.sessions.by_token(str(token))
    assert used() == house.engine.today()
    house.later(86_400).sessions.by_token(str(token))
    assert used() == house.engine.today()


def test_within_a_scope_nothing_else_is_let_through(house: House) -> None:
    house.engine.act(DHIS, "export-events")
    with within(DHIS, frozenset({"plans"})):
        with pytest.raises(Forbidden) as refused:
            house.engine.act(DHIS, "export-events")
        assert refused.value.findings[0].code == "beyond-scope"
        house.engine.act(KADI, "list-accounts")
    house.engine.act(DHIS, "export-events")


def test_what_was_let_through_a_moment_ago_is_asked_again_within_a_scope(sqlite_url: str) -> None:
    with Engine(sqlite_url) as engine:
        dioro, _ = two_communes(engine)
        say(engine, PAPER, dioro, SEGOUS)
        with within(SEGOUS.actor, frozenset({"plans"})), pytest.raises(Forbidden):
            say(engine, PAPER, dioro, SEGOUS)
        say(engine, PAPER, dioro, SEGOUS)


def test_an_identity_at_a_provider_is_linked_by_an_administrator_and_stands_in_no_leaf(house: House) -> None:
    house.credentials.link(KADI, OUSMANE, ISSUER, "ousmane.traore@example.ml")
    assert house.last(OUSMANE) == ("identity-linked", DONE_BY_KADI)
    assert "traore" not in str([leaf for *_, leaf in house.engine.store.read(0)])
    assert house.sessions.through(ISSUER, "ousmane.traore@example.ml", HERE).account == OUSMANE
    for issuer, subject in ((ISSUER, "x"), ("https://other.example.ml", "ousmane.traore@example.ml")):
        with pytest.raises(NotSignedIn, match="no account here"):
            house.sessions.through(issuer, subject, HERE)
    with pytest.raises(IdentityRefused, match="linked to the account ousmane"):
        house.credentials.link(KADI, FANTA, ISSUER, "ousmane.traore@example.ml")
    house.credentials.unlink(KADI, OUSMANE, ISSUER)
    with pytest.raises(NotSignedIn):
        house.sessions.through(ISSUER, "ousmane.traore@example.ml", HERE)


def test_who_decides_shows_our_second_factor_also_after_a_provider(house: House) -> None:
    house.credentials.link(KADI, FANTA, ISSUER, "f-1")
    assert house.sessions.through(ISSUER, "f-1", HERE).stage is Stage.SET_UP


def test_a_closed_account_leaves_nothing_beside_the_log(house: House) -> None:
    house.with_password(FANTA).sets_up()
    house.credentials.invite(KADI, FANTA)
    house.credentials.link(KADI, FANTA, ISSUER, "f-1")
    house.credentials.close(KADI, FANTA, "partie")
    store = house.engine.store.identities
    assert (store.password(FANTA), store.factor(FANTA), store.linked(ISSUER, "f-1")) == (None, None, None)
