"""The evaluator's page of frameworks at risk: the signs of each with their points, and the facts behind them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from cycle.timings.risk import AtRisk, at_risk
from cycle.timings.telling import Words
from cycle_adapters.http.calling import looking_back
from cycle_adapters.http.evaluating import Questioned
from cycle_adapters.http.pages_desk import AtDesk, Desk
from cycle_adapters.http.pages_timings import fact, form, place
from cycle_adapters.http.parameters import Cursor, cursor_of

PER_PAGE = 25
PAGE = "/timings/risk"


def risk_pages() -> APIRouter:
    """The frameworks of which a sign was seen, the most points first."""
    router = APIRouter()

    @router.get(PAGE, response_class=HTMLResponse)
    def risk(desk: AtDesk, question: Questioned, after: Cursor | None = None) -> HTMLResponse:
        reader = desk.call.reads("timings")
        filters, words = question.asked.filters(reader), Words(desk.language)
        with looking_back(desk.call.doors, filters, question.cutoffs):
            # All of them: how many there are is said on every page.
            found = at_risk(reader, filters, question.cutoffs)
        titles = {row.framework: row.title for row in reader.frameworks()}
        behind = [each for each in found.at_risk if key(each) > (after or "")]
        shown, rest = behind[:PER_PAGE], behind[PER_PAGE:]
        return desk.page(
            "risk.html",
            **form(desk, reader, question),
            json=question.json_of("/api/v1/timings/risk"),
            looked=words.looked(found),
            risks=[told(each, titles, words, desk) for each in shown],
            further={**question.narrowed, "after": cursor_of(key(shown[-1]))} if rest else None,
        )

    return router


def key(each: AtRisk) -> str:
    """Where a framework stands on the page."""
    return f"{1_000 - each.total:04}/{each.framework}"


def told(each: AtRisk, titles: dict[str, str], words: Words, desk: Desk) -> dict[str, Any]:
    """A framework with its parts in words, and the addresses of their facts."""
    return {
        **place(each, desk),
        "title": titles.get(each.framework, ""),
        "total": each.total,
        "parts": [
            {
                "words": words.sign(part),
                "facts": [(mark.on, fact(each.framework, mark.event)) for mark in part.seen.events],
            }
            for part in each.parts
        ],
    }
