"""Signing in step by step, and what ends a session: at once, in every process."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher

from cycle.aggregates.base import By, Role
from cycle.identity import passwords
from cycle.identity.failures import IdentityRefused, NotSignedIn, Wait
from cycle.identity.sessions import IDLE_SECONDS, LONGEST_SECONDS, STEP_SECONDS
from cycle.identity.shapes import Stage
from cycle.vault.keys import VaultError
from tests.identity.house import FANTA, HERE, KADI, OTHER, OUSMANE, PASSWORD, House


def over(house: House, id_: str, code: str) -> str:
    with pytest.raises(NotSignedIn) as refused:
        house.sessions.with_code(id_, code, HERE)
    return str(refused.value.cause)


def test_who_only_reads_signs_in_with_a_password(house: House) -> None:
    begun = house.with_password().enters()
    assert (begun.stage, house.who(begun)) == (Stage.IN, OUSMANE)
    assert begun.id not in repr(begun)


def test_an_account_without_a_password_and_a_closed_one_do_not_sign_in(house: House) -> None:
    assert house.is_refused(OUSMANE, PASSWORD) == "wrong-password"
    house.with_password()
    house.credentials.close(KADI, OUSMANE, "parti")
    assert house.is_refused(OUSMANE, PASSWORD) == "wrong-password"


def test_who_decides_sets_up_a_second_factor_before_anything_else(house: House) -> None:
    step = house.with_password(FANTA).enters(FANTA)
    assert (step.stage, house.who(step)) == (Stage.SET_UP, None)
    inside, codes, _ = house.later(5).sets_up()
    assert house.who(inside) == FANTA
    assert house.last(FANTA) == ("second-factor-set", By(FANTA, Role.ACCOUNT_HOLDER))
    assert len(set(codes)) == 10


def test_a_second_factor_is_asked_for_and_each_code_is_good_once(house: House) -> None:
    _, _, secret = house.with_password(FANTA).sets_up()
    code = house.code(secret)
    assert over(house, house.enters(FANTA).id, code) == "wrong-code", "it has proved the factor, and is used up"
    house.later(30)
    step = house.enters(FANTA)
    assert (step.stage, house.who(step)) == (Stage.CODE, None)
    code = house.code(secret)
    inside = house.sessions.with_code(step.id, code, HERE)
    assert house.who(inside) == FANTA
    assert inside.id != step.id, "another id: who knew the first one knows nothing"
    assert house.who(step) is None
    assert over(house, house.enters(FANTA).id, code) == "wrong-code"


def test_a_code_of_the_neighbouring_step_is_taken_and_an_older_one_is_not(house: House) -> None:
    _, _, secret = house.with_password(FANTA).sets_up()
    house.later(300)
    before, step = house.code(secret), house.later(30).enters(FANTA)
    assert house.who(house.sessions.with_code(step.id, before, HERE)) == FANTA
    house.later(300)
    old = house.code(secret)
    assert over(house, house.later(90).enters(FANTA).id, old) == "wrong-code"


def test_of_two_who_send_one_code_at_once_one_comes_in(house: House) -> None:
    _, codes, secret = house.with_password(FANTA).sets_up()
    for code in (house.later(60).code(secret), codes[0]):
        steps = [house.enters(FANTA) for _ in range(2)]
        with ThreadPoolExecutor(2) as pool:
            asked = [pool.submit(house.sessions.with_code, step.id, code, HERE) for step in steps]
        errors = [each.exception(60) for each in asked]
        assert sum(error is None for error in errors) == 1


def test_a_recovery_code_stands_in_once_however_it_is_copied(house: House) -> None:
    _, codes, _ = house.with_password(FANTA).sets_up()
    written = codes[3].lower().replace("-", " ")
    inside = house.sessions.with_code(house.enters(FANTA).id, written, HERE)
    assert house.who(inside) == FANTA
    assert over(house, house.enters(FANTA).id, codes[3]) == "wrong-code"


def test_wrong_codes_make_the_account_wait(house: House) -> None:
    house.with_password(FANTA).sets_up()
    step = house.enters(FANTA)
    for _ in range(4):
        assert over(house, step.id, "000000") == "wrong-code"
    with pytest.raises(Wait):
        house.sessions.with_code(step.id, "000000", HERE)


def test_who_comes_to_decide_while_signed_in_signs_in_again(house: House) -> None:
    begun = house.with_password().enters()
    house.grants(OUSMANE, Role.MAYOR)
    assert house.who(begun) is None
    assert house.enters().stage is Stage.SET_UP


def test_who_only_reads_may_have_a_second_factor_and_is_asked_for_it_then(house: House) -> None:
    begun = house.with_password().enters()
    inside, _ = house.sessions.set_up(begun.id, house.code(house.credentials.offered(begun.id)), HERE)
    assert house.who(inside) == OUSMANE
    assert house.enters().stage is Stage.CODE


def test_an_open_browser_puts_no_other_factor_in_the_place_of_the_first(house: House) -> None:
    inside, _, _ = house.with_password(FANTA).sets_up()
    code = house.code(house.credentials.offered(inside.id))
    with pytest.raises(NotSignedIn) as refused:
        house.sessions.set_up(inside.id, code, HERE)
    assert refused.value.cause == "factor-set-already"


def test_a_factor_is_kept_when_its_code_has_proved_it(house: House) -> None:
    step = house.with_password(FANTA).enters(FANTA)
    with pytest.raises(IdentityRefused, match="code"):
        house.sessions.set_up(step.id, "000000", HERE)
    assert house.engine.store.identities.factor(FANTA) is None


def test_without_a_key_no_factor_is_offered(sqlite_url: str) -> None:
    house = House(sqlite_url, None).begun().with_password(FANTA)
    with pytest.raises(VaultError) as refused:
        house.credentials.offered(house.enters(FANTA).id)
    assert refused.value.cause == "no-key"
    house.engine.close()


def test_a_factor_goes_over_to_another_key_with_the_vault(house: House) -> None:
    from cycle.vault.keys import new_key, read_key

    _, _, secret = house.with_password(FANTA).sets_up()
    assert house.key is not None
    old, house.key = house.key, house.key.with_name("new.key")
    new_key(house.key)
    other = house.another().later(30)
    step = other.enters(FANTA)
    with pytest.raises(VaultError, match="rewrap"):
        other.sessions.with_code(step.id, other.code(secret), HERE)
    other.engine.vault.rewrap(read_key(old))
    assert other.who(other.sessions.with_code(step.id, other.code(secret), HERE)) == FANTA
    other.engine.close()


def test_idle_too_long_and_too_long_altogether(house: House) -> None:
    begun = house.with_password().enters()
    for _ in range(LONGEST_SECONDS // (IDLE_SECONDS - 1)):
        assert house.later(IDLE_SECONDS - 1).who(begun) == OUSMANE
    assert house.later(IDLE_SECONDS - 1).who(begun) is None, "a working day is over"
    begun = house.enters()
    assert house.later(IDLE_SECONDS).who(begun) is None
    assert house.sessions.found(begun.id) is None


def test_a_step_that_is_not_taken_is_over(house: House) -> None:
    _, codes, _ = house.with_password(FANTA).sets_up()
    step = house.enters(FANTA)
    assert over(house.later(STEP_SECONDS), step.id, codes[0]) == "over"
    assert over(house, "nothing", codes[0]) == "over"


def test_signing_out_ends_this_session_and_no_other(house: House) -> None:
    first, second = house.with_password().enters(), house.enters()
    house.sessions.sign_out(first.id)
    assert (house.who(first), house.who(second)) == (None, OUSMANE)


@pytest.mark.parametrize(
    "ending",
    [
        lambda house: house.credentials.sign_out(KADI, OUSMANE),
        lambda house: house.credentials.sign_out(OUSMANE, OUSMANE),
        lambda house: house.credentials.set_password(OUSMANE, OUSMANE, OTHER),
        lambda house: house.credentials.close(KADI, OUSMANE, "parti"),
        lambda house: house.credentials.reset_factor(KADI, OUSMANE, "perdu"),
        lambda house: house.credentials.unlink(KADI, OUSMANE, "https://id.example.ml"),
    ],
    ids=["signed out by another", "by oneself", "password", "closed", "factor reset", "unlinked"],
)
def test_what_ends_all_sessions_ends_them_by_the_log_alone(
    house: House, ending: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is killed between the fact and the side store has ended them all the same."""
    begun, other = house.with_password().enters(), house.another()
    assert other.who(begun) == OUSMANE
    for kept in ("end_all", "forget_account", "forget_factor", "unlink", "keep_password"):
        monkeypatch.setattr(house.engine.store.identities, kept, lambda *given: None)
    ending(house)  # type: ignore[operator]
    assert other.who(begun) is None
    assert house.who(begun) is None
    other.engine.close()


def test_a_password_is_changed_by_who_knows_it_and_the_session_goes_on_under_another_id(house: House) -> None:
    begun, elsewhere = house.with_password().enters(), house.enters()
    with pytest.raises(NotSignedIn, match="password"):
        house.sessions.change_password(begun.id, "not the password", OTHER, HERE)
    assert house.who(begun) == OUSMANE
    after = house.sessions.change_password(begun.id, PASSWORD, OTHER, HERE)
    assert (house.who(begun), house.who(elsewhere), house.who(after)) == (None, None, OUSMANE)
    assert house.is_refused(OUSMANE, PASSWORD) == "wrong-password"
    assert house.enters(password=OTHER).account == OUSMANE
    assert house.last(OUSMANE) == ("password-set", By(OUSMANE, Role.ACCOUNT_HOLDER))


def test_a_password_is_hashed_anew_when_the_parameters_change(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.with_password()
    before, facts = house.engine.store.identities.password(OUSMANE), len(house.facts(OUSMANE))
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=2, memory_cost=64, parallelism=1))
    begun = house.enters()
    after = house.engine.store.identities.password(OUSMANE)
    assert before != after
    assert "t=2" in (after or "")
    assert house.who(begun) == OUSMANE
    assert len(house.facts(OUSMANE)) == facts, "the password is the same: nothing was set"


def test_what_is_over_is_swept_out(house: House) -> None:
    house.with_password().enters()
    house.credentials.invite(KADI, FANTA)
    house.is_refused("nobody", address="203.0.113.5")
    house.later(2 * 86_400).enters()
    from sqlalchemy import func, select

    from cycle_adapters.sql.schema import invitations, sessions, tries

    with house.engine.store.database.connect() as connection:
        counts = [connection.execute(select(func.count()).select_from(t)).scalar() for t in (sessions, invitations)]
        assert counts == [1, 0]
        assert connection.execute(select(func.count()).select_from(tries)).scalar() == 1
