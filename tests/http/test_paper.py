"""Sheets and days over HTTP: what the command line makes, for whoever may, recorded before it leaves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import icalendar
import pytest
from fastapi.testclient import TestClient

from cycle.aggregates.acts import CalendarExported, PaperExported
from cycle.aggregates.base import Role
from cycle.aggregates.framework.meetings import ConveneMeeting, PostponeMeeting
from cycle.aggregates.framework.state import Stage
from cycle.engine import Engine
from cycle.reading import Filters
from cycle_adapters.http.problems import URN
from cycle_adapters.paper.calendar import calendar_ics
from tests.engine.path import DIORO, MET
from tests.engine.path import Path as Way
from tests.http.browser import HERE, Browser, browsing
from tests.http.sealed import seal, seals_of
from tests.http.town import API, named, served
from tests.identity.house import DHIS, KADI, House
from tests.paper.meeting import reader
from tests.paper.pages import codes_of, words_of
from tests.people import admit


class Town:
    """A framework whose plan is monitored, and who asks for its papers."""

    def __init__(self, engine: Engine, client: TestClient) -> None:
        self.engine, self.client, self.way = engine, client, Way(engine)
        self.framework = self.way.to(Stage.MONITORING)

    def get(self, path: str, who: str = "facilitator", **headers: str) -> Any:
        headers = {"Accept-Language": "fr", **headers}
        return self.client.get(f"{API}{path}", headers=named(who, **headers))

    def sheet(self, name: str, who: str = "facilitator", **headers: str) -> Any:
        return self.get(f"/frameworks/{self.framework}/{name}", who, **headers)

    def left(self) -> list[tuple[str, Any]]:
        """What left, and through whom."""
        kinds = ("paper-exported", "calendar-exported")
        rows = self.engine.store.read(0, types=kinds)
        facts = [self.engine.leaves[topic, schema](leaf) for _, topic, schema, leaf in rows]
        return [(fact.by.actor, fact.data) for fact in facts]


@pytest.fixture
def town(sqlite_url: str) -> Iterator[Town]:
    with Engine(sqlite_url) as engine, served(engine) as client:
        yield Town(engine, client)


LATER = MET + timedelta(days=9)
SHEETS = (
    ("plan.pdf", "plan", "Plan d'action trimestriel 1", "Three-month action plan 1"),
    ("attendance.pdf?meeting=M-1", "attendance", "Liste de présence, rencontre M-1", "Attendance sheet, meeting M-1"),
    ("minutes.pdf", "minutes", "Procès-verbal de la rencontre M-1", "Minutes of meeting M-1"),
)


@pytest.mark.parametrize(("path", "sheet", "french", "english"), SHEETS)
def test_a_sheet_is_handed_out_and_that_is_recorded(
    town: Town, path: str, sheet: str, french: str, english: str
) -> None:
    answer = town.sheet(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf"), answer.text
    assert french in words_of(answer.content)
    assert answer.headers["content-disposition"] == f'attachment; filename="{sheet}-{DIORO}.pdf"'
    assert "content-encoding" not in answer.headers
    [(who, fact)] = town.left()
    assert (who, type(fact), fact.framework, fact.sheet) == ("facilitator", PaperExported, town.framework, sheet)
    assert answer.headers["cycle-position"] == str(fact.up_to)
    assert english in words_of(town.sheet(f"{path}{'&' if '?' in path else '?'}lang=en").content)


def test_a_sheet_carries_the_checkpoint_that_is_published(town: Town) -> None:
    seal(town.engine)
    note = (seals_of(town.engine) / "logs" / DIORO / "checkpoint").read_bytes()
    assert codes_of(town.sheet("minutes.pdf").content) == [note]


def test_a_sheet_of_a_past_moment_says_so(town: Town) -> None:
    said = words_of(town.sheet(f"plan.pdf?as_of={MET}").content)
    assert "tel que tenu au" in said
    assert town.sheet("plan.pdf?at=1").json()["type"] == f"{URN}nothing-to-print"


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("plan.pdf?cycle=7", {"fr": "cycle 7", "en": "cycle 7"}),
        ("minutes.pdf?meeting=M-9", {"fr": "M-9", "en": "M-9"}),
        ("attendance.pdf", {"fr": "M-1", "en": "M-1"}),
    ],
)
def test_what_cannot_be_printed_is_told_and_nothing_is_recorded(town: Town, path: str, says: dict[str, str]) -> None:
    for language, words in says.items():
        answer = town.sheet(path, **{"Accept-Language": language})
        assert (answer.status_code, answer.json()["type"]) == (404, f"{URN}nothing-to-print")
        assert words in answer.json()["detail"]
    assert town.left() == []


def test_while_others_print_one_is_asked_to_come_back_and_the_rest_goes_on(town: Town) -> None:
    few = town.client.app.state.doors.printing  # type: ignore[attr-defined]
    with few, few:
        answer = town.sheet("plan.pdf")
        assert (answer.status_code, answer.json()["type"]) == (503, f"{URN}busy")
        assert answer.headers["retry-after"]
        assert town.get(f"/frameworks/{town.framework}").status_code == 200
    assert town.sheet("plan.pdf").status_code == 200
    assert len(town.left()) == 1


def test_who_only_keeps_personal_data_carries_nothing_out(town: Town) -> None:
    admit(town.engine, ("dpo", Role.DATA_PROTECTION, "/"))
    for path in ("plan.pdf", "minutes.pdf", "attendance.pdf?meeting=M-1"):
        assert town.sheet(path, "dpo").json()["type"] == f"{URN}forbidden"
    assert town.get("/calendar.ics", "dpo").status_code == 403
    assert town.left() == []


def days(answer: Any) -> dict[str, icalendar.Event]:
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/calendar; charset=utf-8"), answer.text
    found = icalendar.Calendar.from_ical(answer.content)
    return {str(event["UID"]): event for event in found.walk("VEVENT")}


def test_the_calendar_is_that_of_the_command_line(town: Town) -> None:
    answer = town.get("/calendar.ics")
    assert answer.content == calendar_ics(reader(town.way), Filters(), "fr")
    assert len(days(answer)) == 3
    assert days(town.get("/calendar.ics?region=Koulikoro")) == {}
    of_one = town.get(f"/calendar.ics?framework={town.framework}&lang=en")
    assert len(days(of_one)) == 3
    assert [(who, type(fact), fact.of) for who, fact in town.left()] == [
        ("facilitator", CalendarExported, None),
        ("facilitator", CalendarExported, None),
        ("facilitator", CalendarExported, DIORO),
    ]


def test_an_agenda_that_knows_all_days_is_told_so_and_that_is_not_recorded(town: Town) -> None:
    first = town.get("/calendar.ics")
    for _ in range(3):
        again = town.get("/calendar.ics", **{"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    assert len(town.left()) == 1


@pytest.fixture
def at_home(house: House) -> Iterator[tuple[House, Browser]]:
    """People who sign in, a machine with an agenda, and a meeting."""
    admit(house.engine, (DHIS, Role.INTEGRATOR, "/"))
    with browsing(house, address=HERE) as browser:
        yield house, browser


def fetched(browser: Browser, token: object, path: str = "/calendar.ics") -> Any:
    """As an agenda does it: an address, and no header."""
    return browser.client.get(f"{API}{path}{'&' if '?' in path else '?'}token={token}&lang=en")


def test_an_agenda_has_its_token_in_its_address(at_home: tuple[House, Browser]) -> None:
    house, browser = at_home
    token, _ = house.credentials.issue(KADI, DHIS, ("export-calendar",), 30)
    assert days(fetched(browser, token)) == {}
    rows = house.engine.store.read(0, types=["calendar-exported"])
    assert [house.engine.leaves[topic, schema](leaf).by.actor for _, topic, schema, leaf in rows] == [DHIS]
    house.credentials.revoke(KADI, token.id)
    gone = fetched(browser, token)
    assert (gone.status_code, gone.json()["type"]) == (401, f"{URN}sign-in-needed")


def test_a_token_in_an_address_is_good_for_the_calendar_alone(at_home: tuple[House, Browser]) -> None:
    house, browser = at_home
    token, _ = house.credentials.issue(KADI, DHIS, ("export-calendar",), 30)
    for path in ("/calendar", "/plans", "/frameworks", "/communes?limit=1", "/session", "/openapi.json?x=1"):
        answer = fetched(browser, token, path)
        # As if there was none: what is public is answered, and nothing else.
        assert answer.status_code in (401, 200)
        assert answer.status_code == browser.client.get(f"{API}{path}").status_code
    header = {"Authorization": f"Bearer {token}"}
    assert browser.client.get(f"{API}/plans", headers=header).status_code == 403
    assert browser.client.get(f"{API}/calendar.ics", headers=header).status_code == 200


@pytest.mark.parametrize("scope", [("export-calendar", "plans"), ("plans",)])
def test_a_wider_token_is_taken_in_no_address(at_home: tuple[House, Browser], scope: tuple[str, ...]) -> None:
    house, browser = at_home
    token, _ = house.credentials.issue(KADI, DHIS, scope, 30)
    answer = fetched(browser, token)
    assert (answer.status_code, answer.json()["type"]) == (401, f"{URN}sign-in-needed")
    assert "revoke this one" in answer.json()["detail"]


def test_what_moves_in_the_log_moves_in_the_agenda(sqlite_url: str) -> None:
    with Engine(sqlite_url) as engine, served(engine, "facilitator") as client:
        way = Way(engine)
        identity = way.to(Stage.MEETING)
        way.say(ConveneMeeting(held_on=MET, place="Mairie"), on=MET)
        first = client.get(f"{API}/calendar.ics")
        way.say(PostponeMeeting(held_on=LATER, reason="Fête"), on=MET)
        second = client.get(f"{API}/calendar.ics", headers={"If-None-Match": first.headers["etag"]})
    before, after = (days(each)[f"meeting-M-1-{identity}"] for each in (first, second))
    assert (before["DTSTART"].dt, after["DTSTART"].dt) == (MET, LATER)
    assert after["SEQUENCE"] > before["SEQUENCE"]


BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"


def test_whoever_follows_a_link_to_a_file_is_told_in_a_page_what_is_wrong(town: Town) -> None:
    answer = town.sheet("plan.pdf?cycle=7", Accept=BROWSER)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "Rien à imprimer" in answer.text
    assert town.sheet("plan.pdf", Accept=BROWSER).headers["content-type"] == "application/pdf"
    assert town.sheet("plan.pdf?cycle=7", Accept="*/*").headers["content-type"] == "application/problem+json"


def test_whoever_is_not_signed_in_any_more_signs_in_and_has_the_file(at_home: tuple[House, Browser]) -> None:
    _, browser = at_home
    answer = browser.client.get(f"{API}/calendar.ics?lang=en", headers={"Accept": BROWSER}, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?lang=en&to=%2Fapi%2Fv1%2Fcalendar.ics%3Flang%3Den"
    assert browser.client.get(f"{API}/calendar.ics?lang=en").status_code == 401
