"""Whoever edits a live database is found out, and the first wrong index is named; the sealer signs nothing of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import text

from cycle.proofs.audit import NOWHERE, Broken
from cycle.proofs.checkpoint import Checkpoint
from cycle.sealing import SealRefused
from cycle_adapters.sealing.folder import Folder
from cycle_adapters.sealing.live import Old, Sealed, verify_live
from cycle_adapters.sql.recorder import SqlRecorder
from tests.sealing.edits import EDITS, WHOLE, Database, Place
from tests.sealing.logs import Teller, sealer

ROUNDS = 20
NAMED = sorted(EDITS)


def test_there_are_enough_kinds() -> None:
    assert len(EDITS) >= 13
    assert ROUNDS >= 20


class Attacked:
    """A database that can be edited by its owner, and is honest again afterwards."""

    def __init__(self, store: SqlRecorder) -> None:
        self.store = store
        Teller(store).tell(80)
        self._rows, self._saves = list(store.stored(0, store.head().position)), list(store.saves(0))
        with store.database.begin() as connection:
            for table in ("events", "receipts"):
                connection.execute(text(f"CREATE TABLE honest_{table} AS SELECT * FROM {table}"))

    @contextmanager
    def edited(self, kind: str, chance: Random) -> Iterator[Place]:
        with self.store.database.begin() as connection:
            for table in ("events", "receipts"):
                connection.execute(text(f"DROP TABLE {table}"))
                connection.execute(text(f"CREATE TABLE {table} AS SELECT * FROM honest_{table}"))
            place = EDITS[kind](Database(connection, self._rows, self._saves), chance)
        yield place


def matches(broken: Broken, place: Place) -> bool:
    if place.log is None:
        return broken.position == place.position
    return (broken.log, broken.index) == (place.log, place.index)


@pytest.mark.parametrize("kind", NAMED)
def test_an_edit_is_found_and_named_and_the_sealer_refuses(kind: str, store: SqlRecorder, tmp_path: Path) -> None:
    attacked = Attacked(store)
    path = tmp_path / "seals"
    sealer(store, path).seal()
    published = Folder(path).note(None)
    chance = Random(kind)
    for _ in range(ROUNDS):
        with attacked.edited(kind, chance) as place:
            with pytest.raises(Broken) as found:
                verify_live(store, Sealed(Folder(path)))
            assert matches(found.value, place), (place, found.value)
            with pytest.raises(SealRefused) as refused:
                sealer(store, path).seal(whole=True)
            named = refused.value.values["why"]
            assert isinstance(named, Broken)
            assert matches(named, place) or named.cause.startswith("shrunk"), (place, named)
            (path / "refused").unlink()
    assert Folder(path).note(None) == published


@pytest.mark.parametrize("kind", sorted(EDITS.keys() - WHOLE))
def test_what_does_not_fit_together_is_found_where_nothing_is_sealed(kind: str, store: SqlRecorder) -> None:
    attacked = Attacked(store)
    chance = Random(kind)
    for _ in range(5):
        with attacked.edited(kind, chance) as place:
            with pytest.raises(Broken) as found:
                verify_live(store, Sealed(None))
            # Of the newest of a log nobody can tell any more in which log it was.
            of_none = found.value.log is None and found.value.position == place.position
            assert matches(found.value, place) or of_none, (place, found.value)


@pytest.mark.parametrize("kind", ["leaf_and_hash_changed", "forged_in_between", "swapped"])
def test_a_rehashed_edit_is_found_by_a_checkpoint_that_somebody_kept(
    kind: str, store: SqlRecorder, tmp_path: Path
) -> None:
    """Without any of the operator's files: the paper in a drawer is enough."""
    attacked = Attacked(store)
    sealer(store, tmp_path / "seals").seal()
    folder = Folder(tmp_path / "seals")
    kept = [Old(log, said) for log in folder.trees if isinstance(said := folder.checkpoint(log), Checkpoint)]
    verify_live(store, Sealed(None), kept)
    chance = Random(kind)
    for _ in range(5):
        with attacked.edited(kind, chance) as place:
            with pytest.raises(Broken) as found:
                verify_live(store, Sealed(None), kept)
            assert found.value.log == place.log
            assert found.value.index in (NOWHERE, place.index) or kind == "swapped"


def test_seals_whose_own_hashes_were_edited_too_do_not_hide_an_edit(store: SqlRecorder, tmp_path: Path) -> None:
    attacked = Attacked(store)
    sealer(store, tmp_path / "seals").seal()
    with attacked.edited("leaf_and_hash_changed", Random(1)) as place:
        row = next(r for r in store.stored(0, 1000) if (r.log, r.log_index) == (place.log, place.index))
        hashes = tmp_path / "seals" / "logs" / str(place.log) / "leaf-hashes"
        forged = bytearray(hashes.read_bytes())
        forged[32 * place.index : 32 * place.index + 32] = row.leaf_hash
        hashes.write_bytes(forged)
        with pytest.raises(Broken, match="not those that were signed") as found:
            verify_live(store, Sealed(Folder(tmp_path / "seals")))
        assert found.value.log == place.log


def test_an_older_copy_of_the_database_is_refused(store: SqlRecorder, tmp_path: Path) -> None:
    """What a restore of last night's backup looks like: whole, and shorter."""
    attacked = Attacked(store)
    sealer(store, tmp_path / "seals").seal()
    with attacked.edited("newest_saves_deleted_with_their_receipts", Random(3)) as place:
        verify_live(store, Sealed(None))
        with pytest.raises(SealRefused, match=f"log {place.log}, index {place.index}.*an older copy was restored"):
            sealer(store, tmp_path / "seals").seal()


def test_a_place_is_told_as_far_as_it_is_known() -> None:
    assert Broken("hash", "ML-1", 3, 7).told("en").startswith("log ML-1, index 3 (position 7): the bytes")
    assert Broken("hash", "ML-1", 3, None).told("en").startswith("log ML-1, index 3: the bytes")
    assert Broken("hash", None, NOWHERE, 7).told("en").startswith("position 7: the bytes")
    assert Broken("hash", None, NOWHERE, None).told("en").startswith("the bytes")
