"""Webhooks to look at: one that is well, one that parks, one that is paused, one whose receiver is gone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from cycle.aggregates.base import Role
from cycle.aggregates.terms import SubscriptionId, WebhookId
from cycle.groups.known import Groups
from cycle.groups.leasing import Leasing
from cycle.groups.shapes import Chosen
from cycle.subscriptions.known import identity_of
from cycle.subscriptions.schedule import PAUSES_SECONDS
from tests.desk.filling import Page, opened
from tests.desk.test_forms import plain
from tests.http.town import named
from tests.people import admit
from tests.webhooks.receiver import receiving
from tests.webhooks.town import DHIS, Town, made_key

PAPER = ("document-attached",)
KADI = "kadi"
"""Another integrator, of Ségou alone."""


class Console:
    """A town with webhooks, of DHIS but for one of Kadi's."""

    def __init__(self, town: Town) -> None:
        self.town = town
        admit(town.engine, (KADI, Role.INTEGRATOR, "ML/Ségou"))
        self.secrets: list[str] = []
        self.papers: list[int] = []
        self.well = self._registered("well")
        self.parked = self._registered("parked")
        self.paused = self._registered("paused")
        self.gone = self._registered("gone")
        self.kadis = self._registered("kadi", KADI, "ML/Ségou")
        self.leasing = Leasing(Groups(town.engine), lambda: 0.0)
        self.group: SubscriptionId = identity_of(self.leasing.groups.add(DHIS, "entrepôt", PAPER).receipt.stream)

    def _registered(self, name: str, actor: str = DHIS, territory: str = "/") -> WebhookId:
        made = self.town.registered(actor, url=f"{self.town.receiver.url}/{name}", types=PAPER, territory=territory)
        self.secrets.append(made.secret)
        return made.webhook

    def lived(self) -> Console:
        """Papers are attached, and what is sent is answered as the names say."""
        town, bad = self.town, {"parked": 500, "gone": 410}
        town.says(self.paused, "pause-webhook", reason="Entretien du serveur")
        town.receiver.answers = lambda sent: bad.get(sent.path.rpartition("/")[2], 200)
        self.papers = [*town.happens(town.dioro, 12), *town.happens(town.koula, 14)]
        town.rounds()
        for pause in PAUSES_SECONDS:
            town.later(pause + 1).rounds()
        self.worked()
        return self

    def worked(self) -> None:
        """One worker of the group acknowledges, gives back and sets aside; another one has what is next."""
        first = self.leasing.lease(DHIS, self.group, "w-1", 6, 60)
        assert first.lease is not None
        lease, events = first.lease.number, [json.loads(leaf)["id"] for *_, leaf in first.rows]
        self.leasing.ack(DHIS, self.group, lease, Chosen(frozenset(events[:4])))
        self.leasing.park(DHIS, self.group, lease, Chosen(frozenset(events[5:])), "illisible")
        self.leasing.nack(DHIS, self.group, lease, Chosen(frozenset(events[4:5])), 3_600, "disque plein")
        self.leasing.lease(DHIS, self.group, "w-2", 3, 3_600)


@contextmanager
def consoled(folder: Path) -> Iterator[Console]:
    """A console over a new town; receivers stand on this machine."""
    with pytest.MonkeyPatch.context() as patch, receiving() as receiver:
        patch.setenv("CYCLE_WEBHOOK_NETWORKS", "127.0.0.0/8")
        town = Town(f"sqlite:///{folder / 'console.db'}", made_key(folder), receiver).begun()
        yield Console(town)
        town.close()


def text(client: TestClient, path: str, who: str = DHIS) -> str:
    answer = client.get(f"{path}{'&' if '?' in path else '?'}lang=fr", headers=named(who))
    assert answer.status_code == 200, answer.text
    return words(answer)


def words(answer: Response) -> str:
    return " ".join(plain(re.sub(r"<[^>]+>", " ", answer.text)).split())


def order(client: TestClient, webhook: str, command: str, who: str = DHIS, **fields: str) -> Page:
    page = opened(client, f"/subscriptions/{webhook}/do/{command}?lang=fr", who)
    for name, value in fields.items():
        page.put(name, value)
    return page


def recorded(console: Console, after: int) -> list[str]:
    return [topic for _, topic, *_ in console.town.engine.store.read(after)]


def head(console: Console) -> int:
    return console.town.engine.store.head().position
