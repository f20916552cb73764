"""Shapes of answers that are made field by field elsewhere: their schemas, for the contract."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from cycle.aggregates.base import By, Role
from cycle.aggregates.framework.state import Stage
from cycle.policy import Effect
from cycle.projections.requests import RequestRow
from cycle.reading import Overdue
from cycle.store import ReceiptLine

InBoth = Mapping[Literal["fr", "en"], str]


class FindingAnswer(Struct, frozen=True):
    """What a rule saw, and what would help, in both languages."""

    code: str
    met: bool
    effect: Effect
    values: Mapping[str, str | int | tuple[str, ...]]
    lift: tuple[Role, ...]
    text: InBoth
    help: InBoth
    article: str = ""


class OptionAnswer(Struct, frozen=True):
    """A command that belongs to the stage: allowed, or every reason why not."""

    command: str
    allowed: bool
    label: InBoth
    roles: tuple[Role, ...]
    to: tuple[Stage, ...]
    takes_two: bool
    reasons: tuple[FindingAnswer, ...]
    warnings: tuple[FindingAnswer, ...]


class WaitingAnswer(RequestRow, frozen=True, kw_only=True):
    """What waits for a second person, in words, and who cannot be that person."""

    label: InBoth
    text: InBoth
    confirm: str
    not_by: tuple[str, ...]


class NextAnswer(Struct, frozen=True):
    """What is late, what waits for a second person, and what may happen next."""

    framework: str
    stage: Stage
    overdue: tuple[Overdue, ...]
    requests: tuple[WaitingAnswer, ...]
    options: tuple[OptionAnswer, ...]


class EventAnswer(Struct, frozen=True):
    """A recorded event; ``/schemas/{type}/{schema}`` says what its data holds."""

    by: By
    causation: str
    command: str
    correlation: str
    data: Mapping[str, Any]
    id: str
    log: str
    occurred_on: str
    recorded_at: datetime
    schema: int
    stream: str
    type: str
    version: int
    sealed: tuple[str, ...] = ()


class FactAnswer(Struct, frozen=True):
    """An event where it stands, told; ``corrected_by`` are the positions of what corrects it."""

    position: int
    event: EventAnswer
    sentence: str
    corrections: tuple[str, ...]
    corrected_by: tuple[int, ...]


class HistoryAnswer(Struct, frozen=True):
    """Part of a history; ``next``: where to go on."""

    items: tuple[FactAnswer, ...]
    next: str | None


class ChangeAnswer(Struct, frozen=True):
    """One thing that differs."""

    what: str
    label: str
    before: str
    after: str


class ChangesAnswer(Struct, frozen=True):
    """The facts between two moments, and what differs."""

    facts: tuple[FactAnswer, ...]
    changes: tuple[ChangeAnswer, ...]


class ReceiptAnswer(Struct, frozen=True):
    """What a command did: where its facts stand. The same key with the same content gives it for ever."""

    key: str
    stream: str
    version: int
    position: int
    recorded_at: datetime
    events: tuple[ReceiptLine, ...]


class RequestAnswer(ReceiptAnswer, frozen=True, kw_only=True):
    """What takes two people is asked for: ``confirm-request`` with this request as its target does it."""

    request: str


class SignedReceiptAnswer(ReceiptAnswer, frozen=True, kw_only=True):
    """A receipt; ``signed``: the same as signed notes, where the server has the key at hand."""

    signed: str | None = None
