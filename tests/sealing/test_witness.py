"""A witness cosigns what has only grown since it looked, and keeps the evidence where something has not."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree, rmtree

import pytest

from cycle.proofs.checkpoint import open_checkpoint
from cycle.proofs.note import Algorithm
from cycle.sealing import CannotSeal, SealRefused
from cycle_adapters.sealing.folder import Folder
from cycle_adapters.sealing.witnessing import look
from cycle_adapters.sql.opening import open_database
from cycle_adapters.sql.recorder import SqlRecorder
from tests.proofs.sealing import KEY, signing_key
from tests.sealing.logs import Teller, sealer

WITNESS = signing_key("witness", "witness.example.net", Algorithm.COSIGNATURE)


@pytest.fixture
def store(sqlite_url: str):  # type: ignore[no-untyped-def]
    recorder = SqlRecorder(open_database(sqlite_url))
    yield recorder
    recorder.close()


def test_it_cosigns_what_grew(store: SqlRecorder, tmp_path: Path) -> None:
    teller, working = Teller(store), sealer(store, tmp_path / "seals")
    for seconds in range(1, 6):
        teller.tell(20)
        grown = len(working.seal().grown)
        seen = look(Folder(tmp_path / "seals"), Folder(tmp_path / "kept"), WITNESS, KEY.verifier, seconds)
        assert seen.cosigned == grown + 1
        folder = Folder(tmp_path / "kept")
        for log in (None, *Folder(tmp_path / "seals").trees):
            note = folder.note(log)
            assert note is not None
            origin = Folder(tmp_path / "seals").checkpoint(log)
            assert origin is not None
            assert open_checkpoint(note, origin.origin, KEY.verifier, [WITNESS.verifier], 1) == origin


def test_a_log_that_was_rewritten_or_shrank_is_refused_and_the_kept_checkpoint_stays(
    store: SqlRecorder, tmp_path: Path
) -> None:
    """The operator holds the key and signs another past: only who has seen the first one can tell."""
    teller, seals, kept = Teller(store), tmp_path / "seals", tmp_path / "kept"
    teller.tell(10)
    sealer(store, seals).seal()
    copytree(seals, tmp_path / "short")
    teller.tell(30)
    sealer(store, seals).seal()
    look(Folder(seals), Folder(kept), WITNESS, None, 1)
    before = {path: path.read_bytes() for path in kept.rglob("checkpoint")}
    with pytest.raises(SealRefused, match="keep both checkpoints"):
        look(Folder(tmp_path / "short"), Folder(kept), WITNESS, None, 2)
    other = SqlRecorder(open_database(f"sqlite:///{tmp_path / 'other.db'}"))
    Teller(other, seed=2).tell(80)
    sealer(other, tmp_path / "other").seal()
    other.close()
    with pytest.raises(SealRefused, match=r"is not what it was|now shows"):
        look(Folder(tmp_path / "other"), Folder(kept), WITNESS, None, 3)
    log = next(iter(Folder(seals).trees))
    copytree(seals, tmp_path / "less")
    rmtree(tmp_path / "less" / "logs" / log)
    with pytest.raises(SealRefused, match="now shows 0"):
        look(Folder(tmp_path / "less"), Folder(kept), WITNESS, None, 4)
    assert {path: path.read_bytes() for path in kept.rglob("checkpoint")} == before


def test_a_log_that_was_written_anew_and_is_longer_is_refused(store: SqlRecorder, tmp_path: Path) -> None:
    """Nothing is missing and everything is signed: only the proof that is asked for cannot be made."""
    Teller(store).tell(40)
    sealer(store, tmp_path / "seals").seal()
    look(Folder(tmp_path / "seals"), Folder(tmp_path / "kept"), WITNESS, None, 1)
    other = SqlRecorder(open_database(f"sqlite:///{tmp_path / 'other.db'}"))
    teller, working = Teller(other, seed=2), sealer(other, tmp_path / "other")
    for _ in range(3):
        teller.tell(60)
        working.seal()
    other.close()
    with pytest.raises(SealRefused, match="is not what it was"):
        look(Folder(tmp_path / "other"), Folder(tmp_path / "kept"), WITNESS, None, 2)


def test_another_operators_key_is_not_taken(store: SqlRecorder, tmp_path: Path) -> None:
    Teller(store).tell(3)
    sealer(store, tmp_path / "seals").seal()
    with pytest.raises(CannotSeal, match="another key"):
        look(Folder(tmp_path / "seals"), Folder(tmp_path / "kept"), WITNESS, signing_key("other").verifier, 1)
