"""Sealing, verifying, exporting and witnessing as a person does them, on the command line."""

from __future__ import annotations

import json
import sqlite3
import stat
from pathlib import Path

from cycle.proofs.note import VerifierKey
from cycle_adapters.sealing.folder import Folder
from tests.cli.run import Cli


def test_a_key_is_made_once_for_its_owner_alone(demo: Cli, tmp_path: Path) -> None:
    path = tmp_path / "seal.key"
    made = demo.ok("seal", "--new-key", "cycle.example.org", "--key-file", str(path), lang="en")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert VerifierKey.parse(made.out.splitlines()[-1]).name == "cycle.example.org"
    before = path.read_bytes()
    again = demo("seal", "--new-key", "cycle.example.org", "--key-file", str(path), lang="en")
    assert (again.code, path.read_bytes()) == (2, before)
    path.chmod(0o644)
    refused = demo("seal", "--once", "--key-file", str(path), lang="en")
    assert refused.code == 2
    assert "chmod 600" in refused.err
    assert demo("seal", "--once", lang="en").code == 2
    assert demo("seal", "--new-key", "two words", "--key-file", str(tmp_path / "other")).code == 2


def test_sealed_exported_and_verified(keyed: Cli, tmp_path: Path) -> None:
    assert "Rien n'est scellé" in keyed.ok("verify").out
    assert keyed("export", "bundle", "--commune", "Dioro", "--to", str(tmp_path / "early")).code == 2
    assert "21 journaux" in keyed.ok("seal", "--once").out
    assert keyed.ok("seal", "--once", "--json").json["grown"] == []
    found = keyed.ok("verify", "--json").json
    assert found["position"] == found["sealed"] == sum(found["logs"].values())
    keyed.ok("export", "checkpoint", "--commune", "Dioro", "--to", str(tmp_path / "kept"))
    keyed.ok("export", "checkpoint", "--to", str(tmp_path / "registry"))
    held = keyed.ok("verify", "--old", str(tmp_path / "kept"), "--old", str(tmp_path / "registry"), lang="en")
    assert "cycle.example.org/ML-4-01-01: the first" in held.out
    for name in ("dioro.zip", "dioro"):
        to = str(tmp_path / name)
        keyed.ok("export", "bundle", "--commune", "Dioro", "--to", to)
        vkey = str(Folder(tmp_path / "cycle.db.seals").key)
        ran = keyed.ok("verify", to, "--vkey", vkey, "--old", str(tmp_path / "kept"), lang="en")
        assert "Holds: log ML-4-01-01" in ran.out
        assert keyed("export", "bundle", "--commune", "Dioro", "--to", to).code == 2
    keyed.ok("export", "bundle", "--commune", "platform", "--to", str(tmp_path / "platform.zip"))
    assert keyed.ok("verify", str(tmp_path / "platform.zip"), "--json").json["size"] == found["logs"]["platform"]


def test_a_bundle_says_that_the_log_has_grown_since(keyed: Cli, tmp_path: Path) -> None:
    keyed.ok("seal", "--once")
    document = ("title=Liste", f"sha256={'0' * 64}", "bytes=12", "media=image/png")
    fields = [part for each in document for part in ("--set", each)]
    keyed.ok("do", "attach-document", "--framework", "Dioro", *fields)
    ran = keyed.ok("export", "bundle", "--commune", "Dioro", "--to", str(tmp_path / "b"), lang="en")
    assert "grown since by 1 event" in ran.err
    keyed.ok("verify", str(tmp_path / "b"))
    # The document, and in the platform log that the bundle was handed out.
    assert "2 logs have a new head" in keyed.ok("seal", "--once", lang="en").out


def test_a_bundle_that_was_edited_is_named_as_the_verifier_does(keyed: Cli, tmp_path: Path) -> None:
    keyed.ok("seal", "--once")
    keyed.ok("export", "bundle", "--commune", "Dioro", "--to", str(tmp_path / "b"))
    leaves = tmp_path / "b" / "leaves.jsonl"
    lines = leaves.read_bytes().split(b"\n")
    del lines[4]
    leaves.write_bytes(b"\n".join(lines))
    ran = keyed("verify", str(tmp_path / "b"), lang="en")
    assert ran.code == 1
    assert "first wrong index 4" in ran.err
    assert keyed("verify", str(tmp_path / "b"), "--json").code == 1
    (tmp_path / "empty").mkdir()
    assert keyed("verify", str(tmp_path / "empty")).code == 2


def test_an_edited_database_is_named_and_nothing_of_it_is_sealed(keyed: Cli, tmp_path: Path) -> None:
    keyed.ok("seal", "--once")
    with sqlite3.connect(tmp_path / "cycle.db") as connection:
        connection.execute("DROP TRIGGER events_no_update")
        connection.execute("UPDATE events SET type = 'plan-agreed' WHERE log = 'ML-4-01-01' AND log_index = 9")
    connection.close()
    ran = keyed("verify", lang="en")
    assert ran.code == 1
    assert ran.err.startswith("log ML-4-01-01, index 9 (position ")
    reasons = json.loads(keyed("verify", "--json").err)["reasons"]
    assert (reasons[0]["log"], reasons[0]["index"]) == ("ML-4-01-01", 9)
    sealed = keyed("seal", "--once")
    assert sealed.code == 1
    assert "REFUSÉ, rien n'a été signé : journal ML-4-01-01, indice 9" in sealed.err
    assert keyed("seal", "--once").code == 1
    with sqlite3.connect(tmp_path / "cycle.db") as connection:
        connection.execute("UPDATE events SET leaf = x'7b7d' WHERE log = 'ML-4-01-01' AND log_index = 11")
    connection.close()
    exported = keyed("export", "bundle", "--commune", "ML-4-01-01", "--to", str(tmp_path / "b"), lang="en")
    assert exported.code == 1
    # Its own rows cannot be read to ask who may: the check of everything names the first that is wrong.
    assert "log ML-4-01-01, index 9 " in exported.err
    assert not (tmp_path / "b").exists()


def test_witnesses_cosign_and_a_verifier_asks_for_as_many_as_it_likes(keyed: Cli, tmp_path: Path) -> None:
    keyed.ok("seal", "--once")
    seals, keys = str(tmp_path / "cycle.db.seals"), []
    for name in ("w1", "w2"):
        key = str(tmp_path / f"{name}.key")
        made = keyed.ok("witness", "--new-key", name, "--key-file", key, "--json").json
        keys.append(made["verifier_key"])
        ran = keyed.ok("witness", "--seals", seals, "--keep", str(tmp_path / name), "--key-file", key, lang="en")
        assert "22 checkpoints checked and cosigned, of 22 trees" in ran.out
        again = keyed.ok("witness", "--seals", seals, "--keep", str(tmp_path / name), "--key-file", key, "--json")
        assert again.json == {"trees": 22, "cosigned": 0}
    witnesses = [part for key in keys for part in ("--witness", key)]
    kept = [part for name in ("w1", "w2") for part in ("--witnessed", str(tmp_path / name))]
    keyed.ok("export", "bundle", "--commune", "Dioro", "--to", str(tmp_path / "one"), *kept[:2])
    keyed.ok("export", "bundle", "--commune", "Dioro", "--to", str(tmp_path / "both"), *kept)
    assert keyed("verify", str(tmp_path / "one"), *witnesses).code == 1
    keyed.ok("verify", str(tmp_path / "one"), *witnesses, "--quorum", "1")
    keyed.ok("verify", str(tmp_path / "both"), *witnesses)
    checkpoint = str(tmp_path / "both" / "checkpoint")
    keyed.ok("verify", "--old", checkpoint, *witnesses)
    assert keyed("verify", "--old", str(tmp_path / "one" / "checkpoint"), *witnesses).code == 2
    assert keyed("witness", "--seals", seals).code == 2


def test_a_log_that_is_lost_begins_anew_and_names_what_it_continues(keyed: Cli, tmp_path: Path) -> None:
    keyed.ok("seal", "--once")
    old, new, key = (str(tmp_path / name) for name in ("cycle.db.seals", "seals-2", "second.key"))
    assert keyed("seal", "--once", "--seals", new, "--continue-from", old).code == 2
    keyed.ok("seal", "--new-key", "cycle.example.org~2", "--key-file", key)
    keyed.ok("seal", "--once", "--seals", new, "--continue-from", old, "--key-file", key)
    last = Folder(tmp_path / "cycle.db.seals").checkpoint("ML-4-01-01")
    anew = Folder(tmp_path / "seals-2").checkpoint("ML-4-01-01")
    assert last is not None
    assert anew is not None
    assert anew.origin == "cycle.example.org~2/ML-4-01-01"
    assert anew.extensions[0].startswith(f"continues {last.origin} {last.size} ")
    keyed.ok("seal", "--once", "--seals", new, "--key-file", key)
    keyed.ok("verify", "--seals", new)
    keyed.ok("export", "bundle", "--commune", "Dioro", "--seals", new, "--to", str(tmp_path / "b"))
    keyed.ok("verify", str(tmp_path / "b"))
    assert keyed("seal", "--once", "--seals", new, "--continue-from", old, "--key-file", key).code == 2


def test_a_key_that_has_begun_one_folder_begins_no_second_one(keyed: Cli, tmp_path: Path) -> None:
    """Two registries under one name would be a fork: also after a restore into a file of another name."""
    keyed.ok("seal", "--once")
    ran = keyed("seal", "--once", "--seals", str(tmp_path / "others"), lang="en")
    assert ran.code == 2
    assert f"has begun the seals in {tmp_path / 'cycle.db.seals'}" in ran.err
    assert not (tmp_path / "others" / "verifier-key").exists()
    (tmp_path / "cycle.db.seals").rename(tmp_path / "moved")
    assert keyed("seal", "--once").code == 2
    keyed.ok("seal", "--once", "--seals", str(tmp_path / "moved"))


def test_an_older_backup_is_refused_until_what_is_missing_is_recovered(keyed: Cli, tmp_path: Path) -> None:
    """The runbook of docs/restore.md, seen by the sealer."""
    backup, export, seals = (str(tmp_path / name) for name in ("monday.zip", "tuesday.jsonl", "cycle.db.seals"))
    keyed.ok("backup", backup)
    document = ("title=Liste", f"sha256={'0' * 64}", "bytes=12", "media=image/png")
    fields = [part for each in document for part in ("--set", each)]
    keyed.ok("do", "attach-document", "--framework", "Dioro", *fields)
    keyed.ok("seal", "--once")
    keyed.ok("export", "events", "--to", export)
    restored = ("--database", f"sqlite:///{tmp_path / 'restored.db'}")
    keyed.ok("restore", backup, *restored)
    keyed.ok("verify", *restored)
    held = keyed("verify", "--seals", seals, *restored, lang="en")
    assert (held.code, "an older copy was restored" in held.err) == (1, True)
    refused = keyed("seal", "--once", "--seals", seals, *restored, lang="en")
    assert (refused.code, "REFUSED, nothing was signed" in refused.err) == (1, True)
    keyed.ok("import", "events", "--continue", export, *restored)
    assert keyed("seal", "--once", "--seals", seals, *restored).code == 1
    (tmp_path / "cycle.db.seals" / "refused").unlink()
    assert "0 logs have" in keyed.ok("seal", "--once", "--seals", seals, *restored, lang="en").out
    keyed.ok("verify", "--seals", seals, *restored)
