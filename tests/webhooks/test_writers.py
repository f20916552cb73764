"""However many write at the same time: each event is sent once, in the order of the log, and none is missing."""

from __future__ import annotations

from threading import Barrier, Thread

from tests.webhooks.town import Town

WRITERS, EACH = 8, 15


def test_eight_writers_and_one_receiver(town: Town) -> None:
    town.registered(types=("document-attached",))
    begin, recorded = Barrier(WRITERS + 1), list[int]()

    def write(framework: str) -> None:
        begin.wait()
        for _ in range(EACH):
            recorded.extend(town.happens(framework))

    writers = [Thread(target=write, args=(town.dioro if n % 2 else town.koula,)) for n in range(WRITERS)]
    for writer in writers:
        writer.start()
    begin.wait()
    while any(writer.is_alive() for writer in writers):
        town.deliverer.round()
    town.rounds()
    assert len(recorded) == WRITERS * EACH
    assert town.receiver.positions == sorted(recorded)
