"""How signing in fails before a person. One text for whatever must not be told apart."""

from __future__ import annotations

from typing import ClassVar

from cycle.failures import REFUSED, UNAVAILABLE, USAGE, Failure


class IdentityRefused(Failure):
    """What was given cannot be a password, an invitation, a code …; the text says what would do."""

    kind = "identity"
    code = "bad-credential"
    exit_code = USAGE


class NotSignedIn(Failure):
    """What was shown does not let anybody in: an unknown account and a wrong password are one answer."""

    kind = "identity"
    code = "not-signed-in"
    exit_code = REFUSED


class Wait(Failure):
    """Too many attempts failed; ``seconds`` until the next one is looked at."""

    kind = "identity"
    code = "wait"
    exit_code: ClassVar[int] = UNAVAILABLE

    def __init__(self, seconds: int) -> None:
        super().__init__("wait", seconds=seconds)
        self.seconds = seconds
