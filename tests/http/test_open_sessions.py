"""How many have signed in, as Prometheus reads it."""

from __future__ import annotations

from fastapi.testclient import TestClient

from cycle.identity.sessions import IDLE_SECONDS
from cycle.projections.runner import Runner
from cycle.settings import Settings
from cycle_adapters.http.serving import application
from cycle_adapters.http.sign_in_pages import SigningIn
from cycle_adapters.http.signing_in import SignedIn
from cycle_adapters.stopping import Stopping
from tests.http.browser import LOOPBACK
from tests.http.town import rooms
from tests.identity.house import FANTA, KADI, House


def test_open_sessions_are_counted_where_people_sign_in(house: House) -> None:
    settings, runner = Settings(house.url, "en", False, KADI), Runner(house.engine.store, house.engine.leaves)
    door = SigningIn(house.engine, house.sessions)
    callers, own = SignedIn(house.sessions), rooms(house.engine)
    served = application(house.engine, runner, settings, callers, door, own, "http://test", Stopping())
    house.with_password().with_password(FANTA)

    def count(client: TestClient) -> str:
        return next(line for line in client.get("/metrics").text.splitlines() if line.startswith("cycle_sessions "))

    with TestClient(served, client=LOOPBACK) as client:
        assert count(client) == "cycle_sessions 0.0"
        house.enters()
        # Who has still to show a second factor is not in.
        house.enters(FANTA)
        assert count(client) == "cycle_sessions 1.0"
        house.later(IDLE_SECONDS)
        assert count(client) == "cycle_sessions 0.0"
