"""The calendar: read back by a parser, the same entry for ever, and whatever moves seen to have moved."""

from __future__ import annotations

from datetime import date, timedelta

import icalendar
import pytest
from msgspec import Raw

from cycle.access import Forbidden
from cycle.aggregates.framework.anytime import CorrectFact
from cycle.aggregates.framework.meetings import CancelMeeting, ConveneMeeting, PostponeMeeting
from cycle.aggregates.framework.monitoring import CompleteAction, StartAction
from cycle.aggregates.framework.state import Stage
from cycle.aggregates.terms import ActionId
from cycle.engine import Engine
from cycle.history import Cutoffs
from cycle.reading import Filters
from cycle_adapters.paper.calendar import calendar_ics
from tests.access.places import KOULA, two_communes
from tests.engine.path import ENDS, MET
from tests.engine.path import Path as Way
from tests.paper.meeting import DUE, agreed, in_session, reader

LATER = MET + timedelta(days=9)
LONG = 'Fête; "riz", 50 \\ 100: ɲɔ́gɔn 🎉 ' + "très " * 60


def read(way: Way, language: str = "fr", **more: object) -> dict[str, icalendar.Event]:
    """The entries by what they are about, after a parser of its own has read the file."""
    data = calendar_ics(reader(way), Filters(framework=way.framework), language, **more)  # type: ignore[arg-type]
    assert all(len(line) <= 75 for line in data.split(b"\r\n"))
    found = icalendar.Calendar.from_ical(data)
    assert not found.errors
    return {str(event["UID"]).removesuffix(f"-{way.framework}"): event for event in found.walk("VEVENT")}


def convened(way: Way, place: str = "Mairie") -> None:
    way.to(Stage.MEETING)
    way.say(ConveneMeeting(held_on=MET, place=place), on=MET)


def test_a_plan_makes_days_of_its_end_and_of_its_actions(way: Way) -> None:
    way.to(Stage.PLAN)
    found = read(way)
    assert set(found) == {"meeting-M-1", "action-A-1", "plan-plan-1"}
    action, plan = found["action-A-1"], found["plan-plan-1"]
    assert action["SUMMARY"] == "Échéance de l'action A-1\u00a0: Acheter la décortiqueuse — Dioro"
    assert (action["DTSTART"].dt, action["DTEND"].dt) == (DUE, DUE + timedelta(days=1))
    assert type(action["DTSTART"].dt) is date
    assert plan["SUMMARY"] == "Dernier jour du plan — Dioro"
    assert plan["DTSTART"].dt == ENDS
    assert plan["TRANSP"] == "TRANSPARENT"
    assert "Cadre de Dioro" in plan["DESCRIPTION"]
    english = read(way, "en")
    assert english["action-A-1"]["SUMMARY"] == "Action A-1 due: Acheter la décortiqueuse — Dioro"
    assert english["meeting-M-1"]["SUMMARY"] == "Meeting M-1 — Dioro"


def test_what_is_open_reminds_and_what_is_done_does_not(way: Way) -> None:
    way.to(Stage.PLAN)
    found = read(way)
    alarms = [alarm["TRIGGER"].dt for alarm in found["action-A-1"].walk("VALARM")]
    assert timedelta(hours=-15) in alarms
    policy = way.engine.policy(way.engine.framework(way.framework).policy)
    assert policy is not None
    assert timedelta(hours=9) - timedelta(days=policy.deadline_warning_days.value) in alarms
    assert found["meeting-M-1"].walk("VALARM") == []
    way.start_monitoring()
    way.say(StartAction(action=ActionId("A-1")), CompleteAction(action=ActionId("A-1"), result="Fait"), on=MET)
    done = read(way)["action-A-1"]
    assert done.walk("VALARM") == []
    assert done["STATUS"] == "CONFIRMED"


def test_a_meeting_that_moves_keeps_its_entry_and_counts_up(way: Way) -> None:
    convened(way)
    before = read(way)["meeting-M-1"]
    way.say(PostponeMeeting(held_on=LATER, reason="Fête"), on=MET)
    after = read(way)["meeting-M-1"]
    assert before["UID"] == after["UID"]
    assert after["SEQUENCE"] > before["SEQUENCE"]
    assert after["DTSTAMP"].dt >= before["DTSTAMP"].dt
    assert (before["DTSTART"].dt, after["DTSTART"].dt) == (MET, LATER)
    assert after["LOCATION"] == "Mairie, Dioro"


def test_a_meeting_that_is_called_off_is_cancelled(way: Way) -> None:
    convened(way)
    way.say(CancelMeeting(reason="Pluie"), on=MET)
    event = read(way)["meeting-M-1"]
    assert event["STATUS"] == "CANCELLED"
    assert event.walk("VALARM") == []


def test_a_day_that_is_corrected_counts_up_as_well(way: Way) -> None:
    convened(way)
    before = read(way)["meeting-M-1"]
    version = next(f.recorded.version for f in reader(way).facts() if f.recorded.type == "meeting-convened")
    correct = CorrectFact(fact_version=version, changes={"held_on": Raw(f'"{LATER}"'.encode())}, reason="Faute")
    receipt = way.say(correct, on=MET)
    after = read(way)["meeting-M-1"]
    assert after["DTSTART"].dt == LATER
    assert after["SEQUENCE"] > before["SEQUENCE"]
    assert after["SEQUENCE"] == receipt.events[-1].version
    # As of the moment before, nothing has been corrected.
    cut = read(way, cutoffs=Cutoffs(at=receipt.events[-1].position - 1))["meeting-M-1"]
    assert (cut["SEQUENCE"], cut["DTSTART"].dt) == (before["SEQUENCE"], MET)
    again = read(way, cutoffs=Cutoffs(at=receipt.events[-1].position))["meeting-M-1"]
    assert again["SEQUENCE"] == after["SEQUENCE"]


def test_what_somebody_typed_is_text(way: Way) -> None:
    in_session(way, "BEGIN:VALARM; X")
    agreed(way, ["a\nEND:VEVENT\nBEGIN:VEVENT\r\nUID:other", LONG, "gauche\u202edroite"])
    found = read(way)
    assert len(found) == 5
    assert found["meeting-M-1"]["LOCATION"] == "BEGIN:VALARM; X, Dioro"
    assert "a END:VEVENT BEGIN:VEVENT  UID:other" in found["action-A-1"]["SUMMARY"]
    assert LONG.strip() in found["action-A-2"]["SUMMARY"]
    assert "gauche droite" in found["action-A-3"]["SUMMARY"]


def test_the_same_log_makes_the_same_calendar(way: Way) -> None:
    way.to(Stage.MONITORING)
    first, second = (calendar_ics(reader(way, who), Filters(), "fr") for who in ("facilitator", "auditor"))
    assert first == second


def test_a_calendar_is_called_after_what_it_shows(way: Way) -> None:
    way.to(Stage.PLAN)
    named = calendar_ics(reader(way), Filters(), "fr", of="Ségou; x")
    assert icalendar.Calendar.from_ical(named)["X-WR-CALNAME"] == "Cadres de concertation\u00a0: Ségou; x"
    assert icalendar.Calendar.from_ical(calendar_ics(reader(way), Filters(), "en"))["METHOD"] == "PUBLISH"


def test_who_reads_one_region_gets_its_days_and_no_others(sqlite_url: str) -> None:
    with Engine(sqlite_url) as engine:
        two_communes(engine)
        own = reader(Way(engine), "fanta")
        assert b"BEGIN:VCALENDAR" in calendar_ics(own, Filters(), "fr")
        with pytest.raises(Forbidden):
            calendar_ics(own, Filters(commune=KOULA), "fr")


def test_filters_leave_out_the_rest(way: Way) -> None:
    way.to(Stage.PLAN)
    for filters, count in (
        (Filters(region="Ségou"), 3),
        (Filters(region="Koulikoro"), 0),
        (Filters(circle="segou", sector="rice"), 3),
        (Filters(sector="livestock"), 0),
    ):
        assert calendar_ics(reader(way), filters, "fr").count(b"BEGIN:VEVENT") == count
