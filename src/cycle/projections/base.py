"""A projection is a key, a fold and a table.

The row is declared once, as a frozen struct; the table follows from its fields. A fold takes the row
(or None) and one fact, and returns the row (or None to delete it). Rows depend on one stream only:
that is what makes a correction a matter of folding a few rows again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar, dataclass_transform, get_type_hints

import msgspec
from msgspec import Struct
from sqlalchemy import BigInteger, Boolean, Column, MetaData, Table, Text

from cycle.aggregates.base import Event, Recorded


class Fact(NamedTuple):
    """A recorded event where it stands in the log."""

    position: int
    recorded: Recorded[Event]


@dataclass_transform(frozen_default=True)
class Row(Struct, frozen=True, kw_only=True, gc=False):
    """One row. ``commune`` is the log that it comes from, filled in when it is folded."""

    commune: str = ""
    projection: ClassVar[str] = ""


R = TypeVar("R", bound=Row)
E = TypeVar("E", bound=Event)
Keys = Callable[[Fact], Iterable[str]]
Fold = Callable[[R | None, Fact, str], R | None]
"""Row, fact, and the local id of the row (``A-1``, empty for the stream's own row) -> row."""


class Field(NamedTuple):
    """How one field of a row stands in its column."""

    name: str
    kind: str  # text, bigint or boolean
    decode: Callable[[str], Any] | None = None
    """From JSON, for what is no text, number, day or moment."""


def _field(name: str, hint: Any) -> Field:
    plain = [a for a in getattr(hint, "__args__", ()) if a is not type(None)]
    inner = plain[0] if len(plain) == 1 and type(None) in hint.__args__ else hint
    if inner is bool:
        return Field(name, "boolean")
    if inner is int:
        return Field(name, "bigint")
    if inner in (str, date, datetime, Decimal) or (isinstance(inner, type) and issubclass(inner, StrEnum)):
        return Field(name, "text")
    return Field(name, "text", msgspec.json.Decoder(inner).decode)


def moment(text: str) -> str:
    """RFC 3339 in UTC always with microseconds, so that moments sort as text."""
    return text if len(text) == 27 else f"{text[:19]}.000000Z"


_encode = msgspec.json.Encoder(order="sorted").encode
_SQL = {"text": Text, "bigint": BigInteger, "boolean": Boolean}


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
        self.fields = tuple(_field(name, hints[name]) for name in row.__struct_fields__)
        self._decoders = [(f.name, f.decode) for f in self.fields if f.decode is not None]
        self._moments = [name for name in row.__struct_fields__ if hints[name] is datetime]
        self.steps: dict[type[Event], tuple[Keys, Fold[R]]] = {}
        shape = repr([(f.name, f.kind) for f in self.fields]) + str(definition)
        self.digest = sha256(shape.encode()).hexdigest()

    def table_named(self, name: str, into: MetaData) -> Table:
        """The table under another name, for a rebuild beside the live one."""
        columns: list[Column[Any]] = [Column(f.name, _SQL[f.kind]) for f in self.fields]
        # The key is all there is to find a row by: without a row id there is one tree to write, not two.
        return Table(name, into, Column("key", Text, primary_key=True), *columns, sqlite_with_rowid=False)

    def on(self, *events: type[E], keys: Keys) -> Callable[[Fold[R]], Fold[R]]:
        """Register how facts of these types change the rows that ``keys`` names."""

        def register(fold: Fold[R]) -> Fold[R]:
            for event in events:
                self.steps[event] = (keys, fold)
            return fold

        return register

    def to_columns(self, key: str, row: R) -> tuple[Any, ...]:
        """Key and columns of a row, as the database takes them."""
        columns = msgspec.to_builtins(row, builtin_types=(msgspec.Raw,))
        for name, _ in self._decoders:
            if columns[name] is not None:
                columns[name] = _encode(columns[name]).decode() if columns[name] else "[]"
        for name in self._moments:
            columns[name] = moment(columns[name])
        return key, *columns.values()

    def from_columns(self, columns: Iterable[Any]) -> R:
        """The row from its columns, without the key."""
        values = dict(zip(self.row.__struct_fields__, columns, strict=True))
        for name, decode in self._decoders:
            if values[name] is not None:
                values[name] = decode(values[name])
        return msgspec.convert(values, self.row, strict=False)

    def fold_history(self, history: Iterable[Fact]) -> dict[str, R]:
        """Every row that a (believed) history leads to, by key."""
        rows: dict[str, R] = {}
        for fact in history:
            step = self.steps.get(type(fact.recorded.data))
            if step is None:
                continue
            keys, fold = step
            for key in keys(fact):
                row = fold(rows.get(key), fact, local(key))
                if row is None:
                    rows.pop(key, None)
                else:
                    rows[key] = placed(row, fact)
        return rows


def placed(row: R, fact: Fact) -> R:
    """The row with the log that it comes from."""
    if row.commune:
        return row
    return msgspec.structs.replace(row, commune=fact.recorded.log)


def identity(fact: Fact) -> str:
    """``framework-0199…`` -> ``0199…``."""
    return fact.recorded.stream.partition("-")[2]


def one(attribute: str) -> Keys:
    """The row of the thing that a field of the fact names: ``framework/A-1``."""

    def keys(fact: Fact) -> Iterable[str]:
        return (f"{identity(fact)}/{getattr(fact.recorded.data, attribute)}",)

    return keys


def itself(fact: Fact) -> Iterable[str]:
    """The row of the stream: one per framework, commune or organisation."""
    return (identity(fact),)


def local(key: str) -> str:
    """``0199…/A-1`` -> ``A-1``."""
    return key.partition("/")[2]
