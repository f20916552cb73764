"""A browser as far as signing in needs one: cookies, forms, and where a form was sent from."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from fastapi.testclient import TestClient

from cycle_adapters.http.app import make_app
from cycle_adapters.http.provider import Provider
from cycle_adapters.http.sign_in_pages import SigningIn
from cycle_adapters.http.signing_in import SignedIn
from tests.http.town import WIDE, rooms
from tests.identity.house import House

HERE = "http://127.0.0.1:8000"
LOOPBACK = ("127.0.0.1", 50_000)


class Browser:
    """Opens pages and fills their forms in; follows no redirect by itself."""

    def __init__(self, client: TestClient, address: str = HERE) -> None:
        self.client, self.address = client, address

    def open(self, path: str, **more: Any) -> Any:
        return self.client.get(path, follow_redirects=False, **more)

    def fill(self, path: str, *, action: str = "", headers: dict[str, str] | None = None, **fields: str) -> Any:
        """Open a page and send its form with these fields."""
        page = self.open(path).text
        return self.send(action or path, {**hidden(page), **fields}, headers)

    def send(self, path: str, fields: dict[str, str], headers: dict[str, str] | None = None) -> Any:
        said = {"Origin": self.address} if headers is None else headers
        body = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in fields.items())
        form = {"Content-Type": "application/x-www-form-urlencoded", **said}
        return self.client.post(path, content=body, headers=form, follow_redirects=False)

    @property
    def cookies(self) -> dict[str, str]:
        return {cookie.name: cookie.value or "" for cookie in self.client.cookies.jar}

    def another(self) -> Browser:
        """Somebody else's browser, on the same application."""
        return Browser(TestClient(self.client.app, base_url=self.address, client=LOOPBACK), self.address)


def hidden(page: str) -> dict[str, str]:
    """What the form of a page carries by itself."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in found}


def told(page: Any) -> str:
    """What a page says, with plain spaces."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.text)).translate({0xA0: " ", 0x202F: " "}).split())


@contextmanager
def browsing(
    house: House, *, address: str = HERE, provider: Provider | None = None, demo: bool = False
) -> Iterator[Browser]:
    """A browser of the real application, whose people are those of the house."""
    door = SigningIn(house.engine, house.sessions, provider, demo)
    app = make_app(house.engine, SignedIn(house.sessions), rooms(house.engine), WIDE, door)
    with TestClient(app, base_url=address, client=LOOPBACK, raise_server_exceptions=False) as client:
        yield Browser(client, address)
