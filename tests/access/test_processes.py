"""A right that is revoked in one process is gone in every other one, at once."""

from __future__ import annotations

from multiprocessing import get_context
from multiprocessing.connection import Connection

from cycle.access import Forbidden
from cycle.aggregates.base import By, Refused, Role
from cycle.aggregates.commune import ChangeParent
from cycle.aggregates.framework.anytime import AttachDocument
from cycle.aggregates.terms import FrameworkId
from cycle.engine import Engine
from cycle.reading import Filters, Reader
from tests.access.places import DAY, DIORO, FANTA, grant, revoke, say, two_communes

PAPER = AttachDocument(title="Reçu", sha256="0" * 64, bytes=1, media="image/jpeg")
PROCESSES = get_context("forkserver")


def another(url: str, framework: FrameworkId, hears: Connection) -> None:
    """A process of its own, warm and with what it knew: says whether Fanta's command and question passed."""
    with Engine(url) as engine:
        reader = Reader(engine, FANTA.actor)
        while hears.recv():
            hears.send((passes(engine, framework), reads(reader)))


def passes(engine: Engine, framework: FrameworkId) -> bool:
    try:
        say(engine, PAPER, framework, FANTA)
    except Refused:
        return False
    return True


def reads(reader: Reader) -> bool:
    try:
        reader.catch_up()
        reader.rows("plans", Filters(commune=DIORO))
    except Forbidden:
        return False
    return True


def test_revoked_here_and_refused_there(database_url: str) -> None:
    with Engine(database_url) as engine:
        dioro, _ = two_communes(engine)
        here, there = PROCESSES.Pipe()
        process = PROCESSES.Process(target=another, args=(database_url, dioro, there), daemon=True)
        process.start()

        def asked() -> object:
            here.send(True)
            return here.recv()

        assert asked() == (True, True)
        assert asked() == (True, True)
        revoke(engine, FANTA.actor)
        assert asked() == (False, False)
        grant(engine, FANTA.actor, Role.FACILITATOR, "ML/Ségou/Ségou")
        assert asked() == (True, True)
        # The commune goes to another circle: a right in the circle that it left ends with that.
        moved = ChangeParent(region="Ségou", circle="Markala", since=DAY)
        say(engine, moved, DIORO, By("programme", Role.PROGRAMME))
        assert asked() == (False, False)
        here.send(False)
        process.join(60)
        assert process.exitcode == 0


def test_a_save_on_what_is_known_no_longer_is_decided_again(database_url: str) -> None:
    """Two engines: the second has read the right, and saves after it is gone."""
    with Engine(database_url) as one, Engine(database_url) as two:
        dioro, _ = two_communes(one)
        assert passes(two, dioro)
        before = one.store.log_size(DIORO)  # type: ignore[arg-type]
        revoke(one, FANTA.actor)
        assert not passes(two, dioro)
        assert one.store.log_size(DIORO) == before  # type: ignore[arg-type]
