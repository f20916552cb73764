"""The stream is the log: message n is event n, however it got there."""

from __future__ import annotations

from threading import Thread

import pytest
from nats.js import JetStreamContext
from nats.js.api import StreamConfig

from cycle.fanout.handing import Astray
from cycle_adapters.jetstream.errors import Moved, NatsTrouble
from cycle_adapters.jetstream.filling import refill
from cycle_adapters.jetstream.stream import Stream
from tests.nats.reader import STREAM, asked, everything, reading
from tests.nats.server import Node
from tests.nats.town import ADDRESS, Town, at


def test_message_n_is_event_n_in_an_envelope(town: Town, server: Node) -> None:
    with Stream(at(server.url)) as stream:
        assert town.publish(stream) == town.head
    heard = everything(server.url)
    assert [each.sequence for each in heard] == [each.position for each in heard] == town.all
    assert [each.id for each in heard] == [each.headers["Nats-Msg-Id"] for each in heard] == town.ids()
    assert {each.headers["Content-Type"] for each in heard} == {"application/cloudevents+json"}
    last = heard[-1].event
    assert last["specversion"] == "1.0"
    assert last["dataschema"].startswith(f"{ADDRESS}/api/v1/schemas/")


def test_a_consumer_of_a_region_hears_that_region_and_begins_where_it_wants(town: Town, server: Node) -> None:
    with Stream(at(server.url)) as stream:
        town.publish(stream)
        with reading(server.url, "cycle.v1.segou.>") as reader:
            wanted = town.happens(town.dioro, 2)
            town.happens(town.koula)
            wanted += town.happens(town.dioro)
            town.publish(stream)
            reader.has(wanted)
    assert {each.subject.split(".")[2] for each in reader.heard} == {"segou"}
    assert {each.subject.split(".")[4] for each in reader.heard} == {"ml-4-01-01"}


def test_what_is_published_again_is_published_once(town: Town, server: Node) -> None:
    """The whole log is sent twice, from the beginning: the second time the server takes nothing."""
    with Stream(at(server.url)) as stream:
        town.publish(stream)
        with pytest.raises(Moved):
            town.publish(stream, after=0)
        town.happens(town.dioro)
        assert town.publish(stream) == town.head
    assert [each.position for each in everything(server.url)] == town.all


def test_two_publish_at_the_same_time_and_each_event_comes_once_in_order(town: Town, server: Node) -> None:
    """Nobody held them apart, as when a turn is over and nobody has noticed: they go on by the stream's own word."""
    town.happens(town.dioro, 40)

    def publish() -> None:
        other = Town(town.url)
        with Stream(at(server.url)) as stream:
            while True:
                try:
                    if other.publish(stream) == other.head:
                        break
                except Moved:
                    continue
        other.close()

    publishers = [Thread(target=publish) for _ in range(3)]
    for each in publishers:
        each.start()
    for each in publishers:
        each.join()
    assert [each.id for each in everything(server.url)] == town.ids()


def test_a_deleted_stream_is_noticed_and_filled_from_the_start(town: Town, server: Node) -> None:
    with Stream(at(server.url)) as stream:
        town.publish(stream)

        async def delete(jetstream: JetStreamContext) -> None:
            await jetstream.delete_stream(STREAM)

        asked(server.url, delete)
        after = town.head
        town.happens(town.dioro)
        with pytest.raises(Moved):
            town.publish(stream, after=after)
        town.publish(stream)
    assert [each.id for each in everything(server.url)] == town.ids()


def test_a_refill_makes_the_same_messages_under_the_same_subjects(small: Town, server: Node) -> None:
    moves: list[tuple[int, int]] = []
    with Stream(at(server.url)) as stream:
        small.publish(stream)
        before = everything(server.url)
        assert refill(small.engine, small.handing, stream, lambda done, of: moves.append((done, of))) == small.head
    assert everything(server.url) == before
    assert moves[-1] == (small.head, small.head)


def test_a_log_that_was_restored_to_an_older_state_hands_nothing_on(small: Town, server: Node) -> None:
    with Stream(at(server.url)) as stream:
        small.publish(stream)
        with pytest.raises(Astray) as refused:
            small.handing.begin(stream.standing().tail._replace(position=small.head + 1))
    assert refused.value.cause == "ahead"
    assert "cycle nats refill" in refused.value.told("en")


def test_a_stream_of_another_log_is_not_gone_on_with(
    small: Town, server: Node, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Town(f"sqlite:///{tmp_path_factory.mktemp('other')}/cycle.db").begun()
    with Stream(at(server.url)) as stream:
        other.publish(stream)
        with pytest.raises(Astray) as refused:
            small.publish(stream)
    other.close()
    assert refused.value.cause == "other"


def test_a_stream_that_forgets_its_old_messages_is_gone_on_with(small: Town, server: Node) -> None:
    """Somebody keeps less than everything: the sequence still says how far it is."""
    with Stream(at(server.url)) as stream:
        small.publish(stream)

        async def forget(jetstream: JetStreamContext) -> None:
            config = (await jetstream.stream_info(STREAM)).config
            await jetstream.update_stream(config.evolve(deny_purge=True, max_msgs=3, discard="old"))

        asked(server.url, forget)
        small.happens(small.dioro, 2)
        assert small.publish(stream) == small.head
    assert [each.position for each in everything(server.url)] == small.all[-3:]


def test_a_stream_of_its_name_that_takes_something_else_is_left_alone(small: Town, server: Node) -> None:
    async def occupy(jetstream: JetStreamContext) -> None:
        await jetstream.add_stream(StreamConfig(name=STREAM, subjects=["orders.>"]))

    asked(server.url, occupy)
    with Stream(at(server.url)) as stream, pytest.raises(NatsTrouble) as refused:
        stream.made()
    assert refused.value.cause == "foreign"
    assert "orders.>" in refused.value.told("fr")


def test_nobody_deletes_a_message_or_purges_the_stream(small: Town, server: Node) -> None:
    with Stream(at(server.url)) as stream:
        small.publish(stream)

    async def tamper(jetstream: JetStreamContext) -> list[str]:
        found = []
        for attempt in (jetstream.purge_stream(STREAM), jetstream.delete_msg(STREAM, 1)):
            try:
                await attempt
            except Exception as error:
                found.append(str(error))
        return found

    assert len(asked(server.url, tamper)) == 2
    assert len(everything(server.url)) == small.head
