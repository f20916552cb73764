"""Every error that a user can meet: its exit code and its one line."""

from __future__ import annotations

from typing import NamedTuple

from cycle import catalogue
from cycle.aggregates.base import Refused
from cycle.catalogue import Language
from cycle.engine import BadInput, Busy, UnknownCommand
from cycle.leaf import LeafError
from cycle.policy import PolicyError
from cycle.projections.runner import NotThereYet
from cycle.reading import PlaceAmbiguous, PlaceUnknown
from cycle.store import Conflict, KeyReused, Unavailable
from cycle.telling import finding_as_json, refusal_lines

REFUSED, USAGE, CONFLICT, UNAVAILABLE = 1, 2, 3, 4


class Told(NamedTuple):
    """How an error is told."""

    exit_code: int
    code: str
    text: str
    reasons: list[dict[str, object]] | None = None


def explained(error: Exception, language: Language) -> Told | None:
    """How to tell an error; None for a mistake of ours, which keeps its traceback."""
    match error:
        case Refused():
            lines = " ".join(refusal_lines(error, language))
            reasons = [finding_as_json(f) for f in error.findings if f.refuses]
            return Told(REFUSED, "refused", lines, reasons)
        case PlaceAmbiguous():
            candidates = ", ".join(error.candidates)
            text = catalogue.text("message.place-ambiguous", language, "", place=str(error), candidates=candidates)
            return Told(USAGE, "place-ambiguous", text)
        case PlaceUnknown():
            return Told(USAGE, "place-unknown", catalogue.text("message.place-unknown", language, "", place=str(error)))
        case UnknownCommand() | BadInput() | PolicyError() | LeafError():
            return Told(USAGE, "bad-input", str(error))
        case KeyReused():
            return Told(CONFLICT, "key-reused", str(error))
        case Conflict() | Busy():
            return Told(CONFLICT, "conflict", str(error))
        case Unavailable() | NotThereYet():
            return Told(UNAVAILABLE, "unavailable", str(error))
        case _:
            told = getattr(error, "told", None)
            return Told(*told) if told is not None else None
