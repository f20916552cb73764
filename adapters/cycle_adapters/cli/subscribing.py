"""A subscriber of a server's stream of events: it comes again with its last id, whatever cut it off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import sleep
from typing import Any
from urllib.parse import urlsplit

import click
import httpx2
import msgspec

from cycle.catalogue import Language, text
from cycle.cloudevents import CloudEvent
from cycle.failures import REFUSED, UNAVAILABLE, Failure

STREAM = "/api/v1/events/stream"
PAGES = "/api/v1/events"
SILENT_SECONDS = 60.0
"""A server that has not even sent a ping for so long is gone."""
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
FOR_GOOD = frozenset({"sign-in-needed", "forbidden", "out-of-scope", "not-found"})
"""Why a stream ends that would end again."""
TAKEN = ("application/json", "text/event-stream")


class CannotListen(Failure):
    """The address, the token or what is asked for cannot be used."""

    kind = "listen"
    code = "cannot-listen"


class Unreachable(CannotListen):
    """Nobody answers."""

    code = "unavailable"
    exit_code = UNAVAILABLE


class Refuses(CannotListen):
    """Whoever answers refuses."""

    code = "refused"
    exit_code = REFUSED


class Lost(Exception):  # noqa: N818
    """The connection is lost, or the server asks to come again."""


def token_in(path: Path) -> str:
    """The token that a file holds.

    Raises:
        CannotListen: it holds none.
    """
    try:
        found = path.read_text("ascii").strip()
    except (OSError, ValueError) as error:
        raise CannotListen("no-token", path=str(path), why=getattr(error, "strerror", "") or "?") from error
    if not found:
        raise CannotListen("no-token", path=str(path), why="0")
    return found


class Subscription:
    """The stream of a server; ``after`` None: from now on."""

    def __init__(
        self,
        url: str,
        language: Language,
        token: str = "",
        types: tuple[str, ...] = (),
        commune: str | None = None,
        after: int | None = None,
    ) -> None:
        self._url, self._language = url.rstrip("/").removesuffix(STREAM), language
        where = urlsplit(self._url)
        if where.scheme not in ("http", "https") or not where.hostname:
            raise CannotListen("no-stream", url=url)
        if token and where.scheme != "https" and where.hostname not in LOOPBACK:
            raise CannotListen("token-in-clear", url=self._url)
        self._headers = {"Accept-Language": language, **({"Authorization": f"Bearer {token}"} if token else {})}
        self._asked: list[tuple[str, str | int | float | bool | None]] = [("type", each) for each in types]
        if commune:
            self._asked.append(("commune", commune))
        self._retry_seconds = 2.0
        self.after = self._head() if after is None else after

    def __iter__(self) -> Iterator[CloudEvent]:
        was_there = False
        while True:
            try:
                for event, position in self._connected():
                    was_there = True
                    if event is not None:
                        yield event
                    # Behind what was printed, and not before.
                    self.after = position
            except Lost as lost:
                if not was_there:
                    raise Unreachable("unreachable", url=self._url, why=str(lost)) from lost
                click.echo(text("message.listen-again", self._language), err=True)
            sleep(self._retry_seconds)

    def _head(self) -> int:
        """How far the log went just now."""
        with httpx2.Client(timeout=SILENT_SECONDS, headers=self._headers) as client:
            try:
                answer = client.get(f"{self._url}{PAGES}", params=[*self._asked, ("limit", 1)])
            except httpx2.TransportError as error:
                raise Unreachable("unreachable", url=self._url, why=_why(error)) from error
        self._demand(answer)
        try:
            return int(answer.json()["head"])
        except (ValueError, KeyError, TypeError) as error:
            raise CannotListen("no-stream", url=self._url) from error

    def _connected(self) -> Iterator[tuple[CloudEvent | None, int]]:
        """What arrives by one connection until it is over: events and what is none, each with its position.

        Raises:
            Lost: it was cut, and another one may go on.
            CannotListen: another one would fare no better.
        """
        headers = {**self._headers, "Last-Event-ID": str(self.after), "Accept": "text/event-stream"}
        address, asked = f"{self._url}{STREAM}", httpx2.QueryParams(self._asked)
        try:
            with (
                httpx2.Client(timeout=SILENT_SECONDS, headers=headers) as client,
                client.stream("GET", address, params=asked) as answer,
            ):
                if answer.status_code != 200:
                    answer.read()
                self._demand(answer)
                for message in httpx2.EventSource(answer):
                    yield self._taken(message)
        except httpx2.TransportError as error:
            raise Lost(_why(error)) from error

    def _taken(self, message: httpx2.ServerSentEvent) -> tuple[CloudEvent | None, int]:
        if message.retry is not None:
            self._retry_seconds = message.retry / 1000
        if message.event == "closed":
            said: Any = message.json()
            if said["reason"] in FOR_GOOD:
                raise Refuses("refused", url=self._url, why=said["text"])
        position = int(message.id) if message.id.isdecimal() else self.after
        is_event = message.event == "message" and message.data
        return msgspec.json.decode(message.data, type=CloudEvent) if is_event else None, position

    def _demand(self, answer: httpx2.Response) -> None:
        """Raises:
        CannotListen: the server refuses.
        Lost: it cannot now.
        """
        status = answer.status_code
        if status == 429 or status >= 500:
            raise Lost(str(status))
        kind = answer.headers.get("content-type", "").partition(";")[0]
        if kind == "application/problem+json":
            why = answer.json()["detail"]
            refused = Refuses if status in (401, 403, 409) else CannotListen
            raise refused("refused", url=self._url, why=why)
        if status != 200 or kind not in TAKEN:
            raise CannotListen("no-stream", url=self._url)


def _why(error: Exception) -> str:
    return str(error) or type(error).__name__
