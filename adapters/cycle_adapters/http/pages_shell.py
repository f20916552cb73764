"""What works in a browser without a connection: our script, its texts, the service worker, and the outbox."""

from __future__ import annotations

from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from cycle.catalogue import LANGUAGES, Language, keys, template, text
from cycle.commands import COMMANDS
from cycle_adapters.http.answering import FOR_A_YEAR
from cycle_adapters.http.problems import Stopped, spoken

if TYPE_CHECKING:
    from cycle_adapters.http.pages import Pages

JAVASCRIPT = "text/javascript; charset=utf-8"
ALSO = (
    "all-frameworks", "ask-for-it", "back-to-meeting", "change-it", "changed-since", "check-title", "binds-note",
    "form-choose", "form-needed", "not-recorded", "nothing-lost", "outbox-title", "pair", "rank", "record-it",
    "recorded-meanwhile", "row", "send-again-after-looking",
)  # fmt: skip
"""Texts of the pages that the script says as well, beside those of the kind ``offline`` that are its own."""


class Shell:
    """Our script, as it is served: read once, and named by what it holds."""

    def __init__(self, style: str) -> None:
        folder = files("cycle_adapters.http") / "scripts"
        self.files = {each.name: trimmed(each.read_text("utf-8")) for each in folder.iterdir()}
        for language in LANGUAGES:
            self.files |= {f"texts-{language}.json": texts(language), f"commands-{language}.json": names(language)}
        held = b"".join(body for _, body in sorted(self.files.items()))
        self.version = sha256(style.encode() + held).hexdigest()[:12]

    def worker(self, style: str) -> str:
        """The service worker: which version it is, and what it keeps of it."""
        kept = [f"/script/{self.version}/{name}" for name in sorted(self.files)]
        kept += [f"/style.css?v={style}", *(f"/outbox?lang={language}" for language in LANGUAGES)]
        shell = msgspec.json.encode(kept).decode()
        return f'import {{ serve }} from "/script/{self.version}/worker.js";\nserve("{self.version}", {shell});\n'


def trimmed(script: str) -> bytes:
    """A script without comments and indentation: who reads it has the file, and a slow line has less to carry."""
    lines = (line.strip() for line in script.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//")).encode()


def texts(language: Language) -> bytes:
    """What the script says in a language."""
    own = {code: template(f"offline.{code}", language) for code in sorted(keys("offline"))}
    return msgspec.json.encode({**own, **{code: template(f"message.{code}", language) for code in ALSO}})


def names(language: Language) -> bytes:
    """What commands are called: what was typed in one language is told in the other one, too."""
    return msgspec.json.encode({name: text(f"command.{name}", language) for name in sorted(COMMANDS)})


def shell_pages(look: Pages) -> APIRouter:
    """The script by its version, the worker, and the page of the outbox, which is the same for everybody."""
    router = APIRouter()

    @router.get("/script/{version}/{name}")
    def script(version: str, name: str) -> Response:
        shell = look.shell
        body = shell.files.get(name)
        if body is None:
            raise Stopped("not-found", list="/")
        # A page of an older version works with what there is; what is kept for a year is what its name says.
        kept = FOR_A_YEAR if version == shell.version else "no-cache"
        kind = JAVASCRIPT if name.endswith(".js") else "application/json"
        return Response(body, media_type=kind, headers={"Cache-Control": kept})

    @router.get("/sw.js")
    def worker() -> Response:
        body = look.shell.worker(look.version)
        return Response(body, media_type=JAVASCRIPT, headers={"Cache-Control": "no-cache"})

    @router.get("/outbox", response_class=HTMLResponse)
    def outbox(request: Request) -> HTMLResponse:
        page = look.page("outbox.html", spoken(request), path="/outbox", scripted=True)
        page.headers["Cache-Control"] = "no-cache"
        return page

    return router
