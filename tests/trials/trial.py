"""The trial: under a load, each process is killed in turn; afterwards nothing is missing, twice or out of order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from os import environ
from pathlib import Path
from time import monotonic
from typing import NamedTuple
from unittest.mock import patch

from cycle.projections.all import PROJECTIONS
from cycle.projections.runner import Runner
from cycle.turns import Work
from tests.nats.server import Cluster, cluster
from tests.nats.test_cluster import leader
from tests.subscribers.kinds import KINDS
from tests.subscribers.subscriber import Heard, Outcome, Subscriber, following
from tests.trials.house import NETWORKS, PAPER_ATTACHED, House, house
from tests.trials.load import Load, sending
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

    def __init__(
        self, house: House, nats: Cluster, load: Load, subscribers: Mapping[str, Subscriber], after: int
    ) -> None:
        self.house, self.nats, self.load, self.subscribers, self._after = house, nats, load, subscribers, after
        self.hung = 0.0, 0.0
        """From when to when NATS hung."""
        self.took: list[Took] = []
        self.checkpoints = 0
        """How many checkpoints of the sealer were kept, and hold at the end."""
        self._runner = Runner(house.engine.store, house.engine.leaves)

    def goes_on(self, killed: str, moment: float, more: int = 10) -> None:
        """Wait until everything goes on after a moment; note how long that took."""
        had = {name: len(each.events) for name, each in self.subscribers.items()}
        self.took.append(Took(killed, "command acknowledged", self.load.since(moment)))
        position = self.load.goes_on(more)
        self._runner.wait_for(position, 60)
        self.took.append(Took(killed, "projections up to date", monotonic() - moment))
        for name, each in self.subscribers.items():
            self.took.append(Took(killed, f"{name} goes on", each.hears_more(had[name]) - moment))
        self.house.sealing.again(position)

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

    @property
    def processes(self) -> Mapping[str, Sequence[int]]:
        """All that work for it, by what they are."""
        return {
            "cycle serve": [each.pid for each in self.house.serving],
            "cycle worker": [each.pid for each in self.house.working],
            "postgresql": [self.house.cluster.pid],
            "nats": [each.pid for each in self.nats.nodes],
            "who sends": [self.load.pid],
        }

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
        for name, each in self.subscribers.items():
            each.has([paper.position for paper in papers], CATCH_UP_SECONDS)
            assert Outcome(papers, each.heard, each.in_all).is_whole, f"{name}: missing, too many or out of order"
        self._runner.wait_for(head, 60)
        assert not self._runner.problems()
        self.house.sealing.again(head)
        self.checkpoints = self.house.sealing.holds(store)
        live = self._rows()
        self._runner.rebuild()
        assert self._rows() == live, "what people read is not what the log says"

    def _receipts_hold(self) -> None:
        assert self.load.refused == []
        for told in self.load.acknowledged:
            found = self.house.engine.store.receipt(told.key)
            assert found is not None, f"acknowledged and lost: {told}"
            assert (found[1].position, found[1].events[-1].id) == (told.position, told.id)

    def _papers(self) -> list[Heard]:
        """Every paper that was attached since the subscribers came."""
        leaves = self.house.engine.leaves
        found = self.house.engine.store.read(self._after, types=[PAPER_ATTACHED])
        decoded = ((position, leaves[kind, schema](leaf)) for position, kind, schema, leaf in found)
        return [Heard(fact.id, fact.stream, position) for position, fact in decoded]

    def _rows(self) -> Rows:
        with self.house.engine.store.database.connect() as connection:
            return {
                name: [tuple(row) for row in connection.exec_driver_sql(f'SELECT * FROM "{name}" ORDER BY key')]
                for name in PROJECTIONS
            }


@contextmanager
def trial(folder: Path, per_second: float, clients: int) -> Iterator[Trial]:
    """Everybody at work."""
    with receiving() as receiver, cluster(folder / "nats") as nats, house(folder, clients, nats=nats.urls) as town:
        place = town.place(receiver)
        with patch.dict(environ, NETWORKS):
            subscribers = {name: kind(place) for name, kind in KINDS.items()}
        after = town.engine.store.head().position
        load = Load(town.addresses, town.tokens, town.frameworks, per_second)
        town.sealing.program.start()
        with following([*subscribers.values(), town.sealing.keeping]), sending(load):
            yield Trial(town, nats, load, subscribers, after)


KILLS: dict[str, Callable[[Trial], None]] = {
    "worker": Trial.kills_the_worker,
    "serve": Trial.kills_a_server,
    "postgresql": Trial.kills_the_database,
    "nats": Trial.kills_the_leader_of_nats,
    "nats hung": Trial.hangs_nats,
}
