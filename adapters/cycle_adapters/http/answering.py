"""Answers: the position that they reflect, a tag by which one asks again, and the address of the next page."""

from __future__ import annotations

import re
from hashlib import sha256

from fastapi import Response

from cycle.aggregates.base import StreamId
from cycle.reading import Reader
from cycle_adapters.http.calling import Call
from cycle_adapters.http.encoding import as_json

_TAG = re.compile(r'(?:W/)?"([^"]*)"')
VARY = "Accept-Language, Authorization, Cookie"
FOR_A_YEAR = "public, max-age=31536000, immutable"
"""How long what an address says by its version may be kept."""


def reached(reader: Reader) -> int:
    """The position that all that is read has come to."""
    return min(reader.runner.positions().values())


class Answer:
    """What a question is answered with: made before the rows are read, so that it claims no more than they hold.

    ``stream``: the one whose version is the tag, on which a command may rest; else the position is.
    """

    def __init__(self, call: Call, reader: Reader, stream: StreamId | None = None) -> None:
        self._request, self.language = call.request, call.language
        self.position = reached(reader)
        if stream is None:
            self.tag = f'W/"{self.position}-{_seen_by(call)}"'
        else:
            self.tag = f'"{call.engine.store.version_at(stream, self.position)}"'

    def unchanged(self) -> Response | None:
        """The answer to who has seen this already."""
        seen = self._request.headers.get("if-none-match", "")
        return Response(status_code=304, headers=self._headers()) if matches(seen, self.tag) else None

    def of(self, value: object, after: str | None = None) -> Response:
        """The value, with where to go on."""
        headers = self._headers()
        if after is not None:
            # The path alone: whoever stands between us and the reader calls us what he likes.
            url = self._request.url.include_query_params(after=after)
            headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'
        return as_json(value, headers=headers)

    def file(self, body: str, media: str) -> Response:
        """A text that is no JSON."""
        return Response(body, media_type=media, headers=self._headers())

    def _headers(self) -> dict[str, str]:
        return {
            "Cycle-Position": str(self.position),
            "ETag": self.tag,
            "Cache-Control": "private, no-cache",
            "Vary": VARY,
            "Content-Language": self.language,
        }


def _seen_by(call: Call) -> str:
    """What an answer depends on beside the position: who asks, on which day, in which language."""
    caller = call.caller
    scope = sorted(caller.actions) if caller and caller.actions is not None else None
    seen = f"{caller and caller.account} {scope} {call.engine.door.today()} {call.language}"
    return sha256(seen.encode()).hexdigest()[:12]


def matches(seen: str, tag: str) -> bool:
    """Whether ``If-None-Match`` names a tag; weak and strong ones are the same there (RFC 9110)."""
    return seen.strip() == "*" or tag.removeprefix("W/").strip('"') in _TAG.findall(seen)
