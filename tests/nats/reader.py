"""A consumer as others write it: nats-py, a durable pull consumer, acknowledged one by one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Condition, Event, Thread
from typing import Any, NamedTuple, TypeVar

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, RawStreamMsg

import nats

T = TypeVar("T")
STREAM, SUBJECTS = "CYCLE", "cycle.v1.>"


class Heard(NamedTuple):
    """One message."""

    sequence: int
    subject: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> Any:
        return json.loads(self.body)

    @property
    def position(self) -> int:
        return int(self.event["globalposition"])

    @property
    def id(self) -> str:
        return str(self.event["id"])


def asked(url: str, question: Callable[[JetStreamContext], Awaitable[T]]) -> T:
    """One question to JetStream, over a connection of its own."""

    async def ask() -> T:
        client = await nats.connect(url.split(","), max_reconnect_attempts=3)
        try:
            return await question(client.jetstream())
        finally:
            await client.close()

    return asyncio.run(ask())


def everything(url: str) -> list[Heard]:
    """The whole stream, message by message, as it is stored."""

    async def read(jetstream: JetStreamContext) -> list[Heard]:
        state = (await jetstream.stream_info(STREAM)).state
        found: list[Heard] = []
        for sequence in range(state.first_seq, state.last_seq + 1):
            message: RawStreamMsg = await jetstream.get_msg(STREAM, seq=sequence)
            found.append(Heard(sequence, message.subject, dict(message.headers or {}), message.data or b""))
        return found

    return asked(url, read)


class Reader:
    """Reads on for as long as the block lasts, whatever becomes of the servers."""

    def __init__(self, url: str, subjects: str = SUBJECTS, durable: str = "reader") -> None:
        self._url, self._subjects, self._durable = url, subjects, durable
        self.heard: list[Heard] = []
        self.takes: Callable[[Any], None] = lambda event: None
        """Told of each event as it comes."""
        self._came = Condition()
        self._over = Event()

    @property
    def positions(self) -> list[int]:
        return [each.position for each in self.heard]

    def hears(self, wanted: Callable[[Reader], bool]) -> None:
        """Wait until what came is what is wanted."""
        with self._came:
            assert self._came.wait_for(lambda: wanted(self), 90), self.positions[-20:]

    def has(self, positions: list[int]) -> None:
        """Wait until these have come."""
        self.hears(lambda reader: set(reader.positions) >= set(positions))

    def run(self) -> None:
        asyncio.run(self._read())

    def stop(self) -> None:
        self._over.set()

    async def _read(self) -> None:
        async def quiet(error: Exception) -> None: ...

        client = Client()
        while not self._over.is_set() and not client.is_connected:
            with suppress(Exception):
                await client.connect(
                    self._url.split(","),
                    error_cb=quiet,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=0.1,  # type: ignore[arg-type]
                    connect_timeout=2,
                )
        while not self._over.is_set():
            try:
                await self._some(client.jetstream(timeout=2))
            except Exception:
                # There is no stream yet, or no server: it is asked again.
                await asyncio.sleep(0.05)
        await client.close()

    async def _some(self, jetstream: JetStreamContext) -> None:
        subscription = await jetstream.pull_subscribe(self._subjects, durable=self._durable, stream=STREAM)
        try:
            while not self._over.is_set():
                with suppress(nats.errors.TimeoutError):
                    for message in await subscription.fetch(100, timeout=0.5):
                        self._keep(message)
                        await message.ack()
                await jetstream.consumer_info(STREAM, self._durable)
        finally:
            with suppress(Exception):
                await subscription.unsubscribe()

    def _keep(self, message: Msg) -> None:
        sequence = message.metadata.sequence.stream
        with self._came:
            self.heard.append(Heard(sequence, message.subject, dict(message.headers or {}), message.data))
            self._came.notify_all()
        self.takes(self.heard[-1].event)


class InOrder(Reader):
    """Keeps its own position instead of having the server remember it: begins again behind it where something is amiss.

    What is on its way to a durable consumer when the wire is cut comes again after what follows it.
    """

    def __init__(self, url: str, subjects: str = SUBJECTS, after: int = 0) -> None:
        super().__init__(url, subjects)
        self._after = after

    async def _some(self, jetstream: JetStreamContext) -> None:
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=self._after + 1,
            ack_policy=AckPolicy.NONE,
            inactive_threshold=30,
        )
        subscription = await jetstream.pull_subscribe(self._subjects, stream=STREAM, config=config)
        came, name = 0, (await subscription.consumer_info()).name
        while not self._over.is_set():
            with suppress(nats.errors.TimeoutError):
                for message in await subscription.fetch(100, timeout=0.5):
                    came += 1
                    if message.metadata.sequence.consumer != came:
                        return
                    self._keep(message)
                    self._after = self.heard[-1].sequence
            await jetstream.consumer_info(STREAM, name)


@contextmanager
def reading(url: str, subjects: str = SUBJECTS, durable: str = "reader") -> Iterator[Reader]:
    """Somebody who reads on until the end of the block."""
    found = Reader(url, subjects, durable)
    thread = Thread(target=found.run)
    thread.start()
    try:
        yield found
    finally:
        found.stop()
        thread.join()
