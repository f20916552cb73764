"""Somebody is quicker than the disk or the network: what he types stays, and what is shown is what holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

from anyio import to_thread
from playwright.sync_api import BrowserContext, Page, expect
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.desk.offline.test_outbox import PUMP, need
from tests.desk.offline.test_tabs import IMPORTS
from tests.desk.offline.test_typed import draft_is_kept
from tests.desk.offline.town import Enters, Town, comes_true, follow, in_outbox, sign_in, signing_in
from tests.desk.serving import at_an_address
from tests.desk.test_browser import main_button

HOLDS = """
    const get = fetch, freed = new Promise(resolve => { globalThis.free = resolve; });
    globalThis.fetch = async (address, ...more) => {
        if (String(address).includes("/commands-")) {
            globalThis.asked = true;
            await freed;
        }
        return get(address, ...more);
    };
"""
"""What commands are called is fetched where something waits, and comes when it is let free."""


def write(name: str, value: str) -> str:
    """A script that types something in, as fast as can be."""
    return f"""{{
        const field = document.querySelector("[name={name}]");
        field.value = "{value}";
        field.dispatchEvent(new Event("input", {{ bubbles: true }}));
    }}"""


def refused(context: BrowserContext, town: Town) -> Page:
    """A page that looks at the outbox, where a need of somebody who has no words for it is refused."""
    page = context.new_page()
    page.goto(f"{town.base}/do/withdraw-need?lang=fr")
    page.locator("[name=need]").evaluate("each => each.append(new Option('N-9', 'N-9'))")
    page.locator("[name=need]").select_option("N-9")
    page.locator("[name=reason]").fill("Résolu entre-temps")
    main_button(page).click()
    expect(page.locator("#summary")).to_be_visible()
    page.goto("/outbox?lang=fr")
    in_outbox(page, "refused")
    return page


def test_what_is_typed_before_a_refused_form_is_filled_again_is_not_written_over(town: Town, enters: Enters) -> None:
    context = enters(town.engine, town.address, "awa")
    page = refused(context, town)
    address = page.get_by_role("link", name="Modifier le mien").get_attribute("href")
    page.add_init_script(HOLDS)
    page.goto("/?lang=fr")
    page.goto(str(address))
    comes_true(page, "() => globalThis.asked")
    page.locator("[name=reason]").fill("Le besoin est retiré par la coopérative")
    page.evaluate("free()")
    expect(page.locator("#summary")).to_be_visible()
    expect(page.locator("[name=reason]")).to_have_value("Le besoin est retiré par la coopérative")
    # What he has not touched is as he had sent it.
    expect(page.locator("[name=need]")).to_have_value("N-9")


def test_nothing_can_be_typed_into_a_form_that_is_being_kept(town: Town, enters: Enters) -> None:
    page = enters(town.engine, town.address, "awa").new_page()
    need(page, town.base)
    page.evaluate(
        """() => {
            // Its words are put together, and not yet kept.
            const put = IDBObjectStore.prototype.put;
            IDBObjectStore.prototype.put = function (...asked) {
                const field = document.querySelector("[name=description]");
                if (this.name === "items") {
                    field.focus();
                    globalThis.typing = (globalThis.typing ?? false) || document.activeElement === field;
                }
                return put.apply(this, asked);
            };
        }"""
    )
    page.locator("[name=description]").blur()
    page.route("**/do/identify-need*", lambda route: None if route.request.method == "POST" else route.continue_())
    main_button(page).click()
    expect(page.locator("#outcome")).to_be_visible()
    assert page.evaluate("globalThis.typing") is False


def test_what_was_typed_last_before_a_form_was_found_wanting_is_kept_as_well(town: Town, enters: Enters) -> None:
    page = enters(town.engine, town.address, "awa").new_page()
    page.goto(f"{town.base}/do/identify-need?lang=fr")
    last = write("description", "Une motopompe") + write("description", PUMP)
    page.evaluate(f"() => {{ {last} document.getElementById('form').requestSubmit(); }}")
    expect(page.locator("#summary")).to_be_visible()
    draft_is_kept(page)


def test_what_is_typed_while_a_draft_is_dropped_is_kept(town: Town, enters: Enters) -> None:
    page = enters(town.engine, town.address, "awa").new_page()
    need(page, town.base, "Un hangar")
    draft_is_kept(page, "Un hangar")
    page.goto(f"{town.base}/do/identify-need?lang=fr")
    page.locator("#draft button").wait_for()
    page.evaluate(
        f"""() => {{
            const drop = IDBObjectStore.prototype.delete;
            IDBObjectStore.prototype.delete = function (...asked) {{
                const found = drop.apply(this, asked);
                if (this.name === "drafts") found.addEventListener("success", () => {write("description", PUMP)});
                return found;
            }};
        }}"""
    )
    page.locator("#draft button").click()
    draft_is_kept(page)
    expect(page.locator("[name=description]")).to_have_value(PUMP)


def test_what_waits_is_told_once_and_not_any_more_when_it_is_given_up(town: Town, enters: Enters) -> None:
    context = enters(town.engine, town.address, "awa")
    context.route("**/me.json", lambda route: route.abort())
    page = context.new_page()
    need(page, town.base)
    main_button(page).click()
    expect(page.locator("#outcome")).to_contain_text("C'est gardé")
    page.add_init_script(HOLDS)
    page.goto(f"{town.base}?lang=fr")
    comes_true(page, "() => globalThis.asked")
    expect(page.locator("#outbox-line")).to_contain_text("1 saisie")
    give_up = f"""async () => {{
        {IMPORTS}
        const {{ all, giveUp }} = await from("outbox"), {{ tell }} = await from("news");
        tell("outbox");
        await giveUp((await all("awa"))[0].key);
    }}"""
    page.evaluate(give_up)
    page.evaluate("free()")
    expect(page.locator("#outbox-line")).to_be_empty()
    assert page.locator("#waiting-here").count() <= 1
    expect(page.locator("#waiting-here")).to_be_hidden()


def test_who_clicks_twice_on_follow_follows(town: Town, enters: Enters) -> None:
    page = enters(town.engine, town.address, "awa").new_page()
    page.goto(f"{town.base}?lang=fr")
    button = page.locator("#follow")
    button.click()
    expect(button).to_have_text("Ne plus suivre")
    # The second click of two comes when the first has been done already.
    button.dispatch_event("click", {"detail": 2})
    expect(page.locator("#followed")).to_contain_text("pages gardées")
    expect(button).to_have_text("Ne plus suivre")


class Held:
    """Lets nothing of an address through until it may."""

    def __init__(self, app: ASGIApp, path: str) -> None:
        self._app, self._path = app, path
        self.came, self.may = Event(), Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == self._path and scope["query_string"].startswith(b"late"):
            self.came.set()
            await to_thread.run_sync(self.may.wait)
        await self._app(scope, receive, send)


@contextmanager
def slow(town: Town) -> Iterator[tuple[str, Held]]:
    """The same town behind a line on which one page takes long."""
    held = Held(signing_in(town.engine), town.base)
    with at_an_address(town.engine, held) as address:  # type: ignore[arg-type]
        try:
            yield address, held
        finally:
            held.may.set()


def kept(page: Page) -> int:
    """How many pages lie in the browser for the facilitator."""
    found: int = page.evaluate("async () => (await (await caches.open('pages-facilitator')).keys()).length")
    return found


def test_a_page_that_comes_late_says_nothing_of_who_is_signed_in_now(town: Town, enters: Enters) -> None:
    with slow(town) as (address, held):
        context = enters(town.engine, address, "awa")
        early, late = context.new_page(), context.new_page()
        early.goto("/?lang=fr")
        early.evaluate("navigator.serviceWorker.ready")
        late.goto("/outbox?lang=fr")
        late.evaluate(f"location.assign('{town.base}?late=yes&lang=fr')")
        assert held.came.wait(60)
        context.clear_cookies()
        sign_in(context, town.engine, address, "facilitator")
        follow(early, town.base)
        pages = kept(early)
        held.may.set()
        # It was made for somebody who has gone: another one sees his own.
        expect(late.locator("footer")).to_contain_text("facilitator")
        expect(late.locator("#follow")).to_be_visible()
        # Pages that are kept for one go when another comes.
        assert kept(early) >= pages > 0
        account = f"async () => {{ {IMPORTS} return (await from('store')).account(); }}"
        assert early.evaluate(account) == "facilitator"


def test_who_sits_down_next_goes_back_to_no_page_of_who_has_gone(town: Town, enters: Enters) -> None:
    page = enters(town.engine, town.address, "awa").new_page()
    page.goto(f"{town.base}?lang=fr")
    page.locator("#follow").wait_for()
    page.goto("/account?lang=fr")
    page.locator("form[action^='/sign-out'] button").click()
    page.wait_for_url("**/sign-in?lang=fr")
    for _ in range(2):
        page.go_back()
        expect(page.locator("h1")).to_have_text("Se connecter")
