"""Signing in through a provider: a real one on a port of its own, and every way in which an answer does not hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc.jwk import OctKey

from cycle_adapters.http.provider import Provider, ProviderMisset, ProviderUnavailable, provider_of
from tests.http.browser import HERE, Browser, browsing, told
from tests.http.little_provider import CLIENT, SECRET, Claims, LittleProvider, provided
from tests.identity.house import FANTA, KADI, OUSMANE, House


@pytest.fixture
def little() -> Iterator[LittleProvider]:
    with provided() as found:
        yield found


@pytest.fixture
def browser(house: House, little: LittleProvider) -> Iterator[Browser]:
    with browsing(house, provider=Provider(little.issuer, CLIENT, SECRET, HERE)) as found:
        yield found


def sent(browser: Browser, to: str = "/") -> dict[str, str]:
    """What a browser that is sent to the provider says there."""
    answer = browser.open(f"/sign-in/provider?{urlencode({'to': to})}")
    assert answer.status_code == 303
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def back(browser: Browser, little: LittleProvider, to: str = "/") -> Any:
    return browser.open(little.authorized(sent(browser, to)).removeprefix(HERE))


def test_who_is_linked_comes_in_and_goes_where_he_wanted(
    house: House, browser: Browser, little: LittleProvider
) -> None:
    house.credentials.link(KADI, OUSMANE, little.issuer, "f-1")
    assert "127.0.0.1" in told(browser.open("/sign-in"))
    came = back(browser, little, "/account?lang=en")
    assert (came.status_code, came.headers["location"]) == (303, "/account?lang=en")
    assert "ousmane" in told(browser.open("/account"))


def test_who_decides_shows_our_second_factor_too(house: House, browser: Browser, little: LittleProvider) -> None:
    house.credentials.link(KADI, FANTA, little.issuer, "f-1")
    assert back(browser, little).headers["location"].startswith("/second-factor")


def test_who_is_not_linked_does_not_come_in(house: House, browser: Browser, little: LittleProvider) -> None:
    house.credentials.link(KADI, OUSMANE, little.issuer, "somebody-else")
    came = back(browser, little)
    assert came.status_code == 403
    assert "cycle account link" in told(came)
    assert browser.open("/").status_code == 303


LIES: dict[str, Callable[[Claims], Claims]] = {
    "another issuer": lambda claims: {**claims, "iss": "https://evil.example"},
    "another audience": lambda claims: {**claims, "aud": "another"},
    "several, and not for us": lambda claims: {**claims, "aud": [CLIENT, "b"], "azp": "b"},
    "over": lambda claims: {**claims, "exp": claims["exp"] - 3600},
    "of the future": lambda claims: {**claims, "iat": claims["iat"] + 3600},
    "without an end": lambda claims: {name: value for name, value in claims.items() if name != "exp"},
    "another nonce": lambda claims: {**claims, "nonce": "x"},
    "without a nonce": lambda claims: {name: value for name, value in claims.items() if name != "nonce"},
    "nobody": lambda claims: {**claims, "sub": ""},
    "no subject": lambda claims: {name: value for name, value in claims.items() if name != "sub"},
}


@pytest.mark.parametrize("lie", LIES)
def test_an_answer_that_does_not_hold_lets_nobody_in(
    house: House, browser: Browser, little: LittleProvider, lie: str
) -> None:
    house.credentials.link(KADI, OUSMANE, little.issuer, "f-1")
    little.lies = LIES[lie]
    came = back(browser, little)
    assert came.status_code == 403
    assert "ne vaut pas" in told(came)
    little.lies = lambda claims: claims
    assert back(browser, little).status_code == 303, "it is this that was wrong"


@pytest.mark.parametrize("how", ["another key", "a secret that both know", "not at all"])
def test_what_another_has_signed_lets_nobody_in(
    house: House, browser: Browser, little: LittleProvider, how: str
) -> None:
    house.credentials.link(KADI, OUSMANE, little.issuer, "f-1")
    if how == "another key":
        little.signs_with = little.other_key
    else:
        little.signs_with = OctKey.import_key(SECRET.ljust(32, "x"))  # type: ignore[assignment]
        little.algorithm = "HS256" if how.startswith("a secret") else "none"
    assert back(browser, little).status_code == 403


def test_only_the_browser_that_was_sent_comes_back_and_once(
    house: House, browser: Browser, little: LittleProvider
) -> None:
    house.credentials.link(KADI, OUSMANE, little.issuer, "f-1")
    other = browser.another()
    sent(other)
    asked = sent(browser)
    address = little.authorized(asked).removeprefix(HERE)
    assert other.open(address).status_code == 403, "another browser, with an id of its own"
    assert browser.another().open(address).status_code == 403, "and one without"
    for state in ("", "x", "." + asked["state"].partition(".")[2], "Ly9ldmls." + asked["state"].partition(".")[2]):
        answer = browser.open(f"/sign-in/provider/back?{urlencode({'code': 'x', 'state': state})}")
        assert answer.status_code == 403
    assert browser.open("/sign-in/provider/back?error=access_denied").status_code == 403
    assert browser.open(address).status_code == 303
    assert browser.open(address).status_code == 403, "the code is used up"


def test_a_provider_that_does_not_answer_is_told(house: House, browser: Browser, little: LittleProvider) -> None:
    little.silent = True
    answer = browser.open("/sign-in/provider?lang=en")
    assert answer.status_code == 503
    assert "does not answer" in told(answer)


def test_a_provider_that_is_another_is_told(house: House, little: LittleProvider) -> None:
    for issuer in (f"{little.issuer}/", "http://localhost:9"):
        with pytest.raises(ProviderUnavailable):
            Provider(issuer, CLIENT, SECRET, HERE).begins("browser", "/")
    little.document = lambda: {"issuer": little.issuer}  # type: ignore[method-assign]
    with pytest.raises(ProviderUnavailable):
        Provider(little.issuer, CLIENT, SECRET, HERE).begins("browser", "/")
    with browsing(house) as browser:
        assert browser.open("/sign-in/provider").status_code == 403
        assert browser.open("/sign-in/provider/back?code=x&state=y").status_code == 403


@pytest.mark.parametrize(
    ("changed", "cause"),
    [
        ({"CYCLE_OIDC_CLIENT_ID": ""}, "half"),
        ({"CYCLE_OIDC_CLIENT_SECRET_FILE": ""}, "half"),
        ({"CYCLE_OIDC_CLIENT_SECRET_FILE": "/nowhere/secret"}, "unreadable"),
        ({"CYCLE_OIDC_ISSUER": "http://id.example.ml"}, "not-https"),
    ],
)
def test_settings_that_name_no_provider_are_told(tmp_path: Path, changed: dict[str, str], cause: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    settings = {
        "CYCLE_OIDC_ISSUER": "https://id.example.ml",
        "CYCLE_OIDC_CLIENT_ID": CLIENT,
        "CYCLE_OIDC_CLIENT_SECRET_FILE": str(secret),
    }
    found = provider_of(settings, "https://cycle.example.ml")
    assert found is not None
    assert SECRET not in repr(found)
    assert provider_of({}, HERE) is None
    with pytest.raises(ProviderMisset) as refused:
        provider_of(settings | changed, "https://cycle.example.ml")
    assert refused.value.cause == cause
    secret.chmod(0o644)
    with pytest.raises(ProviderMisset, match="chmod 600"):
        provider_of(settings, "https://cycle.example.ml")
    with pytest.raises(ProviderMisset, match="not https"):
        Provider("https://id.example.ml", CLIENT, SECRET, "http://cycle.example.ml")
