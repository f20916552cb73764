"""Every command goes through the outbox first: with a connection, without one, and after the browser was closed."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.desk.offline.looks import looks_well, outbox_looks_well
from tests.desk.offline.town import Enters, Town, follow, in_outbox
from tests.desk.test_browser import main_button

PUMP = "Motopompe en panne sur le casier"


def need(page: Page, base: str, description: str = PUMP) -> None:
    """Fill the form of a need in."""
    page.goto(f"{base}/do/identify-need?lang=fr&step=needs")
    page.locator("[name=profession]").select_option(index=1)
    page.locator("[name=kind]").select_option(index=1)
    page.locator("[name=description]").fill(description)
    page.locator("[name=_on]").fill("2026-03-03")


def test_with_a_connection_a_command_is_recorded_at_once(town: Town, enters: Enters) -> None:
    page, before = enters(town.engine, town.address, "awa").new_page(), town.position()
    need(page, town.base)
    main_button(page).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("C'est enregistré")
    assert town.recorded(before) == ["need-identified"]
    page.goto("/outbox?lang=fr")
    in_outbox(page, "recorded")
    expect(page.locator("#items")).to_contain_text(PUMP)


def test_without_a_connection_a_command_waits_and_is_sent_once_there_is_one(town: Town, enters: Enters) -> None:
    context = enters(town.engine, town.address, "awa")
    page, before = context.new_page(), town.position()
    follow(page, town.base)
    context.set_offline(True)
    need(page, town.base)
    expect(page.locator("#no-connection")).to_contain_text("Pas de réseau : cette page date du")
    main_button(page).click()
    expect(page.locator("#outcome")).to_contain_text("C'est gardé")
    expect(page.locator("#outbox-line")).to_contain_text("1 saisie attend d'être envoyée.")
    looks_well(page, "lies")
    page.get_by_role("link", name="Retour à la rencontre").click()
    expect(page.locator("#waiting-here")).to_contain_text(PUMP)
    looks_well(page, "meeting")
    outbox_looks_well(page, "waiting", 1)
    in_outbox(page, "waiting")
    # What was said in French is told in English to who reads English.
    expect(page.locator("#items h2")).to_contain_text("Identifier un besoin")
    page.goto("/outbox?lang=en")
    expect(page.locator("#items h2")).to_contain_text("Identify a need")
    page.goto("/outbox?lang=fr")
    assert town.recorded(before) == []
    context.set_offline(False)
    in_outbox(page, "recorded")
    assert town.recorded(before) == ["need-identified"]
    expect(page.locator("#outbox-line")).to_be_empty()


def test_what_was_being_sent_when_its_page_was_closed_is_sent_by_another(town: Town, enters: Enters) -> None:
    context = enters(town.engine, town.address, "awa")
    page, before = context.new_page(), town.position()
    need(page, town.base)
    # Sent, and no answer comes.
    page.route("**/do/identify-need*", lambda route: None)
    main_button(page).click()
    other = context.new_page()
    outbox_looks_well(other, "sending", 1)
    in_outbox(other, "sending")
    page.close()
    in_outbox(other, "recorded")
    assert town.recorded(before) == ["need-identified"]


def test_a_page_that_is_not_kept_leads_to_what_is(town: Town, enters: Enters) -> None:
    context = enters(town.engine, town.address, "awa")
    page = context.new_page()
    follow(page, town.base)
    context.set_offline(True)
    page.goto("/do/propose-framework?lang=fr")
    expect(page.locator("#no-connection")).to_contain_text("n'est pas gardée")
    looks_well(page, "missing")
    page.get_by_role("link", name="Rencontre — Dioro").click()
    expect(page.locator("#no-connection")).to_contain_text("cette page date du")


def test_where_a_browser_can_it_sends_although_no_page_of_ours_is_open(town: Town, enters: Enters) -> None:
    context = enters(town.engine, town.address, "awa")
    page, before = context.new_page(), town.position()
    registrations: list[str] = []
    devtools = context.new_cdp_session(page)
    devtools.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda told: registrations.extend(each["registrationId"] for each in told["registrations"]),
    )
    devtools.send("ServiceWorker.enable")
    follow(page, town.base)
    context.set_offline(True)
    need(page, town.base)
    main_button(page).click()
    expect(page.locator("#outcome")).to_contain_text("C'est gardé")
    page.goto("about:blank")
    sync = {"origin": town.address, "registrationId": registrations[-1], "tag": "outbox", "lastChance": False}
    with context.expect_event("response", lambda answer: answer.status == 201) as sent:
        context.set_offline(False)
        devtools.send("ServiceWorker.dispatchSyncEvent", sync)
    assert "/do/identify-need" in sent.value.url
    assert town.recorded(before) == ["need-identified"]
