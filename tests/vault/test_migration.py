"""A database of the release before the vault opens in this one, as it is, and has a vault then."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import inspect, text

from cycle_adapters.files.events import export, import_
from cycle_adapters.sql import migrations, opening
from cycle_adapters.sql.schema import metadata
from tests.corpus.test_corpus import HERE
from tests.vault.town import AWA, DIORO, Town

VERSIONS = Path(migrations.__file__).parent / "versions"


@pytest.mark.parametrize("log", [HERE / "events-0.1.0.jsonl"], ids=lambda path: path.name)
def test_a_database_of_revision_0001_is_migrated_when_it_is_opened(log: Path, database_url: str, key: Path) -> None:
    data = log.read_bytes()
    town = Town(database_url, key)
    import_(town.engine, io.BytesIO(data), lambda done: None)
    with town.engine.store.database.begin() as connection:
        later = [name for name in metadata.tables if name.startswith(("identity_", "webhook_", "queue"))]
        for table in ("vault_keys", "vault_openings", "vault_cleaning", *later):
            connection.execute(text(f"DROP TABLE {table}"))
        if connection.dialect.name == "postgresql":
            before = (VERSIONS / "0001_append.sql").read_text("utf-8").replace("{lock}", str(opening.APPLICATION_ID))
            connection.execute(text("DROP FUNCTION cycle_append"))
            connection.exec_driver_sql(before.replace("%", "%%"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    again = town.again()
    with again.engine.store.database.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == opening.REVISION
        assert {"vault_keys", "vault_openings", "vault_cleaning", *later} <= set(inspect(connection).get_table_names())
    exported = io.BytesIO()
    export(again.engine, exported)  # type: ignore[arg-type]
    assert exported.getvalue() == data
    again.admitted()
    person = again.record(replace(AWA, commune=DIORO))
    assert again.shown(person)
    again.engine.close()
