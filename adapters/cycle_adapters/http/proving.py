"""Proofs over HTTP: what was signed of a log, where a leaf stands in it, that it only grew, all of it to take away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Annotated

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import StreamingResponse

from cycle.aggregates.base import PLATFORM, LogName
from cycle.reading import PlaceUnknown
from cycle.sealing import Consistency, Inclusion
from cycle_adapters.http.calling import Call, Calling, one_of
from cycle_adapters.http.declaring import filed, shaped
from cycle_adapters.http.encoding import as_json
from cycle_adapters.http.parameters import NAME, Lang, Position

REGISTRY = "registry"
"""What stands for the tree of all heads, of which there is no log."""
BLOCK = 1 << 16
PROBLEMS_OF_PROOFS = ("sign-in-needed", "forbidden", "out-of-scope", "not-found", "not-sealed", "invalid")
Log = Annotated[str, Path(pattern=NAME, description="The code of a commune, or `platform`.")]
Signed = Annotated[str, Path(pattern=NAME, description="The code of a commune, `platform`, or `registry`.")]
Size = Annotated[Position | None, Query(description="How long the log is then; as it was last signed when left out.")]


def proof_routes() -> APIRouter:
    """Every route that proves."""
    router = APIRouter()
    note = filed("text/plain", "A C2SP signed note.", PROBLEMS_OF_PROOFS)
    router.get("/logs/{log}/checkpoint", responses=note, summary="The signed head of a log")(checkpoint)
    of = shaped(Inclusion, (*PROBLEMS_OF_PROOFS, "not-provable"))
    router.get("/logs/{log}/inclusion", responses=of, summary="That a leaf stands at an index")(inclusion)
    grown = shaped(Consistency, (*PROBLEMS_OF_PROOFS, "not-provable"))
    router.get("/logs/{log}/consistency", responses=grown, summary="That a log only grew")(consistency)
    archive = filed("application/zip", "The log with its proofs, and a verifier.", (*PROBLEMS_OF_PROOFS, "busy"))
    router.get("/logs/{log}/bundle", responses=archive, summary="A log with its proofs, to take away")(bundle)
    return router


def asked(call: Call, action: str, log: str) -> LogName:
    """The log that an address names, for whoever may do this with it.

    Raises:
        Forbidden: the account may not.
        PlaceUnknown: there is no such log.
    """
    caller, engine, name = call.may(action), call.engine, LogName(log)
    call.about("" if name == PLATFORM else name)
    engine.act(caller.account, action, name)
    if not engine.store.log_size(name):
        raise PlaceUnknown(log)
    return name


def checkpoint(log: Signed, call: Calling, lang: Lang = None) -> Response:
    name = asked(call, "export-checkpoint", PLATFORM if log == REGISTRY else log)
    note = call.doors.rooms.seals.note(None if log == REGISTRY else name)
    return Response(note, 200, {"Cache-Control": "no-cache"}, "text/plain; charset=utf-8")


def inclusion(
    log: Log, call: Calling, index: Annotated[Position, Query()], size: Size = None, lang: Lang = None
) -> Response:
    name = asked(call, "export-checkpoint", log)
    return as_json(call.doors.rooms.seals.inclusion(name, index, size))


def consistency(
    log: Log,
    call: Calling,
    old_size: Annotated[Position, Query(alias="from", description="How long the log was.")],
    to: Size = None,
    lang: Lang = None,
) -> Response:
    name = asked(call, "export-checkpoint", log)
    return as_json(call.doors.rooms.seals.consistency(name, old_size, to))


def bundle(log: Log, call: Calling, lang: Lang = None) -> Response:
    name = asked(call, "export-bundle", log)
    with one_of(call.doors.bundling):
        file = call.doors.rooms.seals.bundle(call.engine, call.may("export-bundle").account, name)
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{name}.zip"',
        "Content-Length": str(file.seek(0, 2)),
    }
    return StreamingResponse(_blocks(file), 200, headers, "application/zip")


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while block := file.read(BLOCK):
            yield block
