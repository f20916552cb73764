"""A town whose log is sealed beside its database, as a server finds it."""

from __future__ import annotations

from pathlib import Path

from cycle.engine import Engine, utc_now
from cycle_adapters.sealing.folder import Folder
from cycle_adapters.sealing.sealer import Sealer
from tests.proofs.sealing import KEY


def seals_of(engine: Engine) -> Path:
    """The folder beside a SQLite database."""
    path = Path(str(engine.store.database.url.database))
    return path.with_name(f"{path.name}.seals")


def seal(engine: Engine) -> None:
    """Sign all that is recorded by now."""
    folder = Folder(seals_of(engine))
    with folder.locked():
        Sealer(engine.store, Folder(folder.path), KEY, utc_now).seal(whole=True)
