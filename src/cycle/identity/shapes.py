"""What a store keeps of credentials, whatever the database: digests, ciphertext, and counts of failures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct

from cycle.aggregates.base import StreamId
from cycle.aggregates.terms import TokenId
from cycle.vault.shapes import WrappedKey


def place(account: str) -> StreamId:
    """What a sealed second factor is bound to: it opens for no other account, and nowhere else in the vault."""
    return StreamId(f"second-factor-{account}")


class Stage(StrEnum):
    """How far somebody has come in signing in."""

    CODE = "code"
    """The password was right; the second factor is to come."""
    SET_UP = "set-up"
    """The password was right; the account needs a second factor and has none yet."""
    IN = "in"


class Session(Struct, frozen=True):
    """Somebody who is signing in, or has. ``digest`` is that of the id, which the browser alone has.

    ``since``: how long the account's stream was then. ``strong``: whether a second factor was shown.
    ``begun`` and ``seen`` are seconds since 1970.
    """

    digest: bytes
    account: str
    since: int
    stage: Stage
    strong: bool
    begun: int
    seen: int


class KeptToken(NamedTuple):
    """A token as it is kept: the digest of its secret, and on which day it was last used."""

    id: TokenId
    account: str
    digest: bytes
    used_on: date | None


class KeptFactor(NamedTuple):
    """The sealed secret of a second factor, and how long the account's stream was when it was set up."""

    sealed: WrappedKey
    since: int


class Tried(NamedTuple):
    """How often something failed in a row, and when it was last tried, in seconds since 1970."""

    failures: int
    last: int


class IdentityStore(ABC):
    """The tables beside a log. Every call is one transaction; what is used up is used up once."""

    @abstractmethod
    def password(self, account: str) -> str | None:
        """The argon2 string of an account's password."""

    @abstractmethod
    def keep_password(self, account: str, encoded: str) -> None: ...

    @abstractmethod
    def factor(self, account: str) -> KeptFactor | None: ...

    @abstractmethod
    def keep_factor(self, account: str, factor: KeptFactor, step: int, codes: Collection[bytes]) -> None:
        """Keep a second factor, the time step that was used to prove it, and digests of recovery codes."""

    @abstractmethod
    def use_step(self, account: str, step: int) -> bool:
        """Use a time step up; False: it, or a later one, was used before."""

    @abstractmethod
    def use_code(self, account: str, digest: bytes) -> bool:
        """Use a recovery code up; False: there is no such code (any more)."""

    @abstractmethod
    def forget_factor(self, account: str) -> None: ...

    @abstractmethod
    def begin(self, session: Session, instead_of: bytes | None = None) -> bool:
        """Keep a session; ``instead_of`` the one with this digest, or not at all where that is gone (False)."""

    @abstractmethod
    def session(self, digest: bytes) -> Session | None: ...

    @abstractmethod
    def open_sessions(self, begun: int, seen: int) -> int:
        """How many have signed in wholly, begun and seen after these seconds."""

    @abstractmethod
    def see(self, digest: bytes, now: int) -> None:
        """A session was used."""

    @abstractmethod
    def end(self, digest: bytes) -> None: ...

    @abstractmethod
    def end_all(self, account: str) -> None:
        """End the sessions of an account, and take back its invitation."""

    @abstractmethod
    def keep_token(self, token: TokenId, account: str, digest: bytes) -> None: ...

    @abstractmethod
    def token(self, token: TokenId) -> KeptToken | None: ...

    @abstractmethod
    def tokens(self) -> Sequence[KeptToken]: ...

    @abstractmethod
    def use_token(self, token: TokenId, day: date) -> None: ...

    @abstractmethod
    def forget_token(self, token: TokenId) -> None: ...

    @abstractmethod
    def invite(self, account: str, digest: bytes, expires: int) -> None:
        """Keep an invitation instead of any other of the account."""

    @abstractmethod
    def invited(self, digest: bytes, now: int) -> str | None:
        """The account that an invitation is for, while it holds."""

    @abstractmethod
    def accept(self, digest: bytes, now: int) -> str | None:
        """Use an invitation up; None: it holds no longer."""

    @abstractmethod
    def link(self, issuer: str, subject: str, account: str) -> None:
        """Let who this is at a provider be an account; instead of whatever the account had there."""

    @abstractmethod
    def unlink(self, issuer: str, account: str) -> None: ...

    @abstractmethod
    def linked(self, issuer: str, subject: str) -> str | None: ...

    @abstractmethod
    def attempt(self, names: Sequence[tuple[bytes, int]], now: int) -> int:
        """Count an attempt under each name, where none has to wait; else seconds to wait, and nothing is counted.

        A name comes with how many failures cost nothing.
        """

    @abstractmethod
    def succeeded(self, forget: bytes, undo: bytes) -> None:
        """An attempt was none: forget all failures of one name, and take one back from another."""

    @abstractmethod
    def sweep(self, sessions_before: int, seen_before: int, tried_before: int, now: int) -> None:
        """Destroy what holds no longer: sessions, invitations, counts of failures."""

    @abstractmethod
    def forget_account(self, account: str) -> None:
        """Destroy everything that is kept of an account."""
