"""Replay: every fact has an address, the state then, what it changed; and how far the log is sealed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from msgspec import Raw, json
from msgspec.structs import replace

from cycle.aggregates.framework.anytime import CorrectFact
from cycle.aggregates.framework.committee import AmendMandate
from cycle.aggregates.framework.meetings import ConveneMeeting, MeetingOpened
from cycle.aggregates.framework.needs import AmendNeed, IdentifyNeed
from cycle.aggregates.framework.setup import MemberAdmitted, WithdrawMember
from cycle.aggregates.framework.state import Stage
from cycle.aggregates.terms import MandateCause, NeedId, NeedKind
from cycle.proofs.bundle import verifier
from tests.desk.places import Desk, desk_at
from tests.desk.test_forms import plain
from tests.engine.path import PARTNER, RICE
from tests.http.town import named
from tests.sealing.logs import sealer


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[Desk]:
    with desk_at(sqlite_url, Stage.MONITORING) as desk:
        yield desk


def positions(desk: Desk) -> list[int]:
    items = desk.client.get(f"/api/v1{desk.base}/history", headers=named("auditor")).json()["items"]
    return [each["position"] for each in items]


def test_a_fact_is_told_with_the_state_then_and_what_it_changed(desk: Desk) -> None:
    known = positions(desk)
    first = plain(desk.text(f"{desk.base}/replay?at={known[0]}", "auditor"))
    assert "Fait 1 sur" in first
    assert "Précédent" not in first
    then = plain(desk.text(f"{desk.base}/replay?at={known[-1]}", "auditor"))
    assert f"Fait {len(known)} sur {len(known)}" in then
    assert "plan négocié → suivi par le comité" in then
    assert f'rel="prev" href="{desk.base}/replay?at={known[-2]}' in then
    assert "Suivant" not in then


def test_the_slider_leads_to_the_address_of_a_position(desk: Desk) -> None:
    known = positions(desk)
    for number, position in ((1, known[0]), (3, known[2]), (9999, known[-1]), (0, known[0])):
        answer = desk.client.get(
            f"{desk.base}/replay?fact={number}&lang=en", headers=named("auditor"), follow_redirects=False
        )
        assert answer.status_code == 303
        assert answer.headers["location"] == f"{desk.base}/replay?at={position}&lang=en"


def test_it_is_looked_at_as_held_on_a_day_and_as_believed_at_a_moment(desk: Desk) -> None:
    held = plain(desk.text(f"{desk.base}/replay?as_of=2026-01-20", "auditor"))
    assert "identification des besoins" in held
    assert "suivi par le comité" not in held.partition("<h2>État")[2].partition("<h2>Preuve")[0]
    nothing = plain(desk.text(f"{desk.base}/replay?known_at=2001-01-01T10:00", "auditor"))
    assert "Rien de ce cadre n'était tenu pour vrai alors." in nothing
    all_of_it = desk.text(f"{desk.base}/replay?known_at=2030-01-01T10:00&as_of=nonsense", "auditor")
    assert f"Fait {len(positions(desk))}" in all_of_it


def test_two_moments_are_compared_in_words(desk: Desk) -> None:
    known = positions(desk)
    page = plain(desk.text(f"{desk.base}/compare?from={known[0]}&to={known[-1]}", "auditor"))
    assert "délibération du conseil → suivi par le comité" in page
    assert f"Faits entre les deux : {len(known) - 1}" in page
    by_day = plain(desk.text(f"{desk.base}/compare?from=2026-01-06&to=2026-01-06", "auditor"))
    assert "Rien n'a changé entre les deux." in by_day
    for asked in ("", "?from=1"):
        chosen = desk.client.get(f"{desk.base}/compare{asked}", headers=named("auditor"))
        assert chosen.url.path == f"{desk.base}/replay", "where two moments are chosen"
    wrong = desk.client.get(f"{desk.base}/compare?from=x&to=y", headers=named("auditor"))
    assert wrong.status_code == 422


GONE = {"fr": "PACT (MB-4) → (n'y est plus)", "en": "PACT (MB-4) → (no longer there)"}
NEW = {"fr": "(pas encore là) → Rendre compte", "en": "(not there yet) → Rendre compte"}


def differences(desk: Desk, address: str) -> list[tuple[str, str]]:
    """What a page says is different, each with its label."""
    page = plain(desk.text(address, "auditor"))
    said = re.split("<h2>(?:Ce qui|What)", page)[1].partition("</dl>")[0]
    return re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", re.sub("</?span[^>]*>", "", said))


@pytest.mark.parametrize("language", ["fr", "en"])
def test_of_a_list_only_the_entries_that_differ_are_told(desk: Desk, language: str) -> None:
    before = positions(desk)[-1]
    desk.way.say(WithdrawMember(member=PARTNER, reason="Fin du programme"), on=date(2026, 3, 2))
    left = positions(desk)[-1]
    tasks = ("Suivre le plan", "Rendre compte")
    desk.way.say(AmendMandate(tasks=tasks, cause=MandateCause.RESULTS), on=date(2026, 3, 2))
    after = positions(desk)[-1]
    member, mandate = ("Membre", "Mandat") if language == "fr" else ("Member", "Mandate")
    found = differences(desk, f"{desk.base}/compare?from={before}&to={after}&lang={language}")
    assert (member, GONE[language]) in found
    assert (mandate, NEW[language]) in found
    assert {label for label, _ in found} == {member, mandate}
    assert "Mairie" not in str(found)
    assert "Suivre le plan" not in str(found)
    assert differences(desk, f"{desk.base}/replay?at={left}&lang={language}") == [(member, GONE[language])]
    back = differences(desk, f"{desk.base}/compare?from={after}&to={before}&lang={language}")
    assert (member, " → ".join(reversed(GONE[language].split(" → ")))) in back


def test_a_name_that_was_set_right_is_told_alone(desk: Desk) -> None:
    [admitted] = [
        fact.version
        for fact in desk.engine.events.get(f"framework-{desk.way.framework}")
        if isinstance(fact.data, MemberAdmitted) and fact.data.member == RICE
    ]
    right = CorrectFact(fact_version=admitted, changes={"name": Raw(b'"Union Benkadi"')}, reason="Nom complet")
    desk.way.say(right, on=date(2026, 3, 2))
    told = differences(desk, f"{desk.base}/replay?at={positions(desk)[-1]}")
    assert ("Membre", "Coopérative Benkadi (MB-2) → Union Benkadi (MB-2)") in told
    assert "Mairie" not in str(told)


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("fr", "corrigé : Liste de présence : membre MB-1, hommes 3 → membre MB-1, hommes 4"),
        ("en", "corrected: Attendance list: member MB-1, men 3 → member MB-1, men 4"),
    ],
)
def test_of_an_attendance_list_that_was_set_right_the_lines_that_differ_are_told(
    desk: Desk, language: str, told: str
) -> None:
    [opened] = [
        fact
        for fact in desk.engine.events.get(f"framework-{desk.way.framework}")
        if isinstance(fact.data, MeetingOpened)
    ]
    first, *others = opened.data.attendance
    assert others
    right = Raw(json.encode((replace(first, men=4), *others)))
    correction = CorrectFact(fact_version=opened.version, changes={"attendance": right}, reason="Liste mal lue")
    desk.way.say(correction, on=date(2026, 3, 2))
    page = plain(desk.text(f"{desk.base}/replay?at={positions(desk)[-1]}&lang={language}", "auditor"))
    assert f"{told}<" in re.sub("</?span[^>]*>", "", page).replace("\u00a0", " ")


def test_of_a_need_what_was_amended_is_told_and_nothing_else(sqlite_url: str) -> None:
    with desk_at(sqlite_url, Stage.NEEDS_IDENTIFICATION) as desk:
        need = IdentifyNeed(profession=RICE, kind=NeedKind.INVESTMENT, description="Une décortiqueuse")
        desk.way.say(need, on=date(2026, 2, 2))
        desk.way.say(AmendNeed(need=NeedId("N-1"), description="Deux décortiqueuses"), on=date(2026, 2, 2))
        told = differences(desk, f"{desk.base}/replay?at={positions(desk)[-1]}")
    assert told == [("Besoin N-1, Deux décortiqueuses", "Une décortiqueuse → Deux décortiqueuses")]


def test_it_says_whether_a_fact_is_sealed(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CYCLE_SEALS", raising=False)
    at = positions(desk)[-1]
    before = plain(desk.text(f"{desk.base}/replay?at={at}", "auditor"))
    assert "Aucun point de contrôle n'est publié ici." in before
    sealer(desk.engine.store, tmp_path / "cycle.db.seals").seal()
    after = plain(desk.text(f"{desk.base}/replay?at={at}", "auditor"))
    assert "Il est scellé" in after
    found = re.search(r"Ce fait porte l'index (\d+) dans le journal ML-4-01-01", after)
    assert found
    leaf = next(leaf for leaf, _ in desk.engine.store.log_leaves("ML-4-01-01", int(found[1]), int(found[1]) + 1))  # type: ignore[arg-type]
    assert b"monitoring-started" in bytes(leaf)


def links(page: str) -> list[str]:
    """Where a page leads among what is taken away."""
    return re.findall(
        r'href="(/(?:api/v1/(?:logs|calendar|frameworks/[^"]*pdf)|verify)[^"]*)"', page.replace("&amp;", "&")
    )


def test_what_proves_a_fact_is_one_link_away_and_the_bundle_for_whom_it_is(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CYCLE_SEALS", raising=False)
    at = positions(desk)[-1]
    assert links(desk.text(f"{desk.base}/replay?at={at}", "auditor")) == []
    sealer(desk.engine.store, tmp_path / "cycle.db.seals").seal()
    wanted = ["/api/v1/logs/ML-4-01-01/checkpoint", "/api/v1/logs/ML-4-01-01/inclusion", "/verify.py"]
    for who, more in (("auditor", ["/api/v1/logs/ML-4-01-01/bundle"]), ("facilitator", [])):
        found = links(desk.text(f"{desk.base}/replay?at={at}", who))
        assert sorted(path.partition("?")[0] for path in found) == sorted([*wanted, *more])
        for path in found:
            assert desk.client.get(path, headers=named(who)).status_code == 200, path
    assert desk.client.get("/verify.py").content == verifier()


def test_papers_are_one_link_away_for_who_may_carry_them_out(desk: Desk) -> None:
    page = desk.text(desk.base, "facilitator")
    assert "Plan du cycle 1 (PDF)" in page
    assert "Procès-verbal de la rencontre M-1, 16 février 2026 (PDF)" in plain(page)
    found = links(page)
    assert [path.rpartition("/")[2].partition("?")[0] for path in found] == ["plan.pdf", "minutes.pdf", "calendar.ics"]
    for path in (*found, *links(desk.text(f"{desk.base}/history", "facilitator"))):
        assert desk.client.get(path, headers=named("facilitator")).status_code == 200, path
    for path in ("", "/history"):
        assert links(desk.text(desk.base + path, "data-protection")) == []


def test_a_meeting_that_is_convened_has_a_sheet_to_sign(sqlite_url: str) -> None:
    with desk_at(sqlite_url, Stage.MEETING) as desk:
        assert links(desk.text(desk.base, "facilitator")) == [
            f"/api/v1/calendar.ics?framework={desk.base[12:]}&lang=fr"
        ]
        desk.way.say(ConveneMeeting(held_on=date(2026, 3, 1), place="Mairie"), on=date(2026, 2, 16))
        [sheet, _] = links(desk.text(desk.base, "facilitator"))
        assert sheet.startswith(f"/api/v1{desk.base}/attendance.pdf?meeting=M-1")
        assert desk.client.get(sheet, headers=named("facilitator")).status_code == 200
