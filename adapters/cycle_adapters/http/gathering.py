"""Followers who are woken by the same event are answered together: one thread for all, and each stretch read once.

What an account may read is asked for each of them, as if nobody else were there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence

from starlette.concurrency import run_in_threadpool

from cycle.aggregates.base import StreamId
from cycle.engine import Engine
from cycle.feed import Batch, Reads
from cycle.store import FeedRow

AT_ONCE = 50
"""So many are answered before the first of them is told: nobody waits for hundreds."""
Ask = Callable[["Stretches"], Batch]


class Stretches:
    """Stretches of the log, each read once, for whoever asks while they are new."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._found: dict[object, tuple[int, Sequence[FeedRow]]] = {}

    def __call__(
        self,
        after: int,
        up_to: int,
        limit: int,
        *,
        logs: Collection[str] | None = None,
        types: Collection[str] = (),
        stream: StreamId | None = None,
    ) -> tuple[int, Sequence[FeedRow]]:
        asked = after, up_to, limit, None if logs is None else frozenset(logs), frozenset(types), stream
        if asked not in self._found:
            self._found[asked] = self._reads(after, up_to, limit, logs=logs, types=types, stream=stream)
        return self._found[asked]


class Gathering:
    """Answers together whoever asks while those before are answered: with what is read after all of them have asked."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: list[tuple[Ask, asyncio.Future[Batch]]] = []
        self._answering: asyncio.Task[None] | None = None

    async def __call__(self, ask: Ask) -> Batch:
        """What one asks for; raises what it raises."""
        answer: asyncio.Future[Batch] = asyncio.get_running_loop().create_future()
        self._waiting.append((ask, answer))
        if self._answering is None:
            self._answering = asyncio.create_task(self._answer_all())
        return await answer

    async def _answer_all(self) -> None:
        try:
            while self._waiting:
                together, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
                found = await run_in_threadpool(self._found, [ask for ask, _ in together])
                for (_, answer), batch in zip(together, found, strict=True):
                    _tell(answer, batch)
        finally:
            self._answering = None

    def _found(self, asked: Sequence[Ask]) -> list[Batch | Exception]:
        try:
            self._engine.door.refresh()
        except Exception as error:
            return [error] * len(asked)
        stretches = Stretches(self._engine.store.feed)
        return [_found(ask, stretches) for ask in asked]


def _found(ask: Ask, stretches: Stretches) -> Batch | Exception:
    try:
        return ask(stretches)
    except Exception as error:
        return error


def _tell(answer: asyncio.Future[Batch], found: Batch | Exception) -> None:
    # Who has gone meanwhile hears nothing.
    if answer.done():
        return
    if isinstance(found, Exception):
        answer.set_exception(found)
    else:
        answer.set_result(found)
