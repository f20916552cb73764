"""A framework behind a real server, and people whose browsers have signed in there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple

from fastapi import FastAPI
from playwright.sync_api import BrowserContext, Page, expect

from cycle.aggregates.framework.state import Stage
from cycle.engine import Engine
from cycle.identity.sessions import Sessions
from cycle_adapters.http.app import make_app
from cycle_adapters.http.sign_in_pages import SigningIn
from cycle_adapters.http.signing_in import LOCAL, SignedIn
from tests.desk.conftest import PATIENCE
from tests.desk.places import TODAY
from tests.desk.serving import at_an_address
from tests.engine.path import Path as Way
from tests.http.town import WIDE, rooms

Enters = Callable[..., BrowserContext]
"""A browser of its own, signed in as an account."""


def signing_in(engine: Engine) -> FastAPI:
    """The application as it is served: people sign in, and have sessions."""
    sessions = Sessions(engine)
    return make_app(engine, SignedIn(sessions), rooms(engine), WIDE, SigningIn(engine, sessions))


class Town(NamedTuple):
    """One framework at an address; ``base`` is the path of its page."""

    engine: Engine
    address: str
    way: Way
    base: str

    def position(self) -> int:
        return self.engine.store.head().position

    def recorded(self, after: int) -> list[str]:
        """The types of what was recorded since."""
        return [topic for _, topic, *_ in self.engine.store.read(after)]


@contextmanager
def town_at(url: str, stage: Stage, now: datetime = TODAY) -> Iterator[Town]:
    """The framework of Dioro at a stage."""
    with Engine(url, clock=lambda: now) as engine:
        way = Way(engine)
        identity = way.to(stage)
        with at_an_address(engine, signing_in(engine)) as address:
            yield Town(engine, address, way, f"/frameworks/{identity}")


def sign_in(context: BrowserContext, engine: Engine, address: str, account: str) -> str:
    """Let a browser be somebody; returns the id of the session."""
    begun = Sessions(engine).begin(account)
    context.add_cookies([{"name": LOCAL, "value": begun.id, "url": address}])
    return begun.id


def knows(page: Page, account: str) -> None:
    """Wait until the browser knows who is signed in: until then a page may ask, and come again by itself."""
    comes_true(
        page,
        """async account => {
            const script = document.querySelector("script[type=module]").src;
            return await (await import(script.replace("desk.js", "store.js"))).account() === account;
        }""",
        account,
    )


def follow(page: Page, base: str, language: str = "fr") -> None:
    """Follow a framework, and wait until its pages are kept."""
    page.goto(f"{base}?lang={language}")
    page.locator("#follow").click()
    expect(page.locator("#followed")).to_contain_text("pages gardées" if language == "fr" else "pages kept")


def comes_true(page: Page, condition: str, given: object = None) -> None:
    """Wait until an asynchronous function of the page says yes (a driver takes its promise for a yes)."""
    page.evaluate(
        f"""async ([given, patience]) => {{
            const condition = {condition}, until = Date.now() + patience;
            while (!await condition(given)) {{
                if (Date.now() > until) throw new Error(`never true: ${{condition}}`);
                await new Promise(resolve => setTimeout(resolve, 20));
            }}
        }}""",
        [given, PATIENCE],
    )


def in_outbox(page: Page, state: str) -> None:
    """Wait until the first item of the outbox page is in a state."""
    expect(page.locator("#items > li").first).to_have_attribute("data-state", state)
