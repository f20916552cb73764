"""A page that is printed holds what there is to read: no navigation, no buttons, and what is folded on the screen."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page

from cycle.aggregates.framework.state import Stage
from cycle.aggregates.terms import FrameworkId
from cycle.catalogue import day
from cycle.engine import Engine
from cycle.reading import Reader
from tests.desk.addresses import FACILITATES, in_stage
from tests.desk.conftest import Opens

A4 = {"width": 680, "height": 1000}
"""What an A4 sheet holds between its margins, in the pixels of a style sheet."""
NOT_ON_PAPER = "header, footer, button, .button, form.filters, .pager, .screen, #follow"

FILL = """() => {
    for (const each of document.querySelectorAll("#form select")) each.selectedIndex ||= 1;
    for (const each of document.querySelectorAll("#form [type=date]")) each.value ||= "2026-03-02";
    for (const each of document.querySelectorAll("#form textarea")) each.value ||= "Aucune";
}"""
"""Something in every field."""
SEPARATOR = "\u00a0: "


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


@pytest.mark.parametrize(
    "path",
    ["", "/history", "/replay", "/compare?from=1&to=999", "/meeting?step=pledges", "/do/agree-plan", "/do/amend-need"],
)
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


@pytest.mark.parametrize(
    ("language", "words"), [("fr", "Tel que facilitator-pact l'a vu le"), ("en", "As facilitator-pact")]
)
def test_a_confirmation_on_paper_says_of_what_when_and_by_whom(
    demo: tuple[str, Engine], printed: Page, language: str, words: str
) -> None:
    base = f"/frameworks/{in_stage(demo[1], Stage.MONITORING)}"
    reader = Reader(demo[1], FACILITATES)
    fact = reader.framework_facts(FrameworkId(base.rpartition("/")[2]))[-1]
    address = f"{base}/done/{fact.recorded.causation}"
    printed.goto(f"{address}?lang={language}")
    [said] = shown(printed, ".done")
    assert reader.framework(FrameworkId(base.rpartition("/")[2])).title in said
    assert day(fact.recorded.occurred_on, "fr" if language == "fr" else "en") in said
    assert fact.recorded.by.actor in said
    assert str(fact.position) in said
    [seen] = shown(printed, ".paper")
    assert seen.startswith(words)
    assert seen.endswith(address)
    printed.emulate_media(media="screen")
    assert shown(printed, ".paper") == []


def test_what_is_checked_says_on_paper_of_which_framework_it_is(demo: tuple[str, Engine], printed: Page) -> None:
    printed.goto(f"/frameworks/{in_stage(demo[1], Stage.MEETING)}/do/agree-plan?lang=fr")
    printed.evaluate(FILL)
    place = printed.locator("#form").get_attribute("data-name")
    printed.locator("#form > button").last.evaluate("each => each.click()")
    printed.locator("#check").wait_for()
    assert shown(printed, "#check > p")[0] == f"Convenir du plan d'action — {place}".replace(" — ", SEPARATOR)
    assert shown(printed, NOT_ON_PAPER) == []


def test_no_word_of_a_table_is_cut(demo: tuple[str, Engine], printed: Page) -> None:
    printed.goto(f"/frameworks/{in_stage(demo[1], Stage.MONITORING)}?lang=fr")
    lines = printed.locator("td.word").evaluate_all(
        """all => all.filter(each => !/\\s/.test(each.textContent.trim())).map(each => {
            const range = document.createRange();
            range.selectNodeContents(each);
            return new Set([...range.getClientRects()].map(one => one.top)).size;
        })"""
    )
    assert lines
    assert set(lines) == {1}


def test_a_part_of_a_history_says_which_and_names_a_promise_once(demo: tuple[str, Engine], printed: Page) -> None:
    printed.goto(f"/frameworks/{in_stage(demo[1], Stage.MONITORING)}/history?lang=fr")
    assert "ici 1 à 40" in printed.locator("h1 + p").inner_text()
    told = printed.locator("ol.facts").inner_text()
    printed.locator("nav.pager a").last.evaluate("each => each.click()")
    printed.wait_for_url("**after=*")
    assert "ici 41 à 80" in printed.locator("h1 + p").inner_text()
    told += printed.locator("ol.facts").inner_text()
    promises = re.findall(r"promet C.\d+(.)", told)
    assert promises
    assert "(" not in {each.strip() for each in promises}
