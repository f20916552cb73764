"""What the routes of webhooks and of consumer groups are alike: found by whom they belong to, replayed, listed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import APIRouter, Path, Query, Response
from msgspec import Meta, Struct

from cycle.aggregates.subscription import Position as LogPosition
from cycle.aggregates.subscription import Subscription
from cycle.catalogue import Language
from cycle.fields import faults
from cycle.shapes import understood
from cycle.subscriptions.counting import DryCount, dry_count
from cycle.subscriptions.known import Subscriptions
from cycle.subscriptions.listing import DeliveryRow, delivery_row
from cycle.subscriptions.shapes import DeliveryStage
from cycle_adapters.http.bodies import Body, bad_json, whole
from cycle_adapters.http.calling import Call, Calling
from cycle_adapters.http.declaring import answer, problems, ref, shaped
from cycle_adapters.http.encoding import as_json
from cycle_adapters.http.parameters import NAME, Lang, Limit, Position
from cycle_adapters.http.problems import invalid
from cycle_adapters.http.saying import KeyHeader, key_in, receipt_answer
from cycle_adapters.http.shapes import ReceiptAnswer

Place = Annotated[str, Meta(max_length=800, pattern=r"^[!-~][^\x00-\x1f\x7f]*$")]
EventId = Annotated[str, Meta(pattern=NAME)]
Identity = Annotated[str, Path(pattern=NAME, description="The id of a subscription.")]
OfStage = Annotated[DeliveryStage | None, Query(alias="stage", description="Only those that are so.")]
Before = Annotated[Position | None, Query(alias="before", description="`next` of the answer before.")]
Behind = Annotated[Position, Query(alias="after", description="Behind this position.")]
UpTo = Annotated[Position | None, Query(alias="up_to", description="Up to this one, beside what is new.")]
COUNTS = "What a replay would deliver, or (without `up_to`) going on from another position"
SAYS = (
    "bad-json", "idempotency-key-missing", "sign-in-needed", "forbidden", "out-of-scope", "cross-origin", "not-found",
    "conflict", "key-reused", "too-large", "media-type", "invalid", "refused",
)  # fmt: skip
SEES = ("sign-in-needed", "forbidden", "out-of-scope", "not-found", "invalid")
LISTS = ("sign-in-needed", "forbidden", "out-of-scope", "invalid")
B = TypeVar("B", bound=Struct)
S = TypeVar("S", bound=Subscription)


class ReplayEvent(Struct, frozen=True, forbid_unknown_fields=True):
    """One event again: its id."""

    event: EventId


class ReplayStretch(Struct, frozen=True, forbid_unknown_fields=True):
    """A stretch again, beside what is new; without ``up_to`` the subscription goes on from there instead."""

    after: LogPosition
    up_to: LogPosition | None = None


class DeliveryList(Struct, frozen=True):
    """``next``: say it as ``before`` to go on to what stands before."""

    items: tuple[DeliveryRow, ...]
    next: int | None


def alike(router: APIRouter, known: Callable[[Call], Subscriptions[Any]], replays: str, delivered: str) -> None:
    """The routes that all kinds have; ``replays`` and ``delivered`` are what two of them are for."""

    def replay(identity: Identity, call: Calling, body: Body, key: KeyHeader = None, lang: Lang = None) -> Response:
        return _replayed(known(call), call, identity, body, key)

    def replay_count(
        identity: Identity, call: Calling, after: Behind, up_to: UpTo = None, lang: Lang = None
    ) -> Response:
        found = known(call)
        return as_json(dry_count(found, seen(found, call, found.lists, identity), after, up_to))

    def deliveries(
        identity: Identity, call: Calling, stage: OfStage = None, before: Before = None, limit: Limit = 50,
        lang: Lang = None,
    ) -> Response:  # fmt: skip
        found = known(call)
        return _page(found, seen(found, call, found.lists, identity), stage, before, limit)

    said = {
        200: answer(ReceiptAnswer, "Nothing new: what was recorded before."),
        201: answer(ReceiptAnswer, "Recorded; it is delivered again."),
        **problems(SAYS),
    }
    router.post(
        "/{identity}/replay", status_code=201, responses=said, openapi_extra=body_of(ReplayEvent, ReplayStretch),
        summary=replays,
    )(replay)  # fmt: skip
    router.get("/{identity}/replay-count", responses=shaped(DryCount, SEES), summary=COUNTS)(replay_count)
    router.get("/{identity}/deliveries", responses=shaped(DeliveryList, SEES), summary=delivered)(deliveries)


def body_of(*shapes: type[Struct]) -> dict[str, Any]:
    """A body of one of these shapes, for the contract."""
    schema = ref(shapes[0]) if len(shapes) == 1 else {"oneOf": [ref(each) for each in shapes]}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def seen(known: Subscriptions[S], call: Call, action: str, identity: str) -> S:
    """The subscription that an address names, for whoever sees it.

    Raises:
        NoSubscription: he sees none.
    """
    return known.find(call.may(action).account, identity)


def _replayed(known: Subscriptions[S], call: Call, identity: str, body: bytes, key: str | None) -> Response:
    """Have an event or a stretch delivered again, or go on from another position.

    Raises:
        Stopped: no JSON, or a field that is wrong.
        NoSubscription: he sees none, or nothing is remembered of the event.
    """
    given, language = decoded(body), call.language
    if isinstance(given, dict) and "event" in given:
        event = converted(ReplayEvent, given, language).event
        own, actor = seen(known, call, known.acts.replays.says.type, identity), actor_of(call)
        return receipt_answer(known.replay_event(actor, own.id, event, key_in(key, language)))
    wanted = converted(ReplayStretch, given, language)
    said = (known.acts.rewinds if wanted.up_to is None else known.acts.replays).says.type
    own = seen(known, call, said, identity)
    stretch = {"after": wanted.after} | ({} if wanted.up_to is None else {"up_to": wanted.up_to})
    return receipt_answer(known.say(actor_of(call), said, stretch, own.id, key_in(key, language)))


def _page(known: Subscriptions[S], own: S, stage: DeliveryStage | None, before: int | None, limit: int) -> Response:
    """Some of the deliveries of a subscription."""
    rows = known.queue.deliveries(own.id, stage=stage, before=before, limit=limit + 1)
    behind = rows[limit - 1].position if len(rows) > limit else None
    return as_json(DeliveryList(tuple(map(delivery_row, rows[:limit])), behind))


def actor_of(call: Call) -> str:
    """Who calls, where it was asked already."""
    assert call.caller is not None
    return call.caller.account


def read(shape: type[B], body: bytes, language: Language) -> B:
    """What was sent, in a shape.

    Raises:
        Stopped: no JSON, or every field that is wrong.
    """
    return converted(shape, decoded(body), language)


def decoded(body: bytes) -> object:
    """Raises:
    Stopped: it is no JSON.
    """
    try:
        found: object = whole(msgspec.json.decode(body))
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise bad_json() from error
    return found


def converted(shape: type[B], given: object, language: Language) -> B:
    """Raises:
    Stopped: every field that is wrong.
    """
    try:
        return msgspec.convert(given, understood(shape))
    except msgspec.ValidationError as error:
        raise invalid(faults(shape, given, language), language) from error
