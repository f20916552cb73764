"""What a running process tells on standard error: one line for each request, command and trouble.

A line holds what is declared in ``Line`` and nothing else: no body, no query, no token, nothing that
somebody typed. Of an error it tells the kind and where it happened, for its words may quote values.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from traceback import extract_tb

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from cycle.catalogue import Language, printable
from cycle.failures import Failure
from cycle.leaf import rfc3339
from cycle.store import Unavailable
from cycle.watching import Ending, Outcome

LOG = logging.getLogger("cycle")
REQUEST: ContextVar[str] = ContextVar("request", default="")
"""The id of the request that is being answered, so that what its command did is found by it."""
_GIVEN = re.compile(r"[A-Za-z0-9._-]{1,64}")
_encode = msgspec.json.Encoder().encode


class Line(Struct, frozen=True, omit_defaults=True):
    """What may be told of a request or a command, beside when and how grave."""

    request: str = ""
    method: str = ""
    route: str = ""
    status: int = 0
    account: str = ""
    command: str = ""
    ending: str = ""
    key: str = ""
    position: int = 0
    count: int = 0
    ms: float = 0.0
    text: str = ""
    """Words of the catalogue about the machine: a disk, a folder, a server."""
    error: str = ""
    at: tuple[str, ...] = ()


class _Told(Struct, omit_defaults=True):
    time: str
    level: str
    event: str
    line: Line


def tell(level: int, event: str, line: Line) -> None:
    """Tell one line; ``event`` is a word such as ``request``, ``command``, ``seal``."""
    LOG.log(level, event, extra={"line": line})


def request_id(given: str) -> str | None:
    """An id that somebody else gave to a request, where it is one that a line may hold."""
    return given if _GIVEN.fullmatch(given) else None


def command_told(outcome: Outcome) -> None:
    """A watcher of the engine: one line for each command."""
    level = logging.ERROR if outcome.ending in (Ending.FAULT, Ending.UNAVAILABLE) else logging.INFO
    line = Line(
        request=REQUEST.get(),
        account=outcome.account,
        command=outcome.command,
        ending=outcome.ending.value,
        key=outcome.key,
        position=outcome.position or 0,
        ms=round(outcome.seconds * 1000, 1),
    )
    tell(level, "command", line)


def trouble(event: str, error: BaseException) -> None:
    """Something that a part of the process met and goes on after."""
    level = logging.WARNING if isinstance(error, (Failure, Unavailable)) else logging.ERROR
    LOG.log(level, event, exc_info=error, extra={"line": Line()})


class Told(logging.Formatter):
    """One line of a record: ``write`` says how it is written, in which language what the catalogue says."""

    def __init__(self, write: Callable[[_Told], str], language: Language) -> None:
        super().__init__()
        self._write, self._language = write, language

    def format(self, record: logging.LogRecord) -> str:
        line = getattr(record, "line", None)
        # Other people's libraries put values into their messages: what they say is kept without them.
        said = line if isinstance(line, Line) else Line(text=f"{record.name}: {record.msg}")
        if record.exc_info and record.exc_info[1] is not None:
            said = self._with(said, record.exc_info[1])
        event = record.getMessage() if isinstance(line, Line) else "other"
        moment = rfc3339(datetime.fromtimestamp(record.created, UTC))
        return self._write(_Told(moment, record.levelname.lower(), event, said))

    def _with(self, said: Line, error: BaseException) -> Line:
        kind = type(error).__name__
        if isinstance(error, (Failure, Unavailable)):
            return replace(said, error=kind, text=error.told(self._language))
        places = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in extract_tb(error.__traceback__)]
        return replace(said, error=kind, at=tuple(places[-8:]))


def as_json(told: _Told) -> str:
    """One JSON object."""
    fields = {"time": told.time, "level": told.level, "event": told.event, **msgspec.to_builtins(told.line)}
    return _encode(fields).decode()


def as_text(told: _Told) -> str:
    """One line for a person at a terminal."""
    fields = msgspec.to_builtins(told.line)
    said = " ".join(f"{name}={value}" for name, value in fields.items())
    return printable(f"{told.time[11:19]} {told.level:7} {told.event} {said}")


def begin(form: str | None, level: str, language: Language) -> None:
    """Tell from now on, as ``json`` or ``text``; text when left out and somebody watches."""
    handler = logging.StreamHandler(sys.stderr)
    text = form == "text" or (form is None and sys.stderr.isatty())
    handler.setFormatter(Told(as_text if text else as_json, language))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    LOG.setLevel(level.upper())
