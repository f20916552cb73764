"""What msgspec says about a document of the wrong shape, in the reader's language."""

from __future__ import annotations

import re

import msgspec

from cycle.failures import Failure

_CAUSES = {
    "unknown-field": r"contains unknown field `(?P<field>[^`]*)`",
    "missing-field": r"missing required field `(?P<field>[^`]*)`",
    "unknown-value": r"Invalid enum value '?(?P<value>[^']*)'?",
}
_WANTED = r"Expected `(str|array|object|int)"


class WrongShape(Failure):
    """A document that lacks a field, or has one too many, or something else in its place."""

    kind = "shape"


class Wanted(Failure):
    """What should stand there."""

    kind = "shape"


def wrong_shape(error: msgspec.ValidationError) -> WrongShape:
    """The failure that msgspec's message is about."""
    message, _, where = str(error).rpartition(" - at `")
    message, where = message or str(error), where.removesuffix("`") if message else "$"
    for cause, pattern in _CAUSES.items():
        found = re.search(pattern, message)
        if found:
            return WrongShape(cause, where=where, **found.groupdict())
    wanted = re.search(_WANTED, message)
    return (
        WrongShape("wrong-type", where=where, wanted=Wanted(wanted[1])) if wanted else WrongShape("other", where=where)
    )
