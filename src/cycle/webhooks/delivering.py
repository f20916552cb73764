"""Delivering: what stands in the log behind a webhook's cursor is sent, in the order of each stream.

An event that waits is a row; the cursor moves in the transaction that makes the rows. A row is settled after the
receiver has answered: whoever is killed in between sends again, with the same ``webhook-id``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from http import HTTPStatus
from random import random
from typing import NamedTuple, Protocol

import msgspec
from msgspec import Struct

from cycle.aggregates.base import By, Command, LogName, Refused, Role
from cycle.aggregates.webhook import DisableWebhook, ParkWebhookEvent, Webhook, WebhookStage
from cycle.cloudevents import Envelopes
from cycle.commands import Said
from cycle.engine import Engine
from cycle.store import Conflict, FeedRow, KeyReused
from cycle.watching import Busy
from cycle.webhooks.endpoints import Webhooks
from cycle.webhooks.schedule import LONGEST_HOLD_SECONDS, Chance, pause_seconds
from cycle.webhooks.shapes import Answer, Delivery, DeliveryStage, Found, Progress
from cycle.webhooks.signing import headers

FILL = 500
"""So many events may wait that nothing stands in the way of; what follows in the log is read when they have gone."""
PIECE = 20
"""So many deliveries are made for one webhook before it is somebody else's turn."""
MOST = 2**63 - 1
"""Behind every position that there may be."""
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


class _Leaf(Struct, frozen=True, gc=False):
    id: str
    stream: str


_leaf = msgspec.json.Decoder(_Leaf).decode


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
        self._store, self.now = webhooks.store, webhooks.now
        self.account, self._by = account, By(account, Role.WORKER)

    @property
    def may(self) -> bool:
        """Whether the account holds the role of the worker today, anywhere: parking is a fact that it records."""
        door = self._engine.door
        door.refresh()
        return any(grant.role is Role.WORKER for grant in door.now.grants(self.account, door.today()))

    def active(self) -> list[Webhook]:
        """The webhooks that are sent to; what is kept of removed ones is destroyed."""
        self._engine.door.refresh()
        known = list(self._webhooks.refresh().values())
        for each in known:
            if each.stage is WebhookStage.REMOVED and self._store.progress(each.id):
                self._store.forget(each.id)
        return [each for each in known if each.stage is WebhookStage.ACTIVE]

    def sweep(self) -> None:
        """Forget what was delivered long ago."""
        self._store.sweep(self.now() - KEPT_SECONDS)

    def round(self) -> int:
        """A piece of work for each webhook, one after the other; returns how many attempts were made."""
        return sum(self.piece(each) for each in self.active())

    def piece(self, state: Webhook, stopped: Callable[[], bool] = lambda: False) -> int:
        """Read on, and send what is due, for one webhook; returns how many attempts were made."""
        self._store.follow(state.id, state.lanes)
        self._fill(state)
        attempts, failed = 0, set[str]()
        for delivery in self._store.due(state.id, self.now(), PIECE):
            if delivery.stream in failed:
                continue
            if stopped() or not self._goes_on(state):
                break
            if not self._deliver(state, delivery):
                failed.add(delivery.stream)
            attempts += 1
        return attempts

    def _goes_on(self, state: Webhook) -> bool:
        """Whether the webhook is to be sent the same things still, and wants no peace."""
        self._engine.door.refresh()
        found = self._webhooks.refresh()[state.id]
        same = found.stage is WebhookStage.ACTIVE and found.lanes == state.lanes
        return same and self._store.held_until(state.id) <= self.now()

    def _fill(self, state: Webhook) -> None:
        """Let what follows in the log wait, as far as there is room."""
        for progress in self._store.progress(state.id):
            room = FILL - self._store.waiting(state.id)
            if room > 0:
                self._read_on(state, progress, room)

    def _read_on(self, state: Webhook, progress: Progress, room: int) -> None:
        lane = progress.lane
        wanted = MOST if lane.up_to is None else lane.up_to
        head, rows = self._engine.store.feed(progress.position, wanted, room, types=state.types)
        up_to = rows[-1][0] if len(rows) == room else min(head, wanted)
        if up_to > progress.position:
            self._store.enqueue(state.id, lane, list(self._wanted(state, rows)), up_to)

    def _wanted(self, state: Webhook, rows: Sequence[FeedRow]) -> Iterator[Found]:
        for position, log, _, stored in rows:
            if self._webhooks.is_for(state, LogName(log)):
                leaf = _leaf(stored)
                yield Found(position, leaf.id, leaf.stream)

    def _deliver(self, state: Webhook, delivery: Delivery) -> bool:
        """Send one; returns whether what follows it in its stream may be sent."""
        _, [(_, log, _, leaf)] = self._engine.store.feed(delivery.position - 1, delivery.position, 1)
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
            self._store.hold(state.id, now + peace)
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
        self._store.settle(delivery._replace(stage=stage, answers=answers))

    def _record(self, state: Webhook, command: Command, key: str) -> None:
        said = Said(command=command, by=self._by, on=self._engine.today(), target=state.id, key=key)
        # Somebody has paused or removed it since, or it was recorded before: what is to be done is the same.
        with suppress(Refused, KeyReused, Conflict, Busy):
            self._engine.execute(said)
