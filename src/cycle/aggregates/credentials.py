"""What an account signs in with, as far as it is public record: that something was set, and by whom.

The log holds no secret, nor a digest of one: passwords, one-time codes, sessions and tokens lie in a
side store (``cycle.identity``). But who took a credential away stands here, so that every process hears.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta
from msgspec.structs import replace

from cycle.aggregates.account import ADMINISTERS, Account, Token, account, stands
from cycle.aggregates.base import Command, Event, Finding, Happened, Role, demand
from cycle.aggregates.terms import AccountKind, Code, Planned, Reference, Text, TokenId

if TYPE_CHECKING:
    from cycle.aggregates.known import Known

TOKEN_DAYS = 366
"""The longest life of a token: what nobody renews for a year nobody remembers."""
Issuer = Annotated[str, Meta(min_length=9, max_length=300, pattern=r"^https?://[^\s]+$")]
"""A provider of OpenID Connect, by its address."""
OWN = (Role.ACCOUNT_HOLDER,)
OWN_OR_ADMINISTERED = (Role.ACCOUNT_HOLDER, Role.ADMINISTRATOR)


class AccountInvited(Event):
    """A link was made that sets a password once. Whoever has it is the account: so this stands in the log."""

    account: Reference


class PasswordSet(Event):
    account: Reference


class SecondFactorSet(Event):
    account: Reference


class SecondFactorReset(Event):
    """What the account had as a second factor is good for nothing any more."""

    account: Reference
    reason: Text


class AccountSignedOut(Event):
    """From everywhere."""

    account: Reference


class TokenIssued(Event):
    """``scope``: the names of what it may be used for."""

    account: Reference
    token: TokenId
    scope: tuple[Code, ...]
    expires_on: date


class TokenRevoked(Event):
    account: Reference
    token: TokenId


class IdentityLinked(Event):
    """Who that is at the provider may be an address of a person, and stands in the side store only."""

    account: Reference
    issuer: Issuer


class IdentityUnlinked(Event):
    account: Reference
    issuer: Issuer


class InviteAccount(Command):
    """Let the holder of an account set its password by a link that is good for one day and once."""

    roles = ADMINISTERS


class SetPassword(Command):
    """Set the password of one's own account; whoever is signed in as it is signed out."""

    roles = OWN


class SetSecondFactor(Command):
    """Set up the second factor of one's own account."""

    roles = OWN


class ResetSecondFactor(Command):
    """Take away an account's second factor, so that it sets up another one."""

    reason: Text
    roles = ADMINISTERS


class SignOutAccount(Command):
    """Sign an account out everywhere, at once."""

    roles = OWN_OR_ADMINISTERED


class IssueToken(Command):
    """Issue a token to a machine's account, for some of what the account may do, until a day."""

    token: TokenId
    scope: tuple[Text, ...]
    expires_on: Planned
    roles = ADMINISTERS


class RevokeToken(Command):
    """Revoke a token, at once and for good."""

    token: TokenId
    roles = OWN_OR_ADMINISTERED


class LinkIdentity(Command):
    """Let an account sign in through a provider of OpenID Connect."""

    issuer: Issuer
    roles = ADMINISTERS


class UnlinkIdentity(Command):
    """Let an account no longer sign in through a provider."""

    issuer: Issuer
    roles = ADMINISTERS


@account.decides(InviteAccount)
def invite_account(state: Account, command: InviteAccount, known: Known) -> Iterable[Event]:
    demand(*stands(state), *_a_person(state), *_another(state, known))
    yield AccountInvited(state.id)


@account.decides(SetPassword)
def set_password(state: Account, command: SetPassword, known: Known) -> Iterable[Event]:
    demand(*stands(state), *_a_person(state))
    yield PasswordSet(state.id)


@account.decides(SetSecondFactor)
def set_second_factor(state: Account, command: SetSecondFactor, known: Known) -> Iterable[Event]:
    demand(*stands(state), *_a_person(state))
    yield SecondFactorSet(state.id)


@account.decides(ResetSecondFactor)
def reset_second_factor(state: Account, command: ResetSecondFactor, known: Known) -> Iterable[Event]:
    demand(*stands(state), *_another(state, known))
    yield SecondFactorReset(state.id, command.reason)


@account.decides(SignOutAccount)
def sign_out_account(state: Account, command: SignOutAccount, known: Known) -> Iterable[Event]:
    demand(*stands(state))
    yield AccountSignedOut(state.id)


@account.decides(IssueToken)
def issue_token(state: Account, command: IssueToken, known: Known) -> Iterable[Event]:
    """What the account may do, but for what only a person decides, is known at the door."""
    beyond = tuple(sorted(set(command.scope) - known.for_tokens))
    last = known.on + timedelta(days=TOKEN_DAYS)
    demand(
        *stands(state),
        Finding(
            "token-for-a-person", state.kind is AccountKind.MACHINE, values={"account": state.id}, lift=ADMINISTERS
        ),
        Finding("token-without-scope", bool(command.scope)),
        Finding("scope-beyond-grants", not beyond, values={"account": state.id, "scope": beyond}, lift=ADMINISTERS),
        Finding("token-too-long", command.expires_on <= last, values={"latest": last.isoformat()}),
        Finding("token-known-already", command.token not in state.tokens),
    )
    yield TokenIssued(state.id, command.token, tuple(sorted(set(command.scope))), command.expires_on)


@account.decides(RevokeToken)
def revoke_token(state: Account, command: RevokeToken, known: Known) -> Iterable[Event]:
    demand(*stands(state), Finding("token-unknown", command.token in state.tokens, values={"token": command.token}))
    yield TokenRevoked(state.id, command.token)


@account.decides(LinkIdentity)
def link_identity(state: Account, command: LinkIdentity, known: Known) -> Iterable[Event]:
    demand(*stands(state), *_a_person(state), *_another(state, known))
    yield IdentityLinked(state.id, command.issuer)


@account.decides(UnlinkIdentity)
def unlink_identity(state: Account, command: UnlinkIdentity, known: Known) -> Iterable[Event]:
    demand(*stands(state))
    yield IdentityUnlinked(state.id, command.issuer)


def _a_person(state: Account) -> Iterable[Finding]:
    yield Finding("machine-signs-in", state.kind is AccountKind.PERSON, values={"account": state.id}, lift=ADMINISTERS)


def _another(state: Account, known: Known) -> Iterable[Finding]:
    """Whoever has stolen an administrator's session makes it last no longer by the administrator's own right."""
    yield Finding("credential-of-oneself", state.id != known.by.actor, values={"account": state.id}, lift=ADMINISTERS)


@account.evolves(SecondFactorReset)
def second_factor_reset(state: Account, recorded: Happened[SecondFactorReset]) -> Account:
    return replace(state, sessions_since=recorded.version, factor_since=recorded.version)


@account.evolves(PasswordSet, AccountSignedOut, IdentityUnlinked)
def signed_out(state: Account, recorded: Happened[Event]) -> Account:
    return replace(state, sessions_since=recorded.version)


@account.evolves(TokenIssued)
def token_issued(state: Account, recorded: Happened[TokenIssued]) -> Account:
    fact = recorded.data
    return replace(
        state, tokens={**state.tokens, fact.token: Token(fact.token, frozenset(fact.scope), fact.expires_on)}
    )


@account.evolves(TokenRevoked)
def token_revoked(state: Account, recorded: Happened[TokenRevoked]) -> Account:
    left = {identity: token for identity, token in state.tokens.items() if identity != recorded.data.token}
    return replace(state, tokens=left)


account.ignores(AccountInvited, SecondFactorSet, IdentityLinked)
