"""Whenever the sealer is killed: it goes on, and all that it ever published is one history."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from cycle.proofs.checkpoint import Checkpoint
from cycle.proofs.tree import verify_consistency
from cycle_adapters.sealing.folder import Folder
from cycle_adapters.sealing.live import Sealed, verify_live
from cycle_adapters.sql.recorder import SqlRecorder
from tests.engine.test_kills import PROCESSES
from tests.sealing.labour import seal_for_ever
from tests.sealing.logs import Teller, sealer


def killed_while_sealing(url: str, path: Path, teller: Teller, chance: Random) -> None:
    """The sealer dies while it opens, or in the middle of a seal of what is written meanwhile."""
    hears, tells = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=seal_for_ever, args=(url, str(path), tells), daemon=True)
    process.start()
    tells.close()
    with hears:
        assert hears.recv() is None
        if chance.random() < 0.7:
            hears.recv()
        teller.tell(chance.randint(1, 40))
        # The moment itself: somewhere inside the next seals.
        process.join(chance.uniform(0, 0.06))
        process.kill()
        process.join(60)
    assert process.exitcode == -9, "it had died of something else"


def published(path: Path, store: SqlRecorder) -> dict[str | None, Checkpoint]:
    folder = Folder(path)
    if folder.is_new:
        return {}
    logs = (None, *store.log_sizes())
    return {log: said for log in logs if (said := folder.checkpoint(log)) is not None}


@pytest.mark.parametrize("kills", [60])
def test_a_sealer_that_is_killed_goes_on_and_never_forks(
    database_url: str, store: SqlRecorder, tmp_path: Path, kills: int
) -> None:
    chance, teller, path = Random(kills), Teller(store), tmp_path / "seals"
    teller.tell(50)
    ever: dict[str | None, dict[int, Checkpoint]] = {}
    for _ in range(kills):
        killed_while_sealing(database_url, path, teller, chance)
        for log, said in published(path, store).items():
            before = ever.setdefault(log, {}).setdefault(said.size, said)
            assert before.root == said.root, "two roots of one size: a fork"
    final = sealer(store, path)
    assert final.seal(whole=True).position == store.head().position
    assert verify_live(store, Sealed(Folder(path))).sealed == store.head().position
    folder = Folder(path)
    registry = folder.registry().tree
    compared = 0
    for log, sizes in ever.items():
        now = folder.checkpoint(log)
        assert now is not None
        tree = registry if log is None else folder.tree(log)
        tree.check()
        for size, said in sizes.items():
            proof = [] if size == now.size else tree.consistency(size, now.size)
            verify_consistency(size, said.root, now.size, now.root, proof)
            compared += 1
    assert compared > kills, "they died too early to have signed anything"
