"""The deliverer at work: one process at a time, one webhook's slowness no matter of the others."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from threading import Event

from cycle.aggregates.terms import SubscriptionId
from cycle.aggregates.webhook import Webhook
from cycle.cloudevents import Envelopes
from cycle.engine import Engine
from cycle.failures import USAGE, Failure
from cycle.settings import ADDRESS, DEFAULT_ADDRESS, WEBHOOK_NETWORKS, WEBHOOK_PORTS
from cycle.store import Waker
from cycle.webhooks.delivering import Deliverer
from cycle.webhooks.endpoints import Webhooks
from cycle_adapters.logs import trouble
from cycle_adapters.webhooks.addresses import House, network
from cycle_adapters.webhooks.sending import Sender
from cycle_adapters.work import MayNot, Shift

AT_ONCE = 8
"""Webhooks that are sent to at the same time."""
LOOK_SECONDS = 1.0
"""Between two looks at what is due."""
PAUSE_SECONDS = 0.05
"""Between two such looks at least."""
TROUBLE_SECONDS = 60.0
"""How long a webhook that nothing can be signed for is left alone."""
SWEEP_SECONDS = 3_600.0


class BadHouse(Failure):
    """What webhooks may connect to cannot be read."""

    kind = "webhook-house"
    exit_code = USAGE


def house() -> House:
    """What is allowed beyond the internet's rule, as the settings say.

    Raises:
        BadHouse: a port is none, or a network.
    """
    ports, networks = (each.given().replace(",", " ").split() for each in (WEBHOOK_PORTS, WEBHOOK_NETWORKS))
    try:
        return House(frozenset(map(int, ports)), tuple(map(network, networks)))
    except ValueError as error:
        raise BadHouse("unreadable", why=str(error)) from error


def delivering(engine: Engine, account: str) -> Callable[[Shift], None]:
    """What delivers until the shift is over.

    Raises:
        BadHouse: a port is none, or a network.
    """
    sender = Sender(house())
    envelopes = Envelopes(ADDRESS.given() or DEFAULT_ADDRESS)
    deliverer = Deliverer(Webhooks(engine), sender, account, envelopes)
    return lambda shift: Running(engine, deliverer).run(shift)


class Running:
    """One deliverer for as long as this process is the one that delivers."""

    def __init__(self, engine: Engine, deliverer: Deliverer) -> None:
        self._engine, self._deliverer = engine, deliverer
        self._at_work: dict[SubscriptionId, Future[int]] = {}
        self._left_alone: dict[SubscriptionId, float] = {}
        self._swept = float("-inf")

    def run(self, shift: Shift) -> None:
        """Deliver until the shift is over."""
        told, over = False, Event()
        with closing(self._engine.store.waker(PAUSE_SECONDS)) as waker, ThreadPoolExecutor(AT_ONCE, "webhook") as pool:
            try:
                while not shift.is_set():
                    if self._deliverer.may:
                        told = False
                        self._begin(pool, over, waker)
                    elif not told and self._deliverer.active():
                        told = True
                        trouble("webhooks", MayNot("may-not", account=self._deliverer.account))
                    waker.wait(LOOK_SECONDS)
            finally:
                # Whoever has lost its turn sends nothing more: another process may have begun.
                over.set()

    def _begin(self, pool: ThreadPoolExecutor, over: Event, waker: Waker) -> None:
        """A piece of work for each webhook that nobody is at work for."""
        now = self._deliverer.now()
        if now - self._swept > SWEEP_SECONDS:
            self._swept = now
            self._deliverer.sweep()
        for each in self._deliverer.active():
            before = self._at_work.get(each.id)
            if (before is None or before.done()) and self._left_alone.get(each.id, 0.0) <= now:
                self._at_work[each.id] = pool.submit(self._piece, each, over, waker)

    def _piece(self, state: Webhook, over: Event, waker: Waker) -> int:
        try:
            attempts = self._deliverer.piece(state, over.is_set)
        except Exception as error:
            trouble("webhooks", error)
        else:
            if attempts:
                # There may be more, and nobody has to wait for the next look.
                waker.wake()
            return attempts
        self._left_alone[state.id] = self._deliverer.now() + TROUBLE_SECONDS
        return 0
