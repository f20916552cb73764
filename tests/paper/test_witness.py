"""The paper is a witness: what a camera reads from it convicts whoever rewrites what is older."""

from __future__ import annotations

from pathlib import Path
from shutil import copyfile

import pytest

from cycle.aggregates.base import LogName
from cycle.aggregates.framework.state import Stage
from cycle.proofs.checkpoint import Checkpoint, log_origin, sign_checkpoint
from cycle_adapters.paper.basis import CannotPrint
from tests.cli.run import Cli
from tests.engine.path import Path as Way
from tests.paper.meeting import reader
from tests.paper.pages import codes_of, words_of
from tests.paper.printing import plan_pdf
from tests.proofs.sealing import KEY, OPERATOR

DIORO = LogName("ML-4-01-01")


@pytest.fixture
def keyed(demo: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """On the small demo, with a key in the environment."""
    key = tmp_path / "seal.key"
    demo.ok("seal", "--new-key", "cycle.example.org", "--key-file", str(key))
    monkeypatch.setenv("CYCLE_SEAL_KEY", str(key))
    return demo


def attach(cli: Cli, title: str) -> None:
    document = (f"title={title}", f"sha256={'0' * 64}", "bytes=12", "media=image/png")
    cli.ok("do", "attach-document", "--framework", "Dioro", *(part for each in document for part in ("--set", each)))


def note(size: int, extensions: tuple[str, ...] = ()) -> bytes:
    return sign_checkpoint(Checkpoint(log_origin(OPERATOR, DIORO), size, b"r" * 32, extensions), KEY)


@pytest.mark.parametrize("dpi", [150, 300])
def test_the_codes_are_the_note_and_nothing_else(keyed: Cli, tmp_path: Path, dpi: int) -> None:
    keyed.ok("seal", "--once")
    keyed.ok("export", "checkpoint", "--commune", "Dioro", "--to", str(tmp_path / "kept"))
    kept = (tmp_path / "kept").read_bytes()
    for sheet in ("plan", "minutes"):
        keyed.ok("export", sheet, "Dioro", "--to", str(tmp_path / "a.pdf"))
        found = codes_of((tmp_path / "a.pdf").read_bytes(), dpi)
        assert found
        assert set(found) == {kept}


def test_the_note_off_the_paper_verifies_a_bundle_that_only_grew_and_convicts_a_rewritten_one(
    keyed: Cli, told: Path, tmp_path: Path
) -> None:
    attach(keyed, "La vraie liste")
    keyed.ok("seal", "--once")
    keyed.ok("export", "minutes", "Dioro", "--to", str(tmp_path / "pv.pdf"))
    (paper,) = codes_of((tmp_path / "pv.pdf").read_bytes())
    (tmp_path / "paper").write_bytes(paper)

    attach(keyed, "Une autre")
    keyed.ok("seal", "--once")
    keyed.ok("export", "bundle", "--commune", "Dioro", "--to", str(tmp_path / "grown.zip"))
    assert keyed("verify", str(tmp_path / "grown.zip"), "--old", str(tmp_path / "paper")).code == 0

    # The operator, who holds the key, tells the history otherwise.
    (tmp_path / "forged").mkdir()
    copyfile(told, tmp_path / "forged" / "cycle.db")
    (tmp_path / "seal.key.used").unlink()
    forger = Cli(f"sqlite:///{tmp_path / 'forged' / 'cycle.db'}", keyed._capsys)
    attach(forger, "La liste arrangée")
    forger.ok("seal", "--once")
    forger.ok("export", "bundle", "--commune", "Dioro", "--to", str(tmp_path / "forged.zip"))
    assert forger("verify", str(tmp_path / "forged.zip")).code == 0
    assert forger("verify", str(tmp_path / "forged.zip"), "--old", str(tmp_path / "paper")).code == 1


def test_the_note_stands_on_the_minutes_to_be_read_by_people(keyed: Cli, tmp_path: Path) -> None:
    keyed.ok("seal", "--once")
    keyed.ok("export", "minutes", "Dioro", "--to", str(tmp_path / "pv.pdf"))
    pdf = (tmp_path / "pv.pdf").read_bytes()
    said = words_of(pdf).replace(" ", "")
    for line in codes_of(pdf)[0].decode().split("\n"):
        assert line.replace(" ", "") in said
    assert "Cepapierestuntémoin" in said


def test_what_is_not_sealed_yet_is_counted(way: Way) -> None:
    way.to(Stage.PLAN)
    facts = len(reader(way).facts(DIORO))
    covered = words_of(plan_pdf(reader(way), way.framework, "fr", note=note(facts)))
    assert f"Il couvre tous les faits ({facts}) sur lesquels ce papier repose." in covered
    assert f"cycle.example.org/ML-4-01-01 · taille {facts} · racine {(b'r' * 8).hex()}…" in covered
    missing = words_of(plan_pdf(reader(way), way.framework, "fr", note=note(facts - 1)))
    assert "1 fait sur lequel ce papier repose n'est pas encore scellé." in missing
    missing = words_of(plan_pdf(reader(way), way.framework, "en", note=note(facts - 2)))
    assert "2 facts that this paper rests on are not sealed yet." in missing


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        (note(1_000_000), "the checkpoint covers 1,000,000 events of the log ML-4-01-01, which has only"),
        (note(5, ("x" * 3000,)), "too many for a QR code (at most 2,331)"),
    ],
)
def test_a_note_that_cannot_be_right_is_not_printed(way: Way, kept: bytes, words: str) -> None:
    way.to(Stage.PLAN)
    with pytest.raises(CannotPrint) as refused:
        plan_pdf(reader(way), way.framework, "en", note=kept)
    assert words in refused.value.told("en")


def test_nothing_sealed_is_said_and_has_no_code(demo: Cli, tmp_path: Path) -> None:
    for sheet in ("plan", "minutes"):
        demo.ok("export", sheet, "Dioro", "--to", str(tmp_path / "a.pdf"))
        pdf = (tmp_path / "a.pdf").read_bytes()
        assert "ce papier ne fait pas témoin" in words_of(pdf)
        assert codes_of(pdf) == []


def test_a_note_that_does_not_hold_is_not_printed(keyed: Cli, tmp_path: Path) -> None:
    keyed.ok("seal", "--once")
    path = tmp_path / "cycle.db.seals" / "logs" / "ML-4-01-01" / "checkpoint"
    path.write_bytes(path.read_bytes().replace(b"\n1", b"\n2", 1))
    ran = keyed("export", "plan", "Dioro", "--to", str(tmp_path / "a.pdf"))
    assert ran.code == 2
    assert not (tmp_path / "a.pdf").exists()
