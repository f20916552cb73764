"""The trial: under a load, each process is killed in turn; afterwards nothing is missing, twice or out of order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from cycle.projections.all import PROJECTIONS
from cycle.projections.runner import Runner
from cycle.turns import Work
from tests.nats.server import Cluster, cluster
from tests.nats.test_cluster import leader
from tests.trials.house import House, house
from tests.trials.load import Load, sending
from tests.trials.subscribers import (
    PAPER_ATTACHED,
    Follower,
    FromNats,
    Group,
    IsSent,
    Pulls,
    Shares,
    Streams,
    Subscriber,
    following,
)
from tests.webhooks.receiver import receiving

CATCH_UP_SECONDS = 600
"""Whoever is slower than the load may take so long after it."""
Rows = dict[str, list[tuple[object, ...]]]


class Took(NamedTuple):
    """How long something took after a kill, in seconds."""

    killed: str
    what: str
    seconds: float


class Trial:
    """A house under a load, and everybody who follows what it records."""

    def __init__(self, house: House, nats: Cluster, load: Load, subscribers: Sequence[Subscriber], after: int) -> None:
        self.house, self.nats, self.load, self.subscribers, self._after = house, nats, load, subscribers, after
        self.hung = 0.0, 0.0
        """From when to when NATS hung."""
        self.took: list[Took] = []
        self._runner = Runner(house.engine.store, house.engine.leaves)

    def goes_on(self, killed: str, moment: float, more: int = 10) -> None:
        """Wait until everything goes on after a moment; note how long that took."""
        had = [len(each.heard) for each in self.subscribers]
        self.took.append(Took(killed, "command acknowledged", self.load.since(moment)))
        position = self.load.goes_on(more)
        self._runner.wait_for(position, 60)
        self.took.append(Took(killed, "projections up to date", monotonic() - moment))
        for each, before in zip(self.subscribers, had, strict=True):
            self.took.append(Took(killed, f"{each.name} goes on", each.hears_more(before) - moment))

    def kills_the_worker(self) -> None:
        """The one that folds."""
        leader = self.house.leader(Work.FOLDING)
        assert leader is not None
        moment = monotonic()
        leader.kill()
        self.goes_on("worker", moment)
        assert self.house.leader(Work.FOLDING) not in (None, leader)
        leader.start()

    def kills_a_server(self) -> None:
        server, moment = self.house.serving[0], monotonic()
        server.kill()
        self.goes_on("serve", moment)
        server.start()

    def kills_the_database(self) -> None:
        moment = monotonic()
        self.house.cluster.kill()
        self.house.cluster.start()
        self.took.append(Took("postgresql", "back again", monotonic() - moment))
        self.goes_on("postgresql", monotonic())

    def kills_the_leader_of_nats(self) -> None:
        node, moment = leader(self.nats), monotonic()
        node.kill()
        self.goes_on("nats", moment)
        node.start()

    def hangs_nats(self) -> None:
        """Nobody who sends commands hears of it."""
        for node in self.nats.nodes:
            node.hang()
        moment = monotonic()
        self.load.goes_on(max(20, int(5 * self.load.per_second)))
        self.hung = moment, monotonic()
        for node in self.nats.nodes:
            node.wake()
        self.goes_on("nats (hung)", monotonic())

    # What holds at the end.

    def ends(self) -> None:
        """Raises:
        AssertionError: something is missing, twice, out of order or wrong.
        """
        self.load.end()
        store = self.house.engine.store
        head = store.head().position
        log = list(store.read(0))
        assert [position for position, *_ in log] == list(range(1, head + 1)), "a gap"
        self._receipts_hold()
        papers = self._papers()
        assert len(papers) == len(self.load.acknowledged), "something is recorded twice, or was never acknowledged"
        for each in self.subscribers:
            each.hears(papers[-1][2], CATCH_UP_SECONDS)
            _is_whole(each, papers)
        self._runner.wait_for(head, 60)
        assert not self._runner.problems()
        live = self._rows()
        self._runner.rebuild()
        assert self._rows() == live, "what people read is not what the log says"

    def _receipts_hold(self) -> None:
        assert self.load.refused == []
        for told in self.load.acknowledged:
            found = self.house.engine.store.receipt(told.key)
            assert found is not None, f"acknowledged and lost: {told}"
            assert (found[1].position, found[1].events[-1].id) == (told.position, told.id)

    def _papers(self) -> list[tuple[str, str, int]]:
        """Every paper that was attached since the subscribers came: id, stream and position."""
        leaves = self.house.engine.leaves
        found = self.house.engine.store.read(self._after, types=[PAPER_ATTACHED])
        decoded = ((position, leaves[kind, schema](leaf)) for position, kind, schema, leaf in found)
        return [(fact.id, fact.stream, position) for position, fact in decoded]

    def _rows(self) -> Rows:
        with self.house.engine.store.database.connect() as connection:
            return {
                name: [tuple(row) for row in connection.exec_driver_sql(f'SELECT * FROM "{name}" ORDER BY key')]
                for name in PROJECTIONS
            }


def _is_whole(subscriber: Subscriber, papers: Sequence[tuple[str, str, int]]) -> None:
    """What was heard, each id once, is every paper, and in order in each stream."""
    once = list({event[0]: event for event in subscriber.heard}.values())
    first = {id_: number for number, (id_, *_) in reversed(list(enumerate(subscriber.heard)))}
    once.sort(key=lambda event: first[event[0]])
    assert sorted(once, key=lambda event: event[2]) == list(papers), f"{subscriber.name}: missing, or too many"
    for stream in {stream for _, stream, _ in papers}:
        positions = [position for _, at, position in once if at == stream]
        assert positions == sorted(positions), f"{subscriber.name}: out of order in {stream}"


@contextmanager
def trial(folder: Path, per_second: float, clients: int) -> Iterator[Trial]:
    """Everybody at work."""
    with receiving() as receiver, cluster(folder / "nats") as nats, house(folder, clients, nats=nats.urls) as town:
        group = town.shares()
        after = town.calls(receiver.url)
        from_nats, shared = FromNats(nats.urls, after), Group()
        followers: list[Follower] = [kind(town.addresses, town.subscriber, after) for kind in (Pulls, Streams)]
        members = [Shares(town.addresses, town.subscriber, group, name, shared) for name in ("one", "two")]
        load = Load(town.addresses, town.tokens, town.frameworks, per_second)
        with following([*followers, *members, from_nats.reader]), sending(load):
            yield Trial(town, nats, load, [*followers, IsSent(receiver), shared, from_nats], after)


KILLS: dict[str, Callable[[Trial], None]] = {
    "worker": Trial.kills_the_worker,
    "serve": Trial.kills_a_server,
    "postgresql": Trial.kills_the_database,
    "nats": Trial.kills_the_leader_of_nats,
    "nats hung": Trial.hangs_nats,
}
