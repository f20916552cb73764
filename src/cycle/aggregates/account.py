"""Account: who may do what, where and until when. Accounts and grants are facts of the ``platform`` log.

An account is a reference, never a name. A grant is a role in a territory for a period, given by
somebody else; a commune's territory is the path of its parents, read by whole segments.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from cycle.aggregates.base import Aggregate, Command, Event, Finding, Happened, Role, demand
from cycle.aggregates.terms import AccountKind, GrantId, Reference, Territory, Text, TokenId

if TYPE_CHECKING:
    from cycle.aggregates.known import Known

Path = tuple[str, ...]
"""A territory as its segments, from the country down; empty: everywhere."""
EVERYWHERE: Path = ()
COMMUNE_DEPTH = 4
"""Country, region, circle, and the commune by its code."""


def path_of(territory: str) -> Path:
    """``ML/Ségou`` -> ``("ML", "Ségou")``."""
    return tuple(segment for segment in territory.split("/") if segment)


def territory_of(path: Path) -> str:
    """``("ML", "Ségou")`` -> ``ML/Ségou``; everywhere is ``/``."""
    return "/".join(path) or "/"


def covers(territory: Path, path: Path) -> bool:
    """Whether a place lies in a territory: by whole segments, ``ML/Kat`` is not ``ML/Kati``.

    A territory that is one commune follows it wherever its parents change to: its code stays.
    """
    if len(territory) == COMMUNE_DEPTH:
        return path[COMMUNE_DEPTH - 1 :] == territory[-1:]
    return path[: len(territory)] == territory


class AccountOpened(Event):
    account: Reference
    kind: AccountKind


class GrantGiven(Event):
    """``since`` and ``until`` are the first and the last day; without ``until`` it holds until revoked."""

    account: Reference
    grant: GrantId
    role: Role
    territory: Territory
    since: date
    until: date | None = None


class GrantRevoked(Event):
    """For good: a right that is given again is another grant."""

    account: Reference
    grant: GrantId
    reason: Text


class AccountClosed(Event):
    """For good, with every grant that it held."""

    account: Reference
    reason: Text


class Grant(Struct, frozen=True, gc=False):
    """A right that stands."""

    id: GrantId
    role: Role
    territory: Path
    since: date
    until: date | None = None

    def on(self, day: date) -> bool:
        """Whether it holds on a day; its first and its last day count."""
        return self.since <= day and (self.until is None or day <= self.until)

    def covers(self, path: Path) -> bool:
        """Whether a place lies in its territory."""
        return covers(self.territory, path)


class Token(Struct, frozen=True, gc=False):
    """A machine's credential that stands: what it may be used for, and until which day."""

    id: TokenId
    scope: frozenset[str]
    expires_on: date

    def on(self, day: date) -> bool:
        """Whether it may be used on a day; its last day counts."""
        return day <= self.expires_on


class Account(Struct, frozen=True):
    """The state of one account; ``grants`` are those that are not revoked."""

    version: int = 0
    id: str = ""
    kind: AccountKind = AccountKind.PERSON
    closed: bool = False
    grants: Mapping[GrantId, Grant] = {}
    given: int = 0
    """How many grants it was ever given: the number of the last one."""
    tokens: Mapping[TokenId, Token] = {}
    """Those that are not revoked."""
    factor_since: int = 0
    """A second factor that was set up when the stream was shorter than this is one no more."""
    sessions_since: int = 0
    """Who signed in when the stream was shorter than this is signed in no more."""


account: Aggregate[Account, Known] = Aggregate("account", Account())


class BeginAccounts(Command):
    """Open the first account of a log that has none, for whoever runs this machine."""

    account: Reference
    roles = (Role.OPERATOR,)


class OpenAccount(Command):
    """Open an account; it may do nothing until somebody grants it a role."""

    account: Reference
    kind: AccountKind = AccountKind.PERSON
    roles = (Role.ADMINISTRATOR, Role.OPERATOR)


class GiveGrant(Command):
    """Grant an account a role in a territory; without ``since`` from the day of the command on."""

    role: Role
    territory: Territory
    since: date | None = None
    until: date | None = None
    roles = (Role.ADMINISTRATOR, Role.OPERATOR)


class RevokeGrant(Command):
    """Take a grant away, at once and for good."""

    grant: GrantId
    reason: Text
    roles = (Role.ADMINISTRATOR,)


class CloseAccount(Command):
    """Close an account for good, with all that it was granted."""

    reason: Text
    roles = (Role.ADMINISTRATOR,)


ADMINISTERS = (Role.ADMINISTRATOR,)


def stands(state: Account) -> Iterable[Finding]:
    """The account is there and open."""
    yield Finding("account-unknown", bool(state.version), values={"account": state.id or "—"}, lift=ADMINISTERS)
    yield Finding("account-closed", not state.closed, values={"account": state.id}, lift=ADMINISTERS)


@account.decides(BeginAccounts)
def begin_accounts(state: Account, command: BeginAccounts, known: Known) -> Iterable[Event]:
    """Whether there is an account already is asked at the door (``cycle.access``)."""
    own = command.account == known.by.actor
    demand(Finding("accounts-begun", own and not state.version, lift=ADMINISTERS))
    yield AccountOpened(command.account, AccountKind.PERSON)
    yield GrantGiven(command.account, GrantId("G-1"), Role.OPERATOR, territory_of(EVERYWHERE), known.on)


@account.decides(OpenAccount)
def open_account(state: Account, command: OpenAccount, known: Known) -> Iterable[Event]:
    demand(Finding("account-exists", not state.version, values={"account": command.account}))
    yield AccountOpened(command.account, command.kind)


@account.decides(GiveGrant)
def give_grant(state: Account, command: GiveGrant, known: Known) -> Iterable[Event]:
    since, until = command.since or known.on, command.until
    demand(
        *stands(state),
        Finding("role-of-oneself", command.role is not Role.ACCOUNT_HOLDER),
        Finding("granted-to-oneself", state.id != known.by.actor, values={"account": known.by.actor}, lift=ADMINISTERS),
        Finding("ends-before-it-begins", until is None or since <= until, values={"since": since.isoformat()}),
        Finding("grant-held-already", not _held(state, command, since), values={"role": command.role.value}),
        *_of_an_operator(command, known),
    )
    path = territory_of(path_of(command.territory))
    yield GrantGiven(state.id, GrantId(f"G-{state.given + 1}"), command.role, path, since, until)


def _held(state: Account, command: GiveGrant, since: date) -> bool:
    """The same right for at least the same time."""
    wanted = path_of(command.territory)
    return any(
        grant.role is command.role
        and grant.territory == wanted
        and grant.since <= since
        and (grant.until is None or (command.until is not None and command.until <= grant.until))
        for grant in state.grants.values()
    )


def _of_an_operator(command: GiveGrant, known: Known) -> Iterable[Finding]:
    """Who runs the machine makes the first administrator, or a new one when there is none, and nothing else."""
    if known.by.role is Role.OPERATOR:
        first = command.role is Role.ADMINISTRATOR and not known.administered
        yield Finding("operator-grants-once", first, lift=ADMINISTERS)


@account.decides(RevokeGrant)
def revoke_grant(state: Account, command: RevokeGrant, known: Known) -> Iterable[Event]:
    demand(*stands(state))
    values = {"account": state.id, "grant": command.grant}
    demand(Finding("grant-unknown", command.grant in state.grants, values=values))
    yield GrantRevoked(state.id, command.grant, command.reason)


@account.decides(CloseAccount)
def close_account(state: Account, command: CloseAccount, known: Known) -> Iterable[Event]:
    demand(*stands(state))
    yield AccountClosed(state.id, command.reason)


@account.evolves(AccountOpened)
def account_opened(state: Account, recorded: Happened[AccountOpened]) -> Account:
    return replace(state, id=recorded.data.account, kind=recorded.data.kind)


@account.evolves(GrantGiven)
def grant_given(state: Account, recorded: Happened[GrantGiven]) -> Account:
    fact = recorded.data
    grant = Grant(fact.grant, fact.role, path_of(fact.territory), fact.since, fact.until)
    return replace(state, grants={**state.grants, fact.grant: grant}, given=state.given + 1)


@account.evolves(GrantRevoked)
def grant_revoked(state: Account, recorded: Happened[GrantRevoked]) -> Account:
    left = {number: grant for number, grant in state.grants.items() if number != recorded.data.grant}
    return replace(state, grants=left)


@account.evolves(AccountClosed)
def account_closed(state: Account, recorded: Happened[AccountClosed]) -> Account:
    return replace(state, closed=True, grants={}, tokens={}, sessions_since=recorded.version)
