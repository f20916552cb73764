"""Whenever the sealer is killed: it goes on, and all that it ever published is one history."""

from __future__ import annotations

import os
from collections.abc import Iterator
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


class Dies(BaseException):
    """The machine stops."""


def test_whatever_write_it_dies_at_what_is_published_is_whole(
    store: SqlRecorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine stops before a file is durable, and half of it is lost: a reader finds the old note or the new."""
    teller, path = Teller(store), tmp_path / "seals"
    teller.tell(20)
    sealer(store, path).seal()
    durable, died = os.fsync, 0
    for dies_at in range(1, 60):
        teller.tell(3)
        left = iter(range(dies_at))

        def fsync(descriptor: int, left: Iterator[int] = left) -> None:
            if next(left, None) is not None:
                durable(descriptor)
                return
            name = os.readlink(f"/proc/self/fd/{descriptor}")
            # What is appended to keeps what was durable before; whatever is published is written anew.
            if os.path.isfile(name) and not name.endswith((".jsonl", "leaf-hashes")) and "subtrees-" not in name:
                os.truncate(name, os.path.getsize(name) // 2)
            raise Dies

        with monkeypatch.context() as patch:
            patch.setattr("cycle_adapters.sealing.disk.os.fsync", fsync)
            try:
                sealer(store, path).seal()
            except Dies:
                died += 1
        assert None in published(path, store)
        assert verify_live(store, Sealed(Folder(path)))
    assert died > 20
    assert sealer(store, path).seal(whole=True).position == store.head().position


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
