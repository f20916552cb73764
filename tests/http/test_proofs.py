"""Proofs over HTTP, checked by a stranger: with ``verify.py`` and ``docs/proofs.md``, and nothing else of ours."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from cycle.aggregates.framework.anytime import AttachDocument
from cycle.engine import Engine
from cycle.proofs.bundle import verifier
from cycle_adapters.http.problems import URN
from tests.access.places import DAY, DIORO, KOULA, say, two_communes
from tests.http.sealed import seal, seals_of
from tests.http.town import API, key, named, sent, served
from tests.proofs.sealing import KEY

PAPER = AttachDocument(title="Reçu", sha256="0" * 64, bytes=1, media="image/jpeg")
SPECIFIED = re.findall(r"```python\n(.*?)```", (Path(__file__).parents[2] / "docs/proofs.md").read_text("utf-8"), re.S)


class Stranger:
    """Somebody with a browser, the published key, and the verifier of a release."""

    def __init__(self, client: TestClient, folder: Path, who: str = "auditor") -> None:
        self.client, self.folder, self.who = client, folder, who
        (folder / "verify.py").write_bytes(verifier())
        spec = importlib.util.spec_from_file_location("theirs", folder / "verify.py")
        assert spec is not None
        assert spec.loader is not None
        self.verify: Any = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.verify)
        self.code: dict[str, Any] = {}
        exec(SPECIFIED[0], self.code)

    def get(self, path: str, language: str = "en") -> Any:
        return self.client.get(f"{API}{path}", headers=named(self.who, **{"Accept-Language": language}))

    def head(self, log: str) -> Any:
        """The size and root of a checkpoint, whose signature holds."""
        note = self.get(f"/logs/{log}/checkpoint")
        assert (note.status_code, note.headers["content-type"]) == (200, "text/plain; charset=utf-8")
        return self.verify.signed_head(note.content, "checkpoint", self.verify.key_of(str(KEY.verifier)))

    def root_of(self, log: str, index: int, size: int | None = None) -> tuple[bytes, str]:
        """The root that a proof of inclusion leads to, and the leaf that it is about."""
        found = self.get(f"/logs/{log}/inclusion?index={index}" + (f"&size={size}" if size else "")).json()
        proof = [bytes.fromhex(each) for each in found["proof"]]
        leaf = bytes.fromhex(found["leaf_hash"])
        return self.code["root_by_inclusion"](leaf, found["index"], found["size"], proof), found["leaf_hash"]

    def problem(self, path: str, language: str = "en") -> tuple[int, str, str]:
        answer = self.get(path, language)
        told = answer.json()
        return answer.status_code, told["type"].removeprefix(URN), told["detail"]


@pytest.fixture
def town(sqlite_url: str) -> Iterator[tuple[Engine, TestClient]]:
    with Engine(sqlite_url) as engine, served(engine) as client:
        two_communes(engine)
        yield engine, client


def test_what_a_receipt_says_is_proved_to_a_stranger(town: tuple[Engine, TestClient], tmp_path: Path) -> None:
    engine, client = town
    dioro = next(f for f in _frameworks(client) if f["commune"] == DIORO)["framework"]
    path, body = sent(PAPER, DAY, dioro)
    line = client.post(path, json=body, headers=key(**named("facilitator"))).json()["events"][0]
    seal(engine)
    stranger = Stranger(client, tmp_path)
    head = stranger.head(DIORO)
    assert head.origin == f"{KEY.verifier.name}/{DIORO}"
    root, leaf_hash = stranger.root_of(line["log"], line["index"])
    assert (root, leaf_hash) == (head.root, line["leaf"])
    # Of another leaf, or of this one elsewhere, it proves nothing.
    found = stranger.get(f"/logs/{DIORO}/inclusion?index=0").json()
    proof = [bytes.fromhex(each) for each in found["proof"]]
    assert stranger.code["root_by_inclusion"](bytes.fromhex(line["leaf"]), 0, head.size, proof) != head.root


def test_a_log_that_grew_begins_with_what_a_stranger_has_kept(town: tuple[Engine, TestClient], tmp_path: Path) -> None:
    engine, client = town
    stranger = Stranger(client, tmp_path)
    seal(engine)
    kept = stranger.head(DIORO)
    dioro = next(f for f in _frameworks(client) if f["commune"] == DIORO)["framework"]
    for _ in range(5):
        say(engine, PAPER, dioro)
    seal(engine)
    new = stranger.head(DIORO)
    assert new.size == kept.size + 5
    found = stranger.get(f"/logs/{DIORO}/consistency?from={kept.size}&to={new.size}").json()
    proof = [bytes.fromhex(each) for each in found["proof"]]
    assert stranger.code["roots_by_consistency"](kept.size, new.size, proof, kept.root) == (kept.root, new.root)
    assert stranger.root_of(DIORO, 0, kept.size)[0] == kept.root
    of_now = stranger.get(f"/logs/{DIORO}/consistency?from={kept.size}").json()
    assert of_now == found == {"log": DIORO, "from": kept.size, "to": new.size, "proof": found["proof"]}


def test_the_registry_has_a_checkpoint_as_well(town: tuple[Engine, TestClient], tmp_path: Path) -> None:
    engine, client = town
    seal(engine)
    head = Stranger(client, tmp_path).head("registry")
    assert head.origin == KEY.verifier.name


@pytest.mark.parametrize("log", [DIORO, "platform"])
def test_a_bundle_is_checked_by_the_verifier_alone(town: tuple[Engine, TestClient], tmp_path: Path, log: str) -> None:
    engine, client = town
    seal(engine)
    stranger = Stranger(client, tmp_path)
    answer = stranger.get(f"/logs/{log}/bundle")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert "content-encoding" not in answer.headers
    assert int(answer.headers["content-length"]) == len(answer.content)
    (tmp_path / "taken.zip").write_bytes(answer.content)
    (tmp_path / "kept").write_bytes(stranger.get(f"/logs/{log}/checkpoint").content)
    words = [sys.executable, "verify.py", "taken.zip", "--lang", "en", "--vkey", str(KEY.verifier), "--old", "kept"]
    ran = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"Holds: log {log}" in ran.stdout
    assert _exports(engine) == [("auditor", log)]


def test_what_was_changed_leaves_in_no_bundle_and_is_named(town: tuple[Engine, TestClient], tmp_path: Path) -> None:
    engine, client = town
    seal(engine)
    with engine.store.database.begin() as connection:
        named_so = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        for trigger in connection.execute(text(named_so)).scalars().all():
            connection.execute(text(f"DROP TRIGGER {trigger}"))
        other = "CAST(replace(leaf, 'Cadre', 'Cidre') AS BLOB)"
        connection.execute(text(f"UPDATE events SET leaf = {other} WHERE log = '{DIORO}' AND log_index = 1"))
    status, code, said = Stranger(client, tmp_path).problem(f"/logs/{DIORO}/bundle")
    assert (status, code) == (500, "damaged-log")
    assert f"The log {DIORO} does not hold at index 1:" in said
    assert _exports(engine) == []


def test_what_is_not_sealed_or_not_there_is_told_with_what_to_do(
    town: tuple[Engine, TestClient], tmp_path: Path
) -> None:
    engine, client = town
    stranger = Stranger(client, tmp_path)
    for path in ("checkpoint", "inclusion?index=0", "consistency?from=1", "bundle"):
        status, code, said = stranger.problem(f"/logs/{DIORO}/{path}")
        assert (status, code) == (404, "not-sealed")
        assert "ask again" in said
        assert "redemandez" in stranger.problem(f"/logs/{DIORO}/{path}", "fr")[2]
    seal(engine)
    for log in ("ML-9-99-99", "nowhere", "registry-2"):
        for path in ("checkpoint", "inclusion?index=0", "consistency?from=1", "bundle"):
            status, code, said = stranger.problem(f"/logs/{log}/{path}")
            assert (status, code) == (404, "not-found")
            assert "/api/v1/communes" in said
    size = stranger.head(DIORO).size
    for path in (f"inclusion?index={size}", f"inclusion?index=0&size={size + 1}", "inclusion?index=1&size=1"):
        answer = stranger.get(f"/logs/{DIORO}/{path}")
        told = answer.json()
        assert (answer.status_code, told["type"]) == (422, f"{URN}not-provable")
        assert f"signed up to a size of {size}" in told["detail"]
        assert {error["field"] for error in told["errors"]} == {"index", "size"}
    for path in ("from=0", f"from={size + 1}", f"from=1&to={size + 1}", "from=2&to=1"):
        answer = stranger.get(f"/logs/{DIORO}/consistency?{path}")
        assert (answer.status_code, answer.json()["type"]) == (422, f"{URN}not-provable")
    assert stranger.get(f"/logs/{DIORO}/inclusion").json()["errors"][0]["field"] == "index"


def test_what_was_recorded_since_the_last_seal_is_proved_after_the_next_one(
    town: tuple[Engine, TestClient], tmp_path: Path
) -> None:
    engine, client = town
    seal(engine)
    stranger = Stranger(client, tmp_path)
    size = stranger.head(DIORO).size
    say(engine, PAPER, next(f for f in _frameworks(client) if f["commune"] == DIORO)["framework"])
    assert stranger.problem(f"/logs/{DIORO}/inclusion?index={size}")[1] == "not-provable"
    seal(engine)
    assert stranger.root_of(DIORO, size)[0] == stranger.head(DIORO).root


def test_seals_that_cannot_be_read_are_not_taken_for_none(town: tuple[Engine, TestClient], tmp_path: Path) -> None:
    engine, client = town
    seal(engine)
    note = seals_of(engine) / "logs" / DIORO / "checkpoint"
    note.write_bytes(note.read_bytes().replace(b"1\n", b"2\n", 1))
    status, code, _ = Stranger(client, tmp_path).problem(f"/logs/{DIORO}/checkpoint")
    assert (status, code) == (503, "unavailable")


def test_trees_that_a_disk_has_damaged_prove_nothing_wrong(town: tuple[Engine, TestClient], tmp_path: Path) -> None:
    engine, client = town
    seal(engine)
    stranger, hashes = Stranger(client, tmp_path), seals_of(engine) / "logs" / DIORO / "leaf-hashes"
    whole = hashes.read_bytes()
    for damaged in (whole[:40], whole[:32][::-1] + whole[32:]):
        hashes.write_bytes(damaged)
        for path in ("inclusion?index=0", "inclusion?index=1", "consistency?from=1"):
            assert stranger.problem(f"/logs/{DIORO}/{path}")[:2] == (503, "unavailable"), path
    hashes.write_bytes(whole)
    assert stranger.root_of(DIORO, 1)[0] == stranger.head(DIORO).root


def test_a_bundle_for_which_there_is_no_room_is_told_and_leaves_nothing(
    town: tuple[Engine, TestClient], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, client = town
    seal(engine)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    assert Stranger(client, tmp_path).problem(f"/logs/{DIORO}/bundle")[:2] == (503, "unavailable")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert Stranger(client, tmp_path).get(f"/logs/{DIORO}/bundle").status_code == 200
    assert not list(tmp_path.glob("cycle-*"))


def test_a_second_bundle_at_the_same_time_is_asked_to_come_back(
    town: tuple[Engine, TestClient], tmp_path: Path
) -> None:
    engine, client = town
    seal(engine)
    stranger = Stranger(client, tmp_path)
    few = client.app.state.doors.bundling  # type: ignore[attr-defined]
    with few:
        answer = stranger.get(f"/logs/{DIORO}/bundle")
        assert (answer.status_code, answer.json()["type"]) == (503, f"{URN}busy")
        assert answer.headers["retry-after"]
        assert stranger.get(f"/logs/{DIORO}/checkpoint").status_code == 200
    assert stranger.get(f"/logs/{DIORO}/bundle").status_code == 200
    assert _exports(engine) == [("auditor", DIORO)]


def test_who_reads_one_region_gets_its_proofs_and_no_others(town: tuple[Engine, TestClient], tmp_path: Path) -> None:
    engine, client = town
    seal(engine)
    stranger = Stranger(client, tmp_path, "fanta")
    assert stranger.get(f"/logs/{DIORO}/checkpoint").status_code == 200
    assert stranger.problem(f"/logs/{DIORO}/bundle")[:2] == (403, "forbidden")
    for path in ("checkpoint", "inclusion?index=0", "consistency?from=1", "bundle"):
        assert stranger.problem(f"/logs/{KOULA}/{path}") == stranger.problem(f"/logs/ML-2-99-99/{path}")
        assert stranger.problem(f"/logs/platform/{path}")[0] == 403
    assert stranger.get("/logs/registry/checkpoint").status_code == 403
    assert _exports(engine) == []


def _frameworks(client: TestClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"{API}/frameworks", headers=named("auditor")).json()["items"]
    return found


def _exports(engine: Engine) -> list[tuple[str, str]]:
    """Which bundles left, by whom."""
    rows = engine.store.read(0, types=["bundle-exported"])
    facts = [engine.leaves[topic, schema](leaf) for _, topic, schema, leaf in rows]
    return [(fact.by.actor, fact.data.of) for fact in facts]  # type: ignore[attr-defined]
