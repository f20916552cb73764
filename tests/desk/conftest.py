"""A real browser, and a town with several frameworks to look at."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright
from starlette.testclient import TestClient

from cycle.demo import Simulated
from cycle.engine import Engine
from cycle_adapters.files.deliberations import recorded
from tests.desk.serving import at_an_address
from tests.desk.webhooks import Console, consoled
from tests.http.town import named, served

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
HELP = "no Chromium is installed: run `make test` as root, or `apt-get install chromium`"
PATIENCE = 60_000
"""Milliseconds after which something will not come any more; on a busy machine it takes a while."""
Opens = Callable[..., Page]


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where the browser of the system is."""
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    assert path, HELP
    return path


@pytest.fixture(scope="module")
def driver() -> Iterator[Playwright]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def browser(driver: Playwright, chromium: str) -> Iterator[Browser]:
    """The browser of the system."""
    browser = driver.chromium.launch(executable_path=chromium)
    yield browser
    browser.close()


@pytest.fixture
def opens(browser: Browser) -> Iterator[Opens]:
    """Opens a page as an account; nothing that it asks for may lie at another address."""
    with ExitStack() as stack:
        strayed: list[str] = []

        def open_page(address: str, account: str, width: int = 1200, script: bool = True) -> Page:
            context = browser.new_context(
                viewport={"width": width, "height": 900},
                extra_http_headers=named(account),
                java_script_enabled=script,
                base_url=address,
                locale="fr-FR",
            )
            stack.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(PATIENCE)
            page.on("request", lambda asked: None if asked.url.startswith(address) else strayed.append(asked.url))
            return page

        yield open_page
        assert not strayed, f"asked for elsewhere: {strayed}"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Engine]]:
    """A demo with four frameworks at an address; ``facilitator-pact`` facilitates everywhere."""
    path = tmp_path_factory.mktemp("desk") / "demo.db"
    with Simulated(f"sqlite:///{path}", 1) as simulated:
        simulated.tell(recorded, frameworks=4, cycles=1)
    with Engine(f"sqlite:///{path}") as engine, at_an_address(engine) as address:
        yield address, engine


AXE = Path(__file__).parent / "axe" / "axe.min.js"


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """Webhooks and a consumer group to look at, of a town of its own."""
    with consoled(tmp_path) as found:
        yield found


@pytest.fixture
def client(console: Console) -> Iterator[TestClient]:
    with served(console.town.engine) as found:
        yield found
