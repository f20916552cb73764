"""Who fails waits longer each time, never for ever, and nobody gains by trying many at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, insert, select, text

from cycle.engine import Engine
from cycle.identity.shapes import Tried
from cycle.identity.throttle import FORGOTTEN_AFTER, LONGEST, after, named, waits
from cycle_adapters.sql.identity import LOCK
from cycle_adapters.sql.schema import tries
from tests.identity.house import HERE, KADI, OUSMANE, PASSWORD, THERE, House

COUNTS = st.integers(0, 10_000)
WAITS_FOR_A_LOCK = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
NOW = st.integers(1_000_000, 2_000_000_000)


@given(COUNTS, COUNTS, NOW, st.integers(0, FORGOTTEN_AFTER * 2))
def test_nobody_waits_longer_than_the_longest(failures: int, free: int, last: int, passed: int) -> None:
    wait = waits(Tried(failures, last), free, last + passed)
    assert 0 <= wait <= LONGEST
    if failures < free or passed >= LONGEST:
        assert wait == 0


@given(st.integers(0, 100), st.integers(0, 50), NOW)
def test_one_more_failure_never_shortens_the_wait(failures: int, free: int, last: int) -> None:
    assert waits(Tried(failures, last), free, last) <= waits(Tried(failures + 1, last), free, last)


@given(st.integers(5, 100), NOW, st.integers(0, 100_000))
def test_a_clock_that_is_set_back_makes_nobody_wait_longer(failures: int, last: int, back: int) -> None:
    assert waits(Tried(failures, last), 5, last - back) <= LONGEST


@given(st.lists(st.integers(0, FORGOTTEN_AFTER + 10), max_size=30))
def test_failures_in_a_row_are_counted_until_a_day_has_passed(pauses: list[int]) -> None:
    tried, now, expected = None, 1_000_000, 0
    for pause in pauses:
        now += pause
        expected = 1 if pause >= FORGOTTEN_AFTER else expected + 1
        tried = after(tried, now)
        assert tried.failures == (expected if tried and expected else 1)


@given(st.integers(0, 20))
def test_an_attacker_has_few_guesses_in_a_day(free: int) -> None:
    tried, now, guesses = None, 1_000_000, 0
    while now < 1_000_000 + 86_400:
        wait = waits(tried, free, now)
        if wait:
            now += wait
            continue
        tried, guesses = after(tried, now), guesses + 1
    assert guesses <= free + 10 + 86_400 // LONGEST + 1


def test_five_failures_are_free_and_then_it_takes_longer(house: House) -> None:
    house.with_password()
    for _ in range(5):
        assert house.is_refused(OUSMANE) == "wrong-password"
    assert house.is_refused(OUSMANE) == "wait"
    assert house.is_refused(OUSMANE, PASSWORD) == "wait", "the right password is not looked at either"
    assert house.later(2).is_refused(OUSMANE) == "wrong-password"
    assert house.is_refused(OUSMANE, address=THERE) == "wait", "whatever address it comes from"
    assert house.later(4).enters().account == OUSMANE
    for _ in range(5):
        assert house.is_refused(OUSMANE) == "wrong-password", "who has signed in begins anew"


def test_an_unknown_account_is_answered_like_a_wrong_password(house: House) -> None:
    house.with_password()
    known = [house.is_refused(OUSMANE) for _ in range(7)]
    unknown = [house.is_refused("nobody", address=THERE) for _ in range(7)]
    without = [house.is_refused(KADI, address="203.0.113.5") for _ in range(7)]
    assert known == unknown == without


def test_one_address_that_tries_many_accounts_waits(house: House) -> None:
    causes = [house.is_refused(f"account-{n}") for n in range(22)]
    assert causes == ["wrong-password"] * 20 + ["wait"] * 2
    assert house.with_password().enters(address=THERE).account == OUSMANE


def test_who_signs_in_well_does_not_clear_the_address_of_who_does_not(house: House) -> None:
    house.with_password()
    for n in range(19):
        house.is_refused(f"account-{n}")
    house.enters()
    house.is_refused("account-x")
    assert house.is_refused("account-y") == "wait"


def test_attempts_at_once_are_as_many_and_another_process_counts_with_us(house: House) -> None:
    house.with_password()
    other = house.another()
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit((house, other)[n % 2].is_refused, OUSMANE) for n in range(12)]
        causes = sorted(each.result(60) for each in asked)
    assert causes == ["wait"] * 7 + ["wrong-password"] * 5
    other.engine.close()


def test_who_signs_in_while_another_attempt_is_counted_is_not_counted_on(postgres_url: str) -> None:
    """Given an attempt that has read the count and not written it yet, when the account signs in, then it waits."""
    with Engine(postgres_url) as engine, ThreadPoolExecutor(1) as pool:
        identities = engine.store.identities
        name = named("account", OUSMANE)
        with engine.store.database.begin() as counting:
            counting.execute(select(func.pg_advisory_xact_lock(LOCK)))
            signs_in = pool.submit(identities.succeeded, name, named("address", HERE))
            while not counting.execute(WAITS_FOR_A_LOCK).scalar_one() and not signs_in.done():
                pass
            counting.execute(insert(tries).values(name=name, failures=4, last=0))
        signs_in.result(60)
        assert identities.attempt([(name, 1)], 0) == 0, "what was counted before is forgotten"


def test_what_is_counted_says_nothing_of_whom() -> None:
    assert OUSMANE.encode() not in named("account", OUSMANE)
    assert named("account", HERE) != named("address", HERE)
