"""A request that follows the log: it waits for what is recorded, and asks anew each time whether it still may."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from time import monotonic, perf_counter

from msgspec import Struct
from msgspec.structs import replace
from starlette.concurrency import run_in_threadpool
from starlette.types import Scope

from cycle.aggregates.base import LogName
from cycle.catalogue import text
from cycle.cloudevents import Envelopes
from cycle.engine import Engine
from cycle.feed import QUESTION, Batch, Feed, Reads
from cycle.sealing import SealedTo
from cycle_adapters.http.calling import Call
from cycle_adapters.http.gathering import Gathering
from cycle_adapters.http.limits import Following
from cycle_adapters.http.observing import WAITED
from cycle_adapters.http.problems import ANSWERED, details, not_in_time, stopped_by
from cycle_adapters.http.rooms import Seals
from cycle_adapters.http.streaming import PING, message, retry
from cycle_adapters.http.tail import Bell, Tail

CHUNK_BYTES = 65_536
"""What a reader is sent at once."""
STREAMED = 500
"""Events that are read at once for a stream."""
SEALS_SECONDS = 5.0
"""How far a log is sealed is looked up so often, and told from memory between."""
COME_AGAIN_SECONDS = 5


class Heads:
    """How far logs are sealed, as it was a few seconds ago: a batch may touch hundreds of them."""

    def __init__(self, seals: Seals, now: Callable[[], float] = monotonic) -> None:
        self._seals, self._now = seals, now
        self._known: dict[LogName, SealedTo | None] = {}
        self._since = now()

    def __call__(self, log: LogName) -> SealedTo | None:
        if self._now() - self._since >= SEALS_SECONDS:
            self._known, self._since = {}, self._now()
        known = self._known
        if log not in known:
            known[log] = self._seals.sealed(log)
        return known[log]


class Feeds:
    """What all requests that read the feed share."""

    def __init__(self, engine: Engine, seals: Seals, pace: Following, address: str) -> None:
        self.pace, self.address = pace, address
        self.envelopes, self.heads = Envelopes(address), Heads(seals)
        self.tail, self.together = Tail(engine.store), Gathering(engine)
        self._following: Counter[str] = Counter()

    @property
    def followers(self) -> int:
        """How many requests follow the log now."""
        return self._following.total()

    def demand_place(self, account: str) -> None:
        """Raises:
        Stopped: too many follow already, of this account or of all.
        """
        if self._following[account] >= self.pace.each or self.followers >= self.pace.most:
            raise not_in_time(COME_AGAIN_SECONDS)

    @contextmanager
    def place(self, account: str, scope: Scope) -> Iterator[None]:
        """As one of those that may follow at the same time; so long the answer to a request does not take.

        Raises:
            Stopped: as ``demand_place``.
        """
        self.demand_place(account)
        began = perf_counter()
        self._following[account] += 1
        try:
            yield
        finally:
            scope[WAITED] = perf_counter() - began
            self._following[account] -= 1
            if not self._following[account]:
                del self._following[account]


class Follower(Struct, frozen=True):
    """Follows the log for one request."""

    call: Call
    feed: Feed
    feeds: Feeds

    @property
    def account(self) -> str:
        return self.call.may(QUESTION).account

    async def read(self, after: int, limit: int) -> Batch:
        """What stands behind a position, for whoever still may.

        Raises:
            SignInNeeded, Stopped: the credential does not hold any more.
            Forbidden, AheadOfLog: as ``Feed.read``.
        """
        return await run_in_threadpool(self._read, after, limit)

    async def news(self, after: int) -> Batch:
        """The same for whoever was woken with others, all of whom are at the end of the log."""
        return await self.feeds.together(lambda reads: self._read(after, STREAMED, reads))

    def _read(self, after: int, limit: int, reads: Reads | None = None) -> Batch:
        self.call.anew(QUESTION)
        return self.feed.read(after, limit, reads)

    async def first(self, after: int, limit: int, seconds: float) -> Batch:
        """The first batch that holds an event, or how far the log went until then.

        Raises:
            Stopped: too many wait.
        """
        batch = await self.read(after, limit)
        if batch.rows or not seconds:
            return batch
        until = monotonic() + seconds
        with self.feeds.place(self.account, self.call.request.scope):
            async with self.feeds.tail.heard() as bell:
                while not batch.rows and not self.feeds.tail.is_ending:
                    bell.arm()
                    batch = await self.read(batch.to, limit)
                    left = until - monotonic()
                    if left <= 0:
                        break
                    if batch.at_head and not batch.rows:
                        await bell.wait(left)
        return replace(batch, after=after)

    def closed(self, reason: str) -> bytes:
        """The last message of a stream."""
        words = text(f"stream-closed.{reason}", self.call.language)
        return message({"reason": reason, "text": words}, "closed")

    async def stream(self, after: int) -> AsyncGenerator[bytes, None]:
        """Every message from a position on, until it is over."""
        yield retry()
        try:
            with self.feeds.place(self.account, self.call.request.scope):
                async with self.feeds.tail.heard() as bell:
                    async for chunk in self._messages(after, bell):
                        yield chunk
        except ANSWERED as error:
            stopped = stopped_by(error, self.call.request)
            if stopped is None:
                raise
            yield message({"reason": stopped.code, "text": details(stopped, self.call.language).detail}, "closed")

    async def _messages(self, after: int, bell: Bell) -> AsyncGenerator[bytes, None]:
        feeds, pace = self.feeds, self.feeds.pace
        until, caught_up, quiet = monotonic() + pace.longest_seconds, False, 0
        while True:
            bell.arm()
            batch = await (self.news(after) if caught_up else self.read(after, STREAMED))
            moves, is_news = batch.to > after, bool(batch.rows) or not caught_up
            if moves or is_news or quiet >= pace.pings:
                name = "caught-up" if batch.at_head and is_news else "checkpoint"
                for chunk in self._chunks(batch, name):
                    yield chunk
                after, caught_up, quiet = batch.to, batch.at_head, 0
            left = until - monotonic()
            if feeds.tail.is_ending or left <= 0:
                yield self.closed("stopping" if feeds.tail.is_ending else "renew")
                return
            if (batch.at_head or not moves) and not await bell.wait(min(pace.ping_seconds, left)):
                quiet += 1
                yield PING

    def _chunks(self, batch: Batch, name: str) -> Iterator[bytes]:
        """The events of a batch, and behind them what they were."""
        collected, length = [], 0
        for position, _, _, leaf in batch.rows:
            said = message(self.feeds.envelopes.envelope(position, leaf), None, position)
            collected.append(said)
            length += len(said)
            if length >= CHUNK_BYTES:
                yield b"".join(collected)
                collected, length = [], 0
        collected.append(message(batch.marks(self.feeds.heads), name, batch.to))
        yield b"".join(collected)
