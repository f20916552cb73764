"""A projection is a key, a fold and a table.

The row is declared once, as a frozen struct; the table follows from its fields. A fold takes the row
(or None) and one fact, and returns the row (or None to delete it). Rows depend on one stream only:
that is what makes a correction a matter of folding a few rows again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from operator import attrgetter
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar, dataclass_transform, get_type_hints

import msgspec
from msgspec import Struct
from msgspec.structs import astuple
from sqlalchemy import BigInteger, Boolean, Column, MetaData, Table, Text

from cycle.aggregates.base import Event
from cycle.history import Fact
from cycle.leaf import rfc3339
from cycle.shapes import decoder, understood


@dataclass_transform(frozen_default=True)
class Row(Struct, frozen=True, kw_only=True, gc=False):
    """One row. ``commune`` is the log that it comes from."""

    commune: str
    projection: ClassVar[str] = ""


class Part(Struct, frozen=True, gc=False):
    """A part of a row that has columns of its own, ``began_on``, ``began_event`` …; none of its fields is optional."""


R = TypeVar("R", bound=Row)
E = TypeVar("E", bound=Event)
P = TypeVar("P")
Touches = Callable[[Fact], Iterable[tuple[str, P]]]
"""The keys of the rows that a fact changes, each with the part of the fact that is about that row."""
Fold = Callable[[R | None, Fact, P], R | None]
"""Row, fact and the part of the fact that is about the row -> row."""


class Field(NamedTuple):
    """How one field of a row stands in its column: as it is, or as a text made from it."""

    name: str
    kind: str  # text, bigint or boolean
    encode: Callable[[Any], Any] | None = None
    decode: Callable[[str], Any] | None = None
    """From JSON; what is no JSON says itself what it is."""


def _present(hint: Any) -> Any:
    """The type of a value that is there."""
    plain = [a for a in getattr(hint, "__args__", ()) if a is not type(None)]
    return plain[0] if len(plain) == 1 and type(None) in hint.__args__ else hint


def _part(hint: Any) -> type[Part] | None:
    inner = _present(hint)
    return inner if isinstance(inner, type) and issubclass(inner, Part) else None


def _fields(name: str, hint: Any) -> list[Field]:
    """The columns of a field: its own, or those of its parts."""
    part = _part(hint)
    if part is None:
        return [_field(name, hint)]
    return [_field(f"{name}_{each}", own) for each, own in get_type_hints(part).items()]


def _places(parts: Iterable[type[Part] | None]) -> Iterator[tuple[int, slice, Sequence[str] | None]]:
    """At which column each value of a row begins; of those that have several, all of them, and their fields."""
    at = 0
    for part in parts:
        end = at + (len(part.__struct_fields__) if part else 1)
        yield at, slice(at, end), part.__struct_fields__ if part else None
        at = end


def _field(name: str, hint: Any) -> Field:
    inner = _present(hint)
    if inner is bool:
        return Field(name, "boolean")
    if inner is int:
        return Field(name, "bigint")
    if inner is str:
        return Field(name, "text")
    if inner is datetime:
        return Field(name, "text", _moment)
    if inner in (date, Decimal) or (isinstance(inner, type) and issubclass(inner, StrEnum)):
        return Field(name, "text", msgspec.to_builtins)
    return Field(name, "text", _json, decoder(inner).decode)


def _moment(value: datetime | None) -> str | None:
    return None if value is None else rfc3339(value)


_encode = msgspec.json.Encoder(order="sorted").encode
KEY = Text().with_variant(Text(collation="C"), "postgresql")
"""Ordered by its bytes on either database, so that keys with one beginning stand together."""
_SQL = {"text": Text, "bigint": BigInteger, "boolean": Boolean}


def _json(value: object) -> str | None:
    if value is None:
        return None
    return _encode(value).decode() if value else "[]"


class Projection(Generic[R]):
    """One read model.

    ``definition`` is raised when a fold changes its meaning; with the columns it makes the digest
    by which a changed projection is noticed and rebuilt. ``appends`` says that every fact makes a
    row of its own that nothing changes later, not even a correction.
    """

    def __init__(self, row: type[R], *, definition: int = 1, appends: bool = False) -> None:
        self.name = row.projection
        self.row = row
        self.appends = appends
        hints = get_type_hints(row)
        self.framed = hints.get("framework") is str
        """Whether every row is of a framework: its key begins with it then, and those of one stand together."""
        self.fields = tuple(field for name in row.__struct_fields__ for field in _fields(name, hints[name]))
        self._parts: dict[str, type[Part]] = {
            name: part for name in row.__struct_fields__ if (part := _part(hints[name]))
        }
        self._places = tuple(_places(self._parts.get(name) for name in row.__struct_fields__))
        self._decoders = [(f.name, f.decode) for f in self.fields if f.decode is not None]
        self._encoders = [(at, f.encode) for at, f in enumerate(self.fields, 1) if f.encode is not None]
        self._flat = all(encode is msgspec.to_builtins for _, encode in self._encoders)
        """Whether a row becomes its columns in one go."""
        self.steps: dict[type[Event], tuple[Touches[Any], Fold[R, Any]]] = {}
        # How keys are ordered belongs to the shape: rows are looked for between two keys.
        shape = repr([("key", "bytes"), *((f.name, f.kind) for f in self.fields)]) + str(definition)
        self.digest = sha256(shape.encode()).hexdigest()

    def table_named(self, name: str, into: MetaData) -> Table:
        """The table under another name, for a rebuild beside the live one."""
        columns: list[Column[Any]] = [Column(f.name, _SQL[f.kind]) for f in self.fields]
        # The key is all there is to find a row by: without a row id there is one tree to write, not two.
        return Table(name, into, Column("key", KEY, primary_key=True), *columns, sqlite_with_rowid=False)

    def on(self, *events: type[E], rows: Touches[P]) -> Callable[[Fold[R, P]], Fold[R, P]]:
        """Register how facts of these types change the rows that ``rows`` names."""

        def register(fold: Fold[R, P]) -> Fold[R, P]:
            for event in events:
                self.steps[event] = (rows, fold)
            return fold

        return register

    def to_columns(self, key: str, row: R) -> tuple[Any, ...]:
        """Key and columns of a row, as the database takes them."""
        if self._flat and not self._parts:
            return key, *msgspec.to_builtins(row).values()
        columns = [key, *(self._spread(row) if self._parts else astuple(row))]
        for at, encode in self._encoders:
            columns[at] = encode(columns[at])
        return tuple(columns)

    def _spread(self, row: R) -> Iterator[Any]:
        """The values of a row, and of its parts."""
        for name, value in zip(row.__struct_fields__, astuple(row), strict=True):
            part = self._parts.get(name)
            if part is None:
                yield value
            else:
                yield from (None for _ in part.__struct_fields__) if value is None else astuple(value)

    def _gathered(self, columns: Sequence[Any]) -> list[Any]:
        """The values of a row from its columns; a part that is not there has none."""
        return [
            columns[at] if fields is None or columns[at] is None else dict(zip(fields, columns[its], strict=True))
            for at, its, fields in self._places
        ]

    def from_columns(self, columns: Sequence[Any]) -> R:
        """The row from its columns, without the key."""
        whole = self._gathered(columns) if self._parts else columns
        values = dict(zip(self.row.__struct_fields__, whole, strict=True))
        for name, decode in self._decoders:
            if values[name] is not None:
                values[name] = decode(values[name])
        return msgspec.convert(values, understood(self.row), strict=False)


def identity(fact: Fact) -> str:
    """``framework-0199…`` -> ``0199…``."""
    return fact.recorded.stream.partition("-")[2]


def one(attribute: str) -> Touches[None]:
    """The row of the thing that a field of the fact names: ``framework/A-1``."""

    of = attrgetter(attribute)

    def rows(fact: Fact) -> Iterable[tuple[str, None]]:
        recorded = fact.recorded
        return ((f"{recorded.stream.partition('-')[2]}/{of(recorded.data)}", None),)

    return rows


def itself(fact: Fact) -> Iterable[tuple[str, None]]:
    """The row of the stream: one per framework, commune or organisation."""
    return ((identity(fact), None),)
