"""The whole first cycle without script: forms filled in and sent, one after the other."""

from __future__ import annotations

import re

from tests.desk.dioro import first_cycle, recorded_types, town_hall
from tests.desk.filling import done
from tests.http.town import named, served


def test_the_first_cycle_is_walked_by_forms_alone(sqlite_url: str) -> None:
    with town_hall(sqlite_url) as engine, served(engine) as client:
        base = ""
        for fill in first_cycle():
            before = engine.store.head().position
            page = done(client, base, fill)
            assert page.status_code == 200
            assert "C'est enregistré" in page.text.replace("&#39;", "'"), fill.command
            base = base or re.match(r"/frameworks/[^/]+", page.request.url.path)[0]  # type: ignore[index]
            assert recorded_types(engine, before) == fill.leads_to, fill.command
        assert "suivi par le comité" in client.get(base, headers=named("awa")).text
