"""Delivering: what stands in the log behind a webhook's cursor is sent, in the order of each stream.

An event that waits is a row; the cursor moves in the transaction that makes the rows. Rows are settled after
the receiver has answered, those of a moment together: whoever is killed in between sends again, with the same
``webhook-id``.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, closing, suppress
from http import HTTPStatus
from random import random
from time import monotonic
from typing import NamedTuple, Protocol

import msgspec

from cycle.aggregates.base import By, Command, LogName, Refused, Role
from cycle.aggregates.terms import WebhookId
from cycle.aggregates.webhook import DisableWebhook, ParkWebhookEvent, Webhook
from cycle.cloudevents import Envelopes
from cycle.commands import Said
from cycle.engine import Engine
from cycle.store import Conflict, FeedRow, KeyReused
from cycle.subscriptions.filling import fill
from cycle.subscriptions.schedule import LONGEST_HOLD_SECONDS, Chance, pause_seconds
from cycle.subscriptions.shapes import Answer, Delivery, DeliveryStage, QueueStore
from cycle.watching import Busy
from cycle.webhooks.endpoints import Webhooks
from cycle.webhooks.signing import headers

PIECE = 20
"""So many deliveries are made for one webhook before it is somebody else's turn."""
LOOK_SECONDS = 0.1
"""Between two looks, at most, whether what is being delivered is to be: as long one that was stopped may go on."""
NEVER = float("-inf")
KEPT_SECONDS = 30 * 86_400
"""As long a delivery is remembered that was made."""
_encode = msgspec.json.Encoder().encode


class Response(NamedTuple):
    """What a receiver answered: a status, or (0) the cause why there is none; and how long it wants peace."""

    status: int
    cause: str = ""
    retry_after_seconds: float | None = None

    @property
    def what(self) -> str:
        return str(self.status) if self.status else self.cause

    @property
    def is_taken(self) -> bool:
        return 200 <= self.status < 300


class Says(Protocol):
    """Takes one body, with its headers. Whatever goes wrong is an answer, never an exception."""

    def __call__(self, sent: dict[str, str], body: bytes) -> Response: ...


class Sends(Protocol):
    """Takes bodies to addresses."""

    def to(self, url: str) -> AbstractContextManager[Says]:
        """What takes one after the other to this one."""


class _Piece:
    """What comes of one piece of work: whose streams wait, and what became of deliveries, until it is noted."""

    def __init__(self, queue: QueueStore, says: Says) -> None:
        self.says, self.failed = says, set[str]()
        self.secrets: list[bytes] = []
        self._queue = queue
        self._settled: list[Delivery] = []

    def settle(self, delivery: Delivery, stage: DeliveryStage, at: float, what: str) -> None:
        answers = (*delivery.answers, Answer(at, what))
        self._settled.append(delivery._replace(stage=stage, answers=answers))

    def note(self) -> None:
        """Of all of them at once."""
        if self._settled:
            self._queue.settle(self._settled)
            self._settled = []

    close = note


class Deliverer:
    """Sends for all webhooks of one engine, under the account of the worker. One process at a time does.

    Args:
        send: takes bytes out of the house.
        chance: the jitter of retries.
        elapsed: seconds, of a clock that nobody sets.
    """

    def __init__(
        self,
        webhooks: Webhooks,
        send: Sends,
        account: str,
        envelopes: Envelopes,
        chance: Chance = random,
        elapsed: Callable[[], float] = monotonic,
    ) -> None:
        self._webhooks, self._send, self._envelopes, self._chance = webhooks, send, envelopes, chance
        self._elapsed = elapsed
        self._engine: Engine = webhooks.engine
        self._queue, self.now = webhooks.queue, webhooks.now
        self.account, self._by = account, By(account, Role.WORKER)
        self._forgotten: set[WebhookId] = set()

    @property
    def may(self) -> bool:
        """Whether the account holds the role of the worker today, anywhere: parking is a fact that it records."""
        door = self._engine.door
        door.refresh()
        return any(grant.role is Role.WORKER for grant in door.now.grants(self.account, door.today()))

    def active(self) -> list[Webhook]:
        """The webhooks that are sent to; what is kept of removed ones is destroyed."""
        known = list(self._webhooks.refresh().values())
        for each in known:
            if each.is_removed and each.id not in self._forgotten:
                self._webhooks.forget(each.id)
                self._forgotten.add(each.id)
        return [each for each in known if each.is_active]

    def sweep(self) -> None:
        """Forget what was delivered long ago."""
        before = self.now() - KEPT_SECONDS
        self._queue.sweep(before)
        self._webhooks.store.sweep(before)

    def round(self) -> int:
        """A piece of work for each webhook, one after the other; returns how many attempts were made."""
        return sum(self.piece(each) for each in self.active())

    def piece(self, state: Webhook, stopped: Callable[[], bool] = lambda: False) -> int:
        """Read on, and send what is due, for one webhook; returns how many attempts were made."""
        try:
            return self._piece(state, stopped)
        finally:
            # What was at work while it was removed may have kept something of it again.
            self._forgotten.discard(state.id)

    def _piece(self, state: Webhook, stopped: Callable[[], bool]) -> int:
        fill(self._webhooks, state)
        due = self._queue.due(state.id, self.now(), PIECE)
        if not due:
            return 0
        rows = {row[0]: row for row in self._engine.store.events_at([each.position for each in due])}
        with self._send.to(state.url) as says, closing(_Piece(self._queue, says)) as piece:
            attempts, looked = 0, NEVER
            for delivery in due:
                if delivery.stream in piece.failed:
                    continue
                if self._elapsed() - looked >= LOOK_SECONDS:
                    piece.note()
                    if stopped() or not self._goes_on(state):
                        break
                    piece.secrets, looked = self._webhooks.signing(state.id), self._elapsed()
                if not self._deliver(state, delivery, rows[delivery.position], piece):
                    piece.failed.add(delivery.stream)
                    # It may have wanted peace, or be gone.
                    looked = NEVER
                attempts += 1
        return attempts

    def _goes_on(self, state: Webhook) -> bool:
        """Whether the webhook is to be sent the same things still, and wants no peace."""
        found = self._webhooks.refresh()[state.id]
        same = found.is_active and found.lanes == state.lanes
        return same and self._queue.held_until(state.id) <= self.now()

    def _deliver(self, state: Webhook, delivery: Delivery, row: FeedRow, piece: _Piece) -> bool:
        """Send one; returns whether what follows it in its stream may be sent."""
        _, log, _, leaf = row
        if not self._webhooks.owner_reads(state, LogName(log)):
            piece.settle(delivery, DeliveryStage.WITHHELD, self.now(), "withheld")
            return True
        body, now = _encode(self._envelopes.envelope(delivery.position, leaf)), int(self.now())
        response = piece.says(headers(piece.secrets, delivery.event, now, body), body)
        tried = delivery._replace(attempts=delivery.attempts + 1)
        if response.is_taken:
            piece.settle(tried, DeliveryStage.DELIVERED, self.now(), response.what)
        else:
            self._failed(state, tried, response, piece)
        return response.is_taken

    def _failed(self, state: Webhook, delivery: Delivery, response: Response, piece: _Piece) -> None:
        now, pause = self.now(), pause_seconds(delivery.attempts, self._chance)
        if response.retry_after_seconds is not None:
            peace = min(response.retry_after_seconds, LONGEST_HOLD_SECONDS)
            self._queue.hold(state.id, now + peace)
            pause = None if pause is None else max(pause, peace)
        if response.status == HTTPStatus.GONE:
            self._record(state, DisableWebhook(event=delivery.event), f"gone {delivery.event} {state.version}")
        if pause is None:
            self._park(state, delivery, response.what)
            piece.settle(delivery, DeliveryStage.PARKED, now, response.what)
        else:
            piece.settle(delivery._replace(due=now + pause), DeliveryStage.WAITING, now, response.what)

    def _park(self, state: Webhook, delivery: Delivery, answer: str) -> None:
        """The fact first: whoever is killed before it is settled tries once more, and finds it recorded."""
        command = ParkWebhookEvent(
            event=delivery.event,
            of=delivery.stream,
            position=delivery.position,
            attempts=delivery.attempts,
            answer=answer,
        )
        self._record(state, command, f"park {state.id} {delivery.position} {state.lanes[-1].version}")

    def _record(self, state: Webhook, command: Command, key: str) -> None:
        said = Said(command=command, by=self._by, on=self._engine.today(), target=state.id, key=key)
        # Somebody has paused or removed it since, or it was recorded before: what is to be done is the same.
        with suppress(Refused, KeyReused, Conflict, Busy):
            self._engine.execute(said)
