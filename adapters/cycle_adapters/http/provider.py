"""Signing in through a provider of OpenID Connect: authorization code with PKCE, state and nonce.

What ties the answer to the browser that asked is made of that browser's cookie; nothing is kept meanwhile.
The provider says who somebody is there; which account that is, an administrator has said before.
"""

from __future__ import annotations

import os
import stat
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from functools import cached_property
from hmac import compare_digest
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import httpx2
import msgspec
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from msgspec import Struct

from cycle.failures import UNAVAILABLE, USAGE, Failure
from cycle.identity.failures import NotSignedIn
from cycle.identity.secrets import derived
from cycle.settings import OIDC_CLIENT_ID, OIDC_CLIENT_SECRET_FILE, OIDC_ISSUER
from cycle.shapes import understood
from cycle_adapters.http.signing_in import is_loopback

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
"""How an answer may be signed: never with a secret that both know, and never not at all."""
LEEWAY_SECONDS = 60
TIMEOUT_SECONDS = 10.0
BACK = "/sign-in/provider/back"


class ProviderUnavailable(Failure):
    """The provider does not answer, or not as one."""

    kind = "provider"
    code = "unavailable"
    exit_code = UNAVAILABLE


class ProviderMisset(Failure):
    """The settings do not name a provider."""

    kind = "provider"
    exit_code = USAGE


class Discovered(Struct, frozen=True):
    """What a provider says of itself, as far as we use it."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class _Answer(Struct):
    id_token: str


class Provider:
    """One provider.

    Args:
        issuer, client_id, secret: as the provider knows us.
        address: where browsers reach us.
        now: seconds since 1970.

    Raises:
        ProviderMisset: an address that is not https, nor on this machine.
    """

    def __init__(
        self, issuer: str, client_id: str, secret: str, address: str, now: Callable[[], float] = time.time
    ) -> None:
        self.issuer, self.name = issuer, urlsplit(issuer).hostname or issuer
        self._client_id, self._secret, self._now = client_id, secret, now
        self._back = address.rstrip("/") + BACK
        for each in (issuer, address):
            _demand_safe(each)

    def __repr__(self) -> str:
        return f"Provider({self.issuer})"

    def begins(self, browser: str, to: str) -> str:
        """Where to send a browser; ``to`` is the page that it wants afterwards.

        Raises:
            ProviderUnavailable: the provider cannot be asked.
        """
        with self._client() as client:
            url, _ = client.create_authorization_url(
                self._found.authorization_endpoint,
                state=_state(browser, to),
                code_verifier=_encoded(derived(browser, "oidc verifier")),
                nonce=_encoded(derived(browser, "oidc nonce")),
            )
        return str(url)

    def ends(self, browser: str, code: str, state: str) -> tuple[str, str]:
        """Who came back, by the provider's own name for him, and the page that he wants.

        Raises:
            NotSignedIn: it is not the browser that was sent, or the provider's answer does not hold.
            ProviderUnavailable: the provider cannot be asked.
        """
        to = _to(state)
        if not code or to is None or not compare_digest(_state(browser, to), state):
            raise NotSignedIn("provider-refused")
        token = self._token(code, _encoded(derived(browser, "oidc verifier")))
        return self._subject(token, _encoded(derived(browser, "oidc nonce"))), to

    def _token(self, code: str, verifier: str) -> str:
        try:
            with self._client() as client:
                answer = client.fetch_token(self._found.token_endpoint, code=code, code_verifier=verifier)
            return msgspec.convert(dict(answer), understood(_Answer)).id_token
        except (OAuthError, msgspec.ValidationError) as error:
            raise NotSignedIn("provider-refused") from error
        except (httpx2.HTTPError, ValueError) as error:
            raise ProviderUnavailable("silent", name=self.name) from error

    def _subject(self, token: str, nonce: str) -> str:
        """Raises:
        NotSignedIn: the token is not this provider's, not for us, not of now, or not of this browser.
        """
        wanted = jwt.JWTClaimsRegistry(
            now=lambda: int(self._now()),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self._client_id},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            keys = KeySet.import_key_set(cast("Any", self._asked(self._found.jwks_uri)))
            claims = jwt.decode(token, keys, list(ALGORITHMS)).claims
            wanted.validate(claims)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise NotSignedIn("provider-refused") from error
        party = claims.get("azp", self._client_id)
        if party != self._client_id or not isinstance(claims["sub"], str) or not claims["sub"]:
            raise NotSignedIn("provider-refused")
        return claims["sub"]

    @cached_property
    def _found(self) -> Discovered:
        try:
            found = msgspec.convert(
                self._asked(self.issuer.rstrip("/") + "/.well-known/openid-configuration"), understood(Discovered)
            )
        except msgspec.ValidationError as error:
            raise ProviderUnavailable("no-provider", name=self.name) from error
        if found.issuer != self.issuer:
            raise ProviderUnavailable("no-provider", name=self.name)
        for each in (found.authorization_endpoint, found.token_endpoint, found.jwks_uri):
            _demand_safe(each)
        return found

    def _asked(self, url: str) -> Mapping[str, object]:
        try:
            answer = httpx2.get(url, timeout=TIMEOUT_SECONDS)
            answer.raise_for_status()
            return msgspec.json.decode(answer.content, type=dict[str, object])
        except (httpx2.HTTPError, ValueError) as error:
            raise ProviderUnavailable("silent", name=self.name) from error

    def _client(self) -> OAuth2Client:
        methods = self._found.token_endpoint_auth_methods_supported
        method = "client_secret_basic" if "client_secret_basic" in methods else "client_secret_post"
        return OAuth2Client(
            self._client_id,
            self._secret,
            token_endpoint_auth_method=method,
            scope="openid",
            redirect_uri=self._back,
            code_challenge_method="S256",
            timeout=TIMEOUT_SECONDS,
        )


def _state(browser: str, to: str) -> str:
    """Where to go afterwards, and that this browser was sent."""
    return f"{_encoded(to.encode())}.{_encoded(derived(browser, f'oidc state {to}'))}"


def _to(state: str) -> str | None:
    try:
        encoded = state.partition(".")[0]
        return urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    except ValueError:
        return None


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _demand_safe(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        raise ProviderMisset("not-https", url=url)


def provider_of(environment: Mapping[str, str], address: str) -> Provider | None:
    """The provider that the settings name; None: none.

    Raises:
        ProviderMisset: they name one half of it, or a file that cannot be used.
    """
    named = (OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET_FILE)
    issuer, client_id, secret_file = (setting.given(environment) for setting in named)
    if not issuer:
        return None
    if not client_id or not secret_file:
        raise ProviderMisset("half")
    return Provider(issuer, client_id, _secret(Path(secret_file)), address)


def _secret(path: Path) -> str:
    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise ProviderMisset("open-to-others", path=str(path))
            return file.read(4096).decode().strip()
    except (OSError, ValueError) as error:
        raise ProviderMisset("unreadable", path=str(path)) from error
