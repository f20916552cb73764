"""Programs that work until they are killed: one writes, one seals and tells what it has published. Run by the tests."""

from __future__ import annotations

from multiprocessing.connection import Connection
from pathlib import Path

from cycle.engine import utc_now
from cycle_adapters.sealing.folder import Folder
from cycle_adapters.sealing.sealer import Sealer
from cycle_adapters.sql.opening import open_database
from cycle_adapters.sql.recorder import SqlRecorder
from tests.proofs.sealing import KEY


def seal_for_ever(url: str, path: str, told: Connection) -> None:
    """Seals again and again what was written meanwhile; tells when it can be killed."""
    store = SqlRecorder(open_database(url))
    folder = Folder(Path(path))
    with folder.locked():
        told.send(None)
        sealer = Sealer(store, folder, KEY, utc_now)
        while True:
            told.send(sealer.seal().position)
