"""The pictures in a real browser: on a telephone and on a desk, by themselves and inside a page."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from cycle.catalogue import LANGUAGES, Language
from cycle.engine import Engine
from cycle.history import Cutoffs
from cycle.reading import Filters, Reader
from cycle.timings.measuring import By
from cycle.timings.pictures.all import PICTURES, Pictured, pictured
from cycle_adapters.http.pages import Pages
from cycle_adapters.pictures.drawing import drawn
from tests.desk.addresses import FACILITATES
from tests.desk.conftest import AXE, Opens
from tests.desk.test_every_page import violations
from tests.timings.towns import TURN, A, D, M, N, O, P, S, X, pictures, town

SHOTS = os.environ.get("CYCLE_SCREENSHOTS")
BOXES = """() => [...document.querySelectorAll("svg text")].map(text => {
  const box = text.getBoundingClientRect();
  const sheet = text.ownerSVGElement.getBoundingClientRect();
  return [text.textContent, box.left - sheet.left, box.top - sheet.top, box.right - sheet.left, box.bottom - sheet.top,
    sheet.width, sheet.height];
})"""
LIVED = {
    **{f"Cadre de concertation n° {n}": ((D, 31 + n), *TURN * (n + 1), (M, 0)) for n in range(6)},
    "Cadre suspendu": ((D, 30), (N, 10), (M, 3), (S, 40), (M, 20), (P, 5), (M, 2), (P, 3), (O, 9), (S, 0)),
    "Cadre dissous": ((D, 30), *TURN, (N, 4), (M, 8), (P, 1), (O, 20), (A, 2), (O, 90), (X, 0)),
    "Cadre au nom qui ne finit pas, entre la commune rurale et le secteur privé de la zone": ((D, 0),),
}  # fmt: skip
LEADING = 0.3
"""Of its height a box of a browser holds so much above and below the letters in it."""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with town(tmp_path_factory.mktemp("pictures") / "a.db", LIVED) as found:
        yield found


@pytest.fixture(scope="module")
def found(engine: Engine, demo: tuple[str, Engine]) -> list[Pictured]:
    """Every picture of the demo, and of frameworks in all conditions."""
    reader = Reader(demo[1], FACILITATES)
    reader.catch_up()
    alone = Filters(framework=reader.frameworks()[0].framework)
    return [
        *pictures(engine),
        *(each for each in pictures(engine, By.REGION) if each.picture == "next-plan"),
        *(
            pictured(reader, each, None, alone if each.alone else Filters(), Cutoffs(as_of=date(2023, 10, 1)))
            for each in PICTURES.values()
        ),
    ]


def page_of(svg: str, language: Language) -> str:
    """A page as ours are, with our style sheet."""
    style = Pages().style()
    return (
        f'<!doctype html><html lang="{language}"><head><title>x</title><meta name="viewport"'
        f' content="width=device-width, initial-scale=1"><style>{style}</style></head><body><main><h1>x</h1>'
        f'<div class="pictures"><figure class="picture">{svg}</figure></div></main></body></html>'
    )


@pytest.fixture(params=[320, 390, 1200])
def page(opens: Opens, demo: tuple[str, Engine], request: pytest.FixtureRequest) -> Page:
    return opens(demo[0], FACILITATES, request.param)


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_stay_on_the_sheet_and_apart_at_every_width(
    page: Page, found: list[Pictured], language: Language
) -> None:
    for number, each in enumerate(found):
        page.set_content(page_of(drawn(each, language), language))
        boxes: list[Any] = page.evaluate(BOXES)
        assert boxes
        for words, left, top, right, bottom, wide, high in boxes:
            assert left >= -0.5, (each.picture, words)
            assert right <= wide + 0.5, (each.picture, words, right, wide)
            assert -0.5 <= top < bottom <= high + 0.5, (each.picture, words)
        for (one, l1, t1, r1, b1, *_), (other, l2, t2, r2, b2, *_) in combinations(boxes, 2):
            across, down = min(r1, r2) - max(l1, l2), min(b1, b2) - max(t1, t2)
            assert across <= 0.5 or down <= LEADING * min(b1 - t1, b2 - t2), (each.picture, one, other)
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]
        if SHOTS:
            name = f"{number}-{each.picture}-{language}-{page.viewport_size['width']}.png"  # type: ignore[index]
            page.screenshot(path=Path(SHOTS) / name, full_page=True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_axe_finds_nothing_in_a_page_with_a_picture(
    opens: Opens, demo: tuple[str, Engine], found: list[Pictured], language: Language
) -> None:
    page, script = opens(demo[0], FACILITATES, 390), AXE.read_text("utf-8")
    for each in found:
        page.set_content(page_of(drawn(each, language), language))
        page.evaluate(script)
        assert violations(page) == [], each.picture


def test_a_picture_by_itself_breaks_no_rule_of_what_a_browser_may_do(opens: Opens, demo: tuple[str, Engine]) -> None:
    """Given our own security policy, then nothing in the file is turned away."""
    page = opens(demo[0], FACILITATES)
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text))
    for name, picture in PICTURES.items():
        more = "" if not picture.alone else f"?framework={Reader(demo[1], FACILITATES).frameworks()[0].framework}"
        answer = page.goto(f"/api/v1/timings/pictures/{name}.svg{more}")
        assert answer is not None
        assert answer.status == 200
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert page.locator("text").count() > 2
    assert complaints == []
