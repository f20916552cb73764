"""The console of integrators: what each of its pages tells, of what the reader may know."""

from __future__ import annotations

import html
import re

from starlette.testclient import TestClient

from cycle.aggregates.base import Role
from cycle.subscriptions.filling import fill
from cycle.subscriptions.shapes import Answer, DeliveryStage
from cycle.turns import Work
from tests.access.places import revoke
from tests.desk.test_hostile import assert_harmless
from tests.desk.webhooks import Console, text
from tests.http.town import API, named
from tests.people import GRANTED, admit
from tests.webhooks.town import DHIS


def test_the_overview_tells_what_is_wrong_and_with_whom_it_begins(client: TestClient, console: Console) -> None:
    console.lived()
    with console.town.engine.store.turns.turn(Work.DELIVERING):
        page = text(client, "/subscriptions")
    first, *_, last = re.findall(r"/hook/(\w+)", page)
    assert (first, last) == ("gone", "well")
    assert "Le destinataire dit avoir disparu (410)" in page
    assert "Des événements sont mis de côté" in page
    assert "Retard : 26 événements, le plus ancien depuis" in page
    assert "kadi" not in page
    assert "/hook/kadi" in text(client, "/subscriptions", "auditor")
    assert "Vous ne voyez encore aucun abonnement" in text(client, "/subscriptions", "integrator")


def test_who_has_no_role_that_sees_any_is_led_to_none(client: TestClient, console: Console) -> None:
    for role in GRANTED:
        answer = client.get("/", headers=named(role.value))
        if answer.status_code == 200:
            sees = role in (Role.INTEGRATOR, Role.ADMINISTRATOR, Role.AUDITOR)
            assert ('href="/subscriptions' in answer.text) is sees, role


def test_a_page_tells_deliveries_with_attempts_and_answers_and_where_they_stand(
    client: TestClient, console: Console
) -> None:
    console.lived()
    base = f"/subscriptions/{console.parked}"
    page = text(client, f"{base}?stage=parked")
    assert "Document joint : Reçu (image/jpeg, 1 octet)." in page
    assert "10 tentatives, est en panne (500)" in page
    raw = client.get(f"{base}?stage=parked", headers=named(DHIS)).text
    assert len(re.findall(r'href="/frameworks/[0-9a-f-]+/replay\?lang=fr&amp;at=\d+"', raw)) == 2
    link = html.unescape(re.findall(r'href="(/frameworks/[^"]+)"', raw)[0])
    assert client.get(link, headers=named(DHIS)).status_code == 200
    assert "Rien de tel n'est retenu" in text(client, f"{base}?stage=delivered")
    assert client.get(f"{base}?stage=withheld", headers=named(DHIS)).status_code == 422


def test_deliveries_are_turned_page_by_page(client: TestClient, console: Console) -> None:
    console.lived()
    base = f"/subscriptions/{console.well}"
    seen: list[str] = []
    address = f"{base}?lang=fr"
    while address:
        raw = client.get(address, headers=named(DHIS)).text
        seen += re.findall(r"/replay\?lang=fr&amp;at=(\d+)", raw)
        onward = re.search(r'class="button" href="([^"]+before=[^"]+)"', raw)
        address = html.unescape(onward[1]) if onward else ""
    assert len(seen) == len(set(seen)) == 26
    assert seen == sorted(seen, key=int, reverse=True)


def test_of_an_event_that_the_reader_may_not_read_it_says_no_more(client: TestClient, console: Console) -> None:
    console.lived()
    admit(console.town.engine, (DHIS, Role.INTEGRATOR, "ML/Ségou"))
    revoke(console.town.engine, DHIS, "G-1")
    page = client.get(f"/subscriptions/{console.well}", headers=named(DHIS)).text
    assert page.count("Un événement que vous ne pouvez pas lire.") == 14
    assert console.town.koula not in page
    assert console.town.dioro in page


def test_its_history_is_told_with_who_and_when_and_paged(client: TestClient, console: Console) -> None:
    for number in range(12):
        console.town.says(console.well, "pause-webhook", reason=f"Essai {number}")
        console.town.says(console.well, "resume-webhook", "administrator")
    base = f"/subscriptions/{console.well}"
    page = text(client, base)
    assert "Le webhook est suspendu : Essai 11 dhis, système connecté · enregistré le" in page
    assert "Le webhook reçoit de nouveau les envois. administrator, administrateur" in page
    assert "Les événements après la position" not in page
    older = text(client, f"{base}?facts=20")
    assert "Les événements après la position" in older
    found = client.get(f"{API}/subscriptions/{console.well}/history?lang=fr", headers=named(DHIS)).json()["items"]
    assert [each["version"] for each in found] == list(range(25, 0, -1))
    assert found[1]["by"]["actor"] == DHIS


def test_every_page_has_its_json(client: TestClient, console: Console) -> None:
    for path in ("", f"/{console.well}", f"/{console.well}/do/pause-webhook", "/register/webhook"):
        page = client.get(f"/subscriptions{path}", headers=named(DHIS)).text
        found = re.search(r'type="application/json" href="([^"]+)"', page)
        assert found
        assert client.get(found[1], headers=named(DHIS)).status_code == 200
    items = client.get(f"{API}/subscriptions", headers=named(DHIS)).json()["items"]
    own = {console.well, console.parked, console.paused, console.gone, console.group}
    assert {each["subscription"] for each in items} == own


def test_an_address_and_an_answer_of_a_receiver_are_told_as_text(client: TestClient, console: Console) -> None:
    town = console.town
    made = town.registered(url=f"{town.receiver.url}/?q=<script>alert(1)</script>&x='onload=1", types=("plan-agreed",))
    [position] = town.happens(town.dioro)
    town.rounds()
    town.says(console.well, "replay-webhook", after=position - 1, up_to=position)
    state = town.state(console.well)
    town.webhooks.queue.follow(state.id, state.version, state.lanes)
    fill(town.webhooks, state)
    [waits] = town.webhooks.queue.due(state.id, town.now, 5)
    town.webhooks.queue.settle([waits._replace(answers=(Answer(town.now, "<img src=x onerror=alert(1)>"),))])
    for path in ("/subscriptions", f"/subscriptions/{made.webhook}", f"/subscriptions/{console.well}"):
        page = client.get(path, headers=named(DHIS)).text
        assert_harmless(page)
        assert "<script>alert" not in page
        assert "<img" not in page


def test_a_webhook_of_another_kind_of_stage_offers_what_it_can(client: TestClient, console: Console) -> None:
    console.lived()
    page = client.get(f"/subscriptions/{console.gone}?lang=fr", headers=named(DHIS)).text
    assert f"/subscriptions/{console.gone}/do/resume-webhook" in page
    assert "pause-webhook" not in page
    assert DeliveryStage.PARKED.value in page


def test_a_consumer_group_is_told_with_its_workers_and_their_answers(client: TestClient, console: Console) -> None:
    console.lived()
    page = text(client, f"/subscriptions/{console.group}")
    page += text(client, f"/subscriptions/{console.group}?before={console.papers[12]}")
    assert "groupe de consommateurs" in page
    assert "w-2 tient 3 événements jusqu'au" in page
    assert "accusé par w-1" in text(client, f"/subscriptions/{console.group}?stage=delivered")
    assert "rendu par w-1 : disque plein" in page
    assert "mis de côté par w-1 : illisible" in page
    assert "Des événements sont mis de côté" in page
    assert "rotate" not in page
    raw = client.get(f"/subscriptions/{console.group}?lang=fr", headers=named(DHIS)).text
    assert f"/api/v1/groups/{console.group}" in raw
    assert "/do/replay-consumer-group?" in raw
    assert "entrepôt" in text(client, "/subscriptions")
