"""The meeting step by step: who is ticked has come, and every step leads back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from cycle.aggregates.framework.meetings import ConveneMeeting
from cycle.aggregates.framework.state import Stage
from cycle_adapters.http.pages_meeting import STEPS
from tests.desk.filling import Page, opened, send
from tests.desk.places import Desk, desk_at
from tests.desk.test_forms import plain

HELD = date(2026, 2, 16)


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[Desk]:
    """A meeting is convened."""
    with desk_at(sqlite_url, Stage.MEETING) as desk:
        desk.way.say(ConveneMeeting(held_on=HELD, place="Mairie"), on=date(2026, 2, 1))
        yield desk


def attendance(desk: Desk) -> Page:
    page = opened(desk.client, f"{desk.base}/meeting", "awa")
    assert page.action.startswith(f"{desk.base}/meeting/attendance")
    page.fields["_on"] = [HELD.isoformat()]
    return page


def test_those_who_are_ticked_have_come(desk: Desk) -> None:
    page, before = attendance(desk), desk.position()
    for number in (0, 1, 2):
        page.fields[f"_came.{number}"] = ["yes"]
        page.fields[f"attendance.{number}.women"] = ["2"]
    page.fields["attendance.3.women"] = ["9"]
    answer = send(desk.client, page, "awa")
    assert answer.status_code == 303, answer.text
    assert desk.recorded(before) == ["meeting-opened"]
    state = desk.engine.framework(desk.way.framework)
    assert state.meeting is not None
    came = {each.member: each.women for each in state.meeting.attendance}
    assert came == {"MB-1": 2, "MB-2": 2, "MB-3": 2, "MB-4": 0}
    done = desk.text(answer.headers["location"])
    assert f"{desk.base}/meeting?lang=fr&amp;step=attendance" in done


def test_what_is_wrong_with_the_list_comes_back_as_a_form_that_goes_on(desk: Desk) -> None:
    page, before = attendance(desk), desk.position()
    page.fields["_came.0"], page.fields["attendance.0.women"] = ["yes"], ["deux"]
    answer = send(desk.client, page, "awa")
    assert answer.status_code == 422
    again = Page(answer)
    assert again.fields["attendance.0.women"] == ["deux"]
    again.put("attendance.0.women", "2")
    assert desk.recorded(before) == []
    refused = send(desk.client, again, "awa")
    # One member of four is no quorum, and it is said.
    assert refused.status_code == 422
    assert "Rien n'a encore été enregistré" in plain(refused.text)


@pytest.mark.parametrize("step", [step.name for step in STEPS])
def test_every_step_leads_on_and_back_and_its_forms_return_to_it(desk: Desk, step: str) -> None:
    page = desk.text(f"{desk.base}/meeting?step={step}")
    names = [each.name for each in STEPS]
    at = names.index(step)
    if at:
        assert f'rel="prev" href="{desk.base}/meeting?lang=fr&amp;step={names[at - 1]}"' in page
    if at + 1 < len(names):
        assert f'rel="next" href="{desk.base}/meeting?lang=fr&amp;step={names[at + 1]}"' in page


def test_a_proposal_comes_back_to_its_step(desk: Desk) -> None:
    before = desk.position()
    assert f"{desk.base}/do/propose-action?lang=fr&amp;step=proposals" in desk.text(
        f"{desk.base}/meeting?step=proposals"
    )
    page = opened(desk.client, f"{desk.base}/do/propose-action?step=proposals", "awa")
    page.put("description", "Réparer la décortiqueuse")
    page.put("responsible", "Benkadi")
    page.put("_role", "facilitat")
    answer = send(desk.client, page, "awa")
    assert desk.recorded(before) == ["action-proposed"]
    assert "Retour à la rencontre" in desk.text(answer.headers["location"])
    assert "Réparer la décortiqueuse (Coopérative Benkadi)" in desk.text(f"{desk.base}/meeting?step=proposals")
    assert "Réparer la décortiqueuse" in desk.text(f"{desk.base}/meeting?step=decision")
    # Nothing is agreed before the meeting is open, and the page says why.
    assert 'class="note"' in desk.text(f"{desk.base}/meeting?step=decision")


def test_what_would_help_is_said_once_however_much_waits_for_it(sqlite_url: str) -> None:
    with desk_at(sqlite_url, Stage.MEETING) as desk:
        page = plain(desk.text(f"{desk.base}/meeting?step=invitation"))
    assert page.count("Convoquez-en d'abord une.") == 1
