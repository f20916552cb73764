"""Signing in, step by step, and who is signed in: asked anew at every request, in every process."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from secrets import token_bytes

from msgspec import Struct

from cycle.aggregates.account import Account
from cycle.aggregates.terms import TokenId
from cycle.engine import Engine
from cycle.identity import factor
from cycle.identity.credentials import Credentials
from cycle.identity.failures import NotSignedIn, Wait
from cycle.identity.passwords import hashed, holds, is_outdated, typed
from cycle.identity.secrets import RandomBytes, code_typed, digest_of, new_secret, parsed, same
from cycle.identity.shapes import KeptToken, Session, Stage
from cycle.identity.throttle import FORGOTTEN_AFTER, FREE_OF_ACCOUNT, FREE_OF_ADDRESS, named
from cycle.store import Unavailable
from cycle.vault.shapes import WrappedKey

IDLE_SECONDS = 2 * 3600
"""Without a request: a meeting has its pauses."""
LONGEST_SECONDS = 12 * 3600
"""From signing in on, whatever happens: a working day."""
STEP_SECONDS = 600
"""To find the telephone for the second factor."""
MOST_TOKENS = 10_000
"""So many are remembered."""
SEEN_SECONDS = 60
"""How exact the last request is known: not every one of them writes."""


class Begun(Struct, frozen=True):
    """A session that has come as far as ``stage``; its id is for the browser alone."""

    id: str
    account: str
    stage: Stage

    def __repr__(self) -> str:
        return f"Begun({self.account}, {self.stage})"


class Sessions:
    """Who signs in to one engine.

    Args:
        now: seconds since 1970.
        random_bytes: makes ids.
    """

    def __init__(
        self, engine: Engine, now: Callable[[], float] = time.time, random_bytes: RandomBytes = token_bytes
    ) -> None:
        self.credentials = Credentials(engine, now, random_bytes)
        self._engine, self._store, self._now, self._random = engine, engine.store.identities, now, random_bytes
        self._tokens: dict[TokenId, KeptToken] = {}
        """Those that were shown: whether one is still good is in the log."""

    def with_password(self, account: str, password: str, address: str) -> Begun:
        """The first step.

        Raises:
            NotSignedIn: there is no such account, or it has another password, or none: one answer, the same work.
            Wait: too many attempts failed.
        """
        self._count(account, address)
        known = self._open(account)
        encoded = self._store.password(account) if known else None
        if not holds(encoded, password) or known is None or encoded is None:
            raise NotSignedIn("wrong-password")
        if is_outdated(encoded):
            self._store.keep_password(account, hashed(typed(password)))
        return self._passed(known, address)

    def accept(self, secret: str, password: str, address: str) -> Begun:
        """The first step with an invitation, which sets the password.

        Raises:
            IdentityRefused: the invitation holds no longer, or the password is none.
            NotSignedIn: the account was closed meanwhile.
        """
        known = self._open(self.credentials.accept(secret, password))
        if known is None:
            raise NotSignedIn("over")
        return self._passed(known, address)

    def through(self, issuer: str, subject: str, address: str) -> Begun:
        """The first step through a provider, which has asked for a password of its own.

        Raises:
            NotSignedIn: no administrator has linked this to an account that is open.
        """
        account = self._store.linked(issuer, subject)
        known = self._open(account) if account else None
        if known is None:
            raise NotSignedIn("not-linked")
        return self._passed(known, address)

    def with_code(self, id_: str, code: str, address: str) -> Begun:
        """The second step: a one-time code, or a recovery code; each is good once.

        Raises:
            NotSignedIn: the first step is over, or the code does not fit.
            Wait: too many attempts failed.
            VaultError: the key that seals the factor is not at hand.
        """
        session = self._at(id_, Stage.CODE)
        self._count(session.account, address)
        if not self._fits(session.account, code):
            raise NotSignedIn("wrong-code")
        self._succeeded(session.account, address)
        return self._renewed(session, Stage.IN, strong=True)

    def _fits(self, account: str, code: str) -> bool:
        kept = self._factor(account)
        if kept is None:
            return False
        step = factor.step_of(factor.opened(kept, self._engine.vault.outside_key), code, self._now())
        if step is not None:
            return self._store.use_step(account, step)
        return self._store.use_code(account, digest_of(code_typed(code)))

    def _factor(self, account: str) -> WrappedKey | None:
        """The account's second factor, unless it was taken away since it was set up."""
        kept, known = self._store.factor(account), self._open(account)
        return kept.sealed if kept and known and kept.since > known.factor_since else None

    def set_up(self, id_: str, code: str, address: str) -> tuple[Begun, tuple[str, ...]]:
        """Set up the second factor that this session was offered; and the recovery codes.

        Raises:
            NotSignedIn: the session is over.
            IdentityRefused: the code does not fit.
            VaultError: there is no key to seal it with.
        """
        session = self._at(id_, Stage.SET_UP, Stage.IN)
        if self._factor(session.account) is not None:
            # Whoever has found an open browser must not put another telephone in the place of the first.
            raise NotSignedIn("factor-set-already")
        codes = self.credentials.set_factor(session.account, session.account, self.credentials.offered(id_), code)
        self._succeeded(session.account, address)
        return self._renewed(session, Stage.IN, strong=True), codes

    def change_password(self, id_: str, current: str, wanted: str, address: str) -> Begun:
        """Change one's own password: every session ends, and this one goes on under another id.

        Raises:
            NotSignedIn: the session is over, or the current password is another one.
            IdentityRefused: what is wanted is none.
        """
        session = self._at(id_, Stage.IN)
        self._count(session.account, address)
        if not holds(self._store.password(session.account), current):
            raise NotSignedIn("wrong-password")
        self._succeeded(session.account, address)
        receipt = self.credentials.set_password(session.account, session.account, wanted)
        return self._begun(session.account, receipt.version, Stage.IN, strong=session.strong)

    def begin(self, account: str) -> Begun:
        """Sign somebody in who need show nothing: where everybody may be anybody, in a demo.

        Raises:
            NotSignedIn: the account is not there, or closed.
        """
        known = self._open(account)
        if known is None:
            raise NotSignedIn("wrong-password")
        return self._begun(account, known.version, Stage.IN, strong=True)

    def found(self, id_: str, *, is_there: bool = True) -> Session | None:
        """A session that holds now: neither idle nor too old, and nothing has ended it since.

        ``is_there``: whether it is somebody who asks, which keeps it from being idle.
        """
        session = self._store.session(digest_of(id_))
        if session is None:
            return None
        if not self._holds(session):
            self._store.end(session.digest)
            return None
        now = int(self._now())
        if is_there and now - session.seen >= SEEN_SECONDS:
            # A full disk, or a database that is busy, signs nobody out.
            with suppress(Unavailable):
                self._store.see(session.digest, now)
        return session

    def _holds(self, session: Session) -> bool:
        now, known = self._now(), self._open(session.account)
        limit = LONGEST_SECONDS if session.stage is Stage.IN else STEP_SECONDS
        if known is None or session.since < known.sessions_since:
            return False
        if now - session.begun >= limit or now - session.seen >= IDLE_SECONDS or session.begun > now + SEEN_SECONDS:
            return False
        weak = session.stage is Stage.IN and not session.strong
        return not (weak and self._engine.door.now.decides(session.account, self._engine.today()))

    def account(self, id_: str, *, is_there: bool = True) -> str | None:
        """Who is signed in, wholly."""
        session = self.found(id_, is_there=is_there)
        return session.account if session is not None and session.stage is Stage.IN else None

    def open(self) -> int:
        """How many are signed in: those that neither idled nor lasted too long."""
        now = int(self._now())
        return self._store.open_sessions(now - LONGEST_SECONDS, now - IDLE_SECONDS)

    def sign_out(self, id_: str) -> None:
        """End this session."""
        self._store.end(digest_of(id_))

    def by_token(self, text: str) -> tuple[str, frozenset[str]]:
        """The account of a token, and what it is good for.

        Raises:
            NotSignedIn: it is none, or revoked, or over, or its account is closed: one answer.
        """
        token = parsed(text)
        kept = self._kept(token.id) if token else None
        if token is None or kept is None or not same(kept.digest, digest_of(token.secret)):
            raise NotSignedIn("bad-token")
        known, today = self._open(kept.account), self._engine.today()
        issued = known.tokens.get(token.id) if known else None
        if issued is None or not issued.on(today):
            raise NotSignedIn("bad-token")
        if kept.used_on != today:
            with suppress(Unavailable):
                self._store.use_token(token.id, today)
                self._tokens[token.id] = kept._replace(used_on=today)
        return kept.account, issued.scope

    def _kept(self, token: TokenId) -> KeptToken | None:
        kept = self._tokens.get(token) or self._store.token(token)
        if kept is not None:
            if len(self._tokens) >= MOST_TOKENS:
                self._tokens.clear()
            self._tokens[token] = kept
        return kept

    def _open(self, account: str) -> Account | None:
        """An open account as the log has it now, whichever process wrote it."""
        self._engine.door.refresh()
        known = self._engine.door.now
        return known.accounts[account] if known.stands(account) else None

    def _at(self, id_: str, *stages: Stage) -> Session:
        session = self.found(id_)
        if session is None or session.stage not in stages:
            raise NotSignedIn("over")
        return session

    def _passed(self, known: Account, address: str) -> Begun:
        """What comes after the first step."""
        if self._factor(known.id) is not None:
            return self._begun(known.id, known.version, Stage.CODE)
        if self._engine.door.now.decides(known.id, self._engine.today()):
            return self._begun(known.id, known.version, Stage.SET_UP)
        self._succeeded(known.id, address)
        return self._begun(known.id, known.version, Stage.IN)

    def _begun(self, account: str, since: int, stage: Stage, *, strong: bool = False) -> Begun:
        id_, now = new_secret(self._random), int(self._now())
        self._sweep(now)
        self._store.begin(Session(digest_of(id_), account, since, stage, strong, now, now))
        return Begun(id_, account, stage)

    def _renewed(self, session: Session, stage: Stage, *, strong: bool) -> Begun:
        """The next step under another id: whoever knew the first one knows nothing."""
        id_, now = new_secret(self._random), int(self._now())
        following = Session(digest_of(id_), session.account, session.since, stage, strong, now, now)
        if not self._store.begin(following, instead_of=session.digest):
            raise NotSignedIn("over")
        return Begun(id_, session.account, stage)

    def _count(self, account: str, address: str) -> None:
        """Count an attempt before it is looked at: many at once are as many.

        Raises:
            Wait: it is too early.
        """
        names = ((named("account", account), FREE_OF_ACCOUNT), (named("address", address), FREE_OF_ADDRESS))
        seconds = self._store.attempt(names, int(self._now()))
        if seconds:
            raise Wait(seconds)

    def _succeeded(self, account: str, address: str) -> None:
        self._store.succeeded(named("account", account), named("address", address))

    def _sweep(self, now: int) -> None:
        self._store.sweep(now - LONGEST_SECONDS, now - IDLE_SECONDS, now - FORGOTTEN_AFTER, now)
