"""Replay: every fact has an address, the state then, what it changed; and how far the log is sealed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from cycle.aggregates.framework.meetings import ConveneMeeting
from cycle.aggregates.framework.state import Stage
from cycle.proofs.bundle import verifier
from tests.desk.places import Desk, desk_at
from tests.desk.test_forms import plain
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
