"""A page that is printed holds what there is to read: no navigation, no buttons, and what is folded on the screen."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from cycle.aggregates.framework.state import Stage
from cycle.engine import Engine
from tests.desk.addresses import FACILITATES, in_stage
from tests.desk.conftest import Opens

A4 = {"width": 680, "height": 1000}
"""What an A4 sheet holds between its margins, in the pixels of a style sheet."""
NOT_ON_PAPER = "header, footer, button, .button, form.filters, .pager, .screen, #follow"


@pytest.fixture
def printed(demo: tuple[str, Engine], opens: Opens) -> Page:
    page = opens(demo[0], FACILITATES)
    page.set_viewport_size({"width": A4["width"], "height": A4["height"]})
    page.emulate_media(media="print")
    return page


def shown(page: Page, what: str) -> list[str]:
    """The words of what is to be seen of a selector."""
    found: list[str] = page.locator(what).evaluate_all(
        "all => all.filter(each => each.checkVisibility({contentVisibilityAuto: true})).map(each => each.textContent)"
    )
    return found


@pytest.mark.parametrize("path", ["", "/history", "/replay", "/meeting?step=pledges", "/do/agree-plan"])
def test_on_paper_there_is_nothing_to_press(demo: tuple[str, Engine], printed: Page, path: str) -> None:
    base = f"/frameworks/{in_stage(demo[1], Stage.MONITORING)}"
    for address in (base + path, "/"):
        printed.goto(f"{address}{'&' if '?' in address else '?'}lang=fr")
        assert shown(printed, NOT_ON_PAPER) == []
        assert shown(printed, "h1") != []
        assert printed.evaluate("document.documentElement.scrollWidth") <= A4["width"]


def test_what_a_framework_holds_is_on_paper_though_it_is_folded_on_the_screen(
    demo: tuple[str, Engine], printed: Page
) -> None:
    printed.goto(f"/frameworks/{in_stage(demo[1], Stage.MONITORING)}?lang=fr")
    assert printed.locator("details.held[open]").count() == 0
    assert len(shown(printed, "details.held li")) > 5
    colours = printed.locator(".stepper .current").evaluate(
        "each => [getComputedStyle(each).color, getComputedStyle(each).backgroundColor]"
    )
    # A browser prints no backgrounds: white words on green would be white on white.
    assert colours == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]


def test_no_number_breaks_at_its_hyphen(demo: tuple[str, Engine], opens: Opens) -> None:
    base, page = f"/frameworks/{in_stage(demo[1], Stage.MONITORING)}", opens(demo[0], FACILITATES, 320)
    for address in (base, f"{base}/history", f"{base}/replay", f"{base}/meeting?step=pledges"):
        page.goto(f"{address}{'&' if '?' in address else '?'}lang=fr")
        page.evaluate("() => { for (const each of document.querySelectorAll('details')) each.open = true }")
        lines = page.locator(".no").evaluate_all("all => all.map(each => each.getClientRects().length)")
        assert lines
        assert set(lines) == {1}
    page.evaluate("() => getSelection().selectAllChildren(document.querySelector('.no'))")
    assert "-" in page.evaluate("getSelection().toString()")
