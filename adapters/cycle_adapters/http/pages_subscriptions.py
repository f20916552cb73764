"""The console of integrators: what is delivered where, how far it is, and what somebody has to do about it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Annotated, Any, cast

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from cycle.aggregates.base import Recorded
from cycle.aggregates.framework.root import framework
from cycle.aggregates.webhook import (
    PauseWebhook,
    RegisterWebhook,
    RemoveWebhook,
    ReplayWebhook,
    ResumeWebhook,
    RewindWebhook,
    RotateWebhookSecret,
    StopWebhookReplay,
    Webhook,
    webhook,
)
from cycle.catalogue import text
from cycle.commands import KEY
from cycle.engine import stream_of
from cycle.feed import QUESTION
from cycle.subscriptions.listing import age_words, answer_words, delivery_row
from cycle.subscriptions.overview import Lag, SubscriptionRow, Trouble, overview, webhook_in_overview
from cycle.subscriptions.shapes import Delivery, DeliveryStage
from cycle.telling import sentence
from cycle.turns import Work
from cycle_adapters.http.overview import LISTS, facts_of, found
from cycle_adapters.http.pages_desk import AtDesk, Desk
from cycle_adapters.http.parameters import Position
from cycle_adapters.http.subscriptions import Identity

DELIVERIES, FACTS = 20, 20
"""So many of each stand on a page."""
SHOWN = tuple(stage for stage in DeliveryStage if stage is not DeliveryStage.WITHHELD)
"""What was withheld from the owner is listed nowhere."""
STAGES = f"^({'|'.join(SHOWN)})?$"
REGISTER = "/subscriptions/register"
ORDERS = (
    PauseWebhook.type, ResumeWebhook.type, ReplayWebhook.type, StopWebhookReplay.type, RewindWebhook.type,
    RotateWebhookSecret.type, RemoveWebhook.type,
)  # fmt: skip
"""What is said of a subscription on a page of its own, in the order in which somebody asks for it."""
MENDS = {
    Trouble.NO_SECRET: RotateWebhookSecret.type,
    Trouble.GONE: ResumeWebhook.type,
    Trouble.PAUSED: ResumeWebhook.type,
}
"""What is said of a subscription so that its trouble ends."""


def subscription_pages() -> APIRouter:
    """The overview, and a page for each."""
    router = APIRouter()

    @router.get("/subscriptions", response_class=HTMLResponse)
    def subscriptions(desk: AtDesk) -> HTMLResponse:
        actor = desk.call.may(LISTS).account
        rows = overview(desk.engine, actor)
        cards = [(row, lag_words(row.lag, desk)) for row in rows]
        return desk.page("subscriptions.html", cards=cards, registers=may_register(desk))

    @router.get("/subscriptions/{identity}", response_class=HTMLResponse)
    def one(
        identity: Identity,
        desk: AtDesk,
        stage: Annotated[str, Query(pattern=STAGES)] = "",
        before: Annotated[Position | None, Query()] = None,
        facts: Annotated[Position, Query()] = 0,
        said: Annotated[str, Query(pattern=f"{KEY}|^$")] = "",
    ) -> HTMLResponse:
        known, own = found(desk.call, identity)
        row = webhook_in_overview(known, own, desk.actor, desk.engine.store.turns.is_held(Work.DELIVERING))
        wanted = DeliveryStage(stage) if stage else None
        rows = known.queue.deliveries(own.id, stage=wanted, before=before, limit=DELIVERIES + 1)
        told = list(islice(facts_of(desk.engine, own, desk.language), facts, facts + FACTS + 1))
        return desk.page(
            "subscription.html",
            own=row,
            said=recorded_with(desk, own, said) if said else "",
            base=f"/subscriptions/{own.id}",
            lag=lag_words(row.lag, desk),
            replays=own.lanes[1:],
            mends=mends(row),
            does=[(name, text(f"command.{name}", desk.language)) for name in sayable(own)] if row.mine else [],
            deliveries=list(told_deliveries(desk, rows[:DELIVERIES])),
            stages=SHOWN,
            stage=stage or None,
            before=before,
            older=rows[DELIVERIES - 1].position if len(rows) > DELIVERIES else None,
            history=told[:FACTS],
            earlier=facts + FACTS if len(told) > FACTS else None,
            later=max(facts - FACTS, 0) if facts else None,
        )

    return router


def recorded_with(desk: Desk, own: Webhook, key: str) -> str:
    """What a command about a webhook has recorded, by its key; nothing where it is about something else."""
    receipt = desk.engine.store.receipt(key)
    line = receipt[1].events[-1] if receipt else None
    if line is None or line.stream != stream_of(webhook, own.id):
        return ""
    return sentence(desk.engine.fact(line), desk.language)


def may_register(desk: Desk) -> bool:
    """Whether the account may have events sent anywhere."""
    door = desk.engine.door
    held = {grant.role for grant in door.now.grants(desk.actor, door.today())}
    return not held.isdisjoint(RegisterWebhook.roles)


def sayable(own: Webhook) -> Iterator[str]:
    """What can be said of a webhook as it is."""
    not_now = {ResumeWebhook.type if own.is_active else PauseWebhook.type}
    not_now |= {StopWebhookReplay.type} if len(own.lanes) < 2 else set()
    yield from (name for name in ORDERS if name not in not_now)


def mends(row: SubscriptionRow) -> dict[Trouble, str]:
    """The command that ends each trouble, where one does and the account may say it."""
    return {each: MENDS[each] for each in row.troubles if each in MENDS} if row.mine else {}


def lag_words(lag: Lag, desk: Desk) -> str:
    """How far behind, in words."""
    if not lag.events:
        return desk.say("lag-none")
    age = age_words(lag.seconds, desk.language)
    return desk.say("lag-more" if lag.more else "lag-behind", events=lag.events, age=age)


def told_deliveries(desk: Desk, rows: Sequence[Delivery]) -> Iterator[dict[str, Any]]:
    """Deliveries in words; of an event no more than the account may read."""
    readable = desk.reader.readable(QUESTION)
    for each in rows:
        row, fact = delivery_row(each), read_fact(desk, each.position, readable)
        yield {
            "row": row,
            "sentence": sentence(fact, desk.language) if fact else "",
            "link": link_of(fact),
            "attempts": [(one.at, answer_words(one.answer, desk.language)) for one in row.answers],
            "is_taken": bool(each.answers) and each.answers[-1].is_taken,
        }


def read_fact(desk: Desk, position: int, readable: Collection[str] | None) -> Recorded[Any] | None:
    """The fact at a position, where it stands in a log that the account may read (None: in any)."""
    [(_, log, _, _)] = desk.engine.store.feed(position - 1, position, 1)[1]
    if readable is not None and log not in readable:
        return None
    [(_, topic, schema, leaf)] = desk.engine.store.read(position - 1, 1, up_to=position)
    return cast("Recorded[Any]", desk.engine.leaves[topic, schema](leaf))


def link_of(fact: Recorded[Any] | None) -> str:
    """Where the replay tells a fact of a framework; of others there is no replay."""
    kind, _, identity = fact.stream.partition("-") if fact else ("", "", "")
    return f"/frameworks/{identity}/replay" if kind == framework.name else ""
