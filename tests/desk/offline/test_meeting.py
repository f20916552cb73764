"""A whole meeting with the network cut from its beginning to its end: nothing lost, nothing twice, all in order."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, expect

from cycle.commands import COMMANDS
from cycle.engine import Engine
from tests.desk.conftest import PATIENCE
from tests.desk.dioro import AWA, SECRETARY, Fill, first_cycle, town_hall
from tests.desk.filling import done
from tests.desk.offline.looks import looks_well
from tests.desk.offline.process import free_port, process
from tests.desk.offline.town import Enters, follow, sign_in
from tests.desk.test_browser import fill_in, main_button, walk
from tests.http.town import served

STEPS = {
    "open-meeting": "attendance",
    "propose-action": "proposals",
    "pledge-contribution": "pledges",
    "agree-plan": "decision",
    "close-meeting": "minutes",
}
"""What is said in the meeting, and on which of its steps."""


class Cycle(NamedTuple):
    """The steps before the meeting, in it and after it."""

    before: list[Fill]
    meeting: list[Fill]
    after: list[Fill]


def parts() -> Cycle:
    fills = list(first_cycle())
    inside = [number for number, fill in enumerate(fills) if fill.command in STEPS]
    first, behind = inside[0], inside[-1] + 1
    return Cycle(fills[:first], fills[first:behind], fills[behind:])


def facts(engine: Engine, before: int) -> list[tuple[str, str]]:
    """The facts behind a position, with ids that are made at random by the order in which they come up."""
    seen: dict[str, str] = {}

    def plain(found: re.Match[str]) -> str:
        return seen.setdefault(found[0], f"id-{len(seen)}")

    told = []
    for _, topic, schema, leaf in engine.store.read(before):
        fact = engine.leaves[topic, schema](leaf)
        words = f"{fact.data} {fact.occurred_on} {fact.by}"
        told.append((topic, re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", plain, words)))
    return told


@pytest.fixture
def online(tmp_path: Path) -> list[tuple[str, str]]:
    """The facts of the whole cycle with a connection."""
    with town_hall(f"sqlite:///{tmp_path / 'online.db'}") as engine, served(engine) as client:
        before, base = engine.store.head().position, ""
        for fill in first_cycle():
            page = done(client, base, fill)
            base = base or framework_of(page.request.url.path)
        return facts(engine, before)


def framework_of(address: str) -> str:
    """The path of a framework in the address of one of its pages."""
    found = re.search("/frameworks/[^/?]+", address)
    assert found
    return found[0]


class Hall(NamedTuple):
    """A town hall whose browser keeps what it has in a folder, and a server that can be killed."""

    engine: Engine
    url: str
    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    url = f"sqlite:///{tmp_path / 'offline.db'}"
    with town_hall(url) as engine:
        yield Hall(engine, url, free_port())


def reopened(driver: Playwright, chromium: str, folder: Path, hall: Hall) -> BrowserContext:
    """The browser of the town hall, with what it kept when it was closed."""
    context = driver.chromium.launch_persistent_context(
        folder, executable_path=chromium, base_url=hall.address, locale="fr-FR", viewport={"width": 390, "height": 844}
    )
    context.set_default_timeout(PATIENCE)
    return context


def say(page: Page, base: str, fill: Fill) -> None:
    """Fill the form of a step in, from pages that are kept."""
    page.goto(f"{base}/meeting?step={STEPS[fill.command]}&lang=fr")
    expect(page.locator("#no-connection")).to_be_visible()
    if fill.command == "open-meeting":
        tick_off(page, fill)
    else:
        page.locator(f'a[href*="/do/{fill.command}?"]').first.click()
        fill_in(page, fill)
    main_button(page).click()
    if COMMANDS[fill.command].binds:
        expect(page.get_by_role("heading", level=1)).to_have_text("Vérifiez avant d'enregistrer")
        looks_well(page, f"check-{fill.command}")
        main_button(page).click()
    expect(page.locator("#outcome")).to_contain_text("C'est gardé")


def tick_off(page: Page, fill: Fill) -> None:
    """The attendance list of the meeting: who came is ticked, and counted."""
    rows = fill.fields["attendance"]
    for row in rows:
        assert isinstance(row, dict)
        line = page.locator("fieldset.row").filter(has_text=row["member"])
        line.get_by_role("checkbox").check()
        for part in ("women", "men", "youth"):
            line.locator(f'[name$=".{part}"]').fill(row[part])
    page.locator("[name=_on]").fill(fill.on)


def test_a_meeting_without_a_connection_and_a_server_that_dies_when_it_is_sent(
    hall: Hall, online: list[tuple[str, str]], driver: Playwright, chromium: str, enters: Enters, tmp_path: Path
) -> None:
    (before, fills, after), folder = parts(), tmp_path / "profile"
    begun = hall.engine.store.head().position
    with process(hall.url, hall.port):
        context = reopened(driver, chromium, folder, hall)
        sign_in(context, hall.engine, hall.address, AWA)
        page = context.new_page()
        people = {AWA: page, SECRETARY: enters(hall.engine, hall.address, SECRETARY).new_page()}
        for fill in before:
            walk(people[fill.who], fill)
        base = framework_of(page.url)
        follow(page, base)
    convened = hall.engine.store.head().position
    context.set_offline(True)
    for fill in fills[:3]:
        say(page, base, fill)
    # The browser is closed, with all that is said so far, and opened again: still nothing leads to the server.
    cookies = context.cookies()
    context.close()
    context = reopened(driver, chromium, folder, hall)
    context.add_cookies(cookies)  # type: ignore[arg-type]
    context.set_offline(True)
    page = context.new_page()
    for fill in fills[3:]:
        say(page, base, fill)
    assert facts(hall.engine, convened) == []
    page.goto("/outbox?lang=fr")
    expect(page.locator("#items > li[data-state=waiting]")).to_have_count(len(fills))
    # The third command is recorded, and the server is killed before it can say so.
    with process(hall.url, hall.port, 3) as dying:
        context.set_offline(False)
        page.get_by_role("button", name="Envoyer maintenant").click()
        assert dying.wait(PATIENCE / 1_000) == -signal.SIGKILL
    recorded = page.locator("#items > li[data-state=recorded]")
    walked = sum(fill.who == AWA for fill in before)
    expect(recorded).to_have_count(walked + 2)
    expect(page.locator("#items > li[data-state=waiting]")).to_have_count(len(fills) - 2)
    # Nobody presses anything: it is tried again by itself.
    with process(hall.url, hall.port):
        expect(recorded).to_have_count(walked + len(fills))
        for fill in after:
            walk(page, fill)
    context.close()
    assert facts(hall.engine, begun) == online
