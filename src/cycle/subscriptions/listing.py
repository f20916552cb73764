"""Deliveries as they are shown, at every door and for every kind of subscription alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec import Struct

from cycle.catalogue import Language, listed, shown, text
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


def count_lines(found: DryCount, language: Language) -> list[str]:
    """A dry count in sentences."""

    def say(key: str, **values: object) -> str:
        return text(f"message.{key}", language, "", **values)

    more = say("dry-count-more") if found.more else None
    counted = {"events": found.events, "again": found.again, "first": found.first, "more": more}
    lines = [say("dry-count", **counted) if found.events else say("dry-count-nothing")]
    lines += [say("dry-count-types", shares=_told(found.types, language))] if found.types else []
    lines += [say("dry-count-communes", shares=_told(found.communes, language))] if found.communes else []
    lines += [say("dry-count-skipped", skipped=found.skipped, more=more)] if found.skipped else []
    lines += [say("dry-count-withheld", withheld=found.withheld)] if found.withheld else []
    return [*lines, say("dry-count-behind", to=found.to, head=found.head)] if found.more else lines


def _told(shares: Sequence[Share], language: Language) -> str:
    return listed((f"{shown(each.name, language)} ({shown(each.events, language)})" for each in shares), language)


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
