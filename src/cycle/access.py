"""Who may do what, where: one door, ``authorize``, pure over what the ``platform`` log says of accounts.

Every command declares its roles itself; whatever else can be done or read is declared here, once. What
declares nothing does not start up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from msgspec import Struct
from msgspec.structs import replace

from cycle.aggregates.account import EVERYWHERE, Account, Grant, Path, account, territory_of
from cycle.aggregates.base import Event, Finding, Happened, Recorded, Refused, Role, Value
from cycle.aggregates.commune import Commune
from cycle.aggregates.request import request
from cycle.aggregates.subscription import MANAGES
from cycle.commands import BY_COMMAND, COMMANDS

READERS = tuple(role for role in Role if role not in (Role.OPERATOR, Role.ACCOUNT_HOLDER))
"""Whoever has a part in a territory reads what is recorded there; who runs the machine has none."""
COUNCIL_FILES = (Role.COUNCIL_SECRETARY,)
TAKING_PART = tuple(
    role for role in READERS if role not in (Role.ADMINISTRATOR, Role.DATA_PROTECTION, Role.WORKER, Role.INTEGRATOR)
)
"""Whoever sits in a framework, oversees or studies it: these carry papers out of the house."""


class Action(Struct, frozen=True):
    """Something that can be done or read.

    ``roles``: who may, by a grant that covers the place. ``apart``: who may not, whatever else he
    holds. ``anybody``: no account is asked for. ``begins``: only while there is no account at all.
    ``machine``: who runs the machine may also while there is no account, and is its operator then.
    """

    name: str
    roles: tuple[Role, ...]
    apart: tuple[Role, ...] = ()
    anybody: bool = False
    begins: bool = False
    machine: bool = False


def _declared(name: str, *roles: Role, anybody: bool = False, machine: bool = False) -> tuple[str, Action]:
    if not roles and not anybody:
        raise TypeError(f"{name} declares nobody who may do it")
    return name, Action(name, roles, anybody=anybody, machine=machine)


SAYING: Mapping[str, Action] = {
    name: Action(name, command.roles, command.apart, begins=name == "begin-accounts")
    for name, command in COMMANDS.items()
}
"""Every command, as it declares itself."""
READING: Mapping[str, Action] = dict(
    (
        _declared("communes", anybody=True),
        *(
            _declared(name, *READERS)
            for name in (
                "organisations", "frameworks", "members", "needs", "meetings", "attendance",
                "plans", "actions", "commitments", "obstacles", "requests", "calendar", "audit_trail",
                "stage_visit", "cycle_interval", "policy_run", "obstacle_spell",
                "action_run", "promise_run", "need_run", "meeting_run", "recording_run",
                "replay", "next", "timings", "events",
            )
        ),
    )
)  # fmt: skip
"""Every projection and every other question. What anybody may read is said here and nowhere else: where
the communes are. (Policies are public too: they ship with the programme.)"""
ACTING: Mapping[str, Action] = dict(
    (
        _declared("export-events", Role.AUDITOR, Role.INTEGRATOR),
        _declared("export-bundle", Role.AUDITOR, Role.SUPERVISING_AUTHORITY),
        _declared("export-tables", Role.AUDITOR, Role.EVALUATOR, Role.PROGRAMME),
        _declared(
            "export-deliberations",
            *COUNCIL_FILES,
            Role.MAYOR,
            Role.SUPERVISING_AUTHORITY,
            Role.PROGRAMME,
            Role.AUDITOR,
            Role.EVALUATOR,
        ),
        _declared("export-paper", *TAKING_PART),
        _declared("export-calendar", *TAKING_PART, Role.INTEGRATOR),
        _declared("import-deliberations", *COUNCIL_FILES),
        _declared("import-events", Role.OPERATOR, machine=True),
        _declared("verify", Role.OPERATOR, Role.AUDITOR, machine=True),
        _declared("rebuild", Role.OPERATOR, machine=True),
        _declared("nats-refill", Role.OPERATOR, machine=True),
        _declared("backup", Role.OPERATOR, machine=True),
        _declared("restore", Role.OPERATOR, machine=True),
        _declared("list-accounts", Role.ADMINISTRATOR, Role.AUDITOR, Role.OPERATOR),
        _declared("list-webhooks", *MANAGES, Role.AUDITOR),
        _declared("list-groups", *MANAGES, Role.AUDITOR),
        _declared("consume-group", *MANAGES),
        _declared("seal", Role.OPERATOR, machine=True),
        _declared("receipt", Role.OPERATOR, *READERS, machine=True),
        _declared("export-checkpoint", Role.OPERATOR, *READERS, machine=True),
        _declared("vault-rewrap", Role.OPERATOR, machine=True),
        _declared("vault-forget-again", Role.OPERATOR, Role.DATA_PROTECTION, machine=True),
    )
)
"""Every act on the platform that is no command."""
ACTIONS: Mapping[str, Action] = {**SAYING, **READING, **ACTING}
"""All of it by name."""
OF_PEOPLE: frozenset[str] = frozenset(
    name
    for name, command in COMMANDS.items()
    if command.binds or command.seconds or BY_COMMAND[name] in (account, request)
)
"""What only a person decides, and no token: what binds, what takes two, and who may do what."""
DECIDING: frozenset[Role] = frozenset(
    {role for name in OF_PEOPLE for role in COMMANDS[name].roles} | {Role.ADMINISTRATOR, Role.OPERATOR}
) - {Role.ACCOUNT_HOLDER}
"""Who holds one of these signs in with a second factor."""


def declared(wanted: Iterable[str], among: Mapping[str, Action]) -> None:
    """Asked when a part starts up: whatever it can do declares who may.

    Raises:
        TypeError: names what does not.
    """
    missing = [name for name in wanted if name not in among]
    if missing:
        raise TypeError(f"no action is declared for {', '.join(missing)}: see cycle.access")


class Forbidden(Refused):
    """No grant of the account allows it.

    ``readable``: the account may read what it is about, so that the refusal may speak of it (403 on
    the web); where it may not, the answer is the same as for what does not exist (404).
    """

    def __init__(self, finding: Finding, *, readable: bool = False) -> None:
        super().__init__(finding)
        self.readable = readable
        self.actor = ""
        self.action: Action | None = None
        self.path: Path | None = None

    def about(self, actor: str, action: Action, path: Path | None) -> None:
        """Who tried what, and where: for the record."""
        self.actor, self.action, self.path = actor, action, path


NOWHERE: Path = ("?",)
"""Where something is that nobody knows: only who may act everywhere hears that it does not exist."""


def place(home: Commune) -> Path:
    """The path of a commune as its parents are now: country, region, circle, code."""
    return country(home.code), home.region, home.circle, home.code


def country(code: str) -> str:
    """The country that a commune's code begins with."""
    return code.partition("-")[0]


def setting_right(correction: Action, recorded_by: Action, version: int, role: Role) -> Action:
    """What it takes to set a fact right: where duties stand apart, the right to record it as well.

    Raises:
        Forbidden: whoever sets facts right in this role may not record this one.
    """
    if not recorded_by.apart:
        return correction
    roles = tuple(each for each in correction.roles if each in recorded_by.roles)
    values: dict[str, Value] = {
        "version": version,
        "command": recorded_by.name,
        "role": role.value,
        "roles": tuple(map(str, roles)),
    }
    if role not in roles:
        raise Forbidden(Finding("not-to-set-right", values=values, lift=roles), readable=True)
    return replace(correction, roles=roles, apart=recorded_by.apart)


class Access(Struct, frozen=True):
    """All accounts with their grants, as the first ``size`` leaves of the platform log say."""

    accounts: Mapping[str, Account] = {}
    versions: Mapping[str, int] = {}
    """How long each stream of acts is."""
    position: int = 0
    size: int = 0

    def stands(self, actor: str) -> bool:
        """Whether there is such an account, and it is open."""
        found = self.accounts.get(actor)
        return found is not None and not found.closed

    def grants(self, actor: str, on: date) -> list[Grant]:
        """What an account may do on a day; nothing when there is no such account."""
        found = self.accounts.get(actor)
        return [] if found is None else [grant for grant in found.grants.values() if grant.on(on)]

    def holds(self, actor: str, role: Role, path: Path, on: date) -> bool:
        """Whether an account holds a role for a place on a day."""
        return any(grant.role is role and grant.covers(path) for grant in self.grants(actor, on))

    def holders(self, role: Role, path: Path, on: date) -> tuple[str, ...]:
        """The accounts that hold a role for a place on a day."""
        return tuple(sorted(actor for actor in self.accounts if self.holds(actor, role, path, on)))

    def readable(self, actor: str, action: Action, on: date) -> tuple[Path, ...]:
        """The territories in which an account may read something on a day."""
        if action.anybody:
            return (EVERYWHERE,)
        return tuple({grant.territory: None for grant in self.grants(actor, on) if grant.role in action.roles})

    def for_tokens(self, actor: str, on: date) -> frozenset[str]:
        """What a token of this account may be issued for on a day."""
        held = {grant.role for grant in self.grants(actor, on)}
        return frozenset(n for n, a in ACTIONS.items() if n not in OF_PEOPLE and (a.anybody or held & set(a.roles)))

    def decides(self, actor: str, on: date) -> bool:
        """Whether an account holds a role that decides, and so needs a second factor."""
        return any(grant.role in DECIDING for grant in self.grants(actor, on))

    def and_then(self, events: Iterable[Recorded[Event]]) -> Access:
        """What it will be once these facts are stored: for commands that are saved together."""
        accounts = dict(self.accounts)
        for event in events:
            if type(event.data) in account.events:
                evolved(accounts, event.stream, event)
        return replace(self, accounts=accounts)


def evolved(accounts: dict[str, Account], stream: str, fact: Happened[Event]) -> None:
    """One more fact about an account."""
    reference = stream.partition("-")[2]
    before = accounts.get(reference, account.initial)
    accounts[reference] = account.fold(before, [fact])


def authorize(
    access: Access, actor: str, action: Action, path: Path | None, on: date, role: Role | None = None, own: bool = False
) -> Role | None:
    """Let an account do something in a place on a day, in a role (None: in any that allows it).

    ``path`` None means: wherever the account may. ``own``: it is about this very account, whose holder may
    what the others may not. The only door; called by the engine and the reader.

    Returns:
        The role that allows it; None where no account is asked for.

    Raises:
        Forbidden: with the one reason, and whom to call.
    """
    if action.anybody:
        return None
    if action.begins:
        if access.accounts:
            raise Forbidden(Finding("accounts-begun", lift=(Role.ADMINISTRATOR,)), readable=True)
        return role
    if action.machine and not access.accounts:
        return None
    held = access.grants(actor, on)
    if own and role is Role.ACCOUNT_HOLDER and role in action.roles and access.stands(actor):
        return role
    for grant in held:
        if grant.role in action.roles and (role is None or grant.role is role) and _covers(grant, path):
            if action.apart:
                _demand_apart(held, actor, action, path)
            return grant.role
    raise _forbidden(access, held, actor, action, path, on, role)


def _covers(grant: Grant, path: Path | None) -> bool:
    return path is None or grant.covers(path)


def _demand_apart(held: list[Grant], actor: str, action: Action, path: Path | None) -> None:
    for grant in held:
        if grant.role in action.apart and _covers(grant, path):
            values = {"account": actor, "command": action.name, "role": grant.role.value}
            raise Forbidden(Finding("duties-apart", values=values, lift=action.roles), readable=True)


def _forbidden(
    access: Access, held: list[Grant], actor: str, action: Action, path: Path | None, on: date, role: Role | None
) -> Forbidden:
    known = access.accounts.get(actor)
    if not access.accounts:
        return Forbidden(Finding("no-accounts-yet"))
    if known is None:
        return Forbidden(Finding("account-unknown", values={"account": actor}, lift=(Role.ADMINISTRATOR,)))
    if known.closed:
        return Forbidden(Finding("account-closed", values={"account": actor}, lift=(Role.ADMINISTRATOR,)))
    roles = tuple(each.value for each in action.roles)
    if role is not None and role not in action.roles:
        values = {"command": action.name, "role": role.value, "roles": roles}
        return Forbidden(Finding("role-may-not", values=values, lift=action.roles), readable=True)
    if path == NOWHERE or not (path in (None, EVERYWHERE) or any(g.role in READERS and _covers(g, path) for g in held)):
        return Forbidden(Finding("nothing-there", values={"account": actor}, lift=(Role.ADMINISTRATOR,)))
    values = {
        "account": actor,
        "roles": (role.value,) if role else ("any-role",) if action.roles == READERS else roles,
        "territory": territory_of(path or EVERYWHERE),
    }
    return Forbidden(_wanting(access, actor, values, path or EVERYWHERE, on), readable=True)


def _wanting(access: Access, actor: str, values: dict[str, str | tuple[str, ...]], path: Path, on: date) -> Finding:
    """No role for it, and who can grant one: never who asks, for nobody grants to himself."""
    administrators = access.holders(Role.ADMINISTRATOR, path, on)
    operators = access.holders(Role.OPERATOR, EVERYWHERE, on)
    if actor in administrators + operators:
        others = tuple(dict.fromkeys(each for each in administrators + operators if each != actor))
        return Finding("not-for-oneself", values=values | {"administrators": others})
    callers = administrators or operators or ("—",)
    return Finding("not-authorised", values=values | {"administrators": callers}, lift=(Role.ADMINISTRATOR,))


__all__ = [
    "ACTING", "ACTIONS", "EVERYWHERE", "NOWHERE", "READING", "SAYING", "Access", "Action", "Forbidden",
    "authorize", "country", "declared", "evolved", "place", "setting_right",
]  # fmt: skip
