"""Minutes on paper: what was decided, why it was not, and what comes next."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cycle.aggregates.framework.meetings import (
    AdjournMeeting,
    ApproveMinutes,
    CancelMeeting,
    CloseMeeting,
    ConveneMeeting,
    PostponeMeeting,
)
from cycle.aggregates.framework.obstacles import RaiseObstacle
from cycle.aggregates.framework.plan import RecordDisagreement, ReopenNegotiation
from cycle.aggregates.framework.proposals import ProposeAction
from cycle.aggregates.framework.state import Stage
from cycle.aggregates.terms import AdjournReason, MeetingId, NeedId, Presence
from cycle_adapters.paper.basis import CannotPrint
from tests.engine.path import MAIRIE, MET, RICE
from tests.engine.path import Path as Way
from tests.paper.meeting import DUE, agreed, in_session, reader
from tests.paper.pages import A4, sizes_of, words_of
from tests.paper.printing import minutes_pdf

LATER = MET + timedelta(days=20)
M1 = MeetingId("M-1")


def closed(way: Way, minutes: str = "Plan accepté par les membres présents.") -> None:
    in_session(way)
    agreed(way, ["Acheter la décortiqueuse"])
    way.say(CloseMeeting(minutes=minutes), on=MET)


def adjourned(way: Way) -> None:
    in_session(way)
    needs = (NeedId("N-1"),)
    way.say(ProposeAction(description="Acheter", needs=needs, responsible=RICE, due_on=DUE), on=MET)
    way.say(RecordDisagreement(objections=("Trop cher",)), on=MET)
    way.say(AdjournMeeting(reason=AdjournReason.DISAGREEMENT, explanation="Les prix sont à revoir."), on=MET)


def test_minutes_say_who_came_what_was_decided_and_the_plan(way: Way) -> None:
    closed(way)
    pdf = minutes_pdf(reader(way), way.framework, "fr")
    said = words_of(pdf)
    assert sizes_of(pdf) == {A4}
    for words in (
        "Procès-verbal de la rencontre M-1",
        "Date 16 février 2026 Lieu Mairie",
        "Issue close avec procès-verbal",
        "Quorum 3 membres présents sur 4, 2 requis",
        "MB-1 Mairie de Dioro 2 3 1 0",
        "MB-4 PACT absent",
        "Besoins traités • N-1 Une décortiqueuse",
        "L'action A-1 est proposée : Acheter la décortiqueuse",
        "Le plan 1 est convenu par consensus",
        "Le plan convenu du 16 février 2026 au 15 mai 2026",
        "A-1 Acheter la décortiqueuse Coopérative Benkadi (MB-2) 10 mai 2026",
        "Compte rendu Plan accepté par les membres présents.",
        "Ce procès-verbal n'est pas encore approuvé.",
        "Pas encore convoquée. Date et lieu :",
        "Président ou présidente de séance",
        "Rien de ce journal n'est encore scellé",
    ):
        assert words in said
    assert "close. Procès-verbal" not in said


def test_minutes_in_english(way: Way) -> None:
    closed(way)
    said = words_of(minutes_pdf(reader(way), way.framework, "en"))
    assert "Minutes of meeting M-1" in said
    assert "3 of 4 members present, 2 required" in said
    assert "Action A-1 is proposed: Acheter la décortiqueuse" in said


def test_an_adjournment_says_why_and_what_comes_next(way: Way) -> None:
    adjourned(way)
    way.say(ConveneMeeting(held_on=LATER - timedelta(days=10), place="Annulée"), on=MET)
    way.say(CancelMeeting(reason="Pluie"), on=MET)
    way.say(ConveneMeeting(held_on=LATER - timedelta(days=5), place="École"), on=MET)
    way.say(PostponeMeeting(held_on=LATER, reason="Fête"), on=MET)
    said = words_of(minutes_pdf(reader(way), way.framework, "fr"))
    assert "Issue ajournée (désaccord)" in said
    assert "Aucun plan n'a été convenu à cette rencontre." in said
    assert "Pourquoi elle a été ajournée Les prix sont à revoir." in said
    assert "Objections notées • Trop cher" in said
    assert "Prochaine rencontre M-3 : 8 mars 2026, École" in said
    assert "Annulée" not in said


def test_a_meeting_that_never_opened_says_who_had_come(way: Way) -> None:
    way.to(Stage.MEETING)
    way.say(ConveneMeeting(held_on=MET, place="Mairie"), on=MET)
    few = (Presence(MAIRIE, women=1),)
    way.say(AdjournMeeting(reason=AdjournReason.NO_QUORUM, explanation="Pluie", attendance=few), on=MET)
    said = words_of(minutes_pdf(reader(way), way.framework, "fr"))
    assert "MB-1 Mairie de Dioro 1 0 0 0" in said
    assert "MB-2 Coopérative Benkadi absent" in said
    assert "Rien n'a été décidé." in said
    assert "Quorum" not in said


def test_attendance_that_nobody_counted_is_not_made_up(way: Way) -> None:
    way.to(Stage.MEETING)
    way.say(ConveneMeeting(held_on=MET, place="Mairie"), on=MET)
    way.say(AdjournMeeting(reason=AdjournReason.SECURITY, explanation="Route coupée"), on=MET)
    assert "Les présences n'ont pas été comptées." in words_of(minutes_pdf(reader(way), way.framework, "fr"))


def test_approved_minutes_say_when_and_which_objections(way: Way) -> None:
    closed(way)
    way.say(ApproveMinutes(meeting=M1, objections=("Le prix",)), on=LATER)
    said = words_of(minutes_pdf(reader(way), way.framework, "fr"))
    assert "Ce procès-verbal a été approuvé le 8 mars 2026." in said
    assert "Objections notées • Le prix" in said


def test_obstacles_named_in_the_session_are_handled(way: Way) -> None:
    way.to(Stage.MONITORING)
    way.say(RaiseObstacle(description="La piste est coupée", severity=2), on=MET)
    # Named after the meeting: it is none of its.
    assert "La piste" not in words_of(minutes_pdf(reader(way), way.framework, "fr"))


def test_a_plan_that_was_taken_back_in_the_session_is_none(way: Way) -> None:
    in_session(way)
    agreed(way, ["Acheter la décortiqueuse"])
    way.say(ReopenNegotiation(reason="Prix"), on=MET)
    way.say(AdjournMeeting(reason=AdjournReason.TIME, explanation="La nuit tombe"), on=MET)
    said = words_of(minutes_pdf(reader(way), way.framework, "fr"))
    assert "Le plan 1 est retiré" in said
    assert "Aucun plan n'a été convenu à cette rencontre." in said


def test_a_plan_that_was_negotiated_anew_is_the_last_one(way: Way) -> None:
    in_session(way)
    agreed(way, ["Acheter la décortiqueuse"])
    way.say(ReopenNegotiation(reason="Prix"), on=MET)
    agreed(way, ["Louer une décortiqueuse"])
    way.say(CloseMeeting(minutes="Fait"), on=MET)
    plan = words_of(minutes_pdf(reader(way), way.framework, "fr")).partition("Le plan convenu")[2]
    assert "A-2 Louer une décortiqueuse Coopérative Benkadi" in plan


@pytest.mark.parametrize("typed", ['#panic("x")\n= Titre\n$1$', "a\u202eb\n\n\nfin"])
def test_minutes_are_shown_as_they_were_typed_line_by_line(way: Way, typed: str) -> None:
    closed(way, typed)
    said = words_of(minutes_pdf(reader(way), way.framework, "fr"))
    assert " ".join(typed.replace("\u202e", " ").split()) in said


def test_earlier_minutes_stay_as_they_are(way: Way) -> None:
    closed(way)
    first = minutes_pdf(reader(way), way.framework, "fr")
    assert minutes_pdf(reader(way), way.framework, "fr", meeting="M-1") == first


@pytest.mark.parametrize(
    ("told", "meeting", "words"),
    [
        (lambda way: way.to(Stage.MEETING), None, "no meeting has ended yet"),
        (in_session, None, "no meeting has ended yet"),
        (in_session, "M-1", "meeting M-1 has not ended: close or adjourn it first"),
        (closed, "M-2", "there is no meeting M-2; there is: M-1"),
    ],
)
def test_what_has_not_ended_has_no_minutes(way: Way, told: object, meeting: str | None, words: str) -> None:
    told(way)  # type: ignore[operator]
    with pytest.raises(CannotPrint) as refused:
        minutes_pdf(reader(way), way.framework, "en", meeting=meeting)
    assert refused.value.told("en").startswith(words)
