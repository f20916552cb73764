"""The sealer signs what is recorded and only that: it goes on where it was, and refuses what was changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from cycle.leaf import leaf_hash
from cycle.proofs.note import SigningKey
from cycle.proofs.tree import root_of, verify_consistency
from cycle.sealing import CannotSeal, SealRefused, SealsUnavailable, when_seen
from cycle_adapters.sealing.folder import Folder
from cycle_adapters.sealing.live import Sealed, verify_live
from cycle_adapters.sealing.sealer import Sealer
from cycle_adapters.sql.recorder import SqlRecorder
from tests.proofs.sealing import KEY, signing_key
from tests.sealing.logs import Clock, Teller, sealer


def test_each_log_is_signed_at_its_size_and_root(store: SqlRecorder, tmp_path: Path) -> None:
    Teller(store).tell(60)
    done = sealer(store, tmp_path / "seals").seal()
    folder = Folder(tmp_path / "seals")
    assert done.position == store.head().position
    assert set(done.grown) == set(folder.trees) == set(store.log_sizes())
    for log, size in store.log_sizes().items():
        said = folder.checkpoint(log)
        assert said is not None
        leaves = [bytes(leaf) for leaf, _ in store.log_leaves(log, 0, size)]  # type: ignore[arg-type]
        assert (said.size, said.root) == (size, root_of(map(leaf_hash, leaves)))
        assert folder.sealed(log) is not None


def test_it_goes_on_where_it_was_and_only_logs_that_grew_get_a_new_head(store: SqlRecorder, tmp_path: Path) -> None:
    teller = Teller(store)
    teller.tell(400)
    working = sealer(store, tmp_path / "seals")
    first = working.seal()
    before = {log: Folder(tmp_path / "seals").checkpoint(log) for log in first.grown}
    teller.tell(1)
    second = working.seal()
    assert second.registry == first.registry + len(second.grown)
    assert 1 <= len(second.grown) <= 2
    folder = Folder(tmp_path / "seals")
    for log, old in before.items():
        new = folder.checkpoint(log)
        assert old is not None
        assert new is not None
        assert (new.size > old.size) is (log in second.grown)
        proof = folder.tree(log).consistency(old.size, new.size) if new.size > old.size else []
        verify_consistency(old.size, old.root, new.size, new.root, proof)
    # Another process goes on as well.
    teller.tell(3)
    assert sealer(store, tmp_path / "seals").seal(whole=True).position == store.head().position


def test_an_idle_seal_says_when_it_looked(store: SqlRecorder, tmp_path: Path) -> None:
    """The same head under the same key is the same signature: only a time in it shows that it is fresh."""
    Teller(store).tell(5)
    working = sealer(store, tmp_path / "seals")
    working.seal()
    first = Folder(tmp_path / "seals").checkpoint(None)
    done = working.seal()
    second = Folder(tmp_path / "seals").checkpoint(None)
    assert done.grown == ()
    assert first is not None
    assert second is not None
    assert (first.size, first.root) == (second.size, second.root)
    assert (when_seen(first) or "") < (when_seen(second) or "")


def test_an_empty_log_is_sealed_too(store: SqlRecorder, tmp_path: Path) -> None:
    assert sealer(store, tmp_path / "seals").seal().registry == 0
    assert verify_live(store, Sealed(Folder(tmp_path / "seals"))).position == 0


def test_what_changed_below_the_size_is_found_without_being_asked_for(
    store: SqlRecorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each seal reads a part of what is sealed again: after one round of these an edit is found."""
    monkeypatch.setattr("cycle_adapters.sealing.sealer.LOOK_AGAIN", 25)
    Teller(store).tell(60)
    working = sealer(store, tmp_path / "seals")
    working.seal()
    for _ in range(8):
        working.seal()
    unlocked(store)
    changed(store, "UPDATE events SET leaf_hash = leaf WHERE position = 70")

    def a_round_of_seals() -> None:
        for _ in range(5):
            working.seal()

    with pytest.raises(SealRefused, match="position 70"):
        a_round_of_seals()
    said = (tmp_path / "seals" / "refused").read_text("utf-8")
    assert "position 70" in said
    assert "REFUSÉ" in said
    assert "REFUSED on 2026-03-02T" in said


def test_it_stays_refused_until_a_person_has_looked_and_the_log_holds_again(store: SqlRecorder, tmp_path: Path) -> None:
    Teller(store).tell(20)
    sealer(store, tmp_path / "seals").seal()
    published = Folder(tmp_path / "seals").note(None)
    unlocked(store)
    changed(store, "UPDATE events SET type = 'plan-agreed' WHERE position = 7")
    refused = tmp_path / "seals" / "refused"
    with pytest.raises(SealRefused, match="position 7"):
        sealer(store, tmp_path / "seals").seal(whole=True)
    changed(store, "UPDATE events SET type = 'progress-reported' WHERE position = 7")
    with pytest.raises(SealRefused, match="take it away"):
        sealer(store, tmp_path / "seals").seal()
    assert Folder(tmp_path / "seals").note(None) == published
    changed(store, "UPDATE events SET type = 'plan-agreed' WHERE position = 7")
    refused.unlink()
    with pytest.raises(SealRefused, match="position 7"):
        sealer(store, tmp_path / "seals").seal()
    changed(store, "UPDATE events SET type = 'progress-reported' WHERE position = 7")
    refused.unlink()
    assert sealer(store, tmp_path / "seals").seal().position == store.head().position


def test_two_sealers_never_work_in_one_folder(store: SqlRecorder, tmp_path: Path) -> None:
    with (
        Folder(tmp_path / "seals").locked(),
        pytest.raises(SealsUnavailable, match="another sealer"),
        Folder(tmp_path / "seals").locked(),
    ):
        pass


def test_another_key_is_not_taken(store: SqlRecorder, tmp_path: Path) -> None:
    sealer(store, tmp_path / "seals").seal()
    other: SigningKey = signing_key("another")
    with pytest.raises(CannotSeal, match="another key"):
        Sealer(store, Folder(tmp_path / "seals"), other, Clock().now)


def test_an_older_copy_of_the_sealers_own_files_is_not_signed_below_what_was(
    store: SqlRecorder, tmp_path: Path
) -> None:
    teller = Teller(store)
    teller.tell(10)
    working = sealer(store, tmp_path / "seals")
    working.seal()
    log = next(iter(Folder(tmp_path / "seals").trees))
    frontier = tmp_path / "seals" / "logs" / log / "frontier"
    old = frontier.read_bytes()
    teller.tell(60)
    working.seal()
    frontier.write_bytes(old)
    with pytest.raises(SealsUnavailable, match="damaged"):
        sealer(store, tmp_path / "seals")


def test_a_key_that_signs_is_in_no_file_of_the_seals_or_the_database(
    sqlite_url: str, store: SqlRecorder, tmp_path: Path
) -> None:
    Teller(store).tell(5)
    sealer(store, tmp_path / "seals").seal()
    secret = KEY.secret().rpartition("+")[2].encode()
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or secret not in path.read_bytes()


def unlocked(store: SqlRecorder) -> None:
    """What a superuser does first."""
    sqlite = store.database.dialect.name == "sqlite"
    names = [f"{t}_no_{a}" for t in ("events", "receipts") for a in (("update", "delete") if sqlite else ("change",))]
    for name in names:
        changed(store, f"DROP TRIGGER {name}" if sqlite else f"DROP TRIGGER {name} ON {name.partition('_')[0]}")


def changed(store: SqlRecorder, statement: str) -> None:
    with store.database.begin() as connection:
        connection.execute(text(statement))
