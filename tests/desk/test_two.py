"""What takes two people, and what is set right instead of undone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from cycle.aggregates.deliberation import MakeExecutory
from cycle.aggregates.framework.state import Stage
from tests.desk.filling import Page, opened, said, send
from tests.desk.places import Desk, desk_at
from tests.desk.test_forms import plain
from tests.http.town import named

ENDED = datetime(2026, 5, 20, 9, tzinfo=UTC)
DAY = date(2026, 5, 15)


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[Desk]:
    """The plan is over, and the council has decided the end of the framework."""
    with desk_at(sqlite_url, Stage.ADJUSTMENT, ENDED) as desk:
        decided = desk.way._adopted("2026-19", "Fin du cadre de concertation", DAY)
        desk.way._execute(MakeExecutory(executory_on=DAY), DAY, decided)
        yield desk


def asked(desk: Desk) -> str:
    """The mayor asks for the end; returns where the request is."""
    page = opened(desk.client, f"{desk.base}/do/dissolve", "mayor")
    assert "Cela se fait à deux" in plain(page.text)
    page.put("deliberation", "Fin du cadre")
    page.put("reason", "Fusion de communes")
    before = desk.position()
    check = send(desk.client, page, "mayor")
    assert check.status_code == 200
    assert "Vérifiez avant d'enregistrer" in plain(check.text)
    assert "Fusion de communes" in check.text
    assert desk.recorded(before) == []
    changed = Page(send(desk.client, Page(check), "mayor", _change="yes"))
    assert changed.fields["reason"] == ["Fusion de communes"]
    answer = send(desk.client, Page(check), "mayor", _checked="yes")
    assert desk.recorded(before) == ["act-requested"]
    done = desk.text(answer.headers["location"], "mayor")
    assert "C'est demandé" in plain(done)
    found = re.search(r"/requests/[0-9a-f-]+", done)
    assert found
    return found[0]


def test_what_takes_two_is_asked_for_on_one_board_and_confirmed_from_another(desk: Desk) -> None:
    where = asked(desk)
    assert where not in desk.text("/", "mayor")
    assert where in desk.text("/", "council-secretary")
    assert "Confirmer" in desk.text(where, "council-secretary")
    assert "Fusion de communes" in desk.text(where, "council-secretary")
    before = desk.position()
    page = opened(desk.client, f"{where}/do/confirm-request", "council-secretary")
    assert f'data-command="confirm-request" data-framework="{desk.base.rpartition("/")[2]}"' in page.text
    answer = send(desk.client, page, "council-secretary")
    assert answer.status_code == 303
    assert desk.recorded(before) == ["act-confirmed", "framework-dissolved"]
    assert "C'est enregistré" in plain(desk.text(answer.headers["location"], "council-secretary"))
    assert "dissous" in desk.text(desk.base)
    assert "Confirmer" not in desk.text(where, "council-secretary")


def test_who_asked_cannot_confirm_but_withdraw(desk: Desk) -> None:
    where = asked(desk)
    assert "Confirmer<" not in desk.text(where, "mayor")
    refused = send(desk.client, opened(desk.client, f"{where}/do/confirm-request", "mayor"), "mayor")
    assert refused.status_code == 422
    before = desk.position()
    page = opened(desk.client, f"{where}/do/withdraw-request", "mayor")
    page.put("reason", "Trop tôt")
    assert send(desk.client, page, "mayor").status_code == 303
    assert desk.recorded(before) == ["request-withdrawn"]
    assert "En attente d'une deuxième personne" not in plain(desk.text(desk.base, "mayor"))


def test_a_request_is_nothing_to_who_has_no_right_to_it(desk: Desk) -> None:
    where = asked(desk)
    assert desk.client.get(f"{where}/do/confirm-request", headers=named("evaluator")).status_code == 403
    assert desk.client.get(f"{where}/do/suspend", headers=named("mayor")).status_code == 404
    assert desk.client.get("/requests/nowhere", headers=named("mayor")).status_code == 404


def of_fact(desk: Desk, topic: str) -> int:
    facts = desk.engine.states.history(f"framework-{desk.base[12:]}")  # type: ignore[arg-type]
    return next(fact.version for fact in facts if fact.type == topic)


def test_a_fact_is_set_right_from_the_history_and_the_wrong_one_stays_visible(desk: Desk) -> None:
    history = desk.text(f"{desk.base}/history")
    version = of_fact(desk, "actor-identified")
    assert f"{desk.base}/do/correct-fact?lang=fr&amp;fact_version={version}" in history
    page = opened(desk.client, f"{desk.base}/do/correct-fact?fact_version={version}", "awa")
    assert "le fait erroné reste visible à côté" in page.text
    assert (page.fields["now.actor"], page.fields["now.occurred_on"]) == (["Casier"], ["2026-01-06"])
    page.put("now.women", "14")
    page.put("reason", "Compté deux fois")
    before = desk.position()
    answer = send(desk.client, page, "awa")
    assert answer.status_code == 303
    assert desk.recorded(before) == ["fact-corrected"]
    told = plain(desk.text(f"{desk.base}/history"))
    assert "Rectifié à la position" in told
    replayed = plain(desk.text(f"{desk.base}/replay?at={before + 1}"))
    assert "Femmes : 0 → 14" in replayed or "Femmes : — → 14" in replayed


def test_a_correction_that_changes_nothing_or_cannot_be_read_is_not_recorded(desk: Desk) -> None:
    version, before = of_fact(desk, "actor-identified"), desk.position()
    page = opened(desk.client, f"{desk.base}/do/correct-fact?fact_version={version}", "awa")
    page.put("reason", "Pour voir")
    nothing = send(desk.client, page, "awa")
    assert nothing.status_code == 422
    page.put("now.women", "beaucoup")
    page.fields["now.occurred_on"] = [""]
    wrong = send(desk.client, page, "awa")
    assert wrong.status_code == 422
    assert 'id="f-now-women-error"' in wrong.text
    assert 'id="f-now-occurred_on-error"' in wrong.text
    assert desk.recorded(before) == []


def test_what_became_of_a_request_meanwhile_is_told_and_nothing_else(desk: Desk) -> None:
    where = asked(desk)
    page = opened(desk.client, f"{where}/do/confirm-request", "council-secretary")
    withdrawn = opened(desk.client, f"{where}/do/withdraw-request", "mayor")
    withdrawn.put("reason", "Trop tôt")
    assert send(desk.client, withdrawn, "mayor").status_code == 303
    found = said(desk.client, page, "council-secretary")
    assert found.status_code == 412
    assert [(each["version"], each["by"]) for each in found.json()["since"]] == [(2, "mayor")]
    again = plain(send(desk.client, page, "council-secretary").text)
    assert "Trop tôt" in again
    assert "Décortiqueuse" not in again.partition("<form")[0]
