"""The stream: one connection to NATS and its JetStream, for a thread that knows nothing of asyncio.

What the stream must be is declared here once. Acknowledgements are counted by ourselves: nats-py 2.16's own
``publish_async`` never ends the wait for one that is an error.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from threading import Thread
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec
from msgspec import Struct
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import NoRespondersError
from nats.js import JetStreamContext
from nats.js.api import (
    DiscardPolicy,
    Header,
    RetentionPolicy,
    StorageType,
    StoreCompression,
    StreamConfig,
    StreamInfo,
)
from nats.js.errors import NotFoundError

import nats
from cycle.fanout.handing import Message, Tail
from cycle.fanout.subjects import EVERYTHING, STREAM
from cycle_adapters.jetstream.connecting import CONNECT_SECONDS, Servers
from cycle_adapters.jetstream.errors import Moved, NatsTrouble, answered, named

T = TypeVar("T")
ANSWER_SECONDS = 5.0
"""How long anything asked of JetStream may take; a cluster that is electing a leader answers nothing."""
WINDOW_SECONDS = 120.0
"""For so long the server knows ids by itself; that nothing comes twice later is the sequence's doing."""
MEDIA = "application/cloudevents+json"


class _Error(Struct, frozen=True):
    err_code: int = 0
    description: str = ""


class _Ack(Struct, frozen=True):
    seq: int = 0
    error: _Error | None = None


_ack = msgspec.json.Decoder(_Ack).decode


class Standing(Struct, frozen=True):
    """How the stream stands: where it ends, on how many servers, which leads, and how many of them are up to date."""

    tail: Tail
    replicas: int
    leader: str
    current: int
    messages: int
    bytes: int


class Stream:
    """A connection for as long as the block lasts; what goes wrong in it is a ``NatsTrouble``."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="nats-connection", daemon=True)
        self._client = Client()
        self._lost: asyncio.Future[NatsTrouble] = self._loop.create_future()
        self._said: BaseException | None = None
        self._flights: dict[str, Flight] = {}
        self._sent = 0
        self._acks = ""

    def __enter__(self) -> Self:
        """Connect.

        Raises:
            NatsTrouble: no server answers, or none lets us in.
        """
        self._thread.start()
        try:
            self._asked(self._connected(), 4 * CONNECT_SECONDS * len(self._servers.addresses))
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(NatsTrouble):
            self._asked(self._client.close(), CONNECT_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _connected(self) -> None:
        async def closed() -> None:
            if not self._lost.done():
                self._lost.set_result(NatsTrouble("unreachable", why="connection lost"))

        async def heard(error: Exception) -> None:
            self._said = error

        try:
            await self._client.connect(**self._servers.options(), closed_cb=closed, error_cb=heard)
        except nats.errors.NoServersError:
            # It says why it met none only here.
            raise named(self._said or nats.errors.NoServersError()) from None
        inbox = self._client.new_inbox()
        await self._client.subscribe(f"{inbox}.*.*", cb=self._acknowledged)
        self._acks = inbox

    @property
    def _jetstream(self) -> JetStreamContext:
        return self._client.jetstream(timeout=ANSWER_SECONDS)

    def _asked(self, wanted: Coroutine[Any, Any, T], seconds: float = ANSWER_SECONDS + 1) -> T:
        """What a coroutine on the connection's own thread comes to.

        Raises:
            NatsTrouble: it fails, or does not come to an end.
        """
        future = asyncio.run_coroutine_threadsafe(wanted, self._loop)
        try:
            return future.result(seconds)
        except Exception as error:
            future.cancel()
            raise named(error) from error

    # The stream

    def made(self) -> Self:
        """Make the stream where there is none, and keep as many copies of it as is wished.

        Raises:
            NatsTrouble: there is another one of its name, or it cannot be made.
        """
        self._asked(self._made(), 2 * ANSWER_SECONDS)
        return self

    async def _made(self) -> None:
        try:
            info = await self._jetstream.stream_info(STREAM)
        except NotFoundError:
            await self._jetstream.add_stream(wanted(self._servers.replicas))
            return
        if info.config.subjects != [EVERYTHING]:
            raise NatsTrouble("foreign", stream=STREAM, subjects=tuple(info.config.subjects or ()))
        if info.config.num_replicas != self._servers.replicas:
            await self._jetstream.update_stream(info.config, num_replicas=self._servers.replicas)

    def standing(self) -> Standing:
        """How it stands now.

        Raises:
            Moved: there is none.
            NatsTrouble: it cannot be asked.
        """
        return self._asked(self._standing(), 2 * ANSWER_SECONDS)

    async def _standing(self) -> Standing:
        info: StreamInfo = await self._jetstream.stream_info(STREAM)
        state, cluster = info.state, info.cluster
        event = None
        if state.messages:
            last = await self._jetstream.get_msg(STREAM, seq=state.last_seq)
            # A message without an id is none of ours.
            event = (last.headers or {}).get(Header.MSG_ID, "")
        followers = [] if cluster is None else cluster.replicas or []
        return Standing(
            Tail(state.last_seq, event),
            info.config.num_replicas or 1,
            (cluster.leader if cluster else None) or "",
            1 + sum(bool(each.current) for each in followers),
            state.messages,
            state.bytes,
        )

    def end(self) -> int:
        """The sequence of the last message, without looking at it.

        Raises:
            Moved: there is no stream.
        """
        return self._asked(self._jetstream.stream_info(STREAM)).state.last_seq

    def delete(self) -> None:
        """Delete the stream, with all that consumers have said of it; nothing where there is none."""
        with suppress(Moved):
            self._asked(self._jetstream.delete_stream(STREAM))

    # Messages

    def send(self, messages: Sequence[Message]) -> Flight:
        """Send messages in their order; the server takes each of them at its own position and at no other.

        Raises:
            NatsTrouble: the connection is lost.
        """
        self._sent += 1
        flight = Flight(self._loop.create_future(), str(self._sent), messages[0].position, messages[-1].position)
        self._asked(self._published(messages, flight), 2 * ANSWER_SECONDS)
        return flight

    async def _published(self, messages: Sequence[Message], flight: Flight) -> None:
        if not self._flights:
            self._said = None
        self._flights[flight.number] = flight
        publish, answers = self._client.publish, f"{self._acks}.{flight.number}"
        for message in messages:
            await publish(message.subject, message.body, f"{answers}.{message.position}", headers(message))

    def landed(self, flight: Flight) -> None:
        """Wait until all of it is acknowledged.

        Raises:
            Moved: the stream does not end where it should: look at it again.
            NatsTrouble: NATS does not take it, or does not answer.
        """
        self._asked(self._landed(flight), 2 * ANSWER_SECONDS)

    async def _landed(self, flight: Flight) -> None:
        ends: list[asyncio.Future[Any]] = [flight.over, self._lost]
        await asyncio.wait(ends, timeout=ANSWER_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        trouble = flight.over.result() if flight.over.done() else self._silence()
        if trouble is None:
            del self._flights[flight.number]
            return
        # What was sent behind it is not taken either.
        self._flights.clear()
        raise trouble

    def _silence(self) -> NatsTrouble:
        """Why nothing is answered: a right that is missing is said aside."""
        if self._lost.done():
            return self._lost.result()
        return named(self._said) if self._said else NatsTrouble("no-answer")

    async def _acknowledged(self, message: Msg) -> None:
        _, number, position = message.subject.rsplit(".", 2)
        flight = self._flights.get(number)
        if flight is None or flight.over.done():
            return
        trouble = refusal(message, int(position))
        flight.taken += trouble is None
        if trouble is not None or flight.taken == flight.last - flight.first + 1:
            flight.over.set_result(trouble)


class Flight:
    """Messages that were sent and are not acknowledged yet; ``over`` tells of the first that is not taken."""

    def __init__(self, over: asyncio.Future[NatsTrouble | None], number: str, first: int, last: int) -> None:
        self.over, self.number, self.first, self.last = over, number, first, last
        self.taken = 0


def wanted(replicas: int) -> StreamConfig:
    """The stream as it is made. Nothing of it is deleted, and when it is full it refuses what is new."""
    return StreamConfig(
        name=STREAM,
        description="Every event of the log; the sequence is the global position.",
        subjects=[EVERYTHING],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        num_replicas=replicas,
        max_consumers=-1,
        max_msgs=-1,
        max_bytes=-1,
        max_age=0,
        discard=DiscardPolicy.NEW,
        duplicate_window=WINDOW_SECONDS,
        deny_delete=True,
        deny_purge=True,
        allow_direct=True,
        compression=StoreCompression.S2,
    )


def headers(message: Message) -> dict[str, str]:
    """What goes with a message: its id, what it is, and where alone it may stand."""
    return {
        "Nats-Msg-Id": message.id,
        "Nats-Expected-Stream": STREAM,
        "Nats-Expected-Last-Sequence": str(message.position - 1),
        "Content-Type": MEDIA,
    }


def refusal(message: Msg, position: int) -> NatsTrouble | None:
    """What an answer to a message says against it; None: it stands at its position."""
    if not message.data:
        return Moved("no-stream", why=str(NoRespondersError()))
    try:
        ack = _ack(message.data)
    except msgspec.DecodeError as error:
        return NatsTrouble("other", why=str(error))
    if ack.error is not None:
        return answered(ack.error.err_code, ack.error.description)
    return None if ack.seq == position else Moved("moved", why=f"{ack.seq} != {position}")
