"""The whole first cycle in a real browser, in French: board, framework, form, check, confirmation."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from cycle.commands import COMMANDS
from tests.desk.conftest import Opens
from tests.desk.dioro import AWA, Fill, first_cycle, recorded_types, town_hall
from tests.desk.serving import at_an_address


def test_a_first_cycle_is_walked_by_clicking(tmp_path: Path, opens: Opens) -> None:
    with town_hall(f"sqlite:///{tmp_path / 'a.db'}") as engine, at_an_address(engine) as address:
        pages = {account: opens(address, account) for account in (AWA, "council-secretary")}
        for fill in first_cycle():
            page, before = pages[fill.who], engine.store.head().position
            walk(page, fill)
            assert recorded_types(engine, before) == fill.leads_to, fill.command
        page = pages[AWA]
        page.get_by_role("link", name="Vers le cadre de Dioro").click()
        expect(page.locator(".stepper [aria-current=step]")).to_contain_text("suivi par le comité")
        expect(page.get_by_role("cell", name="Réparer la motopompe")).to_be_visible()


def walk(page: Page, fill: Fill) -> None:
    """One step, from the board to its confirmation."""
    go_to_form(page, fill)
    fill_in(page, fill)
    main_button(page).click()
    if COMMANDS[fill.command].binds:
        expect(page.get_by_role("heading", level=1)).to_have_text("Vérifiez avant d'enregistrer")
        if fill.command == "agree-plan":
            expect(page.get_by_text("1er mars 2026")).to_be_visible()
        main_button(page).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("C'est enregistré")


def go_to_form(page: Page, fill: Fill) -> None:
    """From the board to the framework of Dioro, and there to the form; as somebody would click."""
    page.goto("/?lang=fr")
    if fill.command == "propose-framework":
        page.get_by_role("link", name="Proposer un nouveau cadre").click()
        return
    page.get_by_role("link", name="Dioro", exact=True).click()
    expect(page).to_have_url(re.compile("/frameworks/"))
    link = page.locator(f'a[href*="/do/{fill.command}?"]').first
    folded = page.locator(f'details:not([open]):has(a[href*="/do/{fill.command}?"])')
    if folded.count():
        folded.first.locator("summary").click()
    link.click()
    expect(page.locator("#form")).to_be_visible()


def fill_in(page: Page, fill: Fill) -> None:
    """Type, choose and tick what a step says."""
    for name, value in fill.fields.items():
        match value:
            case list() if value and isinstance(value[0], dict):
                while page.locator(f'[name^="{name}."][name$=".member"]').count() < len(value):
                    rows = page.locator(f'[name^="{name}."][name$=".member"]').count()
                    page.get_by_role("button", name="Ajouter une ligne").click()
                    expect(page.locator(f'[name^="{name}."][name$=".member"]')).to_have_count(rows + 1)
                for number, row in enumerate(value):
                    assert isinstance(row, dict)
                    for part, inner in row.items():
                        put(page, f"{name}.{number}.{part}", inner)
            case list():
                for number, words in enumerate(value):
                    put(page, name, str(words), number)
            case str():
                put(page, name, value)
    page.locator("[name=_on]").fill(fill.on)
    if page.locator("select[name=_role]").count():
        page.locator("select[name=_role]").select_option(fill.role)
    if fill.about:
        choose(page, "_target", fill.about)


def put(page: Page, name: str, value: str, number: int = 0) -> None:
    field = page.locator(f'[name="{name}"]')
    kind = field.first.evaluate("each => each.type")
    if kind == "select-one":
        choose(page, name, value, number)
    elif kind == "checkbox" and value != "yes":
        page.get_by_label(value).check()
    elif kind == "checkbox":
        field.check()
    else:
        field.fill(value)


def choose(page: Page, name: str, words: str, number: int = 0) -> None:
    """Choose the option whose label holds these words."""
    field = page.locator(f'select[name="{name}"]').nth(number)
    labels = field.locator("option").all_text_contents()
    found = [label for label in labels if words.casefold() in label.casefold()]
    assert found, f"{name}: {words} is not among {labels}"
    field.select_option(label=found[0])


def main_button(page: Page) -> Locator:
    """What sends the form on."""
    return page.locator("#form button:not(.plain), #check button:not(.plain)").locator("visible=true")
