"""Delivering: what stands in the log behind a webhook's cursor is sent, in the order of each stream.

An event that waits is a row; the cursor moves in the transaction that makes the rows. A row is settled after the
receiver has answered: whoever is killed in between sends again, with the same ``webhook-id``.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from random import random
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
from cycle.subscriptions.shapes import Answer, Delivery, DeliveryStage
from cycle.watching import Busy
from cycle.webhooks.endpoints import Webhooks
from cycle.webhooks.signing import headers

PIECE = 20
"""So many deliveries are made for one webhook before it is somebody else's turn."""
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


class Sends(Protocol):
    """Takes one body to an address. Whatever goes wrong is an answer, never an exception."""

    def __call__(self, url: str, sent: dict[str, str], body: bytes) -> Response: ...


class Deliverer:
    """Sends for all webhooks of one engine, under the account of the worker. One process at a time does.

    Args:
        send: takes bytes out of the house.
        chance: the jitter of retries.
    """

    def __init__(
        self, webhooks: Webhooks, send: Sends, account: str, envelopes: Envelopes, chance: Chance = random
    ) -> None:
        self._webhooks, self._send, self._envelopes, self._chance = webhooks, send, envelopes, chance
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
        attempts, failed = 0, set[str]()
        due = self._queue.due(state.id, self.now(), PIECE)
        if not due:
            return 0
        rows = {row[0]: row for row in self._engine.store.events_at([each.position for each in due])}
        for delivery in due:
            if delivery.stream in failed:
                continue
            if stopped() or not self._goes_on(state):
                break
            if not self._deliver(state, delivery, rows[delivery.position]):
                failed.add(delivery.stream)
            attempts += 1
        return attempts

    def _goes_on(self, state: Webhook) -> bool:
        """Whether the webhook is to be sent the same things still, and wants no peace."""
        found = self._webhooks.refresh()[state.id]
        same = found.is_active and found.lanes == state.lanes
        return same and self._queue.held_until(state.id) <= self.now()

    def _deliver(self, state: Webhook, delivery: Delivery, row: FeedRow) -> bool:
        """Send one; returns whether what follows it in its stream may be sent."""
        _, log, _, leaf = row
        if not self._webhooks.owner_reads(state, LogName(log)):
            self._settle(delivery, DeliveryStage.WITHHELD, "withheld")
            return True
        response = self._sent(state, delivery, leaf)
        tried = delivery._replace(attempts=delivery.attempts + 1)
        if response.is_taken:
            self._settle(tried, DeliveryStage.DELIVERED, response.what)
        else:
            self._failed(state, tried, response)
        return response.is_taken

    def _sent(self, state: Webhook, delivery: Delivery, leaf: bytes) -> Response:
        secrets = self._webhooks.signing(state.id)
        body = _encode(self._envelopes.envelope(delivery.position, leaf))
        return self._send(state.url, headers(secrets, delivery.event, int(self.now()), body), body)

    def _failed(self, state: Webhook, delivery: Delivery, response: Response) -> None:
        now, pause = self.now(), pause_seconds(delivery.attempts, self._chance)
        if response.retry_after_seconds is not None:
            peace = min(response.retry_after_seconds, LONGEST_HOLD_SECONDS)
            self._queue.hold(state.id, now + peace)
            pause = None if pause is None else max(pause, peace)
        if response.status == HTTPStatus.GONE:
            self._record(state, DisableWebhook(event=delivery.event), f"gone {delivery.event} {state.version}")
        if pause is None:
            self._park(state, delivery, response.what)
        else:
            self._settle(delivery._replace(due=now + pause), DeliveryStage.WAITING, response.what)

    def _park(self, state: Webhook, delivery: Delivery, answer: str) -> None:
        """The fact first: whoever is killed in between tries once more, and finds it recorded."""
        command = ParkWebhookEvent(
            event=delivery.event,
            of=delivery.stream,
            position=delivery.position,
            attempts=delivery.attempts,
            answer=answer,
        )
        self._record(state, command, f"park {state.id} {delivery.position} {state.lanes[-1].version}")
        self._settle(delivery, DeliveryStage.PARKED, answer)

    def _settle(self, delivery: Delivery, stage: DeliveryStage, what: str) -> None:
        answers = (*delivery.answers, Answer(self.now(), what))
        self._queue.settle(delivery._replace(stage=stage, answers=answers))

    def _record(self, state: Webhook, command: Command, key: str) -> None:
        said = Said(command=command, by=self._by, on=self._engine.today(), target=state.id, key=key)
        # Somebody has paused or removed it since, or it was recorded before: what is to be done is the same.
        with suppress(Refused, KeyReused, Conflict, Busy):
            self._engine.execute(said)
