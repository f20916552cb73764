"""``/api/v1``: projections, frameworks and their histories as JSON, live or as of a past moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Response

from cycle.catalogue import Language
from cycle.history import Cutoffs
from cycle.reading import Filters, Reader
from cycle.telling import option_as_json, request_as_json, sentence

ROUTES = {
    "communes": "communes",
    "frameworks": "frameworks",
    "plans": "plans",
    "actions": "actions",
    "obstacles": "obstacles",
    "needs": "needs",
    "requests": "requests",
    "commitments": "commitments",
    "attendance": "attendance",
    "calendar": "calendar",
    "audit-trail": "audit_trail",
}
"""Route under ``/api/v1`` -> projection."""
_encode = msgspec.json.Encoder(order="deterministic", enc_hook=str).encode


def as_json(value: object, reader: Reader) -> Response:
    """A value, with the position in the log that it reflects."""
    position = min(reader.runner.positions().values())
    return Response(_encode(value), media_type="application/json", headers={"Cycle-Position": str(position)})


def moments(as_of: date | None = None, known_at: datetime | None = None, at: int | None = None) -> Cutoffs:
    """The three cut-offs that a query may name."""
    return Cutoffs(as_of, known_at, at)


Moments = Annotated[Cutoffs, Depends(moments)]


def api(reader: Reader) -> APIRouter:
    """Every route under ``/api/v1``."""
    router = APIRouter(prefix="/api/v1")
    for route, projection in ROUTES.items():
        router.get(f"/{route}", name=route)(rows_of(projection, reader))

    @router.get("/frameworks/{identity}")
    def framework(identity: str, cutoffs: Moments) -> Response:
        found = reader.find_framework(identity)
        return as_json({"items": reader.rows("frameworks", Filters(framework=found), cutoffs)}, reader)

    @router.get("/frameworks/{identity}/next")
    def framework_next(identity: str) -> Response:
        found = reader.find_framework(identity)
        today = reader.engine.today()
        late = reader.overdue(today, Filters(framework=found))
        requests = [request_as_json(row) for row in reader.requests(found, today)]
        options = [option_as_json(option) for option in reader.options(found)]
        return as_json({"framework": found, "overdue": late, "requests": requests, "options": options}, reader)

    @router.get("/frameworks/{identity}/history")
    def framework_history(identity: str, cutoffs: Moments, lang: Language = "fr") -> Response:
        facts = reader.framework_facts(reader.find_framework(identity), cutoffs)
        told = [
            {"position": fact.position, "event": fact.recorded, "sentence": sentence(fact.recorded, lang)}
            for fact in facts
        ]
        return as_json({"items": told}, reader)

    return router


def rows_of(projection: str, reader: Reader) -> Callable[..., Response]:
    """What answers with the rows of one projection."""

    def rows(
        cutoffs: Moments,
        commune: str | None = None,
        circle: str | None = None,
        region: str | None = None,
        sector: str | None = None,
        framework: str | None = None,
    ) -> Response:
        found = reader.find(commune).commune if commune else None
        chosen = reader.find_framework(framework) if framework else None
        filters = Filters(found, chosen, circle, region, sector)
        return as_json({"items": reader.rows(projection, filters, cutoffs)}, reader)

    return rows
