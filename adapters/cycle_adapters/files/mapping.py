"""How the columns of a council's file are read: a small JSON document, so that no file needs code."""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from importlib.resources import files
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from cycle.aggregates.terms import Outcome
from cycle.failures import Failure
from cycle_adapters.files.shapes import wrong_shape

Names = Annotated[tuple[str, ...], Meta(min_length=1)]
_A_DAY = date(2021, 3, 14)
"""Its day, month and year cannot be taken for one another, in two digits or four."""


class MappingError(Failure):
    """A mapping document that cannot be used."""

    kind = "bad-mapping"
    code = "bad-mapping"


class Columns(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The names under which each thing may stand in the header; the first that is there is taken."""

    number: Names
    decided_on: Names
    subject: Names
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
        mapping = msgspec.convert(json.loads(text), Mapping)
    except json.JSONDecodeError as error:
        raise MappingError("not-json", line=str(error.lineno), column=str(error.colno)) from error
    except UnicodeError as error:
        raise MappingError("not-text") from error
    except RecursionError as error:
        raise MappingError("too-deep") from error
    except msgspec.ValidationError as error:
        raise MappingError("shape", why=wrong_shape(error)) from error
    _check(mapping)
    return mapping


def _check(mapping: Mapping) -> None:
    if not _is_of_text(mapping.encoding):
        raise MappingError("encoding", encoding=mapping.encoding)
    if len(mapping.separator) != 1 or mapping.separator in '"\r\n\0':
        raise MappingError("separator", separator=mapping.separator)
    if not mapping.dates:
        raise MappingError("no-dates")
    for form in mapping.dates:
        if not _says_a_day(form):
            raise MappingError("date-form", form=form)


def _is_of_text(encoding: str) -> bool:
    """Python also calls encodings what turns bytes into bytes, such as ``hex``."""
    try:
        return bool("a".encode(encoding))
    except (LookupError, ValueError):
        return False


def _says_a_day(form: str) -> bool:
    try:
        return datetime.strptime(_A_DAY.strftime(form), form).date() == _A_DAY
    except (ValueError, re.error):
        return False


def scdl() -> Mapping:
    """The mapping that ships: SCDL deliberations 2.1.5."""
    return read_mapping((files("cycle_adapters.files") / "scdl-2.1.5.json").read_bytes())
