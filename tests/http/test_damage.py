"""Whoever asks for what rests on a damaged row hears which log and index it is, and nothing of what is inside."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from cycle.aggregates.framework.state import Stage
from cycle.engine import Engine
from cycle.proofs.audit import Broken
from cycle.proofs.rows import Stored
from cycle_adapters.http.damage import KEPT_SECONDS, Search
from cycle_adapters.http.problems import URN
from tests.engine.path import Path as Way
from tests.http.test_problems import INTERNALS
from tests.http.town import API, served
from tests.sealing.edits import Database, schema_column_changed, type_column_changed
from tests.sealing.test_damage import row, unreadable

Edit = Callable[[Database, Random], object]


@pytest.fixture
def damaged(sqlite_url: str) -> Callable[[Edit, str, str], tuple[str, Stored]]:
    """Edits one row as the owner of the database can; views begin anew."""

    def damage(edit: Edit, kind: str, log: str) -> tuple[str, Stored]:
        with Engine(sqlite_url) as engine:
            framework = Way(engine).to(Stage.MONITORING)
            at = row(sqlite_url, kind, log)
            saves = list(engine.store.saves(0))
            with engine.store.database.begin() as connection:
                named = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
                for trigger in connection.execute(text(named)).scalars().all():
                    connection.execute(text(f"DROP TRIGGER {trigger}"))
                edit(Database(connection, [at, at], saves), Random(1))
                connection.execute(text("DROP TABLE IF EXISTS projections"))
        return framework, at

    return damage


def asked(client: TestClient, framework: str) -> list[str]:
    """What a damaged log has been asked for, and where."""
    of_one = (f"/frameworks/{framework}{more}" for more in ("", "/next", "/history", "/history?as_of=2026-02-01"))
    return [API + path for path in ("/frameworks", "/audit-trail?at=90", *of_one)]


@pytest.mark.parametrize("edit", [unreadable, type_column_changed, schema_column_changed])
@pytest.mark.parametrize(("kind", "log"), [("framework-proposed", "ML-4-01-01"), ("account-opened", "platform")])
def test_a_damaged_row_is_named_by_whatever_rests_on_it(
    damaged: Callable[[Edit, str, str], tuple[str, Stored]], sqlite_url: str, edit: Edit, kind: str, log: str
) -> None:
    framework, at = damaged(edit, kind, log)
    with Engine(sqlite_url) as engine, served(engine, "auditor") as client:
        for path in asked(client, framework):
            answer = client.get(path, headers={"Accept-Language": "en"})
            assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json"), path
            told = answer.json()
            assert told["type"] == f"{URN}damaged-log"
            assert f"The log {log} does not hold at index {at.log_index}:" in told["detail"]
            assert told["reference"]
            assert not INTERNALS.search(answer.text)
        page = client.get(f"/frameworks/{framework}?lang=fr")
        assert (page.status_code, page.headers["content-type"]) == (500, "text/html; charset=utf-8")
        assert f"Le journal {log} n&#39;est pas conforme à l&#39;indice {at.log_index}" in page.text
        assert client.get(f"{API}/openapi.json").status_code == 200


class Looks:
    """How often somebody looked, and what he finds."""

    def __init__(self) -> None:
        self.count, self.now = 0, 0.0
        self.found: Broken | None = Broken("leaf", "ML-4-01-01", 7, 9)

    def __call__(self) -> Broken | None:
        self.count += 1
        return self.found


def test_the_whole_log_is_looked_through_once_a_minute_however_often_it_is_met() -> None:
    looks = Looks()
    search = Search(looks, lambda: looks.now)
    assert {search(), search(), search()} == {looks.found}
    assert looks.count == 1
    looks.found, looks.now = None, KEPT_SECONDS
    assert search() is None
    assert looks.count == 2


def test_who_comes_while_somebody_looks_does_not_look_too() -> None:
    meanwhile: list[Broken | None] = []

    def look() -> Broken | None:
        meanwhile.append(search())
        return None

    search = Search(look)
    search()
    assert meanwhile == [None]
