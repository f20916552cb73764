"""``/api/v1/subscriptions``: all that somebody sees, of whatever kind, and what has happened to one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import cast

from fastapi import APIRouter, Response
from msgspec import Struct

from cycle.aggregates.base import By, Event, Recorded
from cycle.catalogue import Language
from cycle.engine import stream_of
from cycle.subscriptions import kinds
from cycle.subscriptions.kinds import Found
from cycle.subscriptions.overview import SubscriptionRow, overview
from cycle.telling import sentence
from cycle_adapters.http.calling import Call, Calling
from cycle_adapters.http.declaring import shaped
from cycle_adapters.http.encoding import as_json
from cycle_adapters.http.parameters import Lang
from cycle_adapters.http.subscriptions import LISTS, SEES, Identity


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
    listed = shaped(SubscriptionList, LISTS)
    router.get("", responses=listed, summary="Every subscription that you see, what needs you first")(subscriptions)
    router.get("/{identity}/history", responses=shaped(FactList, SEES), summary="What has happened to one")(history)
    return router


def subscriptions(call: Calling, lang: Lang = None) -> Response:
    return as_json(SubscriptionList(tuple(overview(call.engine, sees(call)))))


def history(identity: Identity, call: Calling, lang: Lang = None) -> Response:
    return as_json(FactList(tuple(facts_of(found(call, identity), call.language))))


def sees(call: Call) -> str:
    """Who asks, where the credential is good for subscriptions of every kind.

    Raises:
        SignInNeeded, Stopped: it is not.
    """
    callers = {call.may(action).account for action in kinds.LISTS.values()}
    return callers.pop()


def found(call: Call, identity: str) -> Found:
    """The subscription that an address names, for whoever sees it.

    Raises:
        NoSubscription: he sees none.
    """
    return kinds.find(call.engine, sees(call), identity)


def facts_of(each: Found, language: Language, after: int = 0) -> Iterator[FactRow]:
    """What was recorded of a subscription behind a version, the newest first."""
    stream = stream_of(each.known.aggregate, each.own.id)
    facts = cast("Iterator[Recorded[Event]]", each.known.engine.events.get(stream, gt=after, desc=True))
    for fact in facts:
        yield FactRow(fact.version, fact.type, fact.recorded_at, fact.by, sentence(fact, language))
