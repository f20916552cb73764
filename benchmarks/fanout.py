"""Fan-out: filling a stream of NATS from the log against a bare publish of the same bytes; from commit to a consumer.

Bare is what nats-py offers to whoever wants to be fast and sure: ``publish_async`` of messages that are made already,
with as many in the air. Consumer, worker, server and writer share this machine.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from threading import Event, Thread
from time import perf_counter, sleep

from nats.js.api import AckPolicy, ConsumerConfig
from nats.js.errors import NotFoundError
from tests.nats.server import node
from tests.store.saves import save

import nats
from benchmarks.feeds import LIVE, PER_SECOND, fill
from benchmarks.measure import databases, line, ratio, rounds
from cycle.cloudevents import Envelopes
from cycle.engine import Engine
from cycle.fanout.handing import HandingOn, Message, Tail
from cycle.fanout.subjects import EVERYTHING, STREAM
from cycle.settings import DEFAULT_ADDRESS
from cycle_adapters.jetstream.connecting import Servers
from cycle_adapters.jetstream.filling import BATCH, caught_up
from cycle_adapters.jetstream.running import Running
from cycle_adapters.jetstream.stream import Stream, wanted

ACCOUNT = "worker"


def emptied(servers: Servers) -> Stream:
    """A connection, and a stream without a message."""
    stream = Stream(servers).__enter__()
    stream.delete()
    return stream.made()


def bare(servers: Servers, messages: list[Message]) -> Callable[[], None]:
    """The same bytes under the same subjects by nats-py's own means."""

    async def publish() -> None:
        client = await nats.connect(servers.addresses[0])
        jetstream = client.jetstream(publish_async_max_pending=2 * BATCH)
        with suppress(NotFoundError):
            await jetstream.delete_stream(STREAM)
        await jetstream.add_stream(wanted(1))
        futures = [
            await jetstream.publish_async(each.subject, each.body, headers={"Nats-Msg-Id": each.id})
            for each in messages
        ]
        await asyncio.gather(*futures)
        await client.close()

    return lambda: asyncio.run(publish())


def filled(engine: Engine, servers: Servers, head: int) -> Callable[[], None]:
    """The stream from the log: rows read, envelopes made, sent in order, each acknowledged."""

    def run() -> None:
        handing, stream = HandingOn(engine, ACCOUNT, Envelopes(DEFAULT_ADDRESS)), emptied(servers)
        try:
            assert caught_up(stream, handing, handing.begin(Tail()), lambda: True) == head
        finally:
            stream.__exit__(None, None, None)

    return run


def from_commit_to_consumer(engine: Engine, servers: Servers) -> list[float]:
    """Milliseconds from the answer to a save until a consumer has its event, at a hundred saves a second."""
    arrived: dict[int, float] = {}
    ready, stop = Event(), Event()

    async def consume() -> None:
        client = await nats.connect(servers.addresses[0])
        config = ConsumerConfig(ack_policy=AckPolicy.NONE, deliver_policy="new")  # type: ignore[arg-type]
        subscription = await client.jetstream().subscribe(EVERYTHING, stream=STREAM, config=config)
        ready.set()
        while len(arrived) < LIVE:
            message = await subscription.next_msg(60)
            arrived[message.metadata.sequence.stream] = perf_counter()
        await client.close()

    publisher = Thread(
        target=Running(engine, HandingOn(engine, ACCOUNT, Envelopes(DEFAULT_ADDRESS)), servers).run, args=(stop,)
    )
    reader = Thread(target=lambda: asyncio.run(consume()))
    publisher.start()
    reader.start()
    ready.wait(60)
    committed, begin = {}, perf_counter()
    for number in range(LIVE):
        sleep(max(0.0, begin + number / PER_SECOND - perf_counter()))
        position = engine.store.append(save(f"live-{number}")).position
        committed[position] = perf_counter()
    reader.join(120)
    stop.set()
    publisher.join()
    return [max(0.0, arrived[position] - at) * 1000 for position, at in committed.items()]


def compare(kind: str, url: str, folder: Path, events: int, count: int) -> None:
    with Engine(url) as engine, node(folder / f"nats-{kind}") as server:
        head, servers = fill(engine, events), Servers((server.url,))
        messages = HandingOn(engine, ACCOUNT, Envelopes(DEFAULT_ADDRESS)).messages(0, head)
        runs = {"bare": bare(servers, messages), "filled": filled(engine, servers, head)}
        times = rounds(runs, count)
        late = from_commit_to_consumer(engine, servers)
    line(kind, "fill a stream, events/s", head / median(each["filled"] for each in times), "")
    line(kind, "bare publish_async, messages/s", head / median(each["bare"] for each in times), "")
    line(kind, "fill / bare publish_async of the same bytes", ratio(times, "bare", "filled"), "")
    line(kind, f"commit to consumer at {PER_SECOND}/s, median, ms", median(late), "")
    line(kind, "99 of 100 within, ms", quantiles(late, n=100)[98], "at most 100")


def main(events: int = 20_000, count: int = 5) -> None:
    with TemporaryDirectory() as folder, databases(Path(folder)) as found:
        for database in found:
            compare(database.kind, database.url, Path(folder), events, count)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
