"""Somebody who is sent events: a real server on this machine, that answers as the test says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread
from typing import Any, NamedTuple

from standardwebhooks import Webhook


class Sent(NamedTuple):
    """One request, as it came."""

    headers: dict[str, str]
    body: bytes
    path: str = ""
    port: int = 0
    """Of whoever sent it: another one for another connection."""

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> Any:
        return json.loads(self.body)

    @property
    def position(self) -> int:
        return int(self.event["globalposition"])

    def signed_by(self, secret: str) -> bool:
        """Whether one of its signatures is what the verifier's own library would sign, whatever time it is."""
        moment = datetime.fromtimestamp(int(self.headers["webhook-timestamp"]), UTC)
        expected = Webhook(secret).sign(self.id, moment, self.body.decode())
        return expected in self.headers["webhook-signature"].split(" ")


Answers = Callable[[Sent], int | tuple[int, dict[str, str]]]


class Receiver:
    """What it was sent, and how it answers: 200 unless the test says otherwise."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.answers: Answers = lambda sent: 200
        self.url = ""
        self.hangs_up_on: set[int] = set()
        """The requests, the first is 1, after which it closes the connection and says nothing."""
        self._came = Condition()

    def take(self, sent: Sent) -> tuple[int, dict[str, str]]:
        with self._came:
            self.sent.append(sent)
            self._came.notify_all()
        answer = self.answers(sent)
        return answer if isinstance(answer, tuple) else (answer, {})

    @property
    def positions(self) -> list[int]:
        return [each.position for each in self.sent]

    def hears(self, wanted: Callable[[Receiver], bool]) -> None:
        """Wait until what came is what is wanted."""
        with self._came:
            assert self._came.wait_for(lambda: wanted(self), 60), self.positions

    def forget(self) -> None:
        self.sent.clear()


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that listens."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            sent = {name.lower(): value for name, value in self.headers.items()}
            status, headers = receiver.take(Sent(sent, body, self.path, self.client_address[1]))
            if len(receiver.sent) in receiver.hangs_up_on:
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing is said about it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
