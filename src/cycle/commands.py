"""What can be said: every command by its name, how it is read from JSON, and all that is said with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from difflib import get_close_matches
from hashlib import sha256
from typing import Any
from unicodedata import normalize

import msgspec
from msgspec import Struct

from cycle.aggregates import credentials as credentials
from cycle.aggregates.account import account
from cycle.aggregates.acts import acts
from cycle.aggregates.base import Aggregate, By, Command, Recorded
from cycle.aggregates.commune import commune
from cycle.aggregates.deliberation import EnterDeliberation, deliberation
from cycle.aggregates.disclosure import DisclosePeople, DisclosePerson, disclosure
from cycle.aggregates.framework import decision as decision
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.setup import ProposeFramework
from cycle.aggregates.group import ParkConsumerGroupEvent, RegisterConsumerGroup, group
from cycle.aggregates.known import Known
from cycle.aggregates.organisation import RegisterOrganisation, organisation
from cycle.aggregates.person import person
from cycle.aggregates.personal import personal_fields, personal_values, without_personal
from cycle.aggregates.request import ConfirmRequest, request
from cycle.aggregates.rulebook import rulebook
from cycle.aggregates.webhook import RegisterWebhook, RotateWebhookSecret, webhook
from cycle.leaf import canonical
from cycle.shapes import understood

AGGREGATES: tuple[Aggregate[Any, Known], ...] = (
    framework, commune, deliberation, organisation, person, rulebook, request, account, acts, disclosure, webhook,
    group,
)  # fmt: skip
BY_COMMAND: Mapping[str, Aggregate[Any, Known]] = {
    name: aggregate for aggregate in AGGREGATES for name in aggregate.commands
}
COMMANDS: Mapping[str, type[Command]] = {
    name: command for aggregate in AGGREGATES for name, command in aggregate.commands.items()
}
"""Every command by its name, in the order of the areas."""


def check_seconds(commands: Iterable[type[Command]]) -> None:
    """That what takes two people can be confirmed by the second one, and may wait for him.

    Raises:
        TypeError: names the commands of which it is not so.
    """
    take_two = [command for command in commands if command.seconds]
    if wrong := [c.type for c in take_two if not set(c.roles) <= set(ConfirmRequest.roles)]:
        raise TypeError(f"nobody could confirm {', '.join(wrong)}: see ConfirmRequest")
    if wrong := [c.type for c in take_two if personal_fields(c)]:
        # What is asked for stands in the log word for word until somebody confirms it.
        raise TypeError(f"{', '.join(wrong)}: what is personal cannot wait in the log for a second person")


check_seconds(COMMANDS.values())
BESIDE: frozenset[str] = frozenset(
    name
    for name, command in COMMANDS.items()
    if command.__module__ == credentials.__name__
    or command in (RegisterWebhook, RotateWebhookSecret, ParkConsumerGroupEvent)
)
"""Commands whose other half lies beside the log: verbs of their own say them, never a command alone."""
FOUNDING: frozenset[type[Command]] = frozenset(
    {
        ProposeFramework,
        EnterDeliberation,
        RegisterOrganisation,
        DisclosePerson,
        DisclosePeople,
        RegisterWebhook,
        RegisterConsumerGroup,
    }
)
"""Commands that make a new aggregate with a fresh id."""
SELF_NAMED: frozenset[str] = frozenset(
    {"register-commune", "publish-policy", "begin-accounts", "open-account", "record-person"}
)
"""Commands whose own fields say which aggregate they are about."""
KEY = r"^[\x21-\x7e]{1,200}$"
"""A key that somebody sends with a command."""


class UnknownCommand(ValueError):  # noqa: N818
    """There is no command of this name."""


class BadInput(ValueError):  # noqa: N818
    """A command's fields do not have the declared shape; the message says where."""


class Said(Struct, frozen=True, kw_only=True):
    """A command with everything that is said with it.

    ``target`` is the id of the aggregate (None for a command that founds one), ``on`` the day on
    which it happened, ``key`` the sender's key (a fresh one when absent), ``correlation`` the key
    of the command that began the chain, ``late_record`` that later facts are known already,
    ``version`` that of the aggregate on which the sender looked (None: whatever it is), ``after`` the
    keys of what the same account has said before it, having looked at the same.
    """

    command: Command
    by: By
    on: date
    target: str | None = None
    key: str | None = None
    correlation: str | None = None
    late_record: bool = False
    version: int | None = None
    after: frozenset[str] = frozenset()

    def follows(self, fact: Recorded[Any]) -> bool:
        """Whether a fact comes of what the sender has said before: it is no news to him."""
        # The key alone is no proof: whoever reads the log knows the keys of others.
        return fact.causation in self.after and fact.by.actor == self.by.actor

    @property
    def digest(self) -> bytes:
        """SHA-256 of all that makes two sayings the same, but for personal values.

        It is kept for ever, and a telephone number would be found by trying; those values are
        compared with what the vault holds.
        """
        content: dict[str, object] = {
            "by": self.by,
            "command": self.command.type,
            "data": without_personal(self.command),
            "late_record": self.late_record,
            "on": self.on,
            "target": self.target or "",
        }
        if personal_fields(type(self.command)):
            content["personal"] = sorted(personal_values(self.command))
        return sha256(canonical(content)).digest()


def read_command(name: str, data: bytes) -> Command:
    """A command from its JSON fields; texts are brought to Unicode normal form NFC.

    Raises:
        UnknownCommand: with the nearest names.
        BadInput: says which field, what was expected, what was given.
    """
    command = COMMANDS.get(name)
    if command is None:
        near = ", ".join(get_close_matches(name, COMMANDS, 3)) or ", ".join(COMMANDS)
        raise UnknownCommand(f"there is no command {name!r}; did you mean: {near}?")
    try:
        # Re-encoding first turns escaped accents into characters, which NFC can then compose.
        fields = msgspec.json.decode(data)
        if blank := next(blanks(fields, "$"), None):
            raise BadInput(f"{name}: Expected a text, got blanks - at `{blank}`")
        return msgspec.json.decode(normalize("NFC", msgspec.json.encode(fields).decode()), type=understood(command))
    except UnicodeError as error:
        raise BadInput(f"{name}: the fields are not UTF-8 text: {error}") from error
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise BadInput(f"{name}: {error}") from error


def blanks(value: object, path: str) -> Iterator[str]:
    """Where a text holds nothing but blanks."""
    match value:
        case str():
            if not value.strip():
                yield path
        case dict():
            for key, item in value.items():
                yield from blanks(item, f"{path}.{key}")
        case list():
            for place, item in enumerate(value):
                yield from blanks(item, f"{path}[{place}]")
