"""The console in a real browser: both languages, small screens, by keyboard, without script, and small on the wire."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Page, expect

from cycle.contracts import TYPES
from tests.desk.conftest import AXE, Opens
from tests.desk.serving import at_an_address
from tests.desk.test_every_page import FIRST_LOAD, LATER, fetched, violations
from tests.desk.webhooks import Console, consoled
from tests.webhooks.town import DHIS

SHOTS = os.environ.get("CYCLE_SCREENSHOTS")
"""A folder: every page is also drawn there, for people to look at."""


class Address(NamedTuple):
    """A page. ``typed``: its form is filled in so and sent, and what comes back is looked at, which ``shows`` this."""

    name: str
    path: str
    typed: dict[str, str] | None = None
    shows: str = "h1"


def pages(console: Console) -> Iterator[Address]:
    """Every page of the console, forms with their faults, what is looked at once more, and a secret."""
    one = f"/subscriptions/{console.parked}"
    yield Address("subscriptions", "/subscriptions")
    for name in ("well", "parked", "paused", "gone"):
        yield Address(f"subscription-{name}", f"/subscriptions/{getattr(console, name)}")
    yield Address("subscription-group", f"/subscriptions/{console.group}")
    yield Address("register-group", "/subscriptions/register/consumer-group")
    yield Address("check-group", f"/subscriptions/{console.group}/do/rewind-consumer-group", {"after": "3"}, ".note")
    yield Address("subscription-set-aside", f"{one}?stage=parked")
    yield Address("subscription-older", f"{one}?before={console.papers[8]}&facts=1")
    for command in ("pause-webhook", "replay-webhook", "rewind-webhook", "rotate-webhook-secret", "remove-webhook"):
        yield Address(f"order-{command}", f"{one}/do/{command}")
    yield Address("order-resume-webhook", f"/subscriptions/{console.paused}/do/resume-webhook")
    yield Address("wrong-pause", f"{one}/do/pause-webhook", {}, "#summary")
    yield Address("wrong-replay", f"{one}/do/replay-webhook", {"after": "9", "up_to": "x"}, "#summary")
    yield Address("check-rewind", f"{one}/do/rewind-webhook", {"after": "3"}, ".note")
    yield Address("check-remove", f"{one}/do/remove-webhook", {"reason": "Fin du projet"}, ".note")
    yield Address("register", "/subscriptions/register/webhook")
    yield Address("wrong-register", "/subscriptions/register/webhook", {"url": "ftp://x"}, "#summary")
    yield Address("secret", f"{one}/do/rotate-webhook-secret", {"overlap_hours": "24"}, ".done code")
    yield Address("catalogue", "/catalogue")
    yield Address("catalogue-search", "/catalogue?q=plan&area=plan")
    yield Address("catalogue-nothing", "/catalogue?q=zzz")
    for type in ("plan-agreed", "meeting-opened", "policy-published", "webhook-resumed", "act-requested"):
        yield Address(f"type-{type}", f"/catalogue/{type}")
    yield Address("subscription-unknown", "/subscriptions/nowhere")


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Console]]:
    with consoled(tmp_path_factory.mktemp("console")) as found, at_an_address(found.lived().town.engine) as address:
        yield address, found


@pytest.fixture(scope="module")
def addresses(console: tuple[str, Console]) -> list[Address]:
    return list(pages(console[1]))


def shown(page: Page, each: Address, language: str) -> None:
    page.goto(f"{each.path}{'&' if '?' in each.path else '?'}lang={language}")
    if each.typed is not None:
        for name, value in each.typed.items():
            page.locator(f"[name={name}]").fill(value)
        page.locator("#form button:not(.plain)").first.click()
    expect(page.locator(each.shows).first).to_be_visible()
    for one in page.locator("details").all():
        one.evaluate("one => { one.open = true }")


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("width", [320, 390, 1200])
def test_axe_finds_nothing_and_nothing_is_cut_off(
    console: tuple[str, Console], addresses: list[Address], opens: Opens, language: str, width: int
) -> None:
    page, script = opens(console[0], DHIS, width), AXE.read_text("utf-8")
    for each in addresses:
        shown(page, each, language)
        assert page.locator("html").get_attribute("lang") == language
        assert page.evaluate("document.documentElement.scrollWidth") <= width, each.name
        page.evaluate(script)
        assert violations(page) == [], each.name
        if SHOTS:
            page.screenshot(path=Path(SHOTS) / f"{each.name}-{language}-{width}.png", full_page=True)


def test_at_twice_the_size_nothing_is_cut_off(
    console: tuple[str, Console], addresses: list[Address], opens: Opens
) -> None:
    page = opens(console[0], DHIS, 640)
    for each in addresses:
        shown(page, each, "fr")
        page.evaluate("document.documentElement.style.fontSize = '32px'")
        assert page.evaluate("document.documentElement.scrollWidth") <= 640, each.name


def test_every_page_is_small(console: tuple[str, Console], addresses: list[Address]) -> None:
    read = [each for each in addresses if each.typed is None and each.name != "subscription-unknown"]
    paths = [*(each.path for each in read), *(f"/catalogue/{type}" for type in TYPES)]
    sizes = {path: len(fetched(console[0] + path, DHIS)[0]) for path in paths}
    assert max(sizes.values()) <= LATER, max(sizes, key=lambda path: sizes[path])
    page = fetched(f"{console[0]}/subscriptions", DHIS)[1].decode()
    parts = [page.partition(f'{mark}="')[2].partition('"')[0] for mark in ('stylesheet" href', 'module" src')]
    whole = sum(len(fetched(console[0] + part, DHIS)[0]) for part in parts) + sizes["/subscriptions"]
    assert whole <= FIRST_LOAD


def test_a_webhook_is_paused_by_keyboard_alone_and_without_script(console: tuple[str, Console], opens: Opens) -> None:
    page = opens(console[0], DHIS, 390, script=False)
    page.goto(f"/subscriptions/{console[1].well}?lang=fr")
    page.locator(f'main a[href*="{console[1].well}/do/pause-webhook"]').focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Suspendre un webhook")
    page.locator("[name=reason]").focus()
    page.keyboard.type("Mise à jour")
    page.keyboard.press("Tab")
    expect(page.locator("#form button")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".done")).to_contain_text("Mise à jour")
    page.go_back()
    page.goto(f"/subscriptions/{console[1].well}?lang=fr")
    expect(page.locator(".stage").first).to_have_text("suspendu")


def test_the_catalogue_is_looked_through_without_script(console: tuple[str, Console], opens: Opens) -> None:
    page = opens(console[0], DHIS, script=False)
    page.goto("/catalogue?lang=fr")
    page.locator("[name=q]").fill("plan convenu")
    page.locator("[name=area]").select_option("plan")
    page.locator("main button").click()
    expect(page.locator("main li a")).to_have_text(["plan-agreed"])
    page.locator("main li a").click()
    expect(page.locator("h1")).to_have_text("plan-agreed")


@pytest.mark.parametrize("script", [True, False])
def test_only_our_own_script_runs(
    console: tuple[str, Console], addresses: list[Address], opens: Opens, script: bool
) -> None:
    page = opens(console[0], DHIS, script=script)
    for each in addresses:
        if each.typed is None:
            page.goto(each.path)
            assert page.locator("script").count() == page.locator('script[src^="/script/"]').count()
            assert page.locator("[style], [onclick], [onload]").count() == 0
