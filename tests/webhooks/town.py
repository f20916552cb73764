"""Two frameworks whose events are sent to somebody, a clock that is moved by hand, and chance that is none."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from cycle.aggregates.account import OpenAccount
from cycle.aggregates.base import By, Role
from cycle.aggregates.framework.anytime import AttachDocument
from cycle.aggregates.terms import AccountKind, WebhookId
from cycle.aggregates.webhook import Webhook
from cycle.cloudevents import Envelopes
from cycle.engine import Engine, Said
from cycle.subscriptions.shapes import Delivery
from cycle.vault.keys import new_key
from cycle.webhooks.delivering import Deliverer
from cycle.webhooks.endpoints import Secret, Webhooks
from cycle_adapters.webhooks.addresses import House
from cycle_adapters.webhooks.sending import Sender
from tests.access.places import two_communes
from tests.people import ADMINISTRATOR, DAY, admit
from tests.webhooks.receiver import Receiver

DHIS = "dhis"
"""A machine with the role of an integrator, everywhere."""
PAPER = "0" * 64
HERE = House(networks=(ip_network("127.0.0.0/8"),))
ADDRESS = "https://cycle.example.ml"


class Town:
    """An engine with two frameworks, a receiver of what happens there, and a deliverer."""

    def __init__(self, url: str, key: Path | None, receiver: Receiver, now: float | None = None) -> None:
        self.url, self.key, self.receiver = url, key, receiver
        self.now = time.time() if now is None else now
        self.chance = self.elapsed = 0.0
        self.engine = Engine(url, clock=lambda: datetime.fromtimestamp(self.now, UTC), vault_key=key)
        self.webhooks = Webhooks(self.engine, lambda: self.now)
        self.deliverer = Deliverer(
            self.webhooks,
            Sender(HERE),
            Role.WORKER.value,
            Envelopes(ADDRESS),
            lambda: self.chance,
            lambda: self.elapsed,
        )
        self.dioro = self.koula = ""
        self.others: list[Town] = []

    def begun(self) -> Town:
        """A new town with everybody in it."""
        self.dioro, self.koula = two_communes(self.engine)
        self.engine.execute(Said(command=OpenAccount(account=DHIS, kind=AccountKind.MACHINE), by=ADMINISTRATOR, on=DAY))
        admit(self.engine, (DHIS, Role.INTEGRATOR, "/"))
        return self

    def another(self) -> Town:
        """The same town as another process knows it."""
        found = Town(self.url, self.key, self.receiver, self.now)
        found.dioro, found.koula = self.dioro, self.koula
        self.others.append(found)
        return found

    def registered(self, actor: str = DHIS, **about: Any) -> Secret:
        """A webhook that is sent what comes from now on."""
        return self.webhooks.add(actor, about.pop("url", self.receiver.url), **about)

    def happens(self, framework: str, times: int = 1) -> list[int]:
        """Papers are attached to a framework; returns the positions of these facts."""
        found = []
        for _ in range(times):
            command = AttachDocument(title="Reçu", sha256=PAPER, bytes=1, media="image/jpeg")
            by = By(Role.FACILITATOR.value, Role.FACILITATOR)
            said = Said(command=command, by=by, on=self.engine.today(), target=framework)
            found.append(self.engine.execute(said).position)
        return found

    def later(self, seconds: float) -> Town:
        self.now += seconds
        return self

    def rounds(self, most: int = 100) -> int:
        """Deliver until nothing is due; returns how many attempts were made."""
        attempts = 0
        for _ in range(most):
            made = self.deliverer.round()
            attempts += made
            if not made:
                return attempts
        raise AssertionError("it goes on for ever")

    def state(self, identity: WebhookId) -> Webhook:
        return self.webhooks.refresh()[identity]

    def delivery(self, identity: WebhookId, position: int) -> Delivery:
        return next(each for each in self.webhooks.queue.deliveries(identity, limit=500) if each.position == position)

    def says(self, identity: WebhookId, name: str, actor: str = DHIS, **fields: object) -> None:
        self.webhooks.say(actor, name, fields, identity)

    def close(self) -> None:
        """Close every engine: one that is found as garbage fails whatever test is running then."""
        for each in (self, *self.others):
            each.engine.close()


def made_key(folder: Path) -> Path:
    path = folder / "vault.key"
    new_key(path)
    return path
