"""Programs that work until they are killed: one gives commands, one follows with the projections. Run by the tests."""

from __future__ import annotations

from itertools import cycle
from multiprocessing.connection import Connection
from random import Random
from threading import Event as Flag
from typing import NamedTuple

from cycle.aggregates.base import Command
from cycle.aggregates.framework.anytime import AttachDocument
from cycle.aggregates.framework.obstacles import RaiseObstacle
from cycle.aggregates.terms import FrameworkId
from cycle.engine import Engine
from cycle.projections.runner import Runner
from cycle.store import Receipt
from tests.engine.path import MET, said


class Acknowledged(NamedTuple):
    """What a receipt said: its key, and where each fact stands."""

    key: str
    facts: tuple[tuple[int, str], ...]


def command(chance: Random) -> Command:
    """A paper or an obstacle: both are accepted any number of times while a plan is monitored."""
    if chance.random() < 0.5:
        size = chance.randint(0, 10**6)
        return AttachDocument(title=f"Reçu {size}", sha256="0" * 64, bytes=size, media="image/jpeg")
    return RaiseObstacle(description="La piste est coupée", severity=chance.randint(1, 3))


def command_for_ever(url: str, framework: FrameworkId, name: str, told: Connection) -> None:
    """Gives commands, one at a time or several in one save, and tells each receipt as soon as it is there."""
    chance = Random(name)
    with Engine(url) as engine:
        told.send(None)
        for number in cycle([1, 1, 2, 1, 4]):
            if number == 1:
                receipt = engine.execute(said(command(chance), MET, framework))
            else:
                saids = [said(command(chance), MET, framework) for _ in range(number)]
                receipt = engine.execute_all(saids, f"{name}-{chance.random()}")
            told.send(acknowledged(receipt))


def acknowledged(receipt: Receipt) -> Acknowledged:
    return Acknowledged(receipt.key, tuple((line.position, line.id) for line in receipt.events))


def follow_for_ever(url: str, rebuilds: bool, told: Connection) -> None:
    """Keeps the projections up to date as a worker does; builds them again first where told to."""
    with Engine(url) as engine:
        runner = Runner(engine.store, engine.leaves)
        told.send(None)
        if rebuilds:
            runner.rebuild(batch=100)
        runner.run(Flag())
