"""Deliveries as they are shown, at every door and for every kind of subscription alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct

from cycle.catalogue import Language, has, listed, shown, text, verbatim
from cycle.subscriptions.counting import DryCount, Share
from cycle.subscriptions.shapes import Delivery, DeliveryStage


class AttemptRow(Struct, frozen=True):
    """One attempt: a status, or the cause why there is none."""

    at: datetime
    answer: str


class DeliveryRow(Struct, frozen=True):
    """One event for a subscription; ``due``: when it is tried next, where it waits for that."""

    position: int
    event: str
    stream: str
    stage: DeliveryStage
    attempts: int
    answers: tuple[AttemptRow, ...]
    due: datetime | None


def delivery_row(each: Delivery) -> DeliveryRow:
    answers = tuple(AttemptRow(moment(at), what) for at, what in each.answers)
    due = moment(each.due) if each.stage is DeliveryStage.WAITING and each.due else None
    return DeliveryRow(each.position, each.event, each.stream, each.stage, each.attempts, answers, due)


def count_lines(found: DryCount, language: Language, communes: Mapping[str, str] | None = None) -> list[str]:
    """A dry count in sentences; ``communes``: their names by code."""

    def say(key: str, **values: object) -> str:
        return text(f"message.{key}", language, "", **values)

    more = say("dry-count-more") if found.more else None
    counted = {"events": found.events, "again": found.again, "first": found.first, "more": more}
    lines = [say("dry-count", **counted) if found.events else say("dry-count-nothing")]
    lines += [say("dry-count-types", shares=_told(found.types, language, {}))] if found.types else []
    if found.communes:
        lines.append(say("dry-count-communes", shares=_told(found.communes, language, communes or {})))
    lines += [say("dry-count-skipped", skipped=found.skipped, more=more)] if found.skipped else []
    lines += [say("dry-count-withheld", withheld=found.withheld)] if found.withheld else []
    return [*lines, say("dry-count-behind", to=found.to, head=found.head)] if found.more else lines


def _told(shares: Sequence[Share], language: Language, names: Mapping[str, str]) -> str:
    named = ((names.get(each.name, each.name), each.events) for each in shares)
    return listed((f"{shown(name, language)} ({shown(events, language)})" for name, events in named), language)


def answer_words(what: str, language: Language) -> str:
    """What an attempt came to, in words; what nobody has words for, as it is.

    A receiver says a status; what a worker has said begins with what it is, and names him: ``nack: w-1: no room``.
    """
    said, _, rest = what.partition(": ")
    member, _, why = rest.partition(": ")
    wide = f"{said[0]}xx" if len(said) == 3 and said.isdecimal() else said
    found = next((key for key in (f"message.answer-{said}", f"message.answer-{wide}") if has(key)), None)
    return verbatim(found, language, answer=said, member=member or None, why=why or None) if found else what


UNITS = (("days", 86_400), ("hours", 3_600), ("minutes", 60))
"""The largest unit of which a time is two or more is what it is told in."""


def age_words(seconds: int, language: Language) -> str:
    """How long ago: ``3 days``, ``5 minutes``."""
    name, size = next(((name, size) for name, size in UNITS if seconds >= 2 * size), ("seconds", 1))
    return text(f"message.age-{name}", language, "", number=seconds // size)


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
