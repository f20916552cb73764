"""The board: every framework, the one that needs the reader first."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from pydantic import StringConstraints

from cycle.aggregates.framework.setup import ProposeFramework
from cycle.board import Board, Need, Standing
from cycle.catalogue import Language, text, word
from cycle.reading import Filters
from cycle.telling import option_label, overdue_line, request_lines
from cycle_adapters.http.chosen import Chosen
from cycle_adapters.http.pages_desk import AtDesk, Desk
from cycle_adapters.http.parameters import NAME, Cursor, cursor_of

PER_PAGE = 20
Followed = Annotated[str, StringConstraints(pattern=NAME)]


def board_pages() -> APIRouter:
    """The first page."""
    router = APIRouter()

    @router.get("/", response_class=HTMLResponse)
    def board(
        desk: AtDesk,
        region: Chosen = None,
        circle: Chosen = None,
        sector: Chosen = None,
        mine: Annotated[bool, Query()] = False,
        after: Cursor | None = None,
        followed: Annotated[list[Followed] | None, Query()] = None,
    ) -> HTMLResponse:
        if followed:
            return of_followed(desk, followed)
        filters = Filters(circle=circle, region=region, sector=sector)
        found = Board(desk.reader, desk.language).standings(filters)
        wanted = [each for each in found if not mine or each.need < Need.NOTHING]
        behind = [each for each in wanted if each.key > (after or "")]
        shown, rest = behind[:PER_PAGE], behind[PER_PAGE:]
        chosen = {"region": region, "circle": circle, "sector": sector, "mine": "true" if mine else None}
        return desk.page(
            "board.html",
            cards=[card(each, desk) for each in shown],
            count=len(wanted),
            nothing=all(each.need is Need.NOTHING for each in found),
            filtered=any(chosen.values()),
            chosen=chosen,
            offered=offered(found, desk),
            after=cursor_of(shown[-1].key) if rest else None,
            proposes=may_propose(desk),
        )

    return router


def of_followed(desk: Desk, frameworks: list[str]) -> HTMLResponse:
    """The board of these frameworks alone, to be kept by a browser: no more of the others than it needs.

    It takes the place of the whole one, so it says that as its address.
    """
    board = Board(desk.reader, desk.language)
    found = [each for one in dict.fromkeys(frameworks) for each in board.standings(Filters(framework=one))]
    cards = [card(each, desk) for each in sorted(found, key=lambda each: each.key)]
    return desk.page("board.html", path="/", cards=cards, followed=True)


def may_propose(desk: Desk) -> bool:
    """Whether there is any commune for which the reader may propose a framework."""
    return any(desk.hands(code).may(ProposeFramework.type) for code in desk.homes)


def offered(found: list[Standing], desk: Desk) -> dict[str, list[tuple[str, str]]]:
    """What the board can be narrowed to."""
    homes = [desk.homes[code] for code in desk.homes]
    sectors = {code for each in found for code in each.row.sectors}
    return {
        "region": [(name, name) for name in sorted({home.region for home in homes})],
        "circle": [(name, name) for name in sorted({home.circle for home in homes})],
        "sector": sorted(((code, word(code, desk.language)) for code in sectors), key=lambda pair: pair[1]),
    }


def card(each: Standing, desk: Desk) -> dict[str, Any]:
    """One framework as the board tells it."""
    language = desk.language
    return {
        "id": each.row.framework,
        "commune": each.home.name,
        "where": f"{each.home.circle}, {each.home.region}",
        "title": each.row.title,
        "stage": each.row.stage,
        "cycle": each.row.cycle,
        "left": left(each.left, language),
        "over": each.left is not None and each.left < 0,
        "late": [overdue_line(one, each.state, language) for one in each.late],
        "requests": [(row.request, request_lines(row, language)[0]) for row in each.requests],
        "next": (each.mine[0].command, option_label(each.mine[0], language)) if each.mine else None,
        "more": len(each.mine) - 1,
        "waits_for": each.waits_for,
    }


def left(days: int | None, language: Language) -> str:
    """``3 days left in the plan``, ``the plan ended 2 days ago``; nothing where no plan runs."""
    if days is None:
        return ""
    if days < 0:
        return text("message.plan-over", language, "", days=-days)
    return text("message.plan-left", language, "", days=days)
