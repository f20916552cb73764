"""The attendance sheet: who sits where, and room for a pen."""

from __future__ import annotations

import pytest

from cycle.aggregates.framework.meetings import ConveneMeeting, OpenMeeting
from cycle.aggregates.framework.setup import WithdrawMember
from cycle.aggregates.framework.state import Stage
from cycle_adapters.paper.attendance import EMPTY_LINES
from cycle_adapters.paper.basis import CannotPrint
from tests.engine.path import FISH, MET
from tests.engine.path import Path as Way
from tests.paper.meeting import EVERYBODY, reader
from tests.paper.pages import A4, places_of, sizes_of, words_of
from tests.paper.printing import attendance_pdf

FOR_A_PEN_MM = 11


def convened(way: Way, place: str = "Mairie") -> None:
    way.to(Stage.MEETING)
    way.say(ConveneMeeting(held_on=MET, place=place), on=MET)


def test_members_sit_by_constituency_under_what_the_meeting_is(way: Way) -> None:
    convened(way)
    pdf = attendance_pdf(reader(way), way.framework, "fr")
    said = words_of(pdf)
    assert sizes_of(pdf) == {A4}
    for words in (
        "Liste de présence, rencontre M-1",
        "Date 16 février 2026 Lieu Mairie Convocation 1 Quorum 2 membres sur 4",
        "Mairie MB-1 Mairie de Dioro",
        "Organisation professionnelle MB-2 Coopérative Benkadi MB-3 Coopérative Jigiya",
        "Partenaire technique et financier (PTF) MB-4 PACT",
        "Représenté par Signature",
        "Autres personnes présentes",
        "Une fois signée, cette liste contient des données personnelles",
    ):
        assert words in said


def test_the_same_in_english(way: Way) -> None:
    convened(way)
    said = words_of(attendance_pdf(reader(way), way.framework, "en"))
    assert "Attendance sheet, meeting M-1" in said
    assert "Professional organisation MB-2" in said


def test_a_line_is_high_enough_for_a_pen(way: Way) -> None:
    convened(way)
    pdf = attendance_pdf(reader(way), way.framework, "fr")
    (_, _, first), (_, _, second) = (places_of(pdf, number)[0] for number in ("MB-2", "MB-3"))
    assert second - first >= FOR_A_PEN_MM - 0.1
    # Empty lines push what stands below them down as far.
    (page, _, head), (below, _, notice) = places_of(pdf, "Organisation, fonction")[0], places_of(pdf, "Une fois")[-1]
    assert (below - page) * A4[1] + notice - head >= EMPTY_LINES * FOR_A_PEN_MM


def test_who_has_left_has_no_line(way: Way) -> None:
    way.to(Stage.PLAN)
    way.say(WithdrawMember(member=FISH, reason="Dissoute"), on=MET)
    said = words_of(attendance_pdf(reader(way), way.framework, "fr", meeting="M-1"))
    assert "MB-2 Coopérative Benkadi" in said
    assert "MB-3" not in said


def test_a_meeting_in_session_can_still_be_signed_for(way: Way) -> None:
    convened(way, "#panic() $x$")
    way.say(OpenMeeting(attendance=EVERYBODY), on=MET)
    assert "Lieu #panic() $x$" in words_of(attendance_pdf(reader(way), way.framework, "fr"))


def test_the_same_log_makes_the_same_sheet(way: Way) -> None:
    convened(way)
    first = attendance_pdf(reader(way), way.framework, "fr")
    assert attendance_pdf(reader(way), way.framework, "fr", meeting="M-1") == first


@pytest.mark.parametrize(
    ("meeting", "words"),
    [
        (None, "no meeting is convened: convene one, or name an earlier one with --meeting (—)"),
        ("M-9", "there is no meeting M-9; there is: —"),
    ],
)
def test_a_meeting_that_is_not_there_is_named(way: Way, meeting: str | None, words: str) -> None:
    way.to(Stage.MEETING)
    with pytest.raises(CannotPrint) as refused:
        attendance_pdf(reader(way), way.framework, "en", meeting=meeting)
    assert refused.value.told("en") == words
