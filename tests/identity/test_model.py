"""Sessions against a model that knows nothing of how they are kept: two processes, a clock, and chance."""

from __future__ import annotations

from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from argon2 import PasswordHasher
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cycle.identity import passwords
from cycle.identity.failures import NotSignedIn, Wait
from cycle.identity.sessions import IDLE_SECONDS, LONGEST_SECONDS, Begun
from cycle.identity.shapes import Stage
from tests.identity.house import FANTA, HERE, KADI, OTHER, OUSMANE, PASSWORD, House, made_key

ACCOUNTS = st.sampled_from((OUSMANE, FANTA))
SIDES = st.integers(0, 1)
WORDS = st.sampled_from((PASSWORD, OTHER))


class Held:
    """A session as the model knows it."""

    def __init__(self, begun: Begun, now: float) -> None:
        self.begun, self.since, self.seen = begun, now, now

    def holds(self, now: float) -> bool:
        return now - self.since < LONGEST_SECONDS and now - self.seen < IDLE_SECONDS


class Sessions(RuleBasedStateMachine):
    """Who has signed in is whoever the model says, on both sides, after every step."""

    @initialize()
    def begin(self) -> None:
        self.kept, passwords.HASHER = passwords.HASHER, PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
        self.folder = Path(mkdtemp(prefix="cycle-model-"))
        first = House(f"sqlite:///{self.folder / 'a.db'}", made_key(self.folder)).begun()
        self.sides = (first, first.another())
        self.now, self.held = first.now, list[Held]()
        self.password = {OUSMANE: PASSWORD, FANTA: PASSWORD}
        for account in self.password:
            first.with_password(account)
        first.sets_up(FANTA)

    def at(self, side: int) -> House:
        self.sides[side].now = self.now
        return self.sides[side]

    def ended(self, account: str) -> None:
        self.held = [each for each in self.held if each.begun.account != account]

    @rule(side=SIDES, account=ACCOUNTS, password=WORDS)
    def sign_in(self, side: int, account: str, password: str) -> None:
        try:
            begun = self.at(side).enters(account, password)
        except Wait:
            return
        except NotSignedIn:
            assert password != self.password[account]
            return
        assert password == self.password[account]
        assert begun.stage is (Stage.IN if account == OUSMANE else Stage.CODE)
        if begun.stage is Stage.IN:
            self.held.append(Held(begun, self.now))
        else:
            assert self.at(1 - side).who(begun) is None, "half is nothing"

    @rule(side=SIDES, which=st.integers(0, 5))
    def sign_out(self, side: int, which: int) -> None:
        if self.held:
            gone = self.held.pop(which % len(self.held))
            self.at(side).sessions.sign_out(gone.begun.id)
            assert self.at(1 - side).who(gone.begun) is None

    @rule(side=SIDES, account=ACCOUNTS)
    def sign_out_everywhere(self, side: int, account: str) -> None:
        self.at(side).credentials.sign_out(KADI, account)
        self.ended(account)

    @rule(side=SIDES, account=ACCOUNTS, password=WORDS)
    def set_password(self, side: int, account: str, password: str) -> None:
        self.at(side).with_password(account, password)
        self.password[account] = password
        self.ended(account)

    @rule(side=SIDES, which=st.integers(0, 5), password=WORDS)
    def change_password(self, side: int, which: int, password: str) -> None:
        if not self.held:
            return
        own = self.held[which % len(self.held)].begun
        try:
            after = self.at(side).sessions.change_password(own.id, self.password[own.account], password, HERE)
        except Wait:
            return
        self.ended(own.account)
        self.password[own.account] = password
        self.held.append(Held(after, self.now))

    @rule(side=SIDES, guess=st.text(min_size=1, max_size=60))
    def guess(self, side: int, guess: str) -> None:
        assert self.at(side).sessions.account(guess) is None

    @rule(seconds=st.sampled_from((1, 59, 61, IDLE_SECONDS - 60, IDLE_SECONDS, LONGEST_SECONDS)))
    def wait(self, seconds: int) -> None:
        self.now += seconds
        self.held = [each for each in self.held if each.holds(self.now)]

    @invariant()
    def who_is_in_is_in_on_both_sides(self) -> None:
        if not hasattr(self, "sides"):
            return
        for each in self.held:
            for side in (0, 1):
                assert self.at(side).who(each.begun) == each.begun.account
            each.seen = self.now

    def teardown(self) -> None:
        if hasattr(self, "sides"):
            for side in self.sides:
                side.engine.close()
            rmtree(self.folder)
            passwords.HASHER = self.kept


Sessions.TestCase.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
TestSessions = Sessions.TestCase
