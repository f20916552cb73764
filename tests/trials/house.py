"""A house of many processes on one PostgreSQL, as an operator would run them: each can be killed and started again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import make_url

from cycle.aggregates.account import OpenAccount
from cycle.aggregates.base import Role
from cycle.aggregates.commune import RegisterCommune
from cycle.aggregates.framework.anytime import AttachDocument
from cycle.aggregates.framework.setup import ProposeFramework
from cycle.aggregates.terms import AccountKind, CommuneCode, FrameworkId
from cycle.engine import Engine, Said
from cycle.identity.credentials import Credentials
from cycle.subscriptions.known import identity_of
from cycle.turns import Work
from cycle.vault.keys import new_key
from cycle_adapters.http.groups import CONSUMING
from cycle_adapters.sealing.settings import new_key as new_signing_key
from cycle_adapters.sql.opening import APPLICATION_ID
from cycle_adapters.sql.turns import NUMBERS
from tests.access.places import say, two_communes
from tests.people import ADMINISTRATOR, DAY, admit
from tests.postgres import Cluster, lasting_port, new_database
from tests.subscribers.subscriber import Place
from tests.trials.program import Program
from tests.trials.sealing import Sealing
from tests.webhooks.receiver import Receiver

HOLDERS = """
    SELECT application_name FROM pg_stat_activity JOIN pg_locks USING (pid)
    WHERE locktype = 'advisory' AND granted AND classid = %s::oid AND objid = %s::oid
"""
PAPER_ATTACHED = "document-attached"
NETWORKS = {"CYCLE_WEBHOOK_NETWORKS": "127.0.0.0/8"}
SUBSCRIBER = "dhis"
"""A machine that reads everything and is sent everything."""


class House:
    """PostgreSQL, processes that serve, workers, and who may do what in it."""

    def __init__(self, folder: Path, clients: int, serving: int = 2, working: int = 2, nats: str = "") -> None:
        self.folder, self._nats = folder, nats
        self.cluster = Cluster(folder / "postgres")
        self.cluster.start()
        self.url = new_database(self.cluster.url)
        self.key = folder / "vault.key"
        new_key(self.key)
        self.engine = Engine(self.url, vault_key=self.key)
        first, second = two_communes(self.engine)
        self.frameworks = [first, second, *map(self._framework, range(2, clients))]
        self.tokens = [
            self._machine(f"load-{number}", Role.FACILITATOR, AttachDocument.type) for number in range(clients)
        ]
        self.subscriber = self._machine(SUBSCRIBER, Role.INTEGRATOR, "events", CONSUMING)
        ports = [lasting_port() for _ in range(serving)]
        self.addresses = [f"http://127.0.0.1:{port}" for port in ports]
        self.serving = [self._serving(f"serve-{n}", port) for n, port in enumerate(ports, 1)]
        self.working = [self._working(f"worker-{n}") for n in range(1, working + 1)]
        self.sealing = self._sealing()

    def _framework(self, number: int) -> FrameworkId:
        """Another commune with its own: not everybody writes to the same."""
        code, name = CommuneCode(f"ML-5-01-{number:02}"), f"Commune {number}"
        say(self.engine, RegisterCommune(commune=code, name=name, region="Mopti", circle="Mopti"))
        return FrameworkId(
            identity_of(say(self.engine, ProposeFramework(commune=code, title=f"Cadre {number}")).stream)
        )

    def _machine(self, account: str, role: Role, *scope: str) -> str:
        """The token of a new account that may do these things."""
        opened = OpenAccount(account=account, kind=AccountKind.MACHINE)
        self.engine.execute(Said(command=opened, by=ADMINISTRATOR, on=DAY))
        admit(self.engine, (account, role, "/"))
        return str(Credentials(self.engine).issue(ADMINISTRATOR.actor, account, scope, 30)[0])

    def _environment(self, name: str) -> dict[str, str]:
        # Its name tells whose a lock is.
        own = make_url(self.url).update_query_dict({"application_name": name})
        return {"CYCLE_DATABASE": own.render_as_string(False), "CYCLE_VAULT_KEY": str(self.key), **NETWORKS}

    def _serving(self, name: str, port: int) -> Program:
        command = ("serve", "--no-worker", "--port", str(port), "--log", "json")
        return Program(name, command, self._environment(name), self.folder)

    def _working(self, name: str) -> Program:
        handing_on = {"CYCLE_NATS": self._nats, "CYCLE_NATS_REPLICAS": "3"} if self._nats else {}
        return Program(name, ("worker", "--log", "json"), self._environment(name) | handing_on, self.folder)

    def _sealing(self) -> Sealing:
        key, seals = self.folder / "seal.key", self.folder / "seals"
        new_signing_key("cycle.example.ml", key)
        command = ("seal", "--seals", str(seals), "--key-file", str(key))
        return Sealing(Program("sealer", command, self._environment("sealer"), self.folder, tells=False), seals)

    def place(self, receiver: Receiver) -> Place:
        """Where the machine subscribes to every paper."""
        asked = self.engine, SUBSCRIBER, self.subscriber, self.addresses, receiver, self._nats, (PAPER_ATTACHED,)
        return Place(*asked)

    def leader(self, work: Work) -> Program | None:
        """Whose turn it is; None: nobody's, just now."""
        url = make_url(self.url)
        with psycopg.connect(host=url.host, port=url.port, user=url.username, dbname=url.database) as connection:
            found = connection.execute(HOLDERS, (APPLICATION_ID, NUMBERS[work])).fetchone()
        return next((each for each in self.programs if found and each.name == found[0]), None)

    @property
    def programs(self) -> list[Program]:
        return [*self.serving, *self.working]

    def errors(self) -> list[str]:
        """Lines that tell of a mistake of ours, of all processes: that the database was away is none."""
        lines = [line for each in self.programs for line in each.log.read_text().splitlines()]
        told = (json.loads(line) for line in lines)
        return [line for line, said in zip(lines, told, strict=True) if _is_ours(said)]

    def close(self) -> None:
        with ExitStack() as ends:
            ends.callback(self.cluster.stop)
            ends.callback(self.engine.close)
            for each in [*self.programs, self.sealing.program]:
                ends.callback(each.end)


def _is_ours(said: dict[str, Any]) -> bool:
    return said["level"] == "error" and said.get("status") != 503 and said.get("ending") != "unavailable"


@contextmanager
def house(folder: Path, clients: int, **many: Any) -> Iterator[House]:
    """A house in which everybody is at work."""
    found = House(folder, clients, **many)
    try:
        for each in found.programs:
            each.start()
        yield found
    finally:
        found.close()
