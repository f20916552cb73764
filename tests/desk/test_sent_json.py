"""The script of a page hears as JSON what a page would have said: recorded, or what is wrong, and what can be done."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from httpx2 import Response

from cycle.aggregates.account import RevokeGrant
from cycle.aggregates.base import By, Role
from cycle.aggregates.commune import RegisterCommune
from cycle.aggregates.framework.needs import IdentifyNeed
from cycle.aggregates.framework.state import Stage
from cycle.aggregates.terms import CommuneCode, GrantId, NeedKind
from cycle.engine import Busy, Engine, Said
from cycle.store import Unavailable
from tests.desk.filling import HEADERS, Page, opened, said, send
from tests.desk.places import Desk, desk_at
from tests.desk.test_forms import NEED, need, plain
from tests.engine.path import RICE
from tests.http.town import named
from tests.people import admit

DAY = date(2026, 2, 1)
MACINA = CommuneCode("ML-4-02-01")


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[Desk]:
    """Needs are being identified."""
    with desk_at(sqlite_url, Stage.NEEDS_IDENTIFICATION) as desk:
        yield desk


def problem(answer: Response, status: int, code: str) -> dict[str, object]:
    """What is wrong, in problem details."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, object] = answer.json()
    assert (found["type"], found["status"]) == (f"urn:cycle:problem:{code}", status)
    return found


def test_what_is_recorded_is_told_once_and_again_the_same(desk: Desk) -> None:
    before, page = desk.position(), need(desk)
    key = page.fields["_key"][0]
    first, second = said(desk.client, page, "awa"), said(desk.client, page, "awa")
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.headers["content-type"] == "application/json"
    assert first.json() == second.json()
    assert desk.recorded(before) == ["need-identified"]
    found = first.json()
    words = found.pop("sentences")
    assert found == {
        "key": key,
        "framework": desk.base.rpartition("/")[2],
        "version": desk.engine.framework(desk.way.framework).version,
        "position": before + 1,
        "done": f"{desk.base}/done/{key}",
    }
    assert len(words) == 1
    assert NEED in words[0]
    assert plain(words[0]) in plain(desk.text(found["done"]))


def test_the_same_key_is_answered_alike_whatever_has_happened_since(desk: Desk) -> None:
    page = need(desk)
    first = said(desk.client, page, "awa")
    desk.way.say(IdentifyNeed(profession=RICE, kind=NeedKind.INVESTMENT, description="Un magasin"), on=DAY)
    again = said(desk.client, page, "awa")
    assert (again.status_code, again.json()) == (200, first.json())


def test_a_framework_that_is_proposed_is_named_in_the_answer(desk: Desk) -> None:
    desk.way._execute(RegisterCommune(commune=MACINA, name="Macina", region="Ségou", circle="Macina"), DAY)
    page = opened(desk.client, "/do/propose-framework", "awa")
    page.put("commune", "Macina")
    page.put("title", "Cadre des pêcheurs")
    page.put("_role", "facilitat")
    found = said(desk.client, page, "awa").json()
    assert found["version"] == 1
    assert found["framework"] not in ("", desk.base.rpartition("/")[2])
    assert "Cadre des pêcheurs" in found["sentences"][0]
    assert "Cadre des pêcheurs" in desk.text(found["done"])


def test_something_of_the_commune_answers_with_the_version_of_the_framework(desk: Desk) -> None:
    page = opened(desk.client, f"{desk.base}/do/register-organisation", "awa")
    page.put("name", "Union des exploitants")
    page.put("constituency", "organisation professionnelle")
    page.put("form", "coopérative")
    page.put("_role", "facilitat")
    found = said(desk.client, page, "awa").json()
    assert found["version"] == desk.engine.framework(desk.way.framework).version
    assert "Union des exploitants" in found["sentences"][0]


def test_every_fault_is_named_by_its_input(desk: Desk) -> None:
    before, page = desk.position(), need(desk)
    page.put("estimate_xof", "beaucoup")
    page.fields["profession"], page.fields["_on"], page.fields["_role"] = [""], ["hier"], ["worker"]
    found = problem(said(desk.client, page, "awa"), 422, "invalid")
    assert found["errors"] == [
        {"name": "profession", "label": "Organisation professionnelle", "text": "à remplir"},
        {
            "name": "estimate_xof",
            "label": "Estimation (F CFA)",
            "text": "il faut ici\u00a0: nombre entier, de 0 à 1000000000000",
        },
        {"name": "_on", "label": "Jour où cela s'est passé", "text": "à remplir"},
        {"name": "_role", "label": "En qualité de", "text": "choisissez parmi ce qui est proposé"},
    ]
    assert "reasons" not in found
    assert desk.recorded(before) == []


def test_a_fault_in_a_row_is_named_by_the_number_under_which_the_row_was_sent(desk: Desk) -> None:
    page = opened(desk.client, f"{desk.base}/do/install-committee", "awa")
    page.fields["seats.2.person"] = ["deux mots"]
    found = problem(said(desk.client, page, "awa"), 422, "invalid")
    assert isinstance(found["errors"], list)
    names = {each["name"] for each in found["errors"]}
    assert {name for name in names if name.startswith("seats")} <= {"seats.2.person", "seats.2.member"}
    assert names & {"seats.2.person", "seats.2.member"}


def test_what_has_no_key_cannot_be_sent_again_and_is_not_taken(desk: Desk) -> None:
    before, page = desk.position(), need(desk)
    for key in ("", "two words", "é", "k" * 201):
        page.fields["_key"] = [key]
        found = problem(said(desk.client, page, "awa"), 422, "invalid")
        assert isinstance(found["errors"], list)
        assert [each["name"] for each in found["errors"]] == ["_key"]
    assert desk.recorded(before) == []


def test_a_rule_that_refuses_says_why_what_helps_and_who_lifts_it(desk: Desk) -> None:
    page = opened(desk.client, f"{desk.base}/do/convene-meeting", "awa")
    page.put("held_on", "2026-03-20")
    page.put("place", "Mairie de Dioro")
    page.put("_role", "maire")
    found = problem(said(desk.client, page, "awa"), 422, "refused")
    assert isinstance(found["reasons"], list)
    [reason] = found["reasons"]
    assert reason["code"] == "wrong-stage"
    assert "Ceci est possible à l'étape rencontre" in plain(reason["text"])
    assert (bool(reason["help"]), reason["lift"]) == (True, ["facilitator", "mayor"])
    assert "errors" not in found


def test_what_others_recorded_meanwhile_comes_with_the_present_version(desk: Desk) -> None:
    page, before = need(desk), desk.engine.framework(desk.way.framework).version
    desk.way.say(IdentifyNeed(profession=RICE, kind=NeedKind.INVESTMENT, description="Un magasin"), on=DAY)
    at = desk.position()
    found = problem(said(desk.client, page, "awa"), 412, "version-moved")
    assert found["version"] == before + 1
    assert isinstance(found["since"], list)
    [fact] = found["since"]
    assert (fact["version"], fact["by"]) == (before + 1, "organisation")
    assert "Un magasin" in fact["sentence"]
    assert desk.recorded(at) == []
    page.fields["_version"] = [str(found["version"])]
    assert said(desk.client, page, "awa").status_code == 201


def test_a_key_that_was_used_for_something_else_is_told(desk: Desk) -> None:
    page = need(desk)
    said(desk.client, page, "awa")
    page.put("description", "Un hangar pour le paddy")
    problem(said(desk.client, page, "awa"), 409, "key-reused")


def test_what_binds_is_checked_before_it_is_sent(sqlite_url: str) -> None:
    with desk_at(sqlite_url, Stage.MEETING) as desk:
        page = opened(desk.client, f"{desk.base}/do/agree-plan", "awa")
        page.put("window.starts_on", "2026-03-03")
        page.put("window.ends_on", "2026-05-31")
        page.put("mode", "consensus")
        found = problem(said(desk.client, page, "awa"), 422, "refused")
        assert isinstance(found["reasons"], list)
        assert [reason["code"] for reason in found["reasons"]] == ["check-first"]
        # Checked, it is what the rules make of it: no meeting is in session.
        checked = problem(said(desk.client, page, "awa", _checked="yes"), 422, "refused")
        assert isinstance(checked["reasons"], list)
        assert "check-first" not in [reason["code"] for reason in checked["reasons"]]


def test_a_text_that_the_log_cannot_hold_is_told(desk: Desk) -> None:
    found = problem(said(desk.client, need(desk, "a\x00b"), "awa"), 422, "refused")
    assert isinstance(found["reasons"], list)
    assert [reason["code"] for reason in found["reasons"]] == ["bad-text"]


@pytest.mark.parametrize("error", [Busy("others"), Unavailable("full")])
def test_what_can_be_tried_again_is_told_as_that(desk: Desk, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    page = need(desk)

    def fails(engine: Engine, *_: object) -> None:
        raise error

    monkeypatch.setattr(Engine, "_execute", fails)
    answer = said(desk.client, page, "awa")
    problem(answer, 503, "unavailable")
    assert answer.headers["retry-after"]
    monkeypatch.undo()
    assert said(desk.client, page, "awa").status_code == 201


def test_who_may_not_any_more_hears_it_as_json(desk: Desk) -> None:
    admit(desk.engine, ("moussa", Role.FACILITATOR, "/"))
    page = opened(desk.client, f"{desk.base}/do/identify-need", "moussa")
    admit(desk.engine, ("moussa", Role.EVALUATOR, "/"))
    revoke, day = RevokeGrant(grant=GrantId("G-1"), reason="Mutation"), date(2026, 3, 1)
    desk.engine.execute(Said(command=revoke, by=By("administrator", Role.ADMINISTRATOR), on=day, target="moussa"))
    found = problem(said(desk.client, page, "moussa"), 403, "forbidden")
    assert found["reasons"]


def test_who_has_lost_the_right_since_hears_what_was_recorded_and_records_no_more(desk: Desk) -> None:
    admit(desk.engine, ("moussa", Role.FACILITATOR, "/"), ("moussa", Role.EVALUATOR, "/"))
    page, other = (opened(desk.client, f"{desk.base}/do/identify-need", "moussa") for _ in range(2))
    for each in (page, other):
        each.fields |= {"profession": ["MB-2"], "kind": ["investment"], "description": [NEED]}
    first = said(desk.client, page, "moussa")
    revoke, day = RevokeGrant(grant=GrantId("G-1"), reason="Mutation"), date(2026, 3, 1)
    desk.engine.execute(Said(command=revoke, by=By("administrator", Role.ADMINISTRATOR), on=day, target="moussa"))
    again = said(desk.client, page, "moussa")
    assert (first.status_code, again.status_code, again.json()) == (201, 200, first.json())
    problem(said(desk.client, other, "moussa"), 403, "forbidden")
    theirs = need(desk)
    said(desk.client, theirs, "awa")
    before = desk.position()
    for key in (theirs.fields["_key"][0], "a\x00b", ""):
        other.fields["_key"] = [key]
        problem(said(desk.client, other, "moussa"), 403, "forbidden")
    page.fields["description"] = ["Autre chose"]
    problem(said(desk.client, page, "moussa"), 409, "key-reused")
    assert set(desk.recorded(before)) <= {"attempt-refused"}


def test_a_stranger_and_who_is_nobody_hear_nothing(desk: Desk) -> None:
    admit(desk.engine, ("moussa", Role.FACILITATOR, "ML/Kayes"))
    page = need(desk)
    problem(said(desk.client, page, "moussa"), 404, "not-found")
    headers = {**HEADERS, "Accept": "application/json"}
    problem(desk.client.post(page.action, content=page.body(), headers=headers), 401, "sign-in-needed")
    assert "Une motopompe" not in said(desk.client, page, "moussa").text


def test_a_browser_without_script_still_gets_pages(desk: Desk) -> None:
    page = need(desk)
    headers = named("awa", **HEADERS, Accept="text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
    answer = desk.client.post(page.action, content=page.body(), headers=headers, follow_redirects=False)
    assert answer.status_code == 303
    page.fields["profession"] = [""]
    assert send(desk.client, page, "awa").headers["content-type"].startswith("text/html")


def test_who_one_is_is_told_as_json_or_not_at_all(desk: Desk) -> None:
    answer = desk.client.get("/me.json?lang=en", headers=named("awa"))
    assert answer.json() == {"account": "awa", "form_token": "", "language": "en"}
    assert answer.headers["cache-control"] == "no-store"
    problem(desk.client.get("/me.json"), 401, "sign-in-needed")


def test_only_scripts_of_our_own_run(desk: Desk) -> None:
    rules = desk.client.get("/", headers=named("awa")).headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "connect-src 'self'", "worker-src 'self'"} <= set(rules)
    assert "manifest-src 'self'" in rules
    assert "unsafe" not in "".join(rules)


def test_forms_of_one_page_are_sent_one_after_the_other(desk: Desk) -> None:
    first, second = need(desk, "Un pont"), need(desk, "Un puits")
    assert said(desk.client, first, "awa").status_code == 201
    alone = problem(said(desk.client, second, "awa"), 412, "version-moved")
    assert isinstance(alone["since"], list)
    assert len(alone["since"]) == 1
    assert said(desk.client, second, "awa", _after=first.fields["_key"][0]).status_code == 201


def test_what_others_have_said_among_them_is_shown_and_nothing_else(desk: Desk) -> None:
    first, second = need(desk, "Un pont"), need(desk, "Un puits")
    said(desk.client, first, "awa")
    desk.way.say(IdentifyNeed(profession=RICE, kind=NeedKind.INVESTMENT, description="Un magasin"), on=DAY)
    theirs = desk.engine.states.history(f"framework-{desk.way.framework}")[-1].causation  # type: ignore[arg-type]
    mine = first.fields["_key"][0]
    for after in (mine, f"{mine} {theirs}", f"  {theirs}\n{mine} "):
        found = problem(said(desk.client, second, "awa", _after=after), 412, "version-moved")
        assert isinstance(found["since"], list)
        assert [fact["by"] for fact in found["since"]] == ["organisation"]
    page = Page(send(desk.client, second, "awa", _after=mine))
    assert "_after" not in page.fields
    assert send(desk.client, page, "awa").status_code == 303
