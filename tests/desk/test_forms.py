"""Forms: what is wrong stands at its field, what was typed stays, and nothing is done twice or over anybody's head."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import date

import pytest

from cycle.aggregates.base import Role
from cycle.aggregates.framework.needs import IdentifyNeed
from cycle.aggregates.framework.state import Stage
from cycle.aggregates.terms import NeedKind
from cycle.catalogue import NARROW_NO_BREAK_SPACE, NO_BREAK_SPACE
from tests.desk.filling import HEADERS, Page, opened, send
from tests.desk.places import Desk, desk_at
from tests.engine.path import RICE
from tests.http.town import named
from tests.people import admit

NEED = "Une motopompe pour le casier"


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[Desk]:
    """Needs are being identified."""
    with desk_at(sqlite_url, Stage.NEEDS_IDENTIFICATION) as desk:
        yield desk


def need(desk: Desk, words: str = NEED) -> Page:
    page = opened(desk.client, f"{desk.base}/do/identify-need", "awa")
    page.put("profession", "Benkadi")
    page.put("kind", "investissement")
    page.put("description", words)
    page.put("_role", "facilitat")
    return page


def plain(words: str) -> str:
    """A page as it is read, but for its marks: numbers such as N-1 have one each, which holds them together."""
    words = re.sub(r'<span class="no">([^<]*)</span>', r"\1", words)
    return html.unescape(words).replace(NO_BREAK_SPACE, " ").replace(NARROW_NO_BREAK_SPACE, " ")


def test_every_fault_stands_at_its_field_and_in_the_summary_and_what_was_typed_stays(desk: Desk) -> None:
    before, page = desk.position(), need(desk)
    page.put("estimate_xof", "beaucoup")
    page.fields["profession"], page.fields["_on"] = [""], ["hier"]
    answer = send(desk.client, page, "awa")
    assert answer.status_code == 422
    said, again = plain(answer.text), Page(answer)
    assert re.findall(r'<li><a href="#([\w-]+)">([^<]+)</a>', said) == [
        ("f-profession", "Organisation professionnelle : à remplir"),
        ("f-estimate_xof", "Estimation (F CFA) : il faut ici : nombre entier, de 0 à 1000000000000"),
        ("f-on", "Jour où cela s'est passé : à remplir"),
    ]
    assert 'id="f-profession-error"' in said
    assert 'aria-describedby="f-estimate_xof-help f-estimate_xof-error" aria-invalid="true"' in said
    assert (again.fields["estimate_xof"], again.fields["description"]) == (["beaucoup"], [NEED])
    assert again.fields["_key"] == page.fields["_key"]
    assert desk.recorded(before) == []


def test_a_blank_part_of_a_struct_is_named_itself(desk: Desk) -> None:
    page = opened(desk.client, f"{desk.base}/do/agree-plan", "awa")
    said = plain(send(desk.client, page, "awa").text)
    assert "Premier jour : à remplir" in said
    assert "Dernier jour : à remplir" in said
    assert "--set" not in said


def test_a_blank_part_of_a_row_is_named_itself_however_many_rows_are_half_filled(desk: Desk) -> None:
    page = opened(desk.client, f"{desk.base}/do/adjust-plan", "awa")
    page.put("causes", "résultats")
    page.fields["changes.0.description"] = ["Deux hangars"]
    page.fields["added.1.due_on"] = ["2026-05-01"]
    answer = send(desk.client, page, "awa")
    assert answer.status_code == 422
    said = re.findall(r'<li><a href="#([\w-]+)">([^<]+)</a>', plain(answer.text))
    assert ("f-changes-0-action", "Action : à remplir") in said
    assert {where for where, _ in said} >= {"f-added-0-description", "f-added-0-responsible"}
    assert "JSON" not in answer.text.partition("<form")[0].partition("<main")[2]


def test_a_refusal_says_why_and_who_can_lift_it_and_keeps_what_was_typed(desk: Desk) -> None:
    before = desk.position()
    page = opened(desk.client, f"{desk.base}/do/convene-meeting", "awa")
    page.put("held_on", "2026-03-20")
    page.put("place", "Mairie de Dioro")
    page.put("_role", "maire")
    answer = send(desk.client, page, "awa")
    assert answer.status_code == 422
    assert "Ceci est possible à l'étape rencontre" in plain(answer.text)
    assert "Qui peut lever ce point : facilitateur/facilitatrice ou maire" in plain(answer.text)
    assert Page(answer).fields["place"] == ["Mairie de Dioro"]
    assert desk.recorded(before) == []


def test_a_double_click_does_it_once_and_both_come_to_the_same_confirmation(desk: Desk) -> None:
    before, page = desk.position(), need(desk)
    first, second = send(desk.client, page, "awa"), send(desk.client, page, "awa")
    assert first.status_code == second.status_code == 303
    assert first.headers["location"] == second.headers["location"]
    assert desk.recorded(before) == ["need-identified"]
    done = plain(desk.text(first.headers["location"]))
    assert "C'est enregistré" in done
    assert NEED in done
    assert f"Référence : {before + 1}" in done


def test_a_form_that_was_sent_and_comes_back_changed_is_another_one(desk: Desk) -> None:
    before, page = desk.position(), need(desk)
    send(desk.client, page, "awa")
    page.put("description", "Un hangar pour le paddy")
    answer = send(desk.client, page, "awa")
    # The version has moved by what was recorded, and the key is that of the first sending.
    assert answer.status_code == 409
    assert NEED in plain(answer.text).partition("<form")[0]
    again = Page(answer)
    assert again.fields["description"] == ["Un hangar pour le paddy"]
    assert send(desk.client, again, "awa").status_code == 303
    assert desk.recorded(before) == ["need-identified", "need-identified"]


def test_what_others_recorded_meanwhile_is_shown_and_nothing_is_written_over_it(desk: Desk) -> None:
    page = need(desk)
    other = IdentifyNeed(profession=RICE, kind=NeedKind.INVESTMENT, description="Un magasin")
    before = desk.way.say(other, on=date(2026, 2, 1)).position
    answer = send(desk.client, page, "awa")
    assert answer.status_code == 412
    assert "Un magasin" in plain(answer.text)
    assert Page(answer).fields["description"] == [NEED]
    assert desk.recorded(before) == []
    assert send(desk.client, Page(answer), "awa").status_code == 303
    assert desk.recorded(before) == ["need-identified"]


def test_rows_are_added_without_losing_what_was_typed(desk: Desk) -> None:
    page = opened(desk.client, f"{desk.base}/do/install-committee", "awa")
    page.put("seats.1.person", "personne-7")
    more = Page(send(desk.client, page, "awa", _add="seats"))
    assert int(more.fields["_rows.seats"][0]) == 4
    assert "personne-7" in [
        value for name, values in more.fields.items() if name.endswith("person") for value in values
    ]


def test_somebody_without_the_right_hears_whom_to_call_and_a_stranger_nothing(desk: Desk) -> None:
    admit(desk.engine, ("moussa", Role.MAYOR, "ML/Kayes"))
    path = f"{desk.base}/do/close-needs"
    forbidden = desk.client.get(path, headers=named("evaluator"))
    assert forbidden.status_code == 403
    assert "administrator" in forbidden.text
    assert desk.client.get(path, headers=named("moussa")).status_code == 404
    assert desk.client.get(path).status_code == 401
    for unknown in ("fly", "correct-fact", "correct-fact?fact_version=99", "open-account", "propose-framework"):
        assert desk.client.get(f"{desk.base}/do/{unknown}", headers=named("awa")).status_code == 404


def test_what_is_no_form_or_comes_from_elsewhere_is_not_taken(desk: Desk) -> None:
    path, page = f"{desk.base}/do/close-needs", opened(desk.client, f"{desk.base}/do/close-needs", "awa")
    sent = desk.client.post(path, json={}, headers=named("awa"))
    assert (sent.status_code, "Pas un formulaire" in sent.text) == (415, True)
    broken = desk.client.post(path, content=b"a=%ff", headers=named("awa", **HEADERS))
    assert broken.status_code == 415
    elsewhere = {**named("awa"), **HEADERS, "Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    assert desk.client.post(page.action, content=page.body(), headers=elsewhere).status_code == 403


def test_a_role_or_a_thing_that_was_not_offered_is_not_taken(desk: Desk) -> None:
    page = need(desk)
    page.fields["_role"], page.fields["_for"] = ["worker"], ["two words"]
    said = plain(send(desk.client, page, "awa").text)
    assert said.count("choisissez parmi ce qui est proposé") == 4
    about = opened(desk.client, f"{desk.base}/do/count-membership", "awa")
    about.put("women", "3")
    about.put("men", "4")
    about.fields["_target"] = ["elsewhere"]
    assert "choisissez parmi ce qui est proposé" in plain(send(desk.client, about, "awa").text)


def test_a_text_that_the_log_cannot_hold_stays_in_the_form(desk: Desk) -> None:
    answer = send(desk.client, need(desk, "a\x00b"), "awa")
    assert answer.status_code == 422
    assert "Le journal ne peut pas garder ce texte" in plain(answer.text)


def test_a_person_cannot_be_kept_without_a_vault_and_what_was_typed_stays(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CYCLE_VAULT_KEY", raising=False)
    before = desk.position()
    page = opened(desk.client, f"{desk.base}/do/record-person", "awa")
    page.put("name", "Aminata Traoré")
    page.put("_role", "maire")
    answer = send(desk.client, page, "awa")
    assert answer.status_code == 503
    assert Page(answer).fields["name"] == ["Aminata Traoré"]
    assert desk.recorded(before) == []


def test_an_address_fills_part_of_a_form_in(desk: Desk) -> None:
    page = opened(desk.client, f"{desk.base}/do/identify-need?profession=MB-2&description=Un%20pont", "awa")
    assert (page.fields["profession"], page.fields["description"]) == (["MB-2"], ["Un pont"])


def test_numbers_are_read_as_people_write_them(desk: Desk) -> None:
    page = need(desk)
    page.put("estimate_xof", f"1{NARROW_NO_BREAK_SPACE}250 000")
    before = desk.position()
    assert send(desk.client, page, "awa").status_code == 303
    fact = desk.engine.states.history(desk.engine.store.receipt(page.fields["_key"][0])[1].stream)[-1]  # type: ignore[index]
    assert fact.data.estimate_xof == 1_250_000  # type: ignore[attr-defined]
    assert desk.recorded(before) == ["need-identified"]
