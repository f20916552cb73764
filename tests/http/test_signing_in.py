"""People sign in on pages: what each step asks, what is refused, and what a browser keeps of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from cycle.aggregates.base import Role
from cycle.identity.secrets import form_token
from cycle_adapters.http.signing_in import LOCAL, SECURE, local_path
from tests.http.browser import Browser, browsing, hidden, told
from tests.identity.house import DHIS, FANTA, KADI, OTHER, OUSMANE, PASSWORD, House


@pytest.fixture
def browser(house: House) -> Iterator[Browser]:
    with browsing(house) as found:
        yield found


def signs_in(browser: Browser, account: str = OUSMANE, password: str = PASSWORD, to: str = "/") -> Any:
    return browser.fill(f"/sign-in?to={to}", action="/sign-in", account=account, password=password)


def code_of(page: str) -> bytes:
    """The secret that a page offers in words."""
    from base64 import b32decode

    found = re.search(r"<code>([A-Z2-7 ]+)</code>", page)
    assert found
    return b32decode(found[1].replace(" ", ""))


def test_whoever_has_not_signed_in_is_sent_there_and_back(house: House, browser: Browser) -> None:
    house.with_password()
    sent = browser.open("/?lang=en")
    assert (sent.status_code, sent.headers["location"]) == (303, "/sign-in?lang=en&to=%2F%3Flang%3Den")
    assert browser.open("/api/v1/plans").status_code == 401
    page = browser.open(sent.headers["location"])
    assert page.headers["cache-control"] == "no-store"
    back = browser.fill(sent.headers["location"], action="/sign-in?lang=en", account=OUSMANE, password=PASSWORD)
    assert (back.status_code, back.headers["location"]) == (303, "/?lang=en")
    assert browser.open("/?lang=en").status_code == 200
    assert browser.open("/api/v1/plans").status_code == 200


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("fr", "Le compte et le mot de passe ne vont pas ensemble : vérifiez les deux"),
        ("en", "Account and password do not fit together: check both"),
    ],
)
def test_a_wrong_password_and_no_account_are_one_answer(
    house: House, browser: Browser, language: str, words: str
) -> None:
    house.with_password()
    answers = [
        browser.fill(f"/sign-in?lang={language}", account=account, password="wrong wrong wrong")
        for account in (OUSMANE, "personne")
    ]
    assert {answer.status_code for answer in answers} == {403}
    assert all(words in told(answer) for answer in answers)
    assert LOCAL not in browser.cookies
    assert "wrong wrong wrong" not in answers[0].text


def test_too_many_attempts_wait(house: House, browser: Browser) -> None:
    for _ in range(5):
        signs_in(browser, "personne")
    answer = signs_in(browser, "personne")
    assert answer.status_code == 429
    assert "dans 1 seconde" in told(answer)


def test_who_decides_sets_up_a_second_factor_and_shows_it_from_then_on(house: House, browser: Browser) -> None:
    house.with_password(FANTA)
    step = signs_in(browser, FANTA, to="/frameworks/x")
    assert step.headers["location"] == "/second-factor?lang=fr&to=%2Fframeworks%2Fx"
    assert browser.open("/").status_code == 303, "half is nothing"
    page = browser.open(step.headers["location"])
    assert "<svg" in page.text
    assert "script" not in page.text
    secret = code_of(page.text)
    wrong = browser.fill(step.headers["location"], action="/second-factor", code="000000")
    assert wrong.status_code == 422
    assert "n'est pas celui du second facteur" in told(wrong)
    done = browser.fill(step.headers["location"], action="/second-factor", code=house.code(secret))
    codes = re.findall(r"<code>([A-Z2-7-]{29})</code>", done.text)
    assert len(codes) == 10
    assert 'href="/frameworks/x"' in done.text
    assert browser.open("/").status_code == 200
    assert browser.open("/second-factor").status_code == 200
    gone = browser.fill("/account", action="/sign-out")
    assert gone.headers["location"] == "/sign-in?lang=fr"
    assert gone.headers["clear-site-data"] == '"cache"'
    house.later(60)
    step = signs_in(browser, FANTA)
    assert step.headers["location"] == "/sign-in/code?lang=fr&to=%2F"
    assert browser.open("/sign-in/code").status_code == 200
    refused = browser.fill("/sign-in/code", code="000000")
    assert refused.status_code == 403
    assert "ne convient pas, ou a déjà servi" in told(refused)
    assert browser.fill("/sign-in/code", code=house.code(secret)).headers["location"] == "/"
    assert browser.open("/").status_code == 200
    browser.fill("/account", action="/sign-out")
    signs_in(browser, FANTA)
    assert browser.fill("/sign-in/code", code=codes[2].lower()).headers["location"] == "/"


def test_where_no_key_is_a_second_factor_is_refused_in_words(sqlite_url: str) -> None:
    house = House(sqlite_url, None).begun().with_password(FANTA)
    with browsing(house) as browser:
        signs_in(browser, FANTA)
        page = browser.open("/second-factor?lang=en")
        assert page.status_code == 503
        assert "whoever runs this machine names a vault key" in told(page)
    house.engine.close()


def test_signing_out_is_for_good_and_takes_the_cookie_away(house: House, browser: Browser) -> None:
    house.with_password()
    signs_in(browser)
    kept = browser.cookies[LOCAL]
    browser.fill("/account", action="/sign-out")
    assert LOCAL not in browser.cookies
    browser.client.cookies.set(LOCAL, kept)
    assert browser.open("/").status_code == 303


def test_an_id_that_somebody_has_planted_signs_nobody_in(house: House, browser: Browser) -> None:
    house.with_password()
    planted = "planted-by-somebody-else"
    browser.client.cookies.set(LOCAL, planted, domain="127.0.0.1")
    signs_in(browser)
    assert browser.cookies[LOCAL] != planted
    assert house.sessions.account(planted) is None


def test_the_cookie_is_seen_by_no_script_and_sent_by_no_other_site(house: House) -> None:
    house.with_password()
    for address, name in (("http://127.0.0.1:8000", LOCAL), ("https://cycle.example.ml", SECURE)):
        with browsing(house, address=address) as browser:
            header = signs_in(browser).headers.get_list("set-cookie")[0]
        assert header.startswith(f"{name}=")
        assert {"HttpOnly", "Path=/", "SameSite=lax"} <= {part.strip() for part in header.split(";")}
        assert ("Secure" in header) == (name == SECURE)
        assert "Domain" not in header


def test_without_tls_nobody_signs_in_but_on_the_machine_itself(house: House) -> None:
    house.with_password()
    with browsing(house, address="http://cycle.example.ml") as browser:
        for answer in (browser.open("/sign-in"), browser.send("/sign-in", {"account": OUSMANE, "password": PASSWORD})):
            assert answer.status_code == 400
            assert "https" in told(answer)
            assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:8001"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {},
    ],
)
def test_a_form_of_another_site_does_nothing(house: House, browser: Browser, headers: dict[str, str]) -> None:
    house.with_password()
    signs_in(browser)
    assert browser.fill("/account", action="/sign-out", headers=headers).status_code == 403
    assert browser.open("/").status_code == 200


def test_a_form_without_its_token_or_with_that_of_another_browser_does_nothing(house: House, browser: Browser) -> None:
    house.with_password()
    signs_in(browser)
    other = browser.another()
    for token in ("", "x", hidden(other.open("/sign-in").text)["form"]):
        answer = browser.send("/sign-out", {"form": token})
        assert answer.status_code == 400
        assert "rouvrez la page" in told(answer)
    assert browser.open("/").status_code == 200
    # A form from before signing in says nothing for the session that came of it.
    before = hidden(other.open("/sign-in").text)["form"]
    signs_in(other)
    assert other.send("/sign-out", {"form": before}).status_code == 400


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"{}", "application/json"),
        (b"form=%ff%fe", "application/x-www-form-urlencoded"),
        (b"a=" + b"x" * 20_000, "application/x-www-form-urlencoded"),
        (b"&".join(b"f%d=1" % n for n in range(30)), "application/x-www-form-urlencoded"),
    ],
)
def test_what_is_no_form_is_told(house: House, browser: Browser, content: bytes, kind: str) -> None:
    browser.open("/sign-in")
    answer = browser.client.post("/sign-in", content=content, headers={"Content-Type": kind, "Origin": browser.address})
    assert answer.status_code == 400
    assert "formulaire" in told(answer)


def test_nothing_changes_by_looking(house: House, browser: Browser) -> None:
    house.with_password()
    signs_in(browser)
    for path in ("/sign-out", "/sign-in/demo"):
        assert browser.open(path).status_code == 405
    position = house.engine.store.head().position
    for path in ("/account", "/password", "/second-factor", "/sign-in"):
        assert browser.open(path).status_code == 200
    assert house.engine.store.head().position == position


@pytest.mark.parametrize(
    ("wanted", "goes"),
    [
        ("/frameworks/a?lang=en", "/frameworks/a?lang=en"),
        ("/", "/"),
        ("", "/"),
        (None, "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/\t/evil.example", "/"),
        ("/a\\b", "/"),
        ("/a\r\nSet-Cookie: x=y", "/"),
        ("evil.example", "/"),
    ],
)
def test_after_signing_in_one_stays_here(wanted: str | None, goes: str) -> None:
    assert local_path(wanted) == goes


def test_a_page_of_another_site_is_not_gone_to(house: House, browser: Browser) -> None:
    house.with_password()
    page = browser.open("/sign-in?to=https://evil.example/")
    assert "evil.example" not in page.text
    sent = browser.send("/sign-in", {**hidden(page.text), "account": OUSMANE, "password": PASSWORD, "to": "//evil"})
    assert sent.headers["location"] == "/"


def test_an_invitation_sets_the_password_and_then_is_over(house: House, browser: Browser) -> None:
    link = f"/invitation/{house.credentials.invite(KADI, FANTA)}"
    assert FANTA in told(browser.open(link))
    short = browser.fill(link, password="court", again="court")
    assert short.status_code == 422
    assert "12 à 256 caractères" in told(short)
    assert "ne sont pas les mêmes" in told(browser.fill(link, password=PASSWORD, again=OTHER))
    done = browser.fill(link, password=PASSWORD, again=PASSWORD)
    assert done.headers["location"] == "/second-factor?lang=fr&to=%2F"
    for answer in (browser.open(link), browser.another().open("/invitation/nothing")):
        assert answer.status_code == 422
        assert "ce lien a servi" in told(answer).lower()


def test_a_password_is_changed_by_who_knows_it(house: House, browser: Browser) -> None:
    house.with_password()
    signs_in(browser)
    wrong = browser.fill("/password", current="x" * 12, password=OTHER, again=OTHER)
    assert wrong.status_code == 403
    other = browser.another()
    signs_in(other)
    done = browser.fill("/password", current=PASSWORD, password=OTHER, again=OTHER)
    assert done.headers["location"] == "/account"
    assert browser.open("/").status_code == 200
    assert other.open("/").status_code == 303
    assert signs_in(other).status_code == 403
    assert signs_in(other, password=OTHER).status_code == 303


def test_the_page_of_ones_own_account_says_what_one_may(house: House, browser: Browser) -> None:
    house.with_password()
    assert browser.open("/account").status_code == 303
    signs_in(browser)
    said = told(browser.open("/account?lang=en"))
    assert "Signed in as: ousmane" in said
    assert "evaluator everywhere" in said


def test_a_right_revoked_and_an_account_closed_are_felt_by_the_next_request(house: House, browser: Browser) -> None:
    house.with_password()
    signs_in(browser)
    other = house.another()
    assert browser.open("/api/v1/plans").status_code == 200
    other.revokes(OUSMANE)
    assert browser.open("/api/v1/plans").status_code in (403, 404)
    other.grants(OUSMANE, Role.EVALUATOR)
    assert browser.open("/api/v1/plans").status_code == 200
    other.credentials.close(KADI, OUSMANE, "parti")
    assert browser.open("/api/v1/plans").status_code == 401
    other.engine.close()


def test_a_token_calls_within_its_scope_and_signs_nobody_in(house: House, browser: Browser) -> None:
    token, _ = house.credentials.issue(KADI, DHIS, ("plans",), 30)
    header = {"Authorization": f"Bearer {token}"}
    assert browser.open("/api/v1/plans", headers=header).status_code == 200
    assert browser.open("/api/v1/needs", headers=header).status_code == 403
    assert browser.open("/api/v1/session", headers=header).json()["scope"] == ["plans"]
    house.with_password()
    signs_in(browser)
    assert browser.open("/api/v1/plans").status_code == 200
    for bad in ("Bearer x", f"Basic {token}", "Bearer", f"bearer {token}x"):
        answer = browser.open("/api/v1/plans", headers={"Authorization": bad})
        assert answer.status_code == 401, "a credential that does not hold is not passed over for a cookie"
        assert answer.headers["www-authenticate"] == "Bearer"
    house.credentials.revoke(KADI, token.id)
    assert browser.open("/api/v1/plans", headers=header).status_code == 401


def test_where_nobody_is_a_demo_nobody_chooses_who_to_be(house: House, browser: Browser) -> None:
    answer = browser.fill("/sign-in", action="/sign-in/demo", account=KADI)
    assert answer.status_code == 403
    assert LOCAL not in browser.cookies


def test_a_form_of_the_desk_is_that_of_the_session_it_was_given_to(house: House, browser: Browser) -> None:
    house.with_password(FANTA)
    browser.client.cookies.set(LOCAL, house.sets_up()[0].id)
    path = "/do/propose-framework?lang=en"
    given = hidden(browser.open(path).text)
    for token in ({}, {"_form": "x" * 43}, {"_form": form_token("another session")}):
        refused = browser.send(path, {**given, "title": "Cadre", **token, **({} if token else {"_form": ""})})
        assert refused.status_code == 400
        assert "This form is too old" in told(refused)
    taken = browser.send(path, {**given, "title": "Cadre"})
    assert taken.status_code == 422, "read, and found wanting"
    assert 'value="Cadre"' in taken.text


def test_a_script_takes_the_token_of_its_form_from_the_session_that_sends_it(house: House, browser: Browser) -> None:
    house.with_password(FANTA)
    asked = {"Accept": "application/json", "Origin": browser.address}
    for path in ("/me.json", "/do/propose-framework"):
        nobody = browser.open(path, headers=asked)
        assert (nobody.status_code, nobody.headers["content-type"]) == (401, "application/problem+json")
    browser.client.cookies.set(LOCAL, house.sets_up()[0].id)
    own = browser.open("/me.json?lang=fr").json()
    given = hidden(browser.open("/do/propose-framework").text)
    assert own == {"account": FANTA, "form_token": given["_form"], "language": "fr"}
    without = browser.send("/do/propose-framework", {**given, "_form": ""}, asked)
    assert (without.status_code, without.json()["type"]) == (400, "urn:cycle:problem:bad-form")
    assert browser.send("/do/propose-framework", {**given, "_form": own["form_token"]}, asked).status_code == 422
    house.later(13 * 3600)
    over = browser.send("/do/propose-framework", {**given, "_form": own["form_token"]}, asked)
    assert (over.status_code, over.json()["type"]) == (401, "urn:cycle:problem:sign-in-needed")


def test_a_session_that_ends_while_somebody_types_takes_nothing_with_it(house: House, browser: Browser) -> None:
    house.with_password(FANTA)
    inside, codes, _ = house.sets_up()
    browser.client.cookies.set(LOCAL, inside.id)
    path = "/do/propose-framework?lang=en"
    given = hidden(browser.open(path).text)
    house.later(13 * 3600)
    kept = browser.send(path, {**given, "title": "Cadre de Dioro"})
    assert kept.status_code == 401
    assert "What you typed is kept on this page" in told(kept)
    assert 'href="/sign-in?lang=en" target="_blank"' in kept.text
    assert given["_form"] not in kept.text
    # Signed in again in another tab: another session, to which this form was not given.
    browser.client.cookies.clear()
    signs_in(browser, FANTA)
    browser.fill("/sign-in/code", code=codes[0])
    back = browser.send("/do/propose-framework/again?lang=en", hidden(kept.text))
    assert back.status_code == 200
    again = hidden(back.text)
    assert 'value="Cadre de Dioro"' in back.text
    assert (again["_key"], again["_form"] != given["_form"]) == (given["_key"], True)
    assert browser.send(path, {**again, "title": "Cadre de Dioro"}).status_code == 422, "read, and found wanting"


def test_a_form_of_an_older_session_is_given_back_with_the_token_of_this_one(house: House, browser: Browser) -> None:
    house.with_password(FANTA)
    browser.client.cookies.set(LOCAL, house.sets_up()[0].id)
    given = hidden(browser.open("/do/propose-framework?lang=en").text)
    stale = {**given, "_form": form_token("an older session"), "title": "Cadre"}
    refused = browser.send("/do/propose-framework?lang=en", stale)
    assert refused.status_code == 400
    assert "Sign in (in a new tab)" not in told(refused)
    back = browser.send("/do/propose-framework/again?lang=en", hidden(refused.text))
    assert back.status_code == 200
    assert 'value="Cadre"' in back.text
    assert hidden(back.text)["_form"] == given["_form"]
