"""The console of integrators: what each subscription page tells, and what its forms record, once and over nobody."""

from __future__ import annotations

import html
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from cycle.aggregates.base import Role
from cycle.aggregates.webhook import PauseWebhook
from cycle.subscriptions.filling import fill
from cycle.subscriptions.kinds import SAYINGS, Kind
from cycle.subscriptions.shapes import Answer, DeliveryStage
from cycle.turns import Work
from tests.access.places import revoke
from tests.desk.filling import HEADERS, Page, opened, send
from tests.desk.test_forms import plain
from tests.desk.test_hostile import HOSTILE, assert_harmless
from tests.desk.webhooks import KADI, Console, consoled
from tests.http.town import API, named, served
from tests.people import GRANTED, admit
from tests.webhooks.town import DHIS

ORDERS = sorted(SAYINGS[Kind.WEBHOOK].names)
REASONS = ("pause-webhook", "remove-webhook")


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    with consoled(tmp_path) as found:
        yield found


@pytest.fixture
def client(console: Console) -> Iterator[TestClient]:
    with served(console.town.engine) as found:
        yield found


def text(client: TestClient, path: str, who: str = DHIS) -> str:
    answer = client.get(f"{path}{'&' if '?' in path else '?'}lang=fr", headers=named(who))
    assert answer.status_code == 200, answer.text
    return words(answer)


def words(answer: Response) -> str:
    return " ".join(plain(re.sub(r"<[^>]+>", " ", answer.text)).split())


def order(client: TestClient, webhook: str, command: str, who: str = DHIS, **fields: str) -> Page:
    page = opened(client, f"/subscriptions/{webhook}/do/{command}?lang=fr", who)
    for name, value in fields.items():
        page.put(name, value)
    return page


def recorded(console: Console, after: int) -> list[str]:
    return [topic for _, topic, *_ in console.town.engine.store.read(after)]


def head(console: Console) -> int:
    return console.town.engine.store.head().position


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


@pytest.mark.parametrize("command", ORDERS)
def test_a_form_is_shown_to_who_may_say_it_and_to_nobody_else(
    client: TestClient, console: Console, command: str
) -> None:
    path, before = f"/subscriptions/{console.well}/do/{command}", None
    for who, status in ((DHIS, 200), ("administrator", 200), ("auditor", 403), (KADI, 404), ("mayor", 403)):
        before = before or head(console)
        assert client.get(path, headers=named(who)).status_code == status, who
        if status != 200:
            answer = client.post(path, content="_checked=yes", headers=named(who, **HEADERS))
            assert answer.status_code == status
    assert client.get(path).status_code in (303, 401)
    assert set(recorded(console, before or 0)) <= {"attempt-refused"}
    assert client.get(f"/subscriptions/{console.well}/do/open-meeting", headers=named(DHIS)).status_code == 404


def test_a_token_that_is_not_for_it_opens_no_form(client: TestClient, console: Console) -> None:
    path = f"/subscriptions/{console.well}/do/pause-webhook"
    assert client.get(path, headers=named(DHIS, Scope="frameworks list-webhooks")).status_code == 403


def test_it_is_paused_and_resumed_and_the_page_says_so(client: TestClient, console: Console) -> None:
    before = head(console)
    answer = send(client, order(client, console.well, "pause-webhook", reason="Mise à jour"), DHIS)
    assert answer.status_code == 303
    assert "C'est enregistré Le webhook est suspendu : Mise à jour" in text(client, answer.headers["location"])
    assert "pause-webhook" not in client.get(f"/subscriptions/{console.well}", headers=named(DHIS)).text
    assert (
        send(client, order(client, console.well, "resume-webhook", "administrator"), "administrator").status_code == 303
    )
    assert recorded(console, before) == ["webhook-paused", "webhook-resumed"]


def test_what_is_missing_or_not_possible_is_named_and_nothing_is_recorded(client: TestClient, console: Console) -> None:
    before = head(console)
    missing = send(client, order(client, console.well, "pause-webhook"), DHIS)
    assert missing.status_code == 422
    assert 'id="f-reason-error"' in missing.text
    wrong = send(client, order(client, console.well, "rewind-webhook", after="beaucoup"), DHIS)
    assert (wrong.status_code, Page(wrong).fields["after"]) == (422, ["beaucoup"])
    twice = send(client, order(client, console.well, "resume-webhook"), DHIS)
    assert twice.status_code == 422
    assert "arrêté" in words(twice)
    between = send(client, order(client, console.well, "replay-webhook", after="5", up_to="5"), DHIS)
    assert between.status_code == 422
    assert recorded(console, before) == []


def test_pressed_twice_it_is_recorded_once(client: TestClient, console: Console) -> None:
    before, page = head(console), order(client, console.well, "pause-webhook", reason="Une fois")
    first, second = send(client, page, DHIS), send(client, page, DHIS)
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["location"] == second.headers["location"]
    assert recorded(console, before) == ["webhook-paused"]
    page.put("reason", "Autre chose")
    assert send(client, page, DHIS).status_code in (409, 412)
    assert recorded(console, before) == ["webhook-paused"]


def test_who_looked_before_somebody_else_is_shown_what_that_one_recorded(client: TestClient, console: Console) -> None:
    page = order(client, console.well, "pause-webhook", reason="Ma raison")
    console.town.says(console.well, "rewind-webhook", "administrator", after=3)
    before = head(console)
    answer = send(client, page, DHIS)
    assert answer.status_code == 412
    assert "Le webhook repart après la position 3." in words(answer)
    assert recorded(console, before) == []
    again = Page(answer)
    assert again.fields["reason"] == ["Ma raison"]
    assert send(client, again, DHIS).status_code == 303
    assert recorded(console, before) == [PauseWebhook.type.replace("pause-webhook", "webhook-paused")]


def test_a_secret_is_not_changed_over_somebody_elses_head(client: TestClient, console: Console) -> None:
    page = order(client, console.well, "rotate-webhook-secret")
    console.town.says(console.well, "pause-webhook", "administrator", reason="Vol")
    answer = send(client, page, DHIS)
    assert answer.status_code == 412
    assert "whsec_" not in answer.text


def test_a_rewind_is_counted_before_it_is_recorded_and_sends_what_was_counted(
    client: TestClient, console: Console
) -> None:
    town = console.lived().town
    before, after = head(console), console.papers[-6]
    check = send(client, order(client, console.well, "rewind-webhook", after=str(after)), DHIS)
    assert check.status_code == 200
    said = words(check)
    assert "5 événements seraient livrés : 5 à nouveau, 0 pour la première fois" in said
    assert "Communes : Koula (5)" in said
    assert recorded(console, before) == []
    changed = Page(send(client, Page(check), DHIS, _change="yes"))
    assert changed.fields["after"] == [str(after)]
    assert send(client, Page(check), DHIS, _checked="yes").status_code == 303
    assert recorded(console, before) == ["webhook-rewound"]
    town.receiver.forget()
    town.rounds()
    assert len([each for each in town.receiver.sent if each.path.endswith("/well")]) == 5


def test_one_event_is_sent_again_from_its_delivery_and_a_stretch_is_counted_first(
    client: TestClient, console: Console
) -> None:
    town = console.lived().town
    page = client.get(f"/subscriptions/{console.well}?lang=fr", headers=named(DHIS)).text
    link = html.unescape(re.findall(r'href="([^"]+/do/replay-webhook\?[^"]+after=[^"]+)"', page)[0])
    form = opened(client, link, DHIS)
    town.receiver.forget()
    assert send(client, form, DHIS).status_code == 303
    town.rounds()
    assert town.receiver.positions == [int(form.fields["up_to"][0])]
    stretch = order(client, console.well, "replay-webhook", after="0", up_to=str(head(console)))
    check = send(client, stretch, DHIS)
    assert "26 événements seraient livrés" in words(check)


def test_the_replays_that_are_under_way_are_shown_and_stopped(client: TestClient, console: Console) -> None:
    town = console.town
    last = town.happens(town.dioro, 3)[-1]
    town.says(console.well, "replay-webhook", after=0, up_to=last)
    page = text(client, f"/subscriptions/{console.well}")
    assert f"Renvoyé à côté de ce qui est nouveau après la position 0 jusqu'à {last}" in page
    assert send(client, order(client, console.well, "stop-webhook-replay"), DHIS).status_code == 303
    assert "stop-webhook-replay" not in client.get(f"/subscriptions/{console.well}", headers=named(DHIS)).text


def test_it_is_removed_after_a_second_look_and_seen_no_more(client: TestClient, console: Console) -> None:
    check = send(client, order(client, console.well, "remove-webhook", reason="Fin du projet"), DHIS)
    assert "définitive" in words(check)
    answer = send(client, Page(check), DHIS, _checked="yes")
    assert answer.headers["location"].startswith("/subscriptions?")
    assert console.well not in client.get("/subscriptions", headers=named(DHIS)).text
    assert client.get(f"/subscriptions/{console.well}", headers=named(DHIS)).status_code == 404
    assert console.town.webhooks.store.secrets(console.well) == []


def test_a_webhook_is_registered_and_its_secret_shown_once(
    client: TestClient, console: Console, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    town, before = console.town, head(console)
    page = opened(client, "/subscriptions/register/webhook?lang=fr", DHIS)
    assert (page.fields["after"], page.fields["territory"]) == ([str(before)], ["/"])
    page.put("url", f"{town.receiver.url}/new")
    page.put("types", "document-attached\nplan-agreed")
    answer = send(client, page, DHIS)
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    [secret] = re.findall(r"whsec_[A-Za-z0-9+/=]+", html.unescape(answer.text))
    again = send(client, page, DHIS)
    assert (again.status_code, again.headers["cache-control"]) == (200, "no-store")
    assert secret not in html.unescape(again.text)
    assert recorded(console, before) == ["webhook-registered"]
    [position] = town.happens(town.dioro)
    town.receiver.forget()
    town.rounds()
    [sent] = [each for each in town.receiver.sent if each.path.endswith("/new")]
    assert (sent.position, sent.signed_by(secret)) == (position, True)
    assert secret not in caplog.text
    identity = re.findall(r"/subscriptions/([0-9a-f-]{36})", answer.text)[0]
    for path in (f"/subscriptions/{identity}", "/subscriptions", f"{API}/webhooks/{identity}", f"{API}/subscriptions"):
        assert "whsec_" not in client.get(path, headers=named(DHIS)).text


def test_a_secret_is_changed_and_the_new_one_shown_once(client: TestClient, console: Console) -> None:
    page = order(client, console.well, "rotate-webhook-secret", overlap_hours="0")
    answer = send(client, page, DHIS)
    [secret] = re.findall(r"whsec_[A-Za-z0-9+/=]+", html.unescape(answer.text))
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    assert "location" not in answer.headers
    assert secret not in console.secrets
    assert "whsec_" not in send(client, page, DHIS).text
    console.town.happens(console.town.dioro)
    console.town.rounds()
    assert any(each.signed_by(secret) for each in console.town.receiver.sent if each.path.endswith("/well"))


def test_an_integrator_of_a_region_is_offered_that_region(client: TestClient, console: Console) -> None:
    page = opened(client, "/subscriptions/register/webhook?lang=fr", KADI)
    assert page.fields["territory"] == ["ML/Ségou"]
    page.put("url", f"{console.town.receiver.url}/x")
    page.put("territory", "/")
    before = head(console)
    assert send(client, page, KADI).status_code == 403
    assert recorded(console, before) in ([], ["attempt-refused"])
    for who in ("auditor", "mayor"):
        assert client.get("/subscriptions/register/webhook", headers=named(who)).status_code == 403


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("url", "ftp://example.org/", 'id="f-url-error"'),
        ("url", "https://user:word@example.org/", 'id="f-url-error"'),
        ("types", "plan-agred", "plan-agred"),
        ("after", "-1", 'id="f-after-error"'),
    ],
)
def test_what_cannot_be_registered_is_told(
    client: TestClient, console: Console, field: str, value: str, told: str
) -> None:
    before, page = head(console), opened(client, "/subscriptions/register/webhook?lang=fr", DHIS)
    page.put("url", f"{console.town.receiver.url}/x")
    page.put(field, value)
    answer = send(client, page, DHIS)
    assert answer.status_code == 422
    assert told in answer.text
    assert recorded(console, before) == []


def test_without_the_key_of_the_vault_it_is_told_and_nothing_is_recorded(
    client: TestClient, console: Console, tmp_path: Path
) -> None:
    before, page = head(console), opened(client, "/subscriptions/register/webhook?lang=fr", DHIS)
    page.put("url", f"{console.town.receiver.url}/x")
    assert console.town.key is not None
    console.town.key.rename(tmp_path / "elsewhere")
    console.town.engine.__dict__.pop("vault", None)
    answer = send(client, page, DHIS)
    assert answer.status_code == 503
    assert "CYCLE_VAULT_KEY" in answer.text
    assert recorded(console, before) == []


def test_what_is_typed_into_its_forms_comes_back_as_text(client: TestClient, console: Console) -> None:
    before = head(console)
    register = opened(client, "/subscriptions/register/webhook", DHIS)
    forms = [order(client, console.well, command) for command in ORDERS]
    for hostile in HOSTILE:
        register.fields |= {field: [hostile] for field in ("url", "types", "territory", "after")}
        assert_harmless(send(client, register, DHIS).text)
        for form in forms:
            numbers = form.fields.keys() & {"after", "up_to", "overlap_hours"}
            form.fields |= {field: [hostile] for field in numbers}
            assert not numbers or send(client, form, DHIS).status_code == 422
            assert_harmless(send(client, form, DHIS).text)
    assert set(recorded(console, before)) <= {"attempt-refused"}


def test_what_was_recorded_of_it_is_told_as_text(client: TestClient, console: Console) -> None:
    for hostile in HOSTILE:
        for command in REASONS:
            assert_harmless(send(client, order(client, console.well, command, reason=hostile), DHIS).text)
        send(client, order(client, console.well, "resume-webhook"), DHIS)
    page = client.get(f"/subscriptions/{console.well}", headers=named(DHIS)).text
    assert_harmless(page)
    assert "alert(1)" in page
    assert "\u202e" not in page


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
    town.webhooks.queue.settle(waits._replace(answers=(Answer(town.now, "<img src=x onerror=alert(1)>"),)))
    for path in ("/subscriptions", f"/subscriptions/{made.webhook}", f"/subscriptions/{console.well}"):
        page = client.get(path, headers=named(DHIS)).text
        assert_harmless(page)
        assert "<script>alert" not in page
        assert "<img" not in page


def test_a_form_whose_session_has_ended_is_given_back(client: TestClient, console: Console) -> None:
    page = order(client, console.well, "pause-webhook", reason="Longue raison")
    kept = client.post(page.action, content=page.body(), headers=HEADERS, follow_redirects=False)
    assert kept.status_code == 401
    back = Page(send(client, Page(kept), DHIS))
    assert back.fields["reason"] == ["Longue raison"]
    assert send(client, back, DHIS).status_code == 303
    register = opened(client, "/subscriptions/register/webhook", DHIS)
    register.put("url", "https://example.org/hook")
    kept = client.post(register.action, content=register.body(), headers=HEADERS, follow_redirects=False)
    assert Page(send(client, Page(kept), DHIS)).fields["url"] == ["https://example.org/hook"]


def test_nothing_that_is_no_form_is_taken(client: TestClient, console: Console) -> None:
    path = f"/subscriptions/{console.well}/do/pause-webhook"
    answer = client.post(path, json={"reason": "x"}, headers=named(DHIS))
    assert answer.status_code == 415
    foreign = named(DHIS, **HEADERS, Origin="https://elsewhere.example", Cookie="x=y")
    assert client.post(path, content="reason=x", headers=foreign).status_code == 403


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


def test_what_is_said_of_a_group_on_its_pages_is_recorded(client: TestClient, console: Console) -> None:
    console.lived()
    before = head(console)
    paused = send(client, order(client, console.group, "pause-consumer-group", reason="Entretien"), DHIS)
    assert "Le groupe de consommateurs est suspendu : Entretien" in text(client, paused.headers["location"])
    check = send(client, order(client, console.group, "rewind-consumer-group", after="0"), DHIS)
    assert "26 événements seraient livrés : 4 à nouveau, 22 pour la première fois" in words(check)
    assert send(client, Page(check), DHIS, _checked="yes").status_code == 303
    removal = send(client, order(client, console.group, "remove-consumer-group", reason="Fin"), DHIS)
    assert send(client, Page(removal), DHIS, _checked="yes").status_code == 303
    assert recorded(console, before) == ["consumer-group-paused", "consumer-group-rewound", "consumer-group-removed"]
    assert client.get(f"/subscriptions/{console.group}", headers=named(DHIS)).status_code == 404
    for command in ("rotate-webhook-secret", "pause-webhook", "register-consumer-group"):
        path = f"/subscriptions/{console.well}/do/{command.replace('webhook', 'consumer-group')}"
        assert client.get(path, headers=named(DHIS)).status_code == 404


def test_a_group_is_registered_by_its_form(client: TestClient, console: Console) -> None:
    before, page = head(console), opened(client, "/subscriptions/register/consumer-group?lang=fr", DHIS)
    page.put("name", "Entrepôt du ministère")
    page.put("types", "plan-agreed")
    answer = send(client, page, DHIS)
    assert (answer.status_code, recorded(console, before)) == (303, ["consumer-group-registered"])
    assert "Entrepôt du ministère" in text(client, answer.headers["location"])
    assert send(client, page, DHIS).headers["location"] == answer.headers["location"]
    assert client.get("/subscriptions/register/other", headers=named(DHIS)).status_code == 422
