"""``/api/v1/webhooks``: where events are sent to, and what became of what was sent.

Registering and changing a secret have routes of their own, because they answer with the secret; whatever else is
said of a webhook is a command like any other (``/commands/pause-webhook`` …).
"""

from __future__ import annotations

from fastapi import APIRouter, Response
from msgspec import Struct

from cycle.aggregates.subscription import Position as LogPosition
from cycle.aggregates.terms import Code
from cycle.aggregates.webhook import OVERLAP_HOURS, Endpoint, Overlap
from cycle.store import ReceiptLine
from cycle.webhooks.endpoints import Secret, Webhooks
from cycle.webhooks.listing import WebhookRow, webhook_row
from cycle_adapters.http.bodies import Body
from cycle_adapters.http.calling import Calling
from cycle_adapters.http.declaring import answer, problems, shaped
from cycle_adapters.http.encoding import as_json
from cycle_adapters.http.parameters import Lang
from cycle_adapters.http.saying import KeyHeader, key_in
from cycle_adapters.http.subscriptions import (
    LISTS,
    SAYS,
    SEES,
    Identity,
    Place,
    actor_of,
    alike,
    body_of,
    read,
    seen,
)

SECRET_SAYS = (*SAYS, "no-secret-here")


class NewWebhook(Struct, frozen=True, forbid_unknown_fields=True):
    """``after``: events behind this position are sent; those that come from now on when left out."""

    url: Endpoint
    types: tuple[Code, ...] = ()
    territory: Place = "/"
    after: LogPosition | None = None


class Rotation(Struct, frozen=True, forbid_unknown_fields=True):
    """For so many hours both secrets sign."""

    overlap_hours: Overlap = OVERLAP_HOURS


class WebhookSecret(Struct, frozen=True):
    """A webhook with the secret that its receiver verifies with, and where the fact stands."""

    webhook: str
    secret: str
    position: int
    events: tuple[ReceiptLine, ...]


class WebhookList(Struct, frozen=True):
    items: tuple[WebhookRow, ...]


def webhook_routes() -> APIRouter:
    """Every route of webhooks."""
    router = APIRouter(prefix="/webhooks", tags=["webhook"])
    router.get("", responses=shaped(WebhookList, LISTS), summary="The webhooks that you see")(webhooks)
    made = {
        200: answer(WebhookSecret, "Made before with this key."),
        201: answer(WebhookSecret, "Made; the secret is not shown again."),
        **problems(SECRET_SAYS),
    }
    router.post(
        "", status_code=201, responses=made, openapi_extra=body_of(NewWebhook), summary="Register a webhook"
    )(add)  # fmt: skip
    router.get("/{identity}", responses=shaped(WebhookRow, SEES), summary="One webhook")(webhook_alone)
    router.post(
        "/{identity}/rotate", status_code=201, responses=made, openapi_extra=body_of(Rotation),
        summary="Change the secret of a webhook",
    )(rotate)  # fmt: skip
    alike(
        router,
        lambda call: Webhooks(call.engine),
        "Send an event or a stretch of the log again, or go on from another position",
        "What was sent, answered, and waits",
    )
    return router


def webhooks(call: Calling, lang: Lang = None) -> Response:
    found, actor = Webhooks(call.engine), call.may("list-webhooks").account
    return as_json(WebhookList(tuple(webhook_row(found, each) for each in found.seen_by(actor))))


def webhook_alone(identity: Identity, call: Calling, lang: Lang = None) -> Response:
    found = Webhooks(call.engine)
    return as_json(webhook_row(found, seen(found, call, "list-webhooks", identity)))


def add(call: Calling, body: Body, key: KeyHeader = None, lang: Lang = None) -> Response:
    actor = call.may("register-webhook").account
    wanted = read(NewWebhook, body, call.language)
    own = key_in(key, call.language)
    made = Webhooks(call.engine).add(actor, wanted.url, wanted.types, wanted.territory, wanted.after, own)
    return _handed_over(made)


def rotate(identity: Identity, call: Calling, body: Body, key: KeyHeader = None, lang: Lang = None) -> Response:
    found = Webhooks(call.engine)
    own = seen(found, call, "rotate-webhook-secret", identity)
    wanted = read(Rotation, body, call.language)
    return _handed_over(found.rotate(actor_of(call), own.id, wanted.overlap_hours, key_in(key, call.language)))


def _handed_over(made: Secret) -> Response:
    receipt = made.done.receipt
    headers = {"Location": f"/api/v1/webhooks/{made.webhook}", "Cycle-Position": str(receipt.position)}
    told = WebhookSecret(made.webhook, made.secret, receipt.position, receipt.events)
    return as_json(told, 201 if made.done.new else 200, headers)
