"""Signed notes and checkpoints: those of others, golden ones, and everything that only looks like one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cycle.aggregates.base import LogName
from cycle.proofs.checkpoint import (
    BadCheckpoint,
    Checkpoint,
    TooFewWitnesses,
    log_origin,
    open_checkpoint,
    registry_origin,
    sign_checkpoint,
)
from cycle.proofs.note import (
    Algorithm,
    BadSignature,
    MalformedKey,
    MalformedNote,
    Note,
    NoteError,
    NotSigned,
    SigningKey,
    VerifierKey,
    cosign,
    open_note,
    sign_note,
)
from tests.proofs.sealing import KEY, OPERATOR, signing_key

GOLDEN = json.loads((Path(__file__).parent / "golden/notes.json").read_bytes())
LOG_KEY, WITNESS_KEY = VerifierKey.parse(GOLDEN["vkey"]), VerifierKey.parse(GOLDEN["witness"])
WITNESSES = [signing_key(f"witness {n}", f"witness-{n}.example.net", Algorithm.COSIGNATURE) for n in range(3)]

# The example of golang.org/x/mod/sumdb/note, and that of C2SP signed-note.
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_LINE = (
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
C2SP_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
C2SP_NOTE = (
    "This is an example message.\n\n\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYN"
    "ZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)


def test_the_note_of_the_go_library_is_made_and_read() -> None:
    key = SigningKey.parse(GO_SECRET)
    assert str(key.verifier) == GO_KEY
    assert key.secret() == GO_SECRET
    note = sign_note(GO_TEXT, key)
    assert note.decode() == f"{GO_TEXT}\n{GO_LINE}"
    assert open_note(note, [VerifierKey.parse(GO_KEY)])[0] == GO_TEXT


def test_the_example_of_the_specification_is_read() -> None:
    assert open_note(C2SP_NOTE.encode(), [VerifierKey.parse(C2SP_KEY)])[0] == "This is an example message.\n"


def test_the_key_of_a_witness_in_use_is_read() -> None:
    text = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
    assert VerifierKey.parse(text).algorithm is Algorithm.COSIGNATURE
    assert str(VerifierKey.parse(text)) == text


def test_the_golden_checkpoint_is_signed_by_its_log_and_a_witness() -> None:
    note = GOLDEN["note"].encode()
    text, signed = open_note(note, [LOG_KEY, WITNESS_KEY])
    assert text == GOLDEN["text"]
    assert [(each.key, each.seconds) for each in signed] == [(LOG_KEY, None), (WITNESS_KEY, GOLDEN["seconds"])]
    assert bytes(Note.parse(note)) == note
    checkpoint = open_checkpoint(note, log_origin(LOG_KEY.name, LogName("ML-4-01-04")), LOG_KEY, [WITNESS_KEY], 1)
    assert str(checkpoint) == text


TEXT = f"{OPERATOR}/a\n3\n{'A' * 43}=\n"
NOTE = sign_note(TEXT, KEY)
LINE = NOTE.decode().removeprefix(TEXT + "\n")
NAME, BASE64 = LINE.rstrip("\n").split(" ")[1:]


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"\n",
        TEXT.encode(),
        f"{TEXT}\n".encode(),
        f"{TEXT}\n{LINE}"[:-1].encode(),
        f"{TEXT}{LINE}".encode(),
        f"{TEXT}\n{LINE}\n".encode(),
        f"{TEXT}\n{LINE}x\n".encode(),
        f"{TEXT}\n- {NAME} {BASE64}\n".encode(),
        f"{TEXT}\n\u2013 {NAME} {BASE64}\n".encode(),
        f"{TEXT}\n\u2014{NAME} {BASE64}\n".encode(),
        f"{TEXT}\n\u2014 {NAME}  {BASE64}\n".encode(),
        f"{TEXT}\n\u2014 {NAME} {BASE64} \n".encode(),
        f"{TEXT}\n\u2014  {BASE64}\n".encode(),
        f"{TEXT}\n\u2014 a+b {BASE64}\n".encode(),
        f"{TEXT}\n\u2014 a\u00a0b {BASE64}\n".encode(),
        f"{TEXT}\n\u2014 {NAME} {BASE64[:-1]}\n".encode(),
        f"{TEXT}\n\u2014 {NAME} {BASE64[:-2]}*=\n".encode(),
        f"{TEXT}\n\u2014 {NAME} AAAAAA==\n".encode(),
        f"{TEXT}\n\u2014 {NAME} {BASE64.replace('+', '-').replace('/', '_')}-\n".encode(),
        f"{TEXT}\r\n{LINE}".encode(),
        f"{TEXT}\n{LINE}".replace("\n", "\r\n").encode(),
        f"a\tb\n\n{LINE}".encode(),
        f"a\x00\n\n{LINE}".encode(),
        f"{TEXT}\n{LINE * 101}".encode(),
        b"\xff" + NOTE,
        b"x" * 70_000 + NOTE,
    ],
)
def test_what_only_looks_like_a_note_is_refused(note: bytes) -> None:
    with pytest.raises(MalformedNote):
        open_note(note, [KEY.verifier])


def test_the_text_ends_at_the_last_empty_line() -> None:
    for text in ("a\n\nb\n", "a\n\n", "\n", "\n\n\n", f"a\n\n{LINE}"):
        assert open_note(sign_note(text, KEY), [KEY.verifier])[0] == text


@pytest.mark.parametrize("text", ["", "a", "a\r\n", "a\x00\n", "\ud800\n"])
def test_a_text_that_no_note_can_have_is_not_signed(text: str) -> None:
    with pytest.raises(MalformedNote):
        sign_note(text, KEY)


def test_a_stranger_beside_the_log_is_ignored_and_alone_is_not_enough() -> None:
    stranger = signing_key("stranger", "stranger.example")
    both = sign_note(TEXT, stranger, KEY)
    assert [each.key for each in open_note(both, [KEY.verifier])[1]] == [KEY.verifier]
    with pytest.raises(NotSigned, match=OPERATOR):
        open_note(sign_note(TEXT, stranger), [KEY.verifier])
    with pytest.raises(NotSigned):
        open_note(sign_note(TEXT, signing_key("another", OPERATOR)), [KEY.verifier])


def test_a_known_key_with_a_bad_signature_spoils_the_note() -> None:
    other = LINE.encode()
    for wrong in (sign_note("another\n", KEY).replace(b"another\n", TEXT.encode()), NOTE.replace(b"\n3\n", b"\n4\n")):
        with pytest.raises(BadSignature):
            open_note(wrong, [KEY.verifier])
        with pytest.raises(BadSignature):
            open_note(wrong + other, [KEY.verifier])


def test_every_bit_of_a_note_counts() -> None:
    for at in range(len(NOTE) * 8):
        wrong = bytearray(NOTE)
        wrong[at // 8] ^= 1 << at % 8
        with pytest.raises(NoteError):
            open_note(bytes(wrong), [KEY.verifier])


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=120))
def test_any_bytes_are_a_note_or_are_refused(note: bytes) -> None:
    with pytest.raises(NoteError):
        open_note(note, [KEY.verifier])


def test_every_piece_of_a_key_is_no_key() -> None:
    text = str(KEY.verifier)
    for begin in range(len(text)):
        for end in range(begin + 1, len(text) + 1):
            if (begin, end) != (0, len(text)):
                with pytest.raises(MalformedKey):
                    VerifierKey.parse(text[begin:end])
    for at, letter in enumerate(text):
        with pytest.raises(MalformedKey):
            VerifierKey.parse(text[:at] + chr(ord(letter) + 1) + text[at + 1 :])


@pytest.mark.parametrize("secret", ["", GO_KEY, GO_SECRET[:-1], GO_SECRET.replace("c74f", "c74e"), GO_SECRET + "="])
def test_a_private_key_that_is_none_is_refused_without_being_told(secret: str) -> None:
    with pytest.raises(MalformedKey) as refused:
        SigningKey.parse(secret)
    assert "AYEKFALV" not in str(refused.value)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\nb", "a\x00b"])
def test_a_name_that_no_key_can_have_is_refused(name: str) -> None:
    with pytest.raises(MalformedKey):
        signing_key("x", name)


def test_a_witness_says_when_and_a_log_does_not() -> None:
    with pytest.raises(ValueError, match="a witness signs at a time"):
        KEY.sign(TEXT, 5)
    with pytest.raises(ValueError, match="a witness signs at a time"):
        WITNESSES[0].sign(TEXT)
    with pytest.raises(ValueError, match="a witness signs at a time"):
        WITNESSES[0].sign(TEXT, 2**63)


def test_the_time_of_a_witness_is_signed_too() -> None:
    seen = cosign(NOTE, WITNESSES[0], 1_772_366_400)
    assert open_note(seen, [WITNESSES[0].verifier])[1][0].seconds == 1_772_366_400
    line = Note.parse(seen).signatures[1]
    for stamp in ((1_772_366_401).to_bytes(8, "big"), b"\xff" * 8, b""):
        later = line._replace(signature=stamp + line.signature[8:])
        with pytest.raises(BadSignature):
            open_note(bytes(Note(TEXT, (later,))), [WITNESSES[0].verifier])


def test_as_many_witnesses_as_are_asked_for() -> None:
    note, known = NOTE, [each.verifier for each in WITNESSES]
    for number, witness in enumerate(WITNESSES):
        open_checkpoint(note, f"{OPERATOR}/a", KEY.verifier, known, number)
        with pytest.raises(TooFewWitnesses, match=f"{number} witnesses have signed, {number + 1}"):
            open_checkpoint(note, f"{OPERATOR}/a", KEY.verifier, known, number + 1)
        note = cosign(cosign(note, witness, 5), witness, 6)


def test_witnesses_do_not_stand_in_for_the_log() -> None:
    note = bytes(Note(TEXT, tuple(each.sign(TEXT, 5) for each in WITNESSES)))
    with pytest.raises(NotSigned):
        open_checkpoint(note, f"{OPERATOR}/a", KEY.verifier, [each.verifier for each in WITNESSES], 1)


ROOT = "A" * 43 + "="


@pytest.mark.parametrize(
    "text",
    [
        "a\n1\n",
        f"a\n1\n{ROOT}",
        f"\n1\n{ROOT}\n",
        f"a\n\n{ROOT}\n",
        f"a\n1\n{ROOT}\n\n",
        f"a\n1\n{ROOT}\n\nb\n",
        f"a\n01\n{ROOT}\n",
        f"a\n+1\n{ROOT}\n",
        f"a\n-1\n{ROOT}\n",
        f"a\n1.0\n{ROOT}\n",
        f"a\n\u0661\n{ROOT}\n",
        f"a\n 1\n{ROOT}\n",
        f"a\n9223372036854775808\n{ROOT}\n",
        f"a\n{'9' * 5_000}\n{ROOT}\n",
        f"a\n0\n{ROOT}\n",
        f"a\n1\n{ROOT[:-1]}\n",
        f"a\n1\n{'A' * 42}B=\n",
        "a\n1\nAAAA\n",
        f"a\n1\n {ROOT}\n",
    ],
)
def test_a_text_that_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(BadCheckpoint):
        Checkpoint.parse(text)


def test_lines_that_extend_a_checkpoint_are_kept() -> None:
    text = f"a\n9223372036854775807\n{ROOT}\nmore\nand more\n"
    assert str(Checkpoint.parse(text)) == text
    assert Checkpoint.parse(text).extensions == ("more", "and more")


def test_a_checkpoint_of_one_log_never_passes_for_that_of_another() -> None:
    note = sign_checkpoint(Checkpoint(log_origin(OPERATOR, LogName("a")), 1, bytes(32)), KEY)
    open_checkpoint(note, f"{OPERATOR}/a", KEY.verifier)
    for log in ("b", "A", "a/", "../a", "registry", ""):
        with pytest.raises(BadCheckpoint, match="not of"):
            open_checkpoint(note, log_origin(OPERATOR, LogName(log)), KEY.verifier)


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.text(st.characters(exclude_categories=["Cs"])))
def test_two_logs_have_two_origins_of_one_line_each(one: str, other: str) -> None:
    origins = {log_origin(OPERATOR, LogName(each)) for each in (one, other)} | {registry_origin(OPERATOR)}
    assert len(origins) == len({one, other}) + 1
    assert all(origin.isascii() and origin.isprintable() and " " not in origin for origin in origins)
