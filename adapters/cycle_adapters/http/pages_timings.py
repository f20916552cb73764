"""The evaluator's pages: how long it takes and what became of it, in groups; and what is behind each number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from msgspec.structs import asdict

from cycle.access import ACTING
from cycle.catalogue import word
from cycle.exports.figures import Part
from cycle.projections.frameworks import FrameworkRow
from cycle.reading import Reader
from cycle.timings.cases import AnyCase
from cycle.timings.cases_told import case_told
from cycle.timings.durations import Duration
from cycle.timings.illustrating import illustrations
from cycle.timings.listing import listed
from cycle.timings.measuring import AT_LEAST_FRAMEWORKS, By
from cycle.timings.metrics import DURATIONS, IDS, asked
from cycle.timings.risk import AtRisk
from cycle.timings.tables import Line, table
from cycle.timings.telling import Words
from cycle_adapters.http.answering import reached
from cycle_adapters.http.calling import looking_back
from cycle_adapters.http.evaluating import Question, Questioned
from cycle_adapters.http.pages_desk import AtDesk, Desk
from cycle_adapters.http.parameters import Cursor, cursor_of
from cycle_adapters.pictures.drawing import drawn

PER_PAGE = 50
PAGE, ROWS = "/timings", "/timings/rows"


def timing_pages() -> APIRouter:
    """The figures, and what is behind each."""
    router = APIRouter()

    @router.get(PAGE, response_class=HTMLResponse)
    def figures(desk: AtDesk, question: Questioned) -> HTMLResponse:
        reader = desk.call.reads("timings")
        filters, words = question.asked.filters(reader), Words(desk.language)
        with looking_back(desk.call.doors, filters, question.cutoffs):
            found = asked(reader, question.metric, question.by, filters, question.cutoffs, 0)
            pictures = list(illustrations(reader, question.metric, question.by, filters, question.cutoffs))
        return desk.page(
            "timings.html",
            **form(desk, reader, question),
            json=question.json(),
            words=words,
            standing=words.standing(found),
            files=question.files(Part.FIGURES),
            table=table(found, words),
            pictures=[drawn(each, desk.language) for each in pictures],
            behind=lambda line: behind(line, question),
            least=AT_LEAST_FRAMEWORKS,
            kept=question.dated(found.as_of, reached(reader)),
        )

    @router.get(ROWS, response_class=HTMLResponse)
    def rows(desk: AtDesk, question: Questioned, after: Cursor | None = None) -> HTMLResponse:
        reader = desk.call.reads("timings")
        filters, words = question.asked.filters(reader), Words(desk.language)
        with looking_back(desk.call.doors, filters, question.cutoffs):
            found = listed(
                reader, question.metric, question.by, question.only, filters, question.cutoffs, PER_PAGE, after or ""
            )
        return desk.page(
            "rows.html",
            **form(desk, reader, question),
            json=question.json("/rows"),
            words=words,
            of=words.group(question.by, question.only.cohort, question.only.about),
            durations=[duration(each, question, desk) for each in found.durations],
            told_about=any(each.about for each in found.durations),
            active=question.metric in DURATIONS and DURATIONS[question.metric].active,
            files=question.files(Part.ROWS),
            cases=[case(each, desk) for each in found.cases],
            further=found.next and {**question.address, **question.group, "after": cursor_of(found.next)},
        )

    return router


def form(desk: Desk, reader: Reader, question: Question) -> dict[str, Any]:
    """What was asked, and what else can be."""
    return {
        "question": question,
        "report": desk.is_led_to(ACTING["export-paper"]),
        "metrics": [(each, Words(desk.language).name(each)) for each in IDS],
        "groups": [each.value for each in By],
        "offered": offered(reader.frameworks(), desk),
    }


def offered(frameworks: Sequence[FrameworkRow], desk: Desk) -> dict[str, list[tuple[str, str]]]:
    """What it can be narrowed to: where the account reads of any framework."""
    homes = {row.commune: home for row in frameworks if (home := desk.homes.get(row.commune))}
    sectors = {sector for row in frameworks for sector in row.sectors}
    return {
        "region": [(name, name) for name in sorted({home.region for home in homes.values()})],
        "circle": [(name, name) for name in sorted({home.circle for home in homes.values()})],
        "commune": sorted(((code, home.name) for code, home in homes.items()), key=lambda pair: pair[1]),
        "sector": sorted(((code, word(code, desk.language)) for code in sectors), key=lambda pair: pair[1]),
    }


def behind(line: Line, question: Question) -> dict[str, str]:
    """The parameters under which what is behind a row of a table stands."""
    group = {name: value for name, value in asdict(line.only).items() if value is not None}
    return {**question.address, **group}


def duration(each: Duration, question: Question, desk: Desk) -> dict[str, Any]:
    """A duration, and the addresses of the two facts that it lies between."""
    return {
        **place(each, desk),
        "duration": each,
        "start": fact(each.framework, each.start.event),
        "end": fact(each.framework, each.end.event) if each.end else None,
        "doubtful": each.days < 0 and not DURATIONS[question.metric].signed,
    }


def case(each: AnyCase, desk: Desk) -> dict[str, Any]:
    """A case of a share in words, and the addresses of the facts that it rests on."""
    facts = [(mark.on, fact(each.framework, mark.event)) for mark in each.marks]
    return {**place(each, desk), "what": case_told(each, desk.language), "facts": facts}


def place(each: Duration | AnyCase | AtRisk, desk: Desk) -> dict[str, str]:
    """Where something is: what its commune is called, and the address of its framework."""
    home = desk.homes.get(each.commune)
    return {"commune": home.name if home else each.commune, "framework": f"/frameworks/{each.framework}"}


def fact(framework: str, event: str) -> str:
    """Where the fact of an event is looked at."""
    return f"/frameworks/{framework}/replay?event={event}"
