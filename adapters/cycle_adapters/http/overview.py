"""``/api/v1/subscriptions``: all that somebody sees, of whatever kind, and what has happened to one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from fastapi import APIRouter, Response
from msgspec import Struct

from cycle.aggregates.base import By, Event, Recorded
from cycle.aggregates.webhook import Webhook, webhook
from cycle.catalogue import Language
from cycle.engine import Engine, stream_of
from cycle.reading import PlaceUnknown
from cycle.subscriptions.known import NoSubscription
from cycle.subscriptions.overview import SubscriptionRow, overview
from cycle.telling import sentence
from cycle.webhooks.endpoints import Webhooks
from cycle_adapters.http.calling import Call, Calling
from cycle_adapters.http.declaring import shaped
from cycle_adapters.http.encoding import as_json
from cycle_adapters.http.parameters import Lang
from cycle_adapters.http.subscriptions import SEES, Identity

LISTS = "list-webhooks"


class SubscriptionList(Struct, frozen=True):
    items: tuple[SubscriptionRow, ...]


class FactRow(Struct, frozen=True):
    """One fact about a subscription: what happened, who said it, and when."""

    version: int
    type: str
    recorded_at: datetime
    by: By
    sentence: str


class FactList(Struct, frozen=True):
    """The newest first."""

    items: tuple[FactRow, ...]


def overview_routes() -> APIRouter:
    """The overview, and the history of one."""
    router = APIRouter(prefix="/subscriptions", tags=["subscription"])
    listed = shaped(SubscriptionList, ("sign-in-needed", "forbidden", "out-of-scope", "invalid"))
    router.get("", responses=listed, summary="Every subscription that you see, what needs you first")(subscriptions)
    router.get("/{identity}/history", responses=shaped(FactList, SEES), summary="What has happened to one")(history)
    return router


def subscriptions(call: Calling, lang: Lang = None) -> Response:
    return as_json(SubscriptionList(tuple(overview(call.engine, call.may(LISTS).account))))


def history(identity: Identity, call: Calling, lang: Lang = None) -> Response:
    _, own = found(call, identity)
    return as_json(FactList(tuple(facts_of(call.engine, own, call.language))))


def found(call: Call, identity: str, action: str = LISTS) -> tuple[Webhooks, Webhook]:
    """The subscription that an address names, among those of its kind, for whoever sees it.

    Raises:
        PlaceUnknown: he sees none.
    """
    actor, known = call.may(action).account, Webhooks(call.engine)
    try:
        return known, known.find(actor, identity)
    except NoSubscription as unknown:
        raise PlaceUnknown(identity) from unknown


def facts_of(engine: Engine, own: Webhook, language: Language, after: int = 0) -> Iterator[FactRow]:
    """What was recorded of a subscription behind a version, the newest first."""
    facts: Iterator[Recorded[Event]] = engine.events.get(stream_of(webhook, own.id), gt=after, desc=True)  # type: ignore[assignment]
    for fact in facts:
        yield FactRow(fact.version, fact.type, fact.recorded_at, fact.by, sentence(fact, language))
