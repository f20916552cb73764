"""Server-Sent Events: messages one after the other, for as long as the reader takes them.

Source: the HTML standard, "Server-sent events"; the wire format is FastAPI's own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from cycle_adapters.http.encoding import encoded

PING = KEEPALIVE_COMMENT
RETRY_MS = 2_000
"""How long a reader waits before it comes again."""
HEAD_ASKED = "cycle.head-asked"
"""Says in a scope that only the headers were asked for."""
MESSAGE = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "description": "The position behind which whoever has seen this goes on."},
        "event": {"enum": ["message", "checkpoint", "caught-up", "closed"]},
        "data": {"type": "string", "contentMediaType": "application/json"},
        "retry": {"type": "integer", "minimum": 0},
    },
}
"""What one message is, as OpenAPI has it."""
HEADERS = {
    "Cache-Control": "no-store",
    # A proxy that collects an answer before it hands it on would hold up every event.
    "X-Accel-Buffering": "no",
}


def message(data: object, name: str | None = None, position: int | None = None) -> bytes:
    """One message; ``position`` is from where a reader goes on that has seen it."""
    at = None if position is None else str(position)
    return format_sse_event(data_str=encoded(data).decode(), event=name, id=at)


def retry() -> bytes:
    """When to come again."""
    return format_sse_event(retry=RETRY_MS)


class TooSlow(Exception):  # noqa: N818
    """The reader does not take what it is sent."""


class EventStream(EventSourceResponse):
    """Sends chunks as they come, until they end, the reader has gone, or does not read any more.

    No more than one chunk waits for a reader. One that it has not taken after ``slow_seconds`` is its last: when it
    takes that one within as long again, it is told why in a ``farewell``; else the connection is cut.
    """

    def __init__(self, chunks: AsyncGenerator[bytes, None], slow_seconds: float, farewell: Callable[[], bytes]) -> None:
        super().__init__(chunks, headers=HEADERS)
        self._chunks, self._slow_seconds, self._farewell = chunks, slow_seconds, farewell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        sending = asyncio.ensure_future(self._send_all(scope, send))
        leaving = asyncio.ensure_future(_left(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
            sending.cancel()
            await asyncio.wait({sending, leaving})
        if not sending.cancelled():
            sending.result()

    async def _send_all(self, scope: Scope, send: Send) -> None:
        try:
            async with aclosing(self._chunks) as chunks:
                if not scope.get(HEAD_ASKED):
                    async for chunk in chunks:
                        await self._send(send, chunk)
        except TooSlow:
            await send({"type": "http.response.body", "body": self._farewell(), "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, send: Send, chunk: bytes) -> None:
        """Raises:
        TooSlow: it was taken too late.
        ClientDisconnect: it was not taken at all.
        """
        sending = asyncio.ensure_future(send({"type": "http.response.body", "body": chunk, "more_body": True}))
        try:
            if (await asyncio.wait({sending}, timeout=self._slow_seconds))[0]:
                return sending.result()
            if not (await asyncio.wait({sending}, timeout=self._slow_seconds))[0]:
                raise ClientDisconnect
        finally:
            sending.cancel()
        raise TooSlow


async def _left(receive: Receive) -> None:
    """Ends when the reader has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
