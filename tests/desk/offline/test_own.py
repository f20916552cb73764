"""What belongs to one profession is offered once it is said which, also what is not recorded yet."""

from __future__ import annotations

from datetime import date

from playwright.sync_api import Locator, Page, expect

from cycle.aggregates.framework.needs import IdentifyNeed
from cycle.aggregates.terms import NeedKind
from tests.desk.offline.test_outbox import PUMP, need
from tests.desk.offline.test_typed import draft_is_kept
from tests.desk.offline.town import Enters, Town, follow
from tests.desk.test_browser import main_button
from tests.engine.path import FISH, RICE


def offered(select: Locator) -> list[str]:
    """The choices of a list that are to be seen."""
    found: list[str] = select.evaluate(
        "each => [...each.options].filter(one => one.value && !one.hidden).map(one => one.textContent.slice(0, 3))"
    )
    return found


def named(town: Town) -> None:
    for profession, words in ((FISH, "Un étang"), (RICE, "Un hangar"), (RICE, "Une piste")):
        said = IdentifyNeed(profession=profession, kind=NeedKind.INVESTMENT, description=words)
        town.way.say(said, on=date(2026, 2, 2))


def ranks(page: Page) -> Locator:
    return page.locator("select[name=ranked]").locator("visible=true")


def test_a_profession_ranks_its_own_needs_and_what_is_chosen_stays_in_sight(town: Town, enters: Enters) -> None:
    named(town)
    page = enters(town.engine, town.address, "awa").new_page()
    page.goto(f"{town.base}/do/validate-needs?lang=fr")
    expect(ranks(page)).to_have_count(3)
    page.locator("[name=profession]").select_option(RICE)
    expect(ranks(page)).to_have_count(2)
    assert offered(ranks(page).first) == ["N-2", "N-3"]
    ranks(page).first.select_option("N-3")
    page.locator("[name=profession]").select_option(FISH)
    # It was chosen before: it is there, and can be changed.
    assert offered(ranks(page).first) == ["N-3", "N-1"]
    assert ranks(page).first.input_value() == "N-3"
    ranks(page).first.select_option("N-1")
    expect(ranks(page)).to_have_count(1)
    main_button(page).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("C'est enregistré")
    assert town.engine.framework(town.way.framework).spoken == {FISH}


def test_whoever_begins_anew_is_offered_what_a_fresh_form_offers(town: Town, enters: Enters) -> None:
    named(town)
    page = enters(town.engine, town.address, "awa").new_page()
    page.goto(f"{town.base}/do/validate-needs?lang=fr")
    page.locator("[name=profession]").select_option(RICE)
    draft_is_kept(page, RICE)
    page.reload()
    expect(page.locator("#draft")).to_be_visible()
    expect(ranks(page)).to_have_count(2)
    page.emulate_media(media="print")
    expect(page.locator("#draft")).to_be_hidden()
    page.emulate_media(media="screen")
    page.locator("#draft button").click()
    expect(ranks(page)).to_have_count(3)


def test_a_need_that_waits_is_offered_to_the_profession_that_has_named_it(town: Town, enters: Enters) -> None:
    named(town)
    context = enters(town.engine, town.address, "awa")
    page = context.new_page()
    follow(page, town.base)
    context.set_offline(True)
    need(page, town.base)
    chosen = page.locator("[name=profession]").input_value()
    main_button(page).click()
    expect(page.locator("#outcome")).to_contain_text("C'est gardé")
    page.goto(f"{town.base}/do/validate-needs?lang=fr")
    page.locator("[name=profession]").select_option(chosen)
    expect(ranks(page)).to_have_count(3 if chosen == RICE else 2)
    assert ranks(page).last.locator("option", has_text=PUMP).count() == 1
    other = FISH if chosen == RICE else RICE
    page.locator("[name=profession]").select_option(other)
    assert PUMP not in " ".join(
        ranks(page).first.evaluate("each => [...each.options].filter(one => !one.hidden).map(one => one.textContent)")
    )
