"""The board without a connection: what is followed, as it was, said so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, expect

from tests.desk.offline.looks import looks_well
from tests.desk.offline.test_outbox import need
from tests.desk.offline.town import Enters, Town, comes_true, follow
from tests.desk.test_browser import main_button

KEPT = """async () => {
    const [name] = (await caches.keys()).filter(each => each.startsWith("pages-"));
    const pages = name ? await caches.open(name) : undefined;
    return pages ? (await pages.keys()).map(each => each.url).filter(each => new URL(each).pathname === "/") : [];
}"""


def shown(page: Page, path: str) -> None:
    """The kept board under an address."""
    page.goto(path)
    expect(page.locator("#no-connection")).to_contain_text("Pas de réseau : cette page date du")
    expect(page.get_by_role("heading", level=1)).to_have_text("Cadres que vous suivez")
    expect(page.locator(".cards > li")).to_have_count(1)


def test_the_board_of_what_is_followed_is_there_without_a_connection(town: Town, enters: Enters) -> None:
    context = enters(town.engine, town.address, "awa")
    page = context.new_page()
    follow(page, town.base)
    context.set_offline(True)
    shown(page, "/?lang=fr")
    looks_well(page, "board-kept")
    # Somebody types the address, and no language.
    shown(page, "/")
    page.get_by_role("link", name="Dioro", exact=True).click()
    expect(page.locator("#no-connection")).to_contain_text("cette page date du")
    page.goto("/?lang=fr&mine=true")
    expect(page.locator("#no-connection")).to_contain_text("n'est pas gardée")


def test_what_is_recorded_is_on_the_board_that_is_kept_next(town: Town, enters: Enters) -> None:
    context = enters(town.engine, town.address, "awa")
    page = context.new_page()
    follow(page, town.base)
    with context.expect_event("requestfinished", lambda asked: "followed=" in asked.url):
        need(page, town.base)
        main_button(page).click()
        expect(page.get_by_role("heading", level=1)).to_have_text("C'est enregistré")


def test_an_old_board_is_fetched_again_when_the_board_is_looked_at(town: Town, enters: Enters) -> None:
    context = enters(town.engine, town.address, "awa")
    page = context.new_page()
    follow(page, town.base)
    page.evaluate(
        """async ([path, at]) => {
            const [name] = (await caches.keys()).filter(each => each.startsWith("pages-"));
            const pages = await caches.open(name), kept = await pages.match(new URL(path, location.origin).href);
            const headers = new Headers(kept.headers);
            headers.set("Cycle-Kept", at);
            await pages.put(new URL(path, location.origin).href, new Response(await kept.blob(), { headers }));
        }""",
        ["/?lang=fr", (datetime.now(UTC) - timedelta(minutes=11)).isoformat()],
    )
    with context.expect_event("requestfinished", lambda asked: "followed=" in asked.url):
        page.goto("/?lang=fr")
    expect(page.get_by_role("heading", level=1)).to_have_text("Cadres de concertation")


def test_what_is_followed_no_more_leaves_the_board(town: Town, enters: Enters) -> None:
    context = enters(town.engine, town.address, "awa")
    page = context.new_page()
    follow(page, town.base)
    assert len(page.evaluate(KEPT)) == 1
    context.set_offline(True)
    page.locator("#follow").click()
    comes_true(page, f"async () => !(await ({KEPT})()).length")
    page.goto("/?lang=fr")
    expect(page.locator("#no-connection")).to_contain_text("n'est pas gardée")
