"""Whether a page is as it should be for people: axe finds nothing, and nothing is cut off on a small screen."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.desk.conftest import AXE
from tests.desk.test_every_page import SHOTS, violations

NARROW, TELEPHONE, WIDE = 320, 390, 1200


def looks_well(page: Page, name: str) -> None:
    """What is shown now, as it is in this language; ``name`` is that of its pictures, where they are wanted."""
    size = page.viewport_size
    assert size is not None
    page.set_viewport_size({"width": NARROW, "height": 700})
    page.evaluate(AXE.read_text("utf-8"))
    found = violations(page)
    assert not found, f"{name}: {found}"
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW, name
    for width in (TELEPHONE, WIDE) if SHOTS else ():
        page.set_viewport_size({"width": width, "height": 844})
        page.screenshot(path=Path(str(SHOTS)) / f"offline-{name}-{width}.png", full_page=True)
    page.set_viewport_size(size)


def outbox_looks_well(page: Page, name: str, items: int) -> None:
    """The outbox as it is now, in both languages."""
    for language in ("en", "fr"):
        page.goto(f"/outbox?lang={language}")
        expect(page.locator("#items > li")).to_have_count(items)
        looks_well(page, f"outbox-{name}-{language}")
