"""``/api/v1/webhooks``: where events are sent to, and what became of what was sent.

Registering and changing a secret have routes of their own, because they answer with the secret; whatever else is
said of a webhook is a command like any other (``/commands/pause-webhook`` …).
"""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import APIRouter, Path, Query, Response
from msgspec import Meta, Struct

from cycle.aggregates.subscription import Position as LogPosition
from cycle.aggregates.terms import Code
from cycle.aggregates.webhook import (
    OVERLAP_HOURS,
    Endpoint,
    Overlap,
    ReplayWebhook,
    RewindWebhook,
    Webhook,
)
from cycle.catalogue import Language
from cycle.fields import faults
from cycle.reading import PlaceUnknown
from cycle.store import ReceiptLine
from cycle.subscriptions.known import NoSubscription
from cycle.subscriptions.listing import DeliveryRow, delivery_row
from cycle.subscriptions.shapes import DeliveryStage
from cycle.webhooks.endpoints import Secret, Webhooks
from cycle.webhooks.listing import WebhookRow, webhook_row
from cycle_adapters.http.bodies import Body, bad_json, whole
from cycle_adapters.http.calling import Call, Calling
from cycle_adapters.http.declaring import answer, problems, ref, shaped
from cycle_adapters.http.encoding import as_json
from cycle_adapters.http.parameters import NAME, Lang, Limit, Position
from cycle_adapters.http.problems import invalid
from cycle_adapters.http.saying import KeyHeader, key_in, receipt_answer
from cycle_adapters.http.shapes import ReceiptAnswer

Place = Annotated[str, Meta(max_length=800, pattern=r"^[!-~][^\x00-\x1f\x7f]*$")]
Identity = Annotated[str, Path(pattern=NAME, description="The id of a webhook.")]
SAYS = (
    "bad-json", "idempotency-key-missing", "sign-in-needed", "forbidden", "out-of-scope", "cross-origin", "not-found",
    "conflict", "key-reused", "too-large", "media-type", "invalid", "refused", "no-secret-here",
)  # fmt: skip
SEES = ("sign-in-needed", "forbidden", "out-of-scope", "not-found", "invalid")
B = TypeVar("B", bound=Struct)


class NewWebhook(Struct, frozen=True, forbid_unknown_fields=True):
    """``after``: events behind this position are sent; those that come from now on when left out."""

    url: Endpoint
    types: tuple[Code, ...] = ()
    territory: Place = "/"
    after: LogPosition | None = None


class Rotation(Struct, frozen=True, forbid_unknown_fields=True):
    """For so many hours both secrets sign."""

    overlap_hours: Overlap = OVERLAP_HOURS


class ReplayEvent(Struct, frozen=True, forbid_unknown_fields=True):
    """One event again: its id."""

    event: Annotated[str, Meta(pattern=NAME)]


class ReplayStretch(Struct, frozen=True, forbid_unknown_fields=True):
    """A stretch again, beside what is new; without ``up_to`` the webhook goes on from there instead."""

    after: LogPosition
    up_to: LogPosition | None = None


class WebhookSecret(Struct, frozen=True):
    """A webhook with the secret that its receiver verifies with, and where the fact stands."""

    webhook: str
    secret: str
    position: int
    events: tuple[ReceiptLine, ...]


class WebhookList(Struct, frozen=True):
    items: tuple[WebhookRow, ...]


class DeliveryList(Struct, frozen=True):
    """``next``: say it as ``before`` to go on to what stands before."""

    items: tuple[DeliveryRow, ...]
    next: int | None


def webhook_routes() -> APIRouter:
    """Every route of webhooks."""
    router = APIRouter(prefix="/webhooks", tags=["webhook"])
    listed = shaped(WebhookList, ("sign-in-needed", "forbidden", "out-of-scope", "invalid"))
    router.get("", responses=listed, summary="The webhooks that you see")(webhooks)
    made = {
        200: answer(WebhookSecret, "Made before with this key."),
        201: answer(WebhookSecret, "Made; the secret is not shown again."),
        **problems(SAYS),
    }
    router.post("", status_code=201, responses=made, openapi_extra=_body(NewWebhook), summary="Register a webhook")(add)
    router.get("/{identity}", responses=shaped(WebhookRow, SEES), summary="One webhook")(webhook_alone)
    router.post(
        "/{identity}/rotate", status_code=201, responses=made, openapi_extra=_body(Rotation),
        summary="Change the secret of a webhook",
    )(rotate)  # fmt: skip
    said = {
        200: answer(ReceiptAnswer, "Nothing new: what was recorded before."),
        201: answer(ReceiptAnswer, "Recorded; it is sent again."),
        **problems(SAYS),
    }
    router.post(
        "/{identity}/replay", status_code=201, responses=said, openapi_extra=_body(ReplayEvent, ReplayStretch),
        summary="Send an event or a stretch of the log again, or go on from another position",
    )(replay)  # fmt: skip
    rows = shaped(DeliveryList, SEES)
    router.get("/{identity}/deliveries", responses=rows, summary="What was sent, answered, and waits")(deliveries)
    return router


def _body(*shapes: type[Struct]) -> dict[str, Any]:
    schema = ref(shapes[0]) if len(shapes) == 1 else {"oneOf": [ref(each) for each in shapes]}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def webhooks(call: Calling, lang: Lang = None) -> Response:
    found, actor = Webhooks(call.engine), call.may("list-webhooks").account
    return as_json(WebhookList(tuple(webhook_row(found, each) for each in found.seen_by(actor))))


def webhook_alone(identity: Identity, call: Calling, lang: Lang = None) -> Response:
    found, own = _found(call, "list-webhooks", identity)
    return as_json(webhook_row(found, own))


def add(call: Calling, body: Body, key: KeyHeader = None, lang: Lang = None) -> Response:
    actor = call.may("register-webhook").account
    wanted = read(NewWebhook, body, call.language)
    own = key_in(key, call.language)
    made = Webhooks(call.engine).add(actor, wanted.url, wanted.types, wanted.territory, wanted.after, own)
    return _handed_over(made)


def rotate(identity: Identity, call: Calling, body: Body, key: KeyHeader = None, lang: Lang = None) -> Response:
    found, own = _found(call, "rotate-webhook-secret", identity)
    wanted = read(Rotation, body, call.language)
    return _handed_over(found.rotate(_actor(call), own.id, wanted.overlap_hours, key_in(key, call.language)))


def replay(identity: Identity, call: Calling, body: Body, key: KeyHeader = None, lang: Lang = None) -> Response:
    given = decoded(body)
    if isinstance(given, dict) and "event" in given:
        return _replay_event(identity, call, converted(ReplayEvent, given, call.language), key)
    wanted = converted(ReplayStretch, given, call.language)
    said = RewindWebhook.type if wanted.up_to is None else ReplayWebhook.type
    found, own = _found(call, said, identity)
    stretch = {"after": wanted.after} | ({} if wanted.up_to is None else {"up_to": wanted.up_to})
    done = found.say(_actor(call), said, stretch, own.id, key_in(key, call.language))
    return receipt_answer(done)


def _replay_event(identity: str, call: Call, wanted: ReplayEvent, key: str | None) -> Response:
    found, own = _found(call, ReplayWebhook.type, identity)
    try:
        done = found.replay_event(_actor(call), own.id, wanted.event, key_in(key, call.language))
    except NoSubscription as unknown:
        raise PlaceUnknown(wanted.event) from unknown
    return receipt_answer(done)


def deliveries(
    identity: Identity,
    call: Calling,
    stage: Annotated[DeliveryStage | None, Query(description="Only those that are so.")] = None,
    before: Annotated[Position | None, Query(description="`next` of the answer before.")] = None,
    limit: Limit = 50,
    lang: Lang = None,
) -> Response:
    found, own = _found(call, "list-webhooks", identity)
    rows = found.queue.deliveries(own.id, stage=stage, before=before, limit=limit + 1)
    behind = rows[limit - 1].position if len(rows) > limit else None
    return as_json(DeliveryList(tuple(map(delivery_row, rows[:limit])), behind))


def _actor(call: Call) -> str:
    assert call.caller is not None
    return call.caller.account


def _found(call: Call, action: str, identity: str) -> tuple[Webhooks, Webhook]:
    """The webhook that an address names, for whoever sees it.

    Raises:
        PlaceUnknown: he sees none.
    """
    actor, found = call.may(action).account, Webhooks(call.engine)
    try:
        return found, found.find(actor, identity)
    except NoSubscription as unknown:
        raise PlaceUnknown(identity) from unknown


def _handed_over(made: Secret) -> Response:
    receipt = made.done.receipt
    headers = {"Location": f"/api/v1/webhooks/{made.webhook}", "Cycle-Position": str(receipt.position)}
    told = WebhookSecret(made.webhook, made.secret, receipt.position, receipt.events)
    return as_json(told, 201 if made.done.new else 200, headers)


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
        return msgspec.convert(given, shape)
    except msgspec.ValidationError as error:
        raise invalid(faults(shape, given, language), language) from error
