"""A meeting is taken along: every page of it is there before it is possible, and says so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from cycle.aggregates.base import Role
from cycle.aggregates.framework.meetings import ConveneMeeting
from cycle.aggregates.framework.state import Stage
from cycle.commands import COMMANDS
from cycle_adapters.http.pages_meeting import STEPS, Step
from cycle_adapters.http.pages_offline import beside, commands_around
from tests.desk.filling import Page, opened, said
from tests.desk.places import Desk, desk_at
from tests.desk.test_forms import plain
from tests.http.town import named
from tests.people import admit

HELD = date(2026, 3, 3)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """No meeting is convened yet; nothing is recorded here."""
    with desk_at(f"sqlite:///{tmp_path_factory.mktemp('offline') / 'a.db'}", Stage.MEETING) as desk:
        yield desk


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[Desk]:
    with desk_at(sqlite_url, Stage.MEETING) as desk:
        yield desk


def kept(desk: Desk, who: str = "awa", language: str = "fr") -> list[str]:
    answer = desk.client.get(f"{desk.base}/offline.json?lang={language}", headers=named(who))
    assert answer.status_code == 200, answer.text
    pages: list[str] = answer.json()["pages"]
    return pages


def test_what_is_to_be_kept_is_named_with_its_version(before: Desk) -> None:
    found = before.client.get(f"{before.base}/offline.json", headers=named("awa")).json()
    assert found["framework"] == before.base.rpartition("/")[2]
    assert (found["name"], found["version"]) == ("Dioro", before.engine.framework(before.way.framework).version)
    assert found["pages"][:3] == [
        f"{before.base}?lang=fr",
        f"{before.base}/meeting?lang=fr",
        f"{before.base}/meeting?lang=fr&step=invitation",
    ]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_page_that_is_kept_is_there_and_is_named_once(before: Desk, language: str) -> None:
    pages = kept(before, language=language)
    assert len(pages) == len(set(pages))
    for page in pages:
        assert f'lang="{language}"' in before.text(page)


def test_every_form_that_the_meeting_links_to_is_kept_under_the_same_address(before: Desk) -> None:
    pages = set(kept(before))
    for step in STEPS:
        main = before.text(f"{before.base}/meeting?lang=fr&step={step.name}").partition("<main")[2]
        for part in main.replace("&amp;", "&").split('href="')[1:]:
            address = part.partition('"')[0]
            if "/do/" in address or "/meeting" in address:
                assert address in pages


def test_who_may_say_little_keeps_little(before: Desk) -> None:
    forms = [page for page in kept(before, "evaluator") if "/do/" in page]
    assert forms == []
    partner = {page.partition("/do/")[2].partition("?")[0] for page in kept(before, "partner") if "/do/" in page}
    assert partner == {name for name in partner if Role.PARTNER in COMMANDS[name].roles}
    assert "pledge-contribution" in partner


def test_a_stranger_is_told_of_nothing(before: Desk) -> None:
    admit(before.engine, ("moussa", Role.FACILITATOR, "ML/Kayes"))
    path = f"{before.base}/offline.json"
    for headers, status in ((named("moussa"), 404), ({}, 401)):
        answer = before.client.get(path, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
        assert "Dioro" not in answer.text


def test_what_lies_around_a_meeting_follows_from_the_table() -> None:
    around = commands_around(Stage.NEEDS_IDENTIFICATION)
    assert {"close-needs", "propose-action", "agree-plan", "install-committee", "admit-member"} <= set(around)
    assert not {"suspend", "dissolve", "correct-fact", "record-deadline-passed", "propose-framework"} & set(around)
    assert "report-progress" not in around
    assert "report-progress" in commands_around(Stage.MONITORING)
    assert "register-organisation" in beside(around)
    assert "record-person" not in beside(around)
    assert beside(("close-meeting",)) == ()


def test_a_form_that_is_not_possible_yet_says_why_and_can_be_filled_in(before: Desk) -> None:
    early = before.text(f"{before.base}/do/agree-plan")
    assert "Pas encore possible : Aucune rencontre n'est convoquée" in plain(early)
    assert 'name="window.starts_on"' in early
    elsewhere = plain(before.text(f"{before.base}/do/install-committee"))
    assert "Pas encore possible : Ceci est possible à l'étape plan" in elsewhere
    assert "Pas encore possible" not in before.text(f"{before.base}/do/propose-action")
    assert "Pas encore possible" not in before.text(f"{before.base}/do/register-organisation")


@pytest.mark.parametrize("step", STEPS, ids=[step.name for step in STEPS])
def test_a_step_offers_all_that_it_needs_also_what_is_not_possible_yet(before: Desk, step: Step) -> None:
    page = before.text(f"{before.base}/meeting?step={step.name}")
    for command in step.commands:
        its_form = f'action="{before.base}/meeting/attendance' if command == "open-meeting" else f"/do/{command}?"
        assert its_form in page, command


def test_a_whole_meeting_is_typed_before_it_is_convened_and_sent_in_its_order(desk: Desk) -> None:
    """Every page was opened while nothing of it was possible."""
    base, seen = desk.base, desk.position()
    convene = opened(desk.client, f"{base}/do/convene-meeting?step=invitation", "awa")
    attendance = opened(desk.client, f"{base}/meeting?step=attendance", "awa")
    propose = opened(desk.client, f"{base}/do/propose-action?step=proposals", "awa")
    agree = opened(desk.client, f"{base}/do/agree-plan?step=decision", "awa")
    install = opened(desk.client, f"{base}/do/install-committee?step=committee", "awa")
    close = opened(desk.client, f"{base}/do/close-meeting?step=minutes", "awa")
    convene.fields |= {"held_on": [HELD.isoformat()], "place": ["Mairie"], "_on": ["2026-02-10"]}
    for number in range(4):
        attendance.fields |= {f"_came.{number}": ["yes"], f"attendance.{number}.women": ["2"]}
    propose.fields |= {"description": ["Curer le canal"], "needs": ["N-1"], "responsible": ["MB-2"]}
    propose.fields |= {"due_on": ["2026-05-10"]}
    agree.fields |= {"window.starts_on": ["2026-03-03"], "window.ends_on": ["2026-05-15"], "mode": ["consensus"]}
    for number, member in enumerate(("MB-1", "MB-2", "MB-3")):
        install.fields |= {f"seats.{number}.member": [member], f"seats.{number}.person": [f"p-{number}"]}
    install.fields |= {"seats.0.woman": ["yes"], "seats.1.youth": ["yes"]}
    close.fields |= {"minutes": ["Plan adopté."]}
    keys: list[str] = []
    for page in (convene, attendance, propose, agree, install, close):
        if page.options.get("_role"):
            page.put("_role", "facilitat")
        sent = said(desk.client, page, "awa", _after=" ".join(keys), _checked="yes")
        assert sent.status_code == 201, sent.text
        keys.append(page.fields["_key"][0])
    assert desk.recorded(seen) == [
        "meeting-convened",
        "meeting-opened",
        "action-proposed",
        "plan-agreed",
        "committee-installed",
        "meeting-closed",
    ]


def test_sent_in_the_wrong_order_it_is_refused_and_then_recorded(desk: Desk) -> None:
    attendance = opened(desk.client, f"{desk.base}/meeting?step=attendance", "awa")
    for number in range(4):
        attendance.fields |= {f"_came.{number}": ["yes"], f"attendance.{number}.women": ["2"]}
    early = said(desk.client, attendance, "awa")
    assert early.status_code == 422
    assert early.json()["reasons"]
    desk.way.say(ConveneMeeting(held_on=HELD, place="Mairie"), on=date(2026, 2, 10))
    moved = said(desk.client, attendance, "awa")
    assert moved.status_code == 412
    attendance.fields["_version"] = [str(moved.json()["version"])]
    assert said(desk.client, attendance, "awa").status_code == 201


def test_the_plain_form_of_the_attendance_has_a_row_for_each_member(before: Desk) -> None:
    page = Page(before.client.get(f"{before.base}/do/open-meeting", headers=named("awa")))
    rows = [name for name in page.fields if name.startswith("attendance.") and name.endswith(".member")]
    assert [page.fields[name] for name in rows] == [["MB-1"], ["MB-2"], ["MB-3"], ["MB-4"]]
    adjourn = Page(before.client.get(f"{before.base}/do/adjourn-meeting", headers=named("awa")))
    assert adjourn.fields["attendance.0.member"] == [""]


def test_who_sits_on_the_committee_is_shown_at_its_step(sqlite_url: str) -> None:
    with desk_at(sqlite_url, Stage.MONITORING) as desk:
        page = plain(desk.text(f"{desk.base}/meeting?step=committee"))
        assert "Mairie de Dioro : p-1" in page
