"""What is said before it is sent may refer to what waits with it: ``@`` and the key of the command that brings it.

The id is put in when the form is read, so that what is recorded holds ids alone. A key leads only to what
the same account has made in the same framework or its commune: of any other one hears what one hears of a
key that nobody has used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cycle.aggregates.base import LogName
from cycle.aggregates.framework.root import framework
from cycle.aggregates.terms import FrameworkId
from cycle.commands import COMMANDS, KEY
from cycle.engine import Engine, stream_of
from cycle.forms.declared import Input, Kind, made_by
from cycle.store import ReceiptLine

MARK = "@"
IdOf = Callable[[str, str], str]
"""The id for a value that may be a reference to what waits, by the kind of id that is asked for."""


class NotRecorded(LookupError):  # noqa: N818
    """What is referred to waits itself, or is nothing that this account has made here."""


class Made:
    """What one account has made in one framework and its commune, by the keys of its commands."""

    def __init__(self, engine: Engine, actor: str, commune: str, identity: FrameworkId) -> None:
        self._engine, self._actor = engine, actor
        self._log, self._stream = LogName(commune), stream_of(framework, identity)

    def id_of(self, value: str, kind: str) -> str:
        """The id that a reference stands for; every other value is what it is.

        Raises:
            NotRecorded: nothing of this kind was recorded here by this account under the key.
        """
        if not kind or not value.startswith(MARK):
            return value
        key = value.removeprefix(MARK)
        found = self._engine.store.receipt(key) if re.fullmatch(KEY, key) else None
        for line in found[1].events if found else ():
            field = _FIELDS.get((line.type, kind))
            if field and self._is_here(line):
                fact = self._engine.fact(line)
                if fact.by.actor == self._actor:
                    return str(getattr(fact.data, field))
        raise NotRecorded(value)

    def _is_here(self, line: ReceiptLine) -> bool:
        # Numbers such as A-1 are those of one framework, and a commune may have several.
        of_a_framework = line.stream.partition("-")[0] == framework.name
        return line.log == self._log and (not of_a_framework or line.stream == self._stream)


_FIELDS: Mapping[tuple[str, str], str] = {
    (made.fact.type, made.kind): made.field for made in map(made_by, COMMANDS.values()) if made is not None
}
"""The field of a fact that is the id of what it makes, by the type of the fact and the kind of id."""


def settled(
    inputs: Iterable[Input], given: Mapping[str, Any], id_of: IdOf, prefix: str = ""
) -> tuple[dict[str, Any], list[str]]:
    """The fields of a struct with every id put in, and the names of the inputs that wait for one."""
    found, waiting = dict(given), list[str]()

    def put(each: Input, value: Any) -> Any:
        name = prefix + each.name
        match each.kind, value:
            case Kind.GROUP, dict():
                inner, names = settled(each.parts, value, id_of, f"{name}.")
                waiting.extend(names)
                return inner
            case Kind.ROWS, list():
                rows = [settled(each.parts, row, id_of, f"{name}.{n}.") for n, row in enumerate(value)]
                waiting.extend(name for _, names in rows for name in names)
                return [row for row, _ in rows]
            case _, list():
                return [put(each, item) for item in value]
            case _, str():
                try:
                    return id_of(value, each.refers)
                except NotRecorded:
                    waiting.append(name)
        return value

    for each in inputs:
        if each.name in found:
            found[each.name] = put(each, found[each.name])
    return found, waiting
