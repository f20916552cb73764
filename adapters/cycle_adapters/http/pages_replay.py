"""Replay for auditors: every fact with its own address, the state then, two moments compared, and the proof."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse

from cycle.aggregates.base import LogName
from cycle.catalogue import Language
from cycle.history import EVERYTHING, Cutoffs, Fact
from cycle.naming import Names
from cycle.proofs.bundle import verifier
from cycle.reading import PlaceUnknown
from cycle.states import Compared, compared, told
from cycle.telling import corrected, corrections, guards_saw, sentence
from cycle_adapters.http.pages_desk import AtPlace, Place
from cycle_adapters.http.parameters import NAME, Instant, Position

VERIFIER = "/verify.py"
"""The verifier as it is shipped, for whoever has no release at hand."""
MOST_BETWEEN = 60
"""Facts between two moments that a page tells; the JSON has them all."""


def replay_pages() -> APIRouter:
    """The history fact by fact, and two moments of it."""
    router = APIRouter()

    @router.get("/frameworks/{identity}/replay")
    def replay(
        place: AtPlace,
        at: Annotated[Position | None, Query()] = None,
        fact: Annotated[Position | None, Query()] = None,
        event: Annotated[str | None, Query(pattern=NAME)] = None,
        as_of: Annotated[str, Query()] = "",
        known_at: Annotated[str, Query()] = "",
    ) -> Response:
        cutoffs = cutoffs_of(as_of, known_at)
        whole = place.desk.reader.framework_facts(place.id, cutoffs)
        if event is not None:
            return place.desk.go_to(f"{place.base}/replay?at={position_of(whole, event)}{asked(as_of, known_at)}")
        if fact is not None:
            # The slider counts facts; the address names the position, which stays the same for ever.
            number = min(max(fact, 1), len(whole))
            return place.desk.go_to(f"{place.base}/replay?at={whole[number - 1].position}{asked(as_of, known_at)}")
        return page_at(place, whole, at, as_of, known_at)

    @router.get("/frameworks/{identity}/compare")
    def compare(
        place: AtPlace,
        before: Annotated[Instant | None, Query(alias="from")] = None,
        to: Annotated[Instant | None, Query()] = None,
    ) -> Response:
        if before is None or to is None:
            # Where two moments are chosen.
            return place.desk.go_to(f"{place.base}/replay")
        earlier, later = (place.desk.reader.framework_facts(place.id, each) for each in (before, to))
        found = compared(earlier, later, place.desk.language)
        return place.desk.page(
            "compare.html",
            place=place,
            between=lines(found.between[:MOST_BETWEEN], found.facts, place.desk.language),
            count=len(found.between),
            more=max(len(found.between) - MOST_BETWEEN, 0),
            changes=found.changes,
            asked={"from": moment(before), "to": moment(to)},
        )

    @router.get(VERIFIER)
    def program() -> Response:
        headers = {"Content-Disposition": 'attachment; filename="verify.py"'}
        return Response(verifier(), 200, headers, "text/plain; charset=utf-8")

    return router


def position_of(facts: Sequence[Fact], event: str) -> int:
    """Where the fact of an event stands: other pages know facts by their ids, which are the same for ever.

    Raises:
        PlaceUnknown: the framework has no such fact.
    """
    for fact in facts:
        if fact.recorded.id == event:
            return fact.position
    raise PlaceUnknown(event)


def moment(cutoffs: Cutoffs) -> str:
    """A cut-off as its address has it."""
    return str(cutoffs.as_of or cutoffs.at)


def cutoffs_of(as_of: str, known_at: str) -> Cutoffs:
    """What a page was asked for; what cannot be read asks for nothing."""
    try:
        day = date.fromisoformat(as_of) if as_of else None
        known = datetime.fromisoformat(known_at) if known_at else None
    except ValueError:
        return EVERYTHING
    return Cutoffs(day, known if known is None or known.tzinfo else known.replace(tzinfo=UTC))


def asked(as_of: str, known_at: str) -> str:
    """The cut-offs as more of an address; they were read before, and hold nothing that needs escaping but a plus."""
    cutoffs = cutoffs_of(as_of, known_at)
    day = f"&as_of={cutoffs.as_of}" if cutoffs.as_of else ""
    known = f"&known_at={cutoffs.known_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}" if cutoffs.known_at else ""
    return day + known


def page_at(place: Place, whole: Sequence[Fact], at: int | None, as_of: str, known_at: str) -> HTMLResponse:
    """One fact, the state after it, and what it changed."""
    desk, language = place.desk, place.desk.language
    number = sum(1 for fact in whole if at is None or fact.position <= at)
    # Facts are believed with what was known then: a correction that came later is not in them yet.
    until = desk.reader.framework_facts(place.id, _until(whole, number, as_of, known_at))
    before = desk.reader.framework_facts(place.id, _until(whole, number - 1, as_of, known_at)) if number > 1 else []
    found: Compared = compared(before, until, language)
    current = until[-1] if until else None
    return desk.page(
        "replay.html",
        place=place,
        number=number,
        count=len(whole),
        fact=lines([current], until, language)[0] if current else None,
        first=whole[0].position if number > 1 else None,
        previous=whole[number - 2].position if number > 1 else None,
        following=whole[number].position if number < len(whole) else None,
        last=whole[-1].position if number < len(whole) else None,
        state=told(desk.reader.state(until), language),
        changes=found.changes if before else [],
        as_of=as_of,
        known_at=known_at,
        more=asked(as_of, known_at),
        today=desk.engine.today(place.state.zone).isoformat(),
        proof=proof(place, current),
        bounds=(whole[0].position, whole[-1].position) if whole else (0, 0),
    )


def _until(whole: Sequence[Fact], number: int, as_of: str, known_at: str) -> Cutoffs:
    cutoffs = cutoffs_of(as_of, known_at)
    return Cutoffs(cutoffs.as_of, cutoffs.known_at, whole[number - 1].position if number > 0 else 0)


def lines(facts: Sequence[Fact], known: Sequence[Fact], language: Language) -> list[dict[str, Any]]:
    """Facts in words, with what is known of them from a history."""
    names, later = Names(language), corrected(known)
    for fact in known:
        names.learn(fact.recorded)
    return [
        {
            "position": fact.position,
            "fact": fact.recorded,
            "sentence": names.beside(fact.recorded, sentence(fact.recorded, language)),
            "saw": guards_saw(fact.recorded, language),
            "corrections": corrections(fact.recorded, language),
            "corrected_by": [each.position for each in later.get((fact.recorded.stream, fact.recorded.version), ())],
        }
        for fact in facts
    ]


def proof(place: Place, fact: Fact | None) -> dict[str, Any]:
    """How far the log of the commune is sealed, and whether a fact is."""
    store, log = place.desk.engine.store, LogName(place.state.commune)
    sealed = place.desk.call.doors.rooms.seals.sealed(log)
    index = None if fact is None else store.log_size(log, fact.position) - 1
    return {
        "log": log,
        "index": index,
        "size": store.log_size(log),
        "sealed": sealed,
        "covered": (covered := sealed is not None and index is not None and index < sealed.size),
        "links": [] if sealed is None else proof_links(place, log, index if covered else None),
    }


def proof_links(place: Place, log: LogName, index: int | None) -> list[dict[str, str]]:
    """What whoever looks may take away and check without us: of a fact only where it is sealed."""
    hands, base = place.desk.hands(log), f"/api/v1/logs/{log}"
    paths = {"checkpoint": f"{base}/checkpoint"}
    if index is not None:
        paths["inclusion"] = f"{base}/inclusion?index={index}"
    if hands.carries_out("export-bundle"):
        paths["bundle"] = f"{base}/bundle"
    paths["verifier"] = VERIFIER
    return [{"name": place.desk.say(f"proof-{name}"), "path": path} for name, path in paths.items()]
