"""What holds on every page, in both languages, in a real browser and on the wire."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Page, expect
from starlette.testclient import TestClient

from cycle.engine import Engine
from tests.desk.addresses import FACILITATES, Address, pages
from tests.desk.conftest import AXE, Opens
from tests.http.town import named

FIRST_LOAD, LATER = 25_000, 8_000
EVALUATION = 60_000
"""A page with pictures, for whoever sits at a desk."""
SHOTS = os.environ.get("CYCLE_SCREENSHOTS")
"""A folder: every page is also drawn there, for people to look at."""


@pytest.fixture(scope="module")
def addresses(demo: tuple[str, Engine]) -> list[Address]:
    return list(pages(demo[1]))


def shown(page: Page, each: Address, language: str) -> None:
    """A page as it is first, or as it is with its errors."""
    page.goto(f"{each.path}{'&' if '?' in each.path else '?'}lang={language}")
    if each.sends:
        page.locator("#form button:not(.plain)").first.click()
        expect(page.locator("#summary")).to_be_visible()


def violations(page: Page) -> list[str]:
    found: dict[str, Any] = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [f"{each['id']}: {node['html'][:200]}" for each in found["violations"] for node in each["nodes"]]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_axe_finds_nothing_and_nothing_is_cut_off_on_a_small_screen(
    demo: tuple[str, Engine], addresses: list[Address], opens: Opens, language: str
) -> None:
    page, script = opens(demo[0], FACILITATES, 320), AXE.read_text("utf-8")
    for each in addresses:
        shown(page, each, language)
        assert page.locator("html").get_attribute("lang") == language
        page.evaluate("each => { for (const one of document.querySelectorAll('details')) one.open = true }")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, each.name
        page.evaluate(script)
        assert violations(page) == [], each.name


@pytest.mark.parametrize("width", [600, 660, 960])
def test_wide_tables_leave_no_page_wider_than_its_screen(
    demo: tuple[str, Engine], addresses: list[Address], opens: Opens, width: int
) -> None:
    """1,200 px at 200 %, and what lies between: a table is moved by itself, with the keyboard too."""
    page = opens(demo[0], FACILITATES, width)
    for each in (each for each in addresses if each.name.startswith("timings")):
        page.goto(each.path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, each.name
        assert page.locator("table.stack:not(.scroll[tabindex] table)").count() == 0, each.name


if SHOTS:  # to be looked at by a person

    @pytest.mark.parametrize("language", ["fr", "en"])
    @pytest.mark.parametrize("width", [390, 1200])
    def test_every_page_is_drawn(
        demo: tuple[str, Engine], addresses: list[Address], opens: Opens, language: str, width: int
    ) -> None:
        page = opens(demo[0], FACILITATES, width)
        for each in addresses:
            shown(page, each, language)
            page.screenshot(path=Path(SHOTS) / f"{each.name}-{language}-{width}.png", full_page=True)


def fetched(address: str, account: str = FACILITATES) -> tuple[bytes, bytes]:
    """What comes over the wire, and what it says."""
    asked = Request(address, headers=named(account, **{"Accept-Encoding": "gzip"}))
    with urlopen(asked) as answer:
        wire = answer.read()
        return wire, gzip.decompress(wire) if answer.headers["Content-Encoding"] == "gzip" else wire


def fetched_by(client: TestClient, path: str) -> int:
    """How much comes over the wire for a page or a part of it."""
    with client.stream("GET", path, headers=named("awa", **{"Accept-Encoding": "gzip"})) as answer:
        assert answer.status_code == 200, path
        return sum(map(len, answer.iter_raw()))


def test_every_page_is_small(demo: tuple[str, Engine], addresses: list[Address]) -> None:
    sizes = {}
    for each in addresses:
        if each.name in ("not-found", "forbidden"):
            continue
        for language in ("fr", "en"):
            path = f"{each.path}{'&' if '?' in each.path else '?'}lang={language}"
            sizes[each.name, language] = len(fetched(f"{demo[0]}{path}")[0])
    most = {each: EVALUATION if each[0].startswith("timings") else LATER for each in sizes}
    assert not {each: size for each, size in sizes.items() if size > most[each]}


def test_every_page_names_its_json_which_is_there(demo: tuple[str, Engine], addresses: list[Address]) -> None:
    for each in addresses:
        if each.name in ("not-found", "forbidden", "board-mine"):
            continue
        page = fetched(demo[0] + each.path)[1].decode()
        _, found, rest = page.partition('rel="alternate" type="application/json" href="')
        assert found, each.name
        wire, _ = fetched(demo[0] + rest.partition('"')[0].replace("&amp;", "&"))
        assert wire


@pytest.fixture
def by_keyboard(demo: tuple[str, Engine], opens: Opens) -> Page:
    return opens(demo[0], FACILITATES)


def test_a_form_is_reached_filled_and_sent_by_keyboard_alone(by_keyboard: Page) -> None:
    page = by_keyboard
    page.goto("/do/propose-framework?lang=fr")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.locator("[name=commune]")).to_be_focused()
    page.locator("[name=title]").focus()
    page.keyboard.type("Cadre essayé au clavier")
    page.keyboard.press("Enter")
    expect(page.locator("#summary")).to_be_focused()
    expect(page.locator("[name=title]")).to_have_value("Cadre essayé au clavier")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("[name=commune]")).to_be_focused()


@pytest.mark.parametrize("script", [True, False])
def test_only_our_own_script_runs_and_all_pages_work_without(
    demo: tuple[str, Engine], addresses: list[Address], opens: Opens, script: bool
) -> None:
    page = opens(demo[0], FACILITATES, script=script)
    for each in addresses[:12]:
        page.goto(each.path)
        assert page.locator("script").count() == page.locator('script[src^="/script/"]').count() == 1
        assert page.locator("[style], [onclick], [onload]").count() == 0
