"""What does not go through: conflicts side by side, what is refused, sessions that have ended, what stands behind."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from cycle.aggregates.framework.needs import IdentifyNeed
from cycle.aggregates.terms import NeedKind
from cycle.identity.sessions import Sessions
from tests.desk.offline.looks import looks_well, outbox_looks_well
from tests.desk.offline.test_outbox import PUMP, need
from tests.desk.offline.town import Enters, Town, comes_true, follow, in_outbox, sign_in
from tests.desk.test_browser import main_button
from tests.engine.path import RICE

MEANWHILE = "Un magasin"
NOTHING_KEPT = "async () => !(await caches.keys()).some(each => each.startsWith('pages-'))"


def kept(page: Page) -> None:
    main_button(page).click()
    expect(page.locator("#outcome")).to_contain_text("C'est gardé")


@pytest.fixture
def page(town: Town, enters: Enters) -> Page:
    """Follows the framework, and has no connection."""
    context = enters(town.engine, town.address, "awa")
    page = context.new_page()
    follow(page, town.base)
    context.set_offline(True)
    return page


def conflict(town: Town, page: Page) -> int:
    """A need that waits while somebody else records another one; returns the position behind that."""
    need(page, town.base)
    kept(page)
    other = IdentifyNeed(profession=RICE, kind=NeedKind.INVESTMENT, description=MEANWHILE)
    town.way.say(other, on=town.engine.today())
    before = town.position()
    page.goto("/outbox?lang=fr")
    page.context.set_offline(False)
    in_outbox(page, "conflict")
    expect(page.locator(".sides section").first).to_contain_text(PUMP)
    expect(page.locator(".sides section").last).to_contain_text(MEANWHILE)
    assert town.recorded(before) == []
    return before


def test_in_a_conflict_both_are_shown_and_mine_is_sent_all_the_same(town: Town, page: Page) -> None:
    before = conflict(town, page)
    outbox_looks_well(page, "conflict", 1)
    page.get_by_role("button", name="Envoyer le mien quand même").click()
    in_outbox(page, "recorded")
    assert town.recorded(before) == ["need-identified"]


def test_who_has_looked_can_send_what_follows_all_the_same(town: Town, page: Page) -> None:
    need(page, town.base, "Un hangar")
    kept(page)
    other = IdentifyNeed(profession=RICE, kind=NeedKind.INVESTMENT, description=MEANWHILE)
    need(page, town.base)
    kept(page)
    town.way.say(other, on=town.engine.today())
    before = town.position()
    page.goto("/outbox?lang=fr")
    page.context.set_offline(False)
    expect(page.locator("#items > li").last).to_have_attribute("data-state", "conflict")
    expect(page.locator("#items > li").first).to_contain_text("En attente de ce qui précède")
    page.get_by_role("button", name="la saisie qui suit").click()
    expect(page.locator("#items > li[data-state=recorded]")).to_have_count(2)
    assert town.recorded(before) == ["need-identified"] * 2


def test_in_a_conflict_mine_can_be_changed_and_is_sent_once(town: Town, page: Page) -> None:
    before = conflict(town, page)
    page.get_by_role("link", name="Modifier le mien").click()
    expect(page.locator("#summary")).to_contain_text(MEANWHILE)
    expect(page.locator("[name=description]")).to_have_value(PUMP)
    looks_well(page, "form-conflict")
    page.locator("[name=description]").fill("Deux motopompes en panne")
    main_button(page).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("C'est enregistré")
    assert town.recorded(before) == ["need-identified"]
    page.goto("/outbox?lang=fr")
    expect(page.locator("#items > li")).to_have_count(1)
    expect(page.locator("#items")).to_contain_text("Deux motopompes en panne")


def test_mine_is_given_up_by_who_says_so_twice(town: Town, page: Page) -> None:
    before = conflict(town, page)
    page.locator("[data-act=give-up]").click()
    looks_well(page, "give-up")
    page.get_by_role("button", name="Garder").click()
    in_outbox(page, "conflict")
    page.locator("[data-act=give-up]").click()
    page.get_by_role("dialog").get_by_role("button", name="Abandonner").click()
    expect(page.locator("#items > li")).to_have_count(0)
    assert town.recorded(before) == []


def test_what_is_refused_comes_back_with_its_errors_and_what_stands_behind_waits_for_it(town: Town, page: Page) -> None:
    before = town.position()
    need(page, town.base)
    page.locator("[name=estimate_xof]").fill("beaucoup")
    kept(page)
    need(page, town.base, "Un hangar")
    kept(page)
    page.goto("/outbox?lang=fr")
    page.context.set_offline(False)
    first, second = page.locator("#items > li").last, page.locator("#items > li").first
    expect(first).to_have_attribute("data-state", "refused")
    expect(second).to_contain_text("En attente de ce qui précède")
    assert town.recorded(before) == []
    outbox_looks_well(page, "refused", 2)
    first.get_by_role("link", name="Modifier le mien").click()
    expect(page.locator("#f-estimate_xof-error")).to_be_visible()
    expect(page.locator("[name=description]")).to_have_value(PUMP)
    page.locator("[name=estimate_xof]").fill("1 250 000")
    main_button(page).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("C'est enregistré")
    page.goto("/outbox?lang=fr")
    expect(page.locator("#items > li[data-state=recorded]")).to_have_count(2)
    outbox_looks_well(page, "recorded", 2)
    assert town.recorded(before) == ["need-identified", "need-identified"]
    needs = list(town.engine.framework(town.way.framework).needs.values())
    assert [each.description for each in needs[-2:]] == [PUMP, "Un hangar"]


def test_what_is_wrong_is_said_at_its_field_at_once_when_there_is_a_connection(town: Town, enters: Enters) -> None:
    page, before = enters(town.engine, town.address, "awa").new_page(), town.position()
    need(page, town.base, "")
    main_button(page).click()
    expect(page.locator("#f-description-error")).to_have_text("à remplir")
    expect(page.locator("#summary")).to_be_focused()
    looks_well(page, "form-wrong")
    page.locator("[name=description]").fill(PUMP)
    page.locator("[name=estimate_xof]").fill("beaucoup")
    main_button(page).click()
    expect(page.locator("#f-estimate_xof-error")).to_be_visible()
    expect(page.locator("#f-description-error")).to_have_count(0)
    page.locator("[name=estimate_xof]").fill("")
    main_button(page).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("C'est enregistré")
    assert town.recorded(before) == ["need-identified"]


def test_a_session_that_has_ended_leaves_it_waiting_until_one_has_signed_in(town: Town, page: Page) -> None:
    before = town.position()
    need(page, town.base)
    kept(page)
    [cookie] = page.context.cookies()
    Sessions(town.engine).sign_out(cookie["value"])
    page.goto("/outbox?lang=fr")
    page.context.set_offline(False)
    in_outbox(page, "signed-out")
    outbox_looks_well(page, "signed-out", 1)
    assert town.recorded(before) == []
    sign_in(page.context, town.engine, town.address, "awa")
    page.get_by_role("button", name="Envoyer maintenant").click()
    in_outbox(page, "recorded")
    assert town.recorded(before) == ["need-identified"]


def test_what_answers_in_the_place_of_the_server_has_recorded_nothing(town: Town, page: Page) -> None:
    before, context = town.position(), page.context
    need(page, town.base)
    kept(page)
    page.goto("/outbox?lang=fr")
    portal = "<html><title>Bienvenue</title>"
    context.route(
        "**/do/identify-need*", lambda route: route.fulfill(status=200, content_type="text/html", body=portal)
    )
    with context.expect_event("response", lambda answer: "/do/identify-need" in answer.url):
        context.set_offline(False)
    in_outbox(page, "waiting")
    assert town.recorded(before) == []
    context.unroute_all()
    # It may come again by itself meanwhile: then there is nothing left to press.
    page.locator("#send").dispatch_event("click")
    in_outbox(page, "recorded")
    assert town.recorded(before) == ["need-identified"]


def test_another_account_in_the_same_browser_sees_nothing_and_sends_nothing(town: Town, page: Page) -> None:
    before = town.position()
    need(page, town.base)
    kept(page)
    context = page.context
    context.clear_cookies()
    sign_in(context, town.engine, town.address, "mayor")
    context.set_offline(False)
    page.goto(f"{town.base}?lang=fr")
    expect(page.locator("footer")).to_contain_text("mayor")
    expect(page.locator("#outbox-line")).to_be_empty()
    page.goto("/outbox?lang=fr")
    expect(page.locator("#nothing")).to_be_visible()
    expect(page.locator("#none-kept")).to_be_visible()
    comes_true(page, NOTHING_KEPT)
    context.set_offline(True)
    page.goto(f"{town.base}/meeting?step=needs&lang=fr")
    expect(page.locator("#no-connection")).to_contain_text("n'est pas gardée")
    assert town.recorded(before) == []
    # What the first one has typed is his again.
    context.clear_cookies()
    sign_in(context, town.engine, town.address, "awa")
    context.set_offline(False)
    page.goto(f"{town.base}?lang=fr")
    page.goto("/outbox?lang=fr")
    in_outbox(page, "recorded")
    assert town.recorded(before) == ["need-identified"]


def test_signing_out_erases_what_is_kept_but_not_what_is_unsent(town: Town, page: Page) -> None:
    need(page, town.base)
    kept(page)
    context = page.context
    nothing_gets_through(page)
    context.set_offline(False)
    page.goto("/account?lang=fr")
    page.locator("form[action^='/sign-out'] button").click()
    expect(page).to_have_url(f"{town.address}/sign-in?lang=fr")
    page.goto("/outbox?lang=fr")
    expect(page.locator("#nothing")).to_be_visible()
    comes_true(page, NOTHING_KEPT)
    context.unroute_all()
    sign_in(context, town.engine, town.address, "awa")
    page.goto("/outbox?lang=fr")
    in_outbox(page, "recorded")
    assert "need-identified" in town.recorded(0)


def test_a_page_that_was_made_for_another_account_is_not_kept(town: Town, enters: Enters) -> None:
    page = enters(town.engine, town.address, "awa").new_page()
    page.goto(f"{town.base}?lang=fr")
    keeps = """async ([who, path]) => {
        const script = document.querySelector("script[type=module]").src;
        const { keep } = await import(script.replace("desk.js", "kept.js"));
        return keep(who, path, await fetch(path));
    }"""
    assert page.evaluate(keeps, ["awa", town.base]) is True
    assert page.evaluate(keeps, ["mayor", town.base]) is False


def nothing_gets_through(page: Page) -> None:
    """Nothing that is sent gets through."""
    page.context.route("**/me.json", lambda route: route.abort())


def test_two_tabs_send_one_after_the_other_and_nothing_twice(town: Town, page: Page) -> None:
    before, other = town.position(), page.context.new_page()
    sent: list[str] = []
    page.context.on("request", lambda asked: sent.append(asked.url) if asked.method == "POST" else None)
    for number, tab in enumerate((page, other, page, other)):
        need(tab, town.base, f"Besoin {number}")
        kept(tab)
    for tab in (page, other):
        tab.goto("/outbox?lang=fr")
    page.context.set_offline(False)
    for tab in (page, other):
        expect(tab.locator("#items > li[data-state=recorded]")).to_have_count(4)
    assert town.recorded(before) == ["need-identified"] * 4
    assert len(sent) == 4
    needs = list(town.engine.framework(town.way.framework).needs.values())
    assert [each.description for each in needs[-4:]] == [f"Besoin {number}" for number in range(4)]


HOSTILE = '"><img src=x onerror="document.title=1"><script>document.title=2</script>\u202eevil'


def test_what_people_type_is_text_in_the_outbox_and_in_lists(town: Town, page: Page) -> None:
    need(page, town.base, HOSTILE)
    kept(page)
    page.goto(f"{town.base}/do/validate-needs?lang=fr")
    expect(page.locator("select[name=ranked] option", has_text="onerror").first).to_be_attached()
    for path in (f"{town.base}/meeting?step=needs&lang=fr", "/outbox?lang=fr"):
        page.goto(path)
        expect(page.locator("main")).to_contain_text('"><img src=x')
        assert page.locator("main img, main script").count() == 0
        assert "\u202e" not in page.locator("main").inner_text()


def test_what_lies_in_the_browser_holds_no_token(town: Town, page: Page) -> None:
    need(page, town.base)
    token = page.locator("[name=_form]").first.input_value()
    assert token
    kept(page)
    lies = page.evaluate(
        """async () => {
            const script = document.querySelector("script[type=module]").src;
            const { read } = await import(script.replace("desk.js", "store.js"));
            const all = ["items", "drafts", "followed", "known"].map(name => read(name, store => store.getAll()));
            return JSON.stringify(await Promise.all(all));
        }"""
    )
    assert PUMP in lies
    assert token not in lies
