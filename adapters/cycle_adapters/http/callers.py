"""Who calls: every route is told by one dependency, whatever way somebody has signed in by."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct
from starlette.requests import Request


class Caller(Struct, frozen=True):
    """An account that calls, and what its credential is good for.

    ``actions``: names of ``cycle.access.ACTIONS``, the scope of a token; None: whatever the account may.
    """

    account: str
    actions: frozenset[str] | None = None


class SignInNeeded(Exception):  # noqa: N818
    """Nobody has signed in, or the credential does not hold (any more).

    ``cause`` names what the catalogue says about it: ``sign-in.<cause>``.
    """

    def __init__(self, cause: str = "needed") -> None:
        super().__init__(cause)
        self.cause = cause


class Callers(Protocol):
    """Tells who calls."""

    def caller(self, request: Request) -> Caller | None:
        """Who calls; None: nobody has signed in.

        Raises:
            SignInNeeded: the credential does not hold.
        """


class OneAccount:
    """Whoever reaches it is one account, with all that it may or with some of it."""

    def __init__(self, account: str, actions: frozenset[str] | None = None) -> None:
        self._caller = Caller(account, actions)

    def caller(self, request: Request) -> Caller | None:
        return self._caller
