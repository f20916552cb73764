"""Territories in SQL: which communes lie in them, by whole segments of their present path."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, MetaData, Select, Table, and_, or_, select

from cycle.access import EVERYWHERE
from cycle.aggregates.account import COMMUNE_DEPTH, Path
from cycle.projections.places import communes


def codes_within(paths: Sequence[Path]) -> Select[tuple[str]] | None:
    """The codes of the communes that lie in one of these territories; None: all that there is, and the platform."""
    if EVERYWHERE in paths:
        return None
    table = communes.table_named(communes.name, MetaData())
    return select(table.c.code).where(or_(*(_lies_in(table, path) for path in paths)))


def _lies_in(table: Table, path: Path) -> ColumnElement[bool]:
    if len(path) == COMMUNE_DEPTH:
        return table.c.code == path[-1]
    # The country is the beginning of the code: a column of its own would say the same twice.
    its_country = or_(table.c.code == path[0], table.c.code.startswith(f"{path[0]}-", autoescape=True))
    columns = (table.c.region, table.c.circle, table.c.code)
    return and_(its_country, *(column == name for column, name in zip(columns, path[1:], strict=False)))
