"""Pages for people: all frameworks, one framework, its history."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader

from cycle.aggregates.framework.decision import Option
from cycle.aggregates.framework.state import Framework, Stage
from cycle.aggregates.terms import FrameworkId
from cycle.catalogue import Language, shown, template, text
from cycle.naming import Names
from cycle.reading import Filters, Reader
from cycle.telling import (
    brief,
    corrections,
    guards_saw,
    headline,
    leads_to,
    moves_from,
    option_label,
    overdue_line,
    sentence,
    steps,
    whom_to_call,
    why_suspended,
)
from cycle_adapters.http.calling import PageReader

Asked = Annotated[Language, Query()]


class Pages:
    """Renders the templates in one language."""

    def __init__(self, *, signs_in: bool = False) -> None:
        self._templates = Environment(loader=PackageLoader("cycle_adapters.http"), autoescape=True)
        self._templates.globals["signs_in"] = signs_in

    def page(self, name: str, language: Language, *, status: int = 200, **values: Any) -> HTMLResponse:
        def word(value: object) -> str:
            return str(shown(value, language))

        def say(key: str, **more: object) -> str:
            return text(f"message.{key}", language, "", **more)

        def pair(label: str, value: object) -> str:
            return template("message.pair", language).format(label=label, value=value)

        page = self._templates.get_template(name)
        return HTMLResponse(page.render(lang=language, word=word, say=say, pair=pair, **values), status)

    def style(self) -> str:
        return self._templates.get_template("style.css").render()


def pages(look: Pages) -> APIRouter:
    """Every page."""
    router = APIRouter()

    @router.get("/style.css")
    def style() -> Response:
        return Response(look.style(), media_type="text/css")

    @router.get("/", response_class=HTMLResponse)
    def home(reader: PageReader, lang: Asked = "fr") -> HTMLResponse:
        names = {row.code: row for row in reader.communes()}
        today = reader.engine.today()
        return look.page(
            "frameworks.html",
            lang,
            rows=sorted(reader.frameworks(), key=lambda row: (names[row.commune].region, names[row.commune].name)),
            names=names,
            late=Counter(each.framework for each in reader.overdue(today)),
            moves={stage.value: [text(f"command.{move}", lang) for move in moves_from(stage)] for stage in Stage},
            today=today,
            path="/",
        )

    @router.get("/frameworks/{identity}", response_class=HTMLResponse)
    def one(identity: FrameworkId, reader: PageReader, lang: Asked = "fr") -> HTMLResponse:
        def rows(name: str, filters: Filters) -> list[Any]:
            return list(reader.rows(name, filters))

        found = reader.find_framework(identity)
        filters = Filters(framework=found)
        state = reader.framework(found)
        commune = {row.code: row.name for row in reader.communes()}
        suspended = state.stage is Stage.SUSPENDED
        return look.page(
            "framework.html",
            lang,
            title=state.title,
            headline=headline(state, commune.get(state.commune, state.commune), lang),
            why=why_suspended(reader.history(found), lang) if suspended else "",
            late=[overdue_line(each, state, lang) for each in reader.overdue(reader.engine.today(), filters)],
            members={m.member: m.name for m in rows("members", filters)},
            plans=[p for p in rows("plans", filters) if p.in_force],
            actions=rows("actions", filters),
            obstacles=rows("obstacles", filters),
            today=reader.engine.today(),
            path=f"/frameworks/{found}",
            **told_steps(state, reader, lang),
        )

    @router.get("/frameworks/{identity}/history", response_class=HTMLResponse)
    def history(identity: FrameworkId, reader: PageReader, lang: Asked = "fr") -> HTMLResponse:
        found = reader.find_framework(identity)
        facts, names = reader.framework_facts(found), Names(lang)
        for fact in facts:
            names.learn(fact.recorded)
        told = [
            {
                "position": fact.position,
                "fact": fact.recorded,
                "sentence": names.beside(fact.recorded, sentence(fact.recorded, lang)),
                "saw": guards_saw(fact.recorded, lang),
                "corrections": corrections(fact.recorded, lang),
            }
            for fact in facts
        ]
        state = reader.framework(found)
        return look.page("history.html", lang, facts=told, state=state, path=f"/frameworks/{found}/history")

    return router


def told_steps(state: Framework, reader: Reader, language: Language) -> dict[str, Any]:
    """What may happen next as the page of a framework tells it: moves first, each with what it waits for."""
    today = reader.engine.today(state.zone)
    found = steps(reader.options(state.id))

    def option(each: Option) -> dict[str, Any]:
        to = leads_to(each, state, today)
        label = option_label(each, language)
        return {
            "label": f"{label} → {shown(to, language)}" if to else label,
            "roles": whom_to_call(each.roles, language),
            "reasons": [brief(finding, state.members, language) for finding in each.refused_by],
        }

    missing = [
        {
            "moves": [option(move) for move in each.moves],
            "reasons": [brief(finding, state.members, language) for finding in each.findings],
        }
        for each in found.missing
    ]
    rest = {name: [option(each) for each in getattr(found, name)] for name in ("possible", "not_yet", "any_time")}
    return {"moves": [option(each) for each in found.moves], "missing": missing, **rest}
