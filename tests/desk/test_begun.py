"""What a form begins with: what holds already is there, and what belongs to somebody comes first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from cycle.aggregates.framework.needs import IdentifyNeed
from cycle.aggregates.framework.state import Framework, Stage
from cycle.aggregates.terms import NeedKind
from cycle.commands import COMMANDS
from tests.desk.filling import Page, opened, send
from tests.desk.places import Desk, desk_at
from tests.desk.test_forms import plain
from tests.engine.path import FISH, RICE
from tests.http.town import named

RESTATES = {name: command.restates for name, command in COMMANDS.items() if command.restates}


@pytest.mark.parametrize("name", RESTATES)
def test_what_is_said_anew_is_a_field_of_the_command_and_lies_in_the_state(name: str) -> None:
    fields = COMMANDS[name].__struct_fields__
    for field, path in RESTATES[name].items():
        first, *others = path.split(".")
        assert field in fields
        assert first in Framework.__struct_fields__
        assert all(part[1:-1] in fields for part in others if part.startswith("{"))


def test_whoever_amends_the_mandate_goes_on_from_the_one_in_force(sqlite_url: str) -> None:
    with desk_at(sqlite_url, Stage.MONITORING) as desk:
        before, page = desk.position(), opened(desk.client, f"{desk.base}/do/amend-mandate", "awa")
        assert page.fields["tasks"] == ["Suivre le plan"]
        page.put("tasks", page.fields["tasks"][0] + "\nRendre compte au conseil")
        page.put("cause", "résultats")
        page.put("_role", "facilitat")
        assert send(desk.client, page, "awa").status_code == 303
        assert desk.recorded(before) == ["mandate-amended"]
        mandate = desk.engine.framework(desk.way.framework).mandate
        assert mandate is not None
        assert mandate.tasks == ("Suivre le plan", "Rendre compte au conseil")


def test_the_committee_in_office_and_the_sectors_are_there_when_they_are_named_anew(sqlite_url: str) -> None:
    with desk_at(sqlite_url, Stage.MONITORING) as desk:
        seats = opened(desk.client, f"{desk.base}/do/renew-committee", "awa").fields
        assert [seats[f"seats.{row}.person"] for row in range(3)] == [["p-1"], ["p-2"], ["p-3"]]
        assert seats["seats.1.youth"] == ["yes"]
        sectors = opened(desk.client, f"{desk.base}/do/prioritise-sectors", "awa").fields["sectors"]
        assert sectors == ["riz\npoisson"]


def test_a_form_says_what_a_rule_only_warns_of(sqlite_url: str) -> None:
    with desk_at(sqlite_url, Stage.MONITORING, datetime(2026, 6, 3, tzinfo=UTC)) as desk:
        said = plain(desk.text(f"{desk.base}/do/open-review")).replace("\u00a0", " ")
    assert "Attention : Aujourd'hui, le bilan ne peut être que : fin de plan ou en retard." in said


def needy(desk: Desk) -> None:
    """Each profession has two needs, named in turn."""
    for number, profession in enumerate((FISH, RICE, FISH, RICE), 1):
        need = IdentifyNeed(profession=profession, kind=NeedKind.INVESTMENT, description=f"Besoin no {number}")
        desk.way.say(need, on=date(2026, 2, 2))


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[Desk]:
    with desk_at(sqlite_url, Stage.NEEDS_IDENTIFICATION) as desk:
        needy(desk)
        yield desk


def test_a_need_that_an_address_names_is_there_to_be_amended(desk: Desk) -> None:
    listed = desk.text(desk.base)
    [address] = re.findall(r'href="([^"]*/do/amend-need[^"]*need=N-2[^"]*)"', listed)
    page = opened(desk.client, address.replace("&amp;", "&"), "awa")
    assert page.fields["need"] == ["N-2"]
    assert page.fields["kind"] == ["investment"]
    assert page.fields["description"] == ["Besoin no 2"]
    assert "Ce que vous laissez vide ci-dessous reste tel quel." in plain(page.text)


def test_which_need_is_amended_is_chosen_first_and_its_form_begins_with_what_holds(desk: Desk) -> None:
    [address] = re.findall(r'href="([^"]*/do/amend-need[?]lang=fr)"', desk.text(desk.base))
    chosen = desk.text(address)
    links = re.findall(r'<li><a href="([^"]*/do/amend-need[^"]*need=N-\d[^"]*)">(.*?)</a>', chosen)
    assert [re.findall(r"N-\d", link)[0] for link, _ in links] == ["N-2", "N-4", "N-1", "N-3"]
    assert plain(links[0][1]).startswith("N-2 · Besoin no 2")
    page = opened(desk.client, links[0][0].replace("&amp;", "&"), "awa")
    assert page.fields["need"] == ["N-2"]
    assert page.fields["description"] == ["Besoin no 2"]
    [blank] = re.findall(r'href="([^"]*/do/amend-need[^"]*need=)"', chosen)
    assert opened(desk.client, blank.replace("&amp;", "&"), "awa").fields["description"] == [""]


def test_whoever_comes_from_the_meeting_goes_back_there_when_he_has_chosen(desk: Desk) -> None:
    chosen = desk.text(f"{desk.base}/do/amend-need?step=needs")
    [address] = re.findall(r'href="([^"]*need=N-1[^"]*)"', chosen)
    assert opened(desk.client, address.replace("&amp;", "&"), "awa").fields["_step"] == ["needs"]


def test_where_there_is_nothing_to_amend_yet_the_page_says_so(desk: Desk) -> None:
    page = plain(desk.text(f"{desk.base}/do/amend-action"))
    assert "Il n'y a encore rien à choisir ici." in page
    assert "Pas encore possible" in page


def test_the_form_of_each_need_is_kept_for_when_there_is_no_line(desk: Desk) -> None:
    kept = desk.client.get(f"{desk.base}/offline.json", headers=named("awa")).json()["pages"]
    addresses = [page for page in kept if "/do/amend-need" in page]
    assert [re.findall("need=(.*)", page) for page in addresses] == [[], ["N-2"], ["N-4"], ["N-1"], ["N-3"], [""]]


@pytest.mark.parametrize("need", ["N-99", "N-1.__class__", "__class__", "{need}", "", "N-1.kind.value"])
def test_an_address_that_names_no_need_begins_blank(desk: Desk, need: str) -> None:
    answer = desk.client.get(f"{desk.base}/do/amend-need", params={"need": need}, headers=named("awa"))
    assert answer.status_code == 200
    assert Page(answer).fields["description"] == [""]


def offered(desk: Desk, address: str) -> list[str]:
    page = opened(desk.client, f"{desk.base}{address}", "awa")
    return [each.value for each in page.options["ranked"][: len(page.options["ranked"]) // 4] if each.value]


def test_needs_are_offered_profession_by_profession_and_its_own_first(desk: Desk) -> None:
    assert offered(desk, "/do/validate-needs") == ["N-2", "N-4", "N-1", "N-3"]
    assert offered(desk, f"/do/validate-needs?profession={FISH}") == ["N-1", "N-3", "N-2", "N-4"]


def test_whoever_sets_a_fact_right_sees_which(desk: Desk) -> None:
    said = plain(desk.text(f"{desk.base}/do/correct-fact?fact_version=2"))
    assert "6 janvier 2026 · Filières prioritaires : riz et poisson." in said


def test_a_number_is_held_together_where_it_is_read_and_stays_as_it_is_where_it_is_typed(desk: Desk) -> None:
    page = opened(desk.client, f"{desk.base}/do/withdraw-need?need=N-1&reason=N-1+n%27est+plus+un+besoin", "awa")
    assert page.fields["reason"] == ["N-1 n'est plus un besoin"]
    assert any(each.label.startswith("N-1 · Besoin no 1") for each in page.options["need"])
    listed = desk.text(desk.base)
    assert '<span class="no">N-1</span> · Besoin no 1' in listed
    assert "<span" not in "".join(re.findall(r"<(?:title|option|textarea)\b.*?</", page.text + listed, re.DOTALL))


def test_what_a_framework_holds_stands_in_the_order_of_its_numbers(desk: Desk) -> None:
    for number in range(5, 12):
        need = IdentifyNeed(profession=RICE, kind=NeedKind.INVESTMENT, description=f"Besoin no {number}")
        desk.way.say(need, on=date(2026, 2, 2))
    listed = re.findall(r"(N-\d+) · Besoin", plain(desk.text(desk.base)))
    assert listed == [f"N-{number}" for number in range(1, 12)]


def test_a_framework_that_is_dissolved_is_in_no_stage_and_late_with_nothing(sqlite_url: str) -> None:
    with desk_at(sqlite_url, Stage.DISSOLVED, datetime(2026, 6, 3, tzinfo=UTC)) as desk:
        said = plain(desk.text(desk.base))
        assert "Dissous, cycle 1, depuis le 15 mai 2026" in said.replace("dissous, cycle", "Dissous, cycle")
        assert 'class="stepper"' not in said
        assert "Acheter la décortiqueuse" in said
        assert "EN RETARD" not in said
