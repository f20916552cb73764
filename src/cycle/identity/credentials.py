"""Setting and taking away what an account signs in with: the fact through the one door, the secret beside the log.

What takes a right away is recorded first, and holds from then on in every process; what gives one is kept
last. Whoever is killed in between has given less than was recorded, never more.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, timedelta
from secrets import token_bytes

from cycle.aggregates.account import CloseAccount
from cycle.aggregates.base import By, Command, Role
from cycle.aggregates.credentials import (
    InviteAccount,
    IssueToken,
    LinkIdentity,
    ResetSecondFactor,
    RevokeToken,
    SetPassword,
    SetSecondFactor,
    SignOutAccount,
    UnlinkIdentity,
)
from cycle.aggregates.terms import TokenId
from cycle.engine import Engine, Said
from cycle.identity import factor
from cycle.identity.failures import IdentityRefused
from cycle.identity.passwords import demand_good, hashed
from cycle.identity.secrets import RandomBytes, Token, code_typed, digest_of, new_codes, new_secret, new_token
from cycle.identity.shapes import KeptFactor
from cycle.store import Receipt

INVITATION_SECONDS = 86_400


class Credentials:
    """What accounts of one engine sign in with.

    Args:
        now: seconds since 1970.
        random_bytes: makes secrets.
    """

    def __init__(
        self, engine: Engine, now: Callable[[], float] = time.time, random_bytes: RandomBytes = token_bytes
    ) -> None:
        self.engine, self.now, self.random_bytes = engine, now, random_bytes
        self.store = engine.store.identities

    def said(self, actor: str, account: str, command: Command) -> Receipt:
        """One command about an account, by its holder or by an administrator.

        Raises:
            Refused: no right to it, or the account is not there, closed, or of the other kind.
        """
        own = actor == account and Role.ACCOUNT_HOLDER in command.roles
        by = By(actor, Role.ACCOUNT_HOLDER if own else Role.ADMINISTRATOR)
        return self.engine.execute(Said(command=command, by=by, on=self.engine.today(), target=account))

    def set_password(self, actor: str, account: str, password: str) -> Receipt:
        """Set one's own password.

        Raises:
            IdentityRefused: it is none.
        """
        encoded = hashed(demand_good(password, account))
        receipt = self.said(actor, account, SetPassword())
        self.store.keep_password(account, encoded)
        self.store.end_all(account)
        return receipt

    def invite(self, actor: str, account: str) -> str:
        """The secret of a link that sets the account's password: good for a day, and once."""
        secret = new_secret(self.random_bytes)
        self.said(actor, account, InviteAccount())
        self.store.invite(account, digest_of(secret), int(self.now()) + INVITATION_SECONDS)
        return secret

    def invited(self, secret: str) -> str:
        """The account that an invitation is for.

        Raises:
            IdentityRefused: it holds no longer, or never did.
        """
        account = self.store.invited(digest_of(secret), int(self.now()))
        if account is None:
            raise IdentityRefused("invitation-over")
        return account

    def accept(self, secret: str, password: str) -> str:
        """Set the password that an invitation asks for; returns the account.

        Raises:
            IdentityRefused: the invitation holds no longer, or the password is none (and the invitation stays).
        """
        demand_good(password, self.invited(secret))
        account = self.store.accept(digest_of(secret), int(self.now()))
        if account is None:
            raise IdentityRefused("invitation-over")
        self.set_password(account, account, password)
        return account

    def offered(self, session: str) -> bytes:
        """The secret that is offered as a second factor; kept nowhere before its first code has proved it.

        Raises:
            VaultError: there is no key to seal it with, and nothing is to be shown.
        """
        return factor.secret_for(f"{session} {self.engine.vault.outside_key.id}")

    def set_factor(self, actor: str, account: str, secret: bytes, code: str) -> tuple[str, ...]:
        """Set up one's own second factor, proved by its first code; returns the recovery codes, for this once.

        Raises:
            IdentityRefused: the code is not of this secret and this minute.
            VaultError: there is no key to seal it with.
        """
        kept = factor.sealed(account, secret, self.engine.vault.outside_key, self.random_bytes)
        step = factor.step_of(secret, code, self.now())
        if step is None:
            raise IdentityRefused("code-does-not-fit")
        codes = new_codes(self.random_bytes)
        since = self.said(actor, account, SetSecondFactor()).version
        self.store.keep_factor(account, KeptFactor(kept, since), step, [digest_of(code_typed(each)) for each in codes])
        return codes

    def reset_factor(self, actor: str, account: str, reason: str) -> Receipt:
        """Take away the second factor of somebody else."""
        receipt = self.said(actor, account, ResetSecondFactor(reason=reason))
        self.store.forget_factor(account)
        self.store.end_all(account)
        return receipt

    def sign_out(self, actor: str, account: str) -> Receipt:
        """Sign an account out everywhere."""
        receipt = self.said(actor, account, SignOutAccount())
        self.store.end_all(account)
        return receipt

    def close(self, actor: str, account: str, reason: str) -> Receipt:
        """Close an account for good, with all that it signed in with."""
        receipt = self.said(actor, account, CloseAccount(reason=reason))
        self.store.forget_account(account)
        return receipt

    def issue(self, actor: str, account: str, scope: tuple[str, ...], days: int) -> tuple[Token, date]:
        """A new token, to be shown once, and its last day."""
        made, last = new_token(self.random_bytes), self.engine.today() + timedelta(days=days)
        self.said(actor, account, IssueToken(token=made.id, scope=scope, expires_on=last))
        self.store.keep_token(made.id, account, digest_of(made.secret))
        return made, last

    def revoke(self, actor: str, token: TokenId) -> Receipt:
        """Revoke a token.

        Raises:
            IdentityRefused: there is no such token.
        """
        self.engine.door.refresh()
        for account, state in self.engine.door.now.accounts.items():
            if token in state.tokens:
                receipt = self.said(actor, account, RevokeToken(token=token))
                self.store.forget_token(token)
                return receipt
        raise IdentityRefused("no-such-token", id=token)

    def link(self, actor: str, account: str, issuer: str, subject: str) -> Receipt:
        """Let somebody at a provider sign in as an account.

        Raises:
            IdentityRefused: somebody else's account is linked so.
        """
        held = self.store.linked(issuer, subject)
        if held not in (None, account):
            raise IdentityRefused("linked-already", account=held)
        receipt = self.said(actor, account, LinkIdentity(issuer=issuer))
        self.store.link(issuer, subject, account)
        return receipt

    def unlink(self, actor: str, account: str, issuer: str) -> Receipt:
        """Let an account no longer sign in through a provider."""
        receipt = self.said(actor, account, UnlinkIdentity(issuer=issuer))
        self.store.unlink(issuer, account)
        return receipt
