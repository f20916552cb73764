"""Pages for people: what they look like, and where each stands."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader
from markupsafe import Markup, escape

from cycle.catalogue import Language, shown, template, text, verbatim
from cycle_adapters.http.answering import FOR_A_YEAR
from cycle_adapters.http.pages_board import board_pages
from cycle_adapters.http.pages_comparison import comparison_pages
from cycle_adapters.http.pages_desk import link
from cycle_adapters.http.pages_doing import doing_pages
from cycle_adapters.http.pages_framework import framework_pages
from cycle_adapters.http.pages_meeting import meeting_pages
from cycle_adapters.http.pages_offline import offline_pages
from cycle_adapters.http.pages_orders import order_pages
from cycle_adapters.http.pages_replay import replay_pages
from cycle_adapters.http.pages_requests import request_pages
from cycle_adapters.http.pages_risk import risk_pages
from cycle_adapters.http.pages_shell import Shell, shell_pages
from cycle_adapters.http.pages_subscriptions import subscription_pages
from cycle_adapters.http.pages_timings import timing_pages
from cycle_adapters.http.pages_vocabulary import vocabulary_pages

_TURNS = dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
"""What turns the direction of writing: a text that holds it would rearrange the words around it."""


_NUMBERED = re.compile(r"<(title|option|textarea)\b.*?</\1>|<[^>]*>|\b((?:MB|[NMACO])-\d+)\b", re.DOTALL)
"""A number such as ``MB-3`` among what is shown; elements that take no others in, and marks, are passed over."""


def _whole(page: str) -> str:
    """A page in which no number breaks at its hyphen; whoever copies it copies what stands there."""
    return _NUMBERED.sub(lambda found: f'<span class="no">{found[2]}</span>' if found[2] else found[0], page)


def _straight(value: object) -> object:
    """What is told, without what turns it around."""
    return value.translate(_TURNS) if type(value) is str else value


def _typed(value: object) -> Markup:
    """What somebody has typed goes back into its field as it was."""
    return escape(value)


class Pages:
    """Renders the templates in one language."""

    def __init__(self, *, signs_in: bool = False) -> None:
        self._templates = Environment(
            loader=PackageLoader("cycle_adapters.http"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_straight,
        )
        self._templates.globals["signs_in"] = signs_in
        self._templates.filters["typed"] = _typed
        self._style = self._templates.get_template("style.css").render()
        self.version = sha256(self._style.encode()).hexdigest()[:12]
        self.shell = Shell(self._style)

    def page(self, name: str, language: Language, *, status: int = 200, path: str, **values: Any) -> HTMLResponse:
        """A page. ``path`` is its own address without the language, with which it is found in the other one."""

        def word(value: object) -> str:
            return str(shown(value, language))

        def say(key: str, **more: object) -> str:
            return text(f"message.{key}", language, "", **more)

        def quote(key: str, **more: object) -> str:
            return verbatim(f"message.{key}", language, **more)

        def pair(label: str, value: object) -> str:
            return template("message.pair", language).format(label=label, value=value)

        def url(path: str, **more: object) -> str:
            return link(path, language, **more)

        def command(name: str) -> str:
            return text(f"command.{name}", language)

        def trouble(name: str, part: str = "") -> str:
            return text(f"trouble.{name}", language, part)

        helps = {
            "word": word, "say": say, "quote": quote, "pair": pair, "url": url, "command": command, "trouble": trouble,
        }  # fmt: skip
        page = self._templates.get_template(name)
        shown_values = {
            "lang": language,
            "path": path,
            "style": self.version,
            "script": self.shell.version,
            **helps,
            **values,
        }
        return HTMLResponse(_whole(page.render(**shown_values)), status, {"Content-Language": language})

    def style(self) -> str:
        return self._style


def pages(look: Pages) -> APIRouter:
    """Every page."""
    router = APIRouter()

    @router.get("/style.css")
    def style() -> Response:
        return Response(look.style(), media_type="text/css", headers={"Cache-Control": FOR_A_YEAR})

    parts = (
        board_pages, framework_pages, doing_pages, replay_pages, meeting_pages, request_pages, offline_pages,
        order_pages, subscription_pages, vocabulary_pages, timing_pages, risk_pages, comparison_pages,
    )  # fmt: skip
    for part in parts:
        router.include_router(part())
    router.include_router(shell_pages(look))
    return router
