"""What another tab, another sender or the end of a session does to a form that is just being sent."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.desk.offline.looks import looks_well
from tests.desk.offline.test_outbox import PUMP, need
from tests.desk.offline.town import Enters, Town, follow, in_outbox
from tests.desk.test_browser import main_button

IMPORTS = "const from = name => import(document.querySelector('script[type=module]').src.replace('desk', name));"


def test_what_is_given_up_in_another_tab_leaves_its_words_in_the_form(town: Town, enters: Enters) -> None:
    context = enters(town.engine, town.address, "awa")
    first, second, before = context.new_page(), context.new_page(), town.position()
    # The first one is on its way for long: what comes behind it waits.
    first.route("**/do/identify-need*", lambda route: None if route.request.method == "POST" else route.continue_())
    need(first, town.base, "Un hangar")
    main_button(first).click()
    expect(first.locator("#outcome")).to_contain_text("l'envoi est en cours")
    # Nobody loses patience meanwhile.
    second.add_init_script(
        "const later = setTimeout; setTimeout = (work, wait) => (wait === 8_000 ? 0 : later(work, wait))"
    )
    need(second, town.base)
    main_button(second).click()
    expect(second.locator("#outcome")).to_contain_text("l'envoi est en cours")
    other = context.new_page()
    other.goto("/outbox?lang=fr")
    other.locator("#items > li[data-state=waiting] [data-act=give-up]").click()
    other.get_by_role("dialog").get_by_role("button", name="Abandonner").click()
    expect(second.locator("[name=description]")).to_be_visible()
    expect(second.locator("[name=description]")).to_have_value(PUMP)
    expect(second.locator("#outcome")).to_have_count(0)
    first.close()
    in_outbox(other, "recorded")
    assert town.recorded(before) == ["need-identified"]
    assert list(town.engine.framework(town.way.framework).needs.values())[-1].description == "Un hangar"


def test_what_was_given_up_a_moment_before_it_was_sent_is_not_sent(town: Town, enters: Enters) -> None:
    context = enters(town.engine, town.address, "awa")
    page, before = context.new_page(), town.position()
    follow(page, town.base)
    context.set_offline(True)
    need(page, town.base)
    # The worker would send it, too.
    page.evaluate("Object.defineProperty(ServiceWorkerRegistration.prototype, 'sync', { value: undefined })")
    main_button(page).click()
    expect(page.locator("#outcome")).to_contain_text("C'est gardé")
    context.route("**/me.json", lambda route: route.abort())
    context.set_offline(False)
    # A sender reads twice: what an earlier one has left, then what comes next. Behind that, another tab is quicker.
    page.evaluate(
        """() => {
            const read = IDBIndex.prototype.getAll;
            let readings = 0;
            IDBIndex.prototype.getAll = function (...asked) {
              const found = read.apply(this, asked), { db } = this.objectStore.transaction;
              readings += 1;
              if (readings === 2) found.addEventListener("success", () =>
                db.transaction("items", "readwrite").objectStore("items").clear());
              return found;
            };
        }"""
    )
    context.unroute_all()
    left = f"""async () => {{
        {IMPORTS}
        const {{ send }} = await from("sender"), {{ all }} = await from("outbox");
        await send();
        return (await all("awa")).length;
    }}"""
    assert page.evaluate(left) == 0
    assert town.recorded(before) == []


def test_a_key_that_was_used_for_other_words_is_not_used_again(town: Town, enters: Enters) -> None:
    context = enters(town.engine, town.address, "awa")
    page, before = context.new_page(), town.position()
    need(page, town.base)
    fields = page.evaluate("Object.fromEntries(new FormData(document.getElementById('form')))")
    address = f"{town.address}{town.base}/do/identify-need"
    headers = {"Origin": town.address, "Accept": "application/json"}
    assert context.request.post(address, form={**fields, "description": "Un hangar"}, headers=headers).status == 201
    main_button(page).click()
    expect(page.locator("#summary")).to_be_visible()
    expect(page.locator("[name=description]")).to_have_value(PUMP)
    main_button(page).click()
    expect(page.locator("#summary")).to_contain_text("Un hangar")
    main_button(page).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("C'est enregistré")
    assert town.recorded(before) == ["need-identified"] * 2


def test_who_goes_back_to_a_form_that_was_sent_finds_a_new_one(town: Town, enters: Enters) -> None:
    page = enters(town.engine, town.address, "awa").new_page()
    page.route("**/do/identify-need*", lambda route: None if route.request.method == "POST" else route.continue_())
    need(page, town.base)
    main_button(page).click()
    expect(page.locator("#outcome")).to_contain_text("l'envoi est en cours")
    # A driver keeps no pages for going back to; this is what a browser says that does.
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    expect(page.locator("#outcome")).to_have_count(0)
    expect(page.locator("[name=description]")).to_be_visible()
    expect(page.locator("[name=description]")).to_have_value("")


def test_an_error_without_a_field_is_said_as_the_language_says_it(town: Town, enters: Enters) -> None:
    page = enters(town.engine, town.address, "awa").new_page()
    need(page, town.base)
    page.evaluate(
        f"""async () => {{
            {IMPORTS}
            const {{ showErrors }} = await from("typed");
            const errors = [{{ name: "nothing", label: "Clé", text: "à dire" }}];
            showErrors(document.getElementById("form"), {{ errors }});
        }}"""
    )
    assert page.locator("#summary li").text_content() == "Clé\u00a0: à dire"


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_page_of_a_session_that_has_ended_looks_well(town: Town, enters: Enters, language: str) -> None:
    context = enters(town.engine, town.address, "awa")
    # A form that is sent as without script.
    context.route("**/script/**", lambda route: route.abort())
    page = context.new_page()
    need(page, town.base)
    page.locator("#form").evaluate(
        "(form, lang) => { form.action = form.action.replace('lang=fr', `lang=${lang}`) }", language
    )
    context.clear_cookies()
    main_button(page).click()
    again = {"fr": "Reprendre ma saisie", "en": "Go on with what I typed"}[language]
    expect(page.get_by_role("button", name=again)).to_be_visible()
    looks_well(page, f"given-back-{language}")
