"""A signed receipt holds the operator to what was recorded: it is there later, or the receipt is evidence."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from cycle.aggregates.base import LogName
from cycle.proofs.checkpoint import BadCheckpoint, Checkpoint
from cycle.proofs.note import BadSignature, NotSigned, open_note, sign_note
from cycle.proofs.receipt import MOST, BadReceipt, Fact, Promise, open_receipt, sign_receipt
from cycle.proofs.registry import BadHead, Head
from tests.cli.run import Cli
from tests.proofs.sealing import KEY, LOG, leaves, signing_key

AT = "2026-03-01T12:00:00.000005Z"
FACTS = [(LOG, 4, bytes(32)), (LogName("platform"), 0, b"\x01" * 32)]


def test_a_receipt_comes_back_as_it_was_signed() -> None:
    [note] = sign_receipt(KEY, "a key / with\nanything é", AT, FACTS)
    found = open_receipt(note, KEY.verifier)
    assert (found.key, found.signed_at) == ("a key / with\nanything é", AT)
    assert [(fact.origin, fact.index) for fact in found.facts] == [
        (f"{KEY.verifier.name}/{LOG}", 4),
        (f"{KEY.verifier.name}/platform", 0),
    ]


def test_a_receipt_passes_for_nothing_else_and_nothing_else_for_a_receipt() -> None:
    [note] = sign_receipt(KEY, "key", AT, FACTS)
    text, _ = open_note(note, [KEY.verifier])
    with pytest.raises(BadCheckpoint):
        Checkpoint.parse(text)
    with pytest.raises(BadHead):
        Head.parse(text.encode())
    checkpoint = sign_note(str(Checkpoint("cycle.example.org", 3, bytes(32))), KEY)
    with pytest.raises(BadReceipt):
        open_receipt(checkpoint, KEY.verifier)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cycle receipt v1\n",
        f"cycle receipt v1\nkey k\nsigned-at {AT}\n",
        f"cycle receipt v1\nkey k\nsigned-at {AT}\ncycle.example.org/a 01 {'A' * 43}=\n",
        f"cycle receipt v1\nkey k\nsigned-at {AT}\ncycle.example.org/a 1 {'A' * 42}==\n",
        f"cycle receipt v1\nkey k\nsigned-at {AT}\ncycle.example.org/a 1  {'A' * 43}=\n",
        f"cycle receipt v1\nkey a b\nsigned-at {AT}\ncycle.example.org/a 1 {'A' * 43}=\n",
        f"cycle receipt v1\nkey k\nsigned-at yesterday\ncycle.example.org/a 1 {'A' * 43}=\n",
        f"cycle receipt v2\nkey k\nsigned-at {AT}\ncycle.example.org/a 1 {'A' * 43}=\n",
    ],
)
def test_what_is_no_receipt_is_refused(text: str) -> None:
    with pytest.raises(BadReceipt):
        Promise.parse(text)


def test_another_operators_receipt_is_refused() -> None:
    [note] = sign_receipt(KEY, "key", AT, FACTS)
    with pytest.raises(NotSigned):
        open_receipt(note, signing_key("other").verifier)
    foreign = str(Promise("k", AT, (Fact("elsewhere.example/a", 1, bytes(32)),)))
    with pytest.raises(BadReceipt):
        open_receipt(sign_note(foreign, KEY), KEY.verifier)
    with pytest.raises(BadSignature):
        open_receipt(note.replace(b" 4 ", b" 5 "), KEY.verifier)


def test_a_very_large_save_has_several_notes() -> None:
    facts = [(LOG, n, bytes(32)) for n in range(2 * MOST + 1)]
    notes = sign_receipt(KEY, "key", AT, facts)
    assert [len(open_receipt(note, KEY.verifier).facts) for note in notes] == [MOST, MOST, 1]
    assert leaves(1)


def recorded(keyed: Cli, key: str) -> str:
    document = ("title=Liste", f"sha256={'0' * 64}", "bytes=12", "media=image/png")
    fields = [part for each in document for part in ("--set", each)]
    return keyed.ok("do", "attach-document", "--framework", "Dioro", "--key", key, *fields).out


def test_whoever_gives_a_command_gets_a_receipt_that_holds_later(keyed: Cli, tmp_path: Path) -> None:
    keyed.ok("seal", "--once")
    before = tmp_path / "before"
    keyed.ok("export", "bundle", "--commune", "Dioro", "--to", str(before))
    assert "cycle receipt v1\nkey paper-1\nsigned-at 2" in recorded(keyed, "paper-1")
    receipt = str(tmp_path / "receipt")
    keyed.ok("receipt", "paper-1", "--to", receipt)
    assert keyed.ok("receipt", "paper-1").out.startswith("cycle receipt v1\n")
    assert keyed("receipt", "never").code == 2
    # Not sealed yet: the live log has it, an older bundle cannot say.
    assert "ML-4-01-01, index" in keyed.ok("verify", "--receipt", receipt, lang="en").out
    early = keyed("verify", str(before), "--receipt", receipt, lang="en")
    assert (early.code, "against a later one" in early.err) == (2, True)
    keyed.ok("seal", "--once")
    keyed.ok("export", "bundle", "--commune", "Dioro", "--to", str(tmp_path / "after.zip"))
    held = keyed.ok("verify", str(tmp_path / "after.zip"), "--receipt", receipt, lang="en")
    assert "Events of the receipt that stand where it says: 1" in held.out


def test_an_event_that_went_before_it_was_sealed_is_held_against_the_operator(keyed: Cli, tmp_path: Path) -> None:
    """Between commit and seal only the receipt protects it."""
    keyed.ok("seal", "--once")
    recorded(keyed, "paper-1")
    receipt = str(tmp_path / "receipt")
    keyed.ok("receipt", "paper-1", "--to", receipt)
    with sqlite3.connect(tmp_path / "cycle.db") as connection:
        for trigger in ("events_no_delete", "receipts_no_delete"):
            connection.execute(f"DROP TRIGGER {trigger}")
        connection.execute("DELETE FROM events WHERE position = (SELECT max(position) FROM events)")
        connection.execute("DELETE FROM receipts WHERE key = 'paper-1'")
    connection.close()
    keyed.ok("verify")
    gone = keyed("verify", "--receipt", receipt, lang="en")
    assert (gone.code, "the receipt is evidence" in gone.err) == (1, True)
    keyed.ok("seal", "--once")
    recorded(keyed, "paper-2")
    differs = keyed("verify", "--receipt", receipt, lang="en")
    assert (differs.code, "not the one that the receipt names" in differs.err) == (1, True)
    keyed.ok("seal", "--once")
    keyed.ok("export", "bundle", "--commune", "ML-4-01-01", "--to", str(tmp_path / "b"))
    found = keyed("verify", str(tmp_path / "b"), "--receipt", receipt, lang="en")
    assert (found.code, "the receipt names another event here" in found.err) == (1, True)
