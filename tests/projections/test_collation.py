"""A PostgreSQL that orders texts as a language does gives the same rows and pages, in the same order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from fastapi.testclient import TestClient
from msgspec.structs import replace
from sqlalchemy import text

from cycle.demo import Simulated
from cycle.demo.people import AUDITOR
from cycle.engine import Engine
from cycle.projections.all import PROJECTIONS
from cycle.projections.runner import Runner
from cycle.reading import Filters, Reader
from cycle.vault.keys import new_key
from cycle_adapters.files.deliberations import recorded
from cycle_adapters.http.app import make_app
from cycle_adapters.http.callers import OneAccount
from cycle_adapters.http.reading import ROUTES
from tests.files.everything import backup
from tests.french import locale
from tests.http.town import WIDE, rooms
from tests.postgres import cluster, new_database
from tests.projections.rows import tables
from tests.vault.town import AWA, Town

FRENCH = "fr_ML.UTF-8"
KEYS = ["F-1", "F-1/A-10", "F-1/A-2", "F-1/a", "F-1/é", "F-10/A-1", "F-2", "a", "B"]
WITHOUT_COLLATION = 'ALTER TABLE "{name}" ALTER COLUMN key TYPE text COLLATE "default"'


@pytest.fixture(scope="module")
def french(worker_id: str) -> Iterator[str]:
    """The URL of a cluster whose databases order texts as French does."""
    with (
        TemporaryDirectory(prefix=f"cycle-french-{worker_id}-") as folder,
        cluster(Path(folder), locale(Path(folder), FRENCH)) as url,
    ):
        yield url


@pytest.fixture(scope="module")
def both(french: str, postgres: str) -> Iterator[tuple[Engine, Engine]]:
    """The same small demo where texts are ordered by bytes, and where they are ordered by a language."""
    urls = new_database(postgres), new_database(french)
    for url in urls:
        with Simulated(url, 1) as simulated:
            simulated.tell(recorded, frameworks=6, cycles=2)
            Runner(simulated.engine.store, simulated.engine.leaves).catch_up()
    with Engine(urls[0]) as plain, Engine(urls[1]) as other:
        yield plain, other


def ordered(engine: Engine) -> list[str]:
    with engine.store.database.connect() as connection:
        query = text("SELECT key FROM unnest(CAST(:keys AS text[])) AS key ORDER BY key")
        return list(connection.scalars(query, {"keys": KEYS}))


def reader(engine: Engine, actor: str = "operator") -> Reader:
    found = Reader(engine, actor)
    found.catch_up()
    return found


def test_the_two_databases_do_order_texts_otherwise(both: tuple[Engine, Engine]) -> None:
    plain, other = map(ordered, both)
    assert plain == sorted(KEYS) != other


@pytest.mark.parametrize("name", PROJECTIONS)
def test_every_projection_has_the_same_rows_in_the_same_order(name: str, both: tuple[Engine, Engine]) -> None:
    plain, other = map(reader, both)
    assert tables(plain.engine.store)[name] == tables(other.engine.store)[name]
    rows = plain.rows(name)
    # In so small a demo nothing is asked for that takes two.
    assert rows or name == "requests"
    assert rows == other.rows(name)
    for framework in plain.frameworks():
        for filters in (Filters(framework=framework.framework), Filters(commune=framework.commune)):
            assert plain.rows(name, filters) == other.rows(name, filters)
    segou = [each.acting_as(AUDITOR).rows(name) for each in (plain, other)]
    assert segou[0] == segou[1]


def test_the_log_and_its_backup_are_the_same(both: tuple[Engine, Engine], tmp_path: Path) -> None:
    plain, other = both
    assert list(plain.store.read(0)) == list(other.store.read(0))
    assert plain.store.log_sizes() == other.store.log_sizes()
    parts = [backup(each.store, tmp_path / f"{n}").parts for n, each in enumerate(both)]
    assert parts[0] == parts[1]


def test_a_backup_has_the_vault_in_the_same_order(french: str, tmp_path: Path) -> None:
    new_key(tmp_path / "vault.key")
    town = Town(new_database(french), tmp_path / "vault.key").founded()
    for person in ("a", "B", "a-10", "a2", "C"):
        town.record(replace(AWA, person=person))
    with town.engine.store.moment() as moment:
        for table, columns in (("vault_keys", ("stream",)), ("vault_openings", ("stream", "field"))):
            keys = [tuple(row[column] for column in columns) for row in moment.rows(table)]
            assert len(keys) >= 5
            assert keys == sorted(keys)
    town.engine.close()


def test_every_page_is_the_same(both: tuple[Engine, Engine]) -> None:
    apps = [make_app(engine, OneAccount("operator"), rooms(engine), WIDE) for engine in both]
    with TestClient(apps[0]) as plain, TestClient(apps[1]) as other:
        seen, waiting = set[str](), ["/", *(f"/api/v1/{route}" for route in ROUTES)]
        waiting += ["/api/v1/frameworks?region=Ségou", "/api/v1/actions?sector=rice"]
        while waiting:
            page = waiting.pop()
            if page in seen:
                continue
            seen.add(page)
            one, another = plain.get(page), other.get(page)
            assert (one.status_code, one.text) == (another.status_code, another.text), page
            waiting += re.findall(r'href="(/frameworks/[^"/?]*(?:/history)?)\?lang=fr"', one.text)
        assert len(seen) > 25


def test_tables_that_were_ordered_by_the_language_are_built_again_when_they_are_opened(french: str) -> None:
    """As a release before this one has left them: whole, up to date, and ordered otherwise."""
    with Simulated(new_database(french), 1) as simulated:
        simulated.tell(recorded, frameworks=1, cycles=1)
        engine = simulated.engine
        Runner(engine.store, engine.leaves).catch_up()
        before = tables(engine.store)
        with engine.store.database.begin() as connection:
            for name in PROJECTIONS:
                connection.execute(text(WITHOUT_COLLATION.format(name=name)))
            connection.execute(text("UPDATE projections SET digest = 'of old'"))
        assert set(collations(engine).values()) == {None}
        opened = Runner(engine.store, engine.leaves)
        assert set(opened.positions().values()) == {0}
        opened.catch_up()
        assert tables(engine.store) == before
        assert collations(engine) == dict.fromkeys(PROJECTIONS, "C")


def collations(engine: Engine) -> dict[str, str | None]:
    """By what the keys of each table are ordered; nothing: as the database orders texts."""
    query = text("SELECT table_name, collation_name FROM information_schema.columns WHERE column_name = 'key'")
    with engine.store.database.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(query) if row[0] in PROJECTIONS}
