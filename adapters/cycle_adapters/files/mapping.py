"""How the columns of a council's file are read: a small JSON document, so that no file needs code."""

from __future__ import annotations

from importlib.resources import files

import msgspec
from msgspec import Struct

from cycle.aggregates.terms import Outcome


class MappingError(ValueError):
    """A mapping document that cannot be used."""


class Columns(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The names under which each thing may stand in the header; the first that is there is taken."""

    number: tuple[str, ...]
    decided_on: tuple[str, ...]
    subject: tuple[str, ...]
    matter: tuple[str, ...] = ()
    outcome: tuple[str, ...] = ()
    transmitted_on: tuple[str, ...] = ()
    authority: tuple[str, ...] = ()
    in_office: tuple[str, ...] = ()
    present: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    in_favour: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    abstaining: tuple[str, ...] = ()
    document: tuple[str, ...] = ()
    siret: tuple[str, ...] = ()


class Mapping(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Encoding, separator, dates and columns of one kind of file.

    ``outcomes`` says what the values of the outcome column mean; without that column a text with
    more votes for than against is adopted, one without a vote is noted, else it is rejected.
    """

    columns: Columns
    encoding: str = "utf-8-sig"
    separator: str = ","
    dates: tuple[str, ...] = ("%Y-%m-%d",)
    outcomes: dict[str, Outcome] = {}


def read_mapping(text: bytes) -> Mapping:
    """A mapping from a JSON document.

    Raises:
        MappingError: says what is wrong and where.
    """
    try:
        return msgspec.json.decode(text, type=Mapping)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise MappingError(f"this mapping cannot be used: {error}") from error


def scdl() -> Mapping:
    """The mapping that ships: SCDL deliberations 2.1.5."""
    return read_mapping((files("cycle_adapters.files") / "scdl-2.1.5.json").read_bytes())
