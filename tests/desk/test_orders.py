"""What is said of subscriptions on their pages: recorded once, over nobody, counted first; a secret is shown once."""

from __future__ import annotations

import html
import logging
import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from cycle.aggregates.webhook import PauseWebhook
from cycle.identity.sessions import Sessions
from cycle.subscriptions.kinds import SAYINGS, Kind
from cycle_adapters.http.app import make_app
from cycle_adapters.http.sign_in_pages import SigningIn
from cycle_adapters.http.signing_in import SignedIn
from tests.desk.filling import HEADERS, Page, opened, send
from tests.desk.test_hostile import HOSTILE, assert_harmless
from tests.desk.webhooks import KADI, Console, head, order, recorded, text, words
from tests.http.town import API, WIDE, named, rooms
from tests.webhooks.town import DHIS

ORDERS = sorted(SAYINGS[Kind.WEBHOOK].names)
REASONS = ("pause-webhook", "remove-webhook")


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


def test_only_a_form_that_this_session_was_given_is_taken(console: Console) -> None:
    engine = console.town.engine
    sessions = Sessions(engine)
    app = make_app(engine, SignedIn(sessions), rooms(engine), WIDE, SigningIn(engine, sessions))
    address, before = "http://127.0.0.1:8000", head(console)
    with TestClient(app, base_url=address, client=("127.0.0.1", 50_000), follow_redirects=False) as browser:
        browser.cookies.set("cycle-local", sessions.begin(KADI).id)
        page = Page(browser.get(f"/subscriptions/{console.kadis}/do/pause-webhook"))
        page.put("reason", "Essai")
        headers = {**HEADERS, "Origin": address}
        token = page.fields["_form"]
        for given in ([""], ["x" * len(token[0])]):
            page.fields["_form"] = given
            answer = browser.post(page.action, content=page.body(), headers=headers)
            assert answer.status_code == 400
            assert "Essai" in answer.text, "what was typed is given back"
        assert recorded(console, before) == []
        page.fields["_form"] = token
        assert browser.post(page.action, content=page.body(), headers=headers).status_code == 303
        assert recorded(console, before) == ["webhook-paused"]
