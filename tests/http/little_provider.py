"""A small provider of OpenID Connect on a real port: as strict as a big one, and told to lie where a test asks."""

from __future__ import annotations

import json
import threading
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import token_urlsafe
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "cycle", "a secret of the provider's"
Claims = dict[str, Any]


@cache
def keys() -> tuple[RSAKey, RSAKey]:
    """Two keys; making them takes longer than all that is done with them."""
    return RSAKey.generate_key(2048), RSAKey.generate_key(2048)


class LittleProvider:
    """Everybody who comes is ``subject``; ``lies`` changes the claims or the header of what it signs."""

    def __init__(self) -> None:
        self.key, self.other_key = keys()
        self.subject = "f-1"
        self.lies: Callable[[Claims], Claims] = lambda claims: claims
        self.signs_with, self.algorithm, self.silent = self.key, "RS256", False
        self.codes: dict[str, dict[str, str]] = {}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"

    def document(self) -> Claims:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }

    def authorized(self, asked: dict[str, str]) -> str:
        """Where a browser is sent back to, as somebody who has signed in there."""
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert asked["client_id"] == CLIENT
        assert asked["scope"] == "openid"
        code = token_urlsafe()
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, given: dict[str, str], authorization: str) -> Claims | None:
        """The answer to a code, which is good once; None: it is not."""
        asked = self.codes.pop(given.get("code", ""), None)
        client = [unquote(part) for part in b64decode(authorization.removeprefix("Basic ")).decode().split(":")]
        if asked is None or client != [CLIENT, SECRET] or given["redirect_uri"] != asked["redirect_uri"]:
            return None
        if create_s256_code_challenge(given["code_verifier"]) != asked["code_challenge"]:
            return None
        now = int(time.time())
        claims = {"iss": self.issuer, "sub": self.subject, "aud": CLIENT, "exp": now + 60, "iat": now}
        claims["nonce"] = asked["nonce"]
        header = {"alg": self.algorithm, "kid": self.key.thumbprint()}
        if self.algorithm == "none":
            parts = (urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (header, claims))
            return {"access_token": "x", "token_type": "Bearer", "id_token": ".".join((*parts, ""))}
        signed = jwt.encode(header, self.lies(claims), self.signs_with, algorithms=[self.algorithm])
        return {"access_token": "x", "token_type": "Bearer", "id_token": signed}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = urlsplit(self.path)
                if path.path == "/.well-known/openid-configuration":
                    self.answer(provider.document())
                elif path.path == "/keys":
                    public = provider.key.as_dict(private=False, kid=provider.key.thumbprint())
                    self.answer({"keys": [public]})
                else:
                    self.answer({}, 404)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                given = {name: values[0] for name, values in parse_qs(body).items()}
                answer = provider.token(given, self.headers.get("authorization", ""))
                self.answer(answer or {"error": "invalid_grant"}, 200 if answer else 400)

            def answer(self, body: Claims, status: int = 200) -> None:
                data = json.dumps(body).encode()
                self.send_response(503 if provider.silent else status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler


@contextmanager
def provided() -> Iterator[LittleProvider]:
    """A provider that answers until the end."""
    found = LittleProvider()
    thread = threading.Thread(target=found.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        found.server.shutdown()
        found.server.server_close()
        thread.join()
