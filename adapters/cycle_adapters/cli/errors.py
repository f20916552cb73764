"""Every error that a user can meet: its exit code and its one line."""

from __future__ import annotations

from importlib import import_module

from sqlalchemy.exc import DBAPIError

from cycle import catalogue
from cycle.aggregates.base import Refused
from cycle.catalogue import Language
from cycle.engine import BadInput, Busy, UnknownCommand
from cycle.failures import CONFLICT, REFUSED, UNAVAILABLE, USAGE, Failure, Told
from cycle.leaf import LeafError
from cycle.policy import PolicyError
from cycle.projections.runner import NotThereYet
from cycle.reading import PlaceAmbiguous, PlaceUnknown
from cycle.settings import Settings
from cycle.store import Conflict, KeyReused, Unavailable
from cycle.telling import finding_as_json, refusal_lines


class NotEmpty(Exception):  # noqa: N818
    """The demo fills an empty log only; the message says how many events this one holds."""


def explained(error: Exception, language: Language) -> Told | None:
    """How to tell an error; None for a mistake of ours, which keeps its traceback."""

    def say(key: str, **values: object) -> str:
        return catalogue.verbatim(f"message.{key}", language, **values)

    match error:
        case Refused():
            lines = " ".join(refusal_lines(error, language))
            reasons = [finding_as_json(f) for f in error.findings if f.refuses]
            return Told(REFUSED, "refused", lines, reasons)
        case PlaceAmbiguous():
            text = say("place-ambiguous", place=str(error), candidates=", ".join(error.candidates))
            return Told(USAGE, "place-ambiguous", text)
        case PlaceUnknown():
            return Told(USAGE, "place-unknown", say("place-unknown", place=str(error)))
        case PolicyError():
            return Told(USAGE, "bad-policy", say("bad-policy", why=str(error).partition(": ")[2] or str(error)))
        case LeafError():
            return Told(USAGE, "bad-input", say("bad-text", why=error.told(language)))
        case Failure():
            return Told(error.exit_code, error.code, error.told(language), error.reasons(language))
        case UnknownCommand() | BadInput():
            return Told(USAGE, "bad-input", say("bad-input", why=str(error)))
        case KeyReused():
            return Told(CONFLICT, "key-reused", say("key-reused"))
        case NotEmpty():
            return Told(CONFLICT, "conflict", say("log-not-empty", count=str(error)))
        case Conflict() if "not empty" in str(error):
            return Told(CONFLICT, "conflict", say("import-into-empty"))
        case Conflict() | Busy():
            return Told(CONFLICT, "conflict", say("conflict"))
        case NotThereYet():
            return Told(UNAVAILABLE, "unavailable", say("not-there-yet"))
        case Unavailable():
            return Told(UNAVAILABLE, "unavailable", error.told(language))
        case DBAPIError():
            why = str(error.orig).splitlines()[0] if error.orig else "?"
            return Told(UNAVAILABLE, "unavailable", Unavailable("other", why).told(language))
        case _:
            return None


def told(error: Exception, settings: Settings) -> Told | None:
    """How to tell what a verb ended with; None for a mistake of ours, which keeps its traceback."""
    found = explained(error, settings.language)
    if found is None or is_endless(error):
        return damaged(error, settings) or found
    return found


def is_endless(error: Exception) -> bool:
    """Somebody else wrote each time that it was tried: so it seems too where an event of a log is missing."""
    return isinstance(error, Busy) or (isinstance(error, Conflict) and "not empty" not in str(error))


def damaged(error: Exception, settings: Settings) -> Told | None:
    """How to tell an error that nobody explains, where the log is damaged; None for a mistake of ours.

    No verb looks at rows before it reads them: that costs too much. Where one cannot go on, the check of
    the whole log names the place.
    """
    # Named, not imported: adapters stay out of each other's rooms.
    broken = import_module("cycle_adapters.sealing.asking").damage(settings)
    return None if broken is None else explained(broken, settings.language)
