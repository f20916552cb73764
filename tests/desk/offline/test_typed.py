"""What is typed stays: drafts, rows that are added, days of pages that were kept for a while."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, expect

from tests.desk.offline.looks import looks_well
from tests.desk.offline.test_outbox import PUMP, need
from tests.desk.offline.town import Enters, Town, comes_true, follow, knows, sign_in
from tests.desk.test_browser import main_button


def draft_is_kept(page: Page, words: str = PUMP) -> None:
    """Wait until what is typed lies in the browser."""
    comes_true(
        page,
        """async typed => {
            const script = document.querySelector("script[type=module]").src;
            const { draft } = await import(script.replace("desk.js", "store.js"));
            const kept = await draft(document.documentElement.dataset.account, location.pathname);
            return kept?.body.some(([name, value]) => value === typed);
        }""",
        words,
    )


def test_what_is_typed_and_not_sent_is_back_after_a_while(town: Town, enters: Enters) -> None:
    context = enters(town.engine, town.address, "awa")
    page = context.new_page()
    need(page, town.base)
    draft_is_kept(page)
    page.goto(f"{town.base}/do/identify-need?lang=fr")
    expect(page.locator("#draft")).to_contain_text("est rétabli")
    looks_well(page, "draft")
    expect(page.locator("[name=description]")).to_have_value(PUMP)
    main_button(page).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("C'est enregistré")
    page.goto(f"{town.base}/do/identify-need?lang=fr")
    expect(page.locator("[name=description]")).to_have_value("")
    expect(page.locator("#draft")).to_have_count(0)


def test_what_is_typed_while_a_draft_is_being_read_is_not_written_over(town: Town, enters: Enters) -> None:
    page = enters(town.engine, town.address, "awa").new_page()
    need(page, town.base, "Un hangar")
    draft_is_kept(page, "Un hangar")
    # Somebody is quicker than the disk.
    page.add_init_script(
        f"""const get = IDBObjectStore.prototype.get;
        IDBObjectStore.prototype.get = function (...asked) {{
          const found = get.apply(this, asked);
          if (this.name !== "drafts") return found;
          IDBObjectStore.prototype.get = get;
          found.addEventListener("success", () => {{
            for (const [name, value] of [["description", "{PUMP}"], ["kind", "investment"], ["_on", "2026-03-03"]]) {{
              const field = document.querySelector(`[name=${{name}}]`);
              field.value = value;
              field.dispatchEvent(new Event("input", {{ bubbles: true }}));
            }}
            document.querySelector("[name=profession]").selectedIndex = 1;
          }});
          return found;
        }};"""
    )
    page.goto(f"{town.base}/do/identify-need?lang=fr")
    main_button(page).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("C'est enregistré")
    needs = town.engine.framework(town.way.framework).needs
    assert list(needs.values())[-1].description == PUMP


def test_a_draft_is_dropped_by_beginning_anew_and_is_nobody_elses(town: Town, enters: Enters) -> None:
    context = enters(town.engine, town.address, "awa")
    page = context.new_page()
    need(page, town.base)
    draft_is_kept(page)
    knows(page, "awa")
    context.clear_cookies()
    sign_in(context, town.engine, town.address, "facilitator")
    page.goto(f"{town.base}/do/identify-need?lang=fr")
    expect(page.locator("[name=description]")).to_have_value("")
    knows(page, "facilitator")
    context.clear_cookies()
    sign_in(context, town.engine, town.address, "awa")
    page.goto(f"{town.base}/do/identify-need?lang=fr")
    page.locator("#draft button").click()
    expect(page.locator("#draft")).to_have_count(0)
    page.goto(f"{town.base}/do/identify-need?lang=fr")
    expect(page.locator("[name=description]")).to_have_value("")


def test_a_row_is_added_without_the_server_and_comes_back_with_the_draft(town: Town, enters: Enters) -> None:
    page = enters(town.engine, town.address, "awa").new_page()
    asked: list[str] = []
    page.on("request", lambda each: asked.append(each.url) if each.method == "POST" else None)
    page.goto(f"{town.base}/do/install-committee?lang=fr")
    rows = page.locator("fieldset.row")
    count = rows.count()
    page.get_by_role("button", name="Ajouter une ligne").click()
    expect(rows).to_have_count(count + 1)
    page.get_by_role("button", name="Ajouter une ligne").click()
    expect(rows).to_have_count(count + 2)
    rows.last.get_by_role("combobox").select_option(index=1)
    rows.last.locator(f'[name="seats.{count + 1}.person"]').fill("personne-9")
    expect(rows.last.locator("legend")).to_have_text(f"Ligne {count + 2}")
    draft_is_kept(page, "personne-9")
    page.reload()
    expect(rows).to_have_count(count + 2)
    expect(page.locator(f'[name="seats.{count + 1}.person"]')).to_have_value("personne-9")
    assert page.locator(f"#f-seats-{count + 1}-person").count() == 1
    assert asked == []


def test_a_page_that_was_kept_for_days_means_today_when_it_says_today(town: Town, enters: Enters) -> None:
    context = enters(town.engine, town.address, "awa")
    page = context.new_page()
    follow(page, town.base)
    context.set_offline(True)
    page.goto(f"{town.base}/do/identify-need?lang=fr")
    expect(page.locator("[name=_on]")).to_have_value("2026-03-03")
    page.clock.set_fixed_time(datetime.now(UTC) + timedelta(days=2))
    page.goto(f"{town.base}/do/identify-need?lang=fr")
    expect(page.locator("[name=_on]")).to_have_value("2026-03-05")
    expect(page.locator("[name=_on]")).to_have_attribute("max", "2026-03-05")


def test_a_check_writes_days_as_the_pages_do(town: Town, enters: Enters) -> None:
    page = enters(town.engine, town.address, "awa").new_page()
    for language, day in (("en", "1 March 2026"), ("fr", "1er mars 2026")):
        page.goto(f"{town.base}/do/agree-plan?lang={language}")
        page.locator('[name="window.starts_on"]').fill("2026-03-01")
        page.locator('[name="window.ends_on"]').fill("2026-05-31")
        main_button(page).click()
        expect(page.locator("#check")).to_contain_text(day)


def test_a_number_in_what_the_script_writes_breaks_at_no_hyphen_and_is_copied_as_it_stands(
    town: Town, enters: Enters
) -> None:
    page = enters(town.engine, town.address, "awa", 320).new_page()
    page.goto(f"{town.base}/do/agree-plan?lang=fr")
    page.locator('[name="window.starts_on"]').fill("2026-03-01")
    page.locator('[name="window.ends_on"]').fill("2026-05-31")
    page.locator("[name=_for]").select_option("MB-2")
    main_button(page).click()
    number = page.locator("#check dd .no")
    expect(number).to_have_text("MB-2")
    assert number.evaluate("each => each.getClientRects().length") == 1
    assert "Coopérative Benkadi (MB-2)" in page.locator("#check").inner_text()


def test_a_form_that_a_browser_brings_back_can_be_typed_in(town: Town, enters: Enters) -> None:
    page = enters(town.engine, town.address, "awa").new_page()
    need(page, town.base)
    draft_is_kept(page)
    # It went while it was being kept, and comes back as it was left.
    page.evaluate(
        """() => {
            document.querySelector("#form").inert = true;
            dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
        }"""
    )
    page.locator("[name=description]").fill("Un hangar", timeout=5_000)
    draft_is_kept(page, "Un hangar")
