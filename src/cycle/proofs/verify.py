#!/usr/bin/env python3
"""Checks the bundle of one log, without the program that wrote it.

    python3 verify.py [BUNDLE] [--vkey KEY] [--old CHECKPOINT] [--receipt FILE] [--witness KEY] [--quorum N]
                      [--lang fr|en]

BUNDLE is a folder or a .zip (default: the folder of this file). One file, Python 3.9 or newer, the
standard library; for the signatures the package ``cryptography`` or the command ``openssl``.
Exit 0: everything holds. 1: something was tampered with, and the first wrong index is named where
one is. 2: it cannot be checked. What is checked, and what it proves: docs/proofs.md of cycle.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cache, lru_cache
from hashlib import sha256
from typing import IO, Any, NamedTuple, NoReturn
from urllib.parse import quote

MAX_LEAF_BYTES = 65_535
MAX_INTEGER = 2**53 - 1
MAX_SMALL_FILE = 4_000_000
MAX_DISCLOSURE_LINE = 200_000
MAX_FILES = 5_000
BLOCK = 1 << 20
FILES = (
    "README.txt",
    "checkpoint",
    "disclosures.jsonl",
    "leaf-hashes",
    "leaves.jsonl",
    "registry-proof",
    "verifier-key",
    "verify.py",
)
DAMAGE = (OSError, ValueError, EOFError, RuntimeError, struct.error, zlib.error, zipfile.BadZipFile)
"""How a file or an archive says that it cannot be read."""
STREAMED = ("disclosures.jsonl", "leaf-hashes", "leaves.jsonl")
ENVELOPE = {
    "by": dict,
    "causation": str,
    "command": str,
    "correlation": str,
    "data": dict,
    "id": str,
    "log": str,
    "occurred_on": str,
    "recorded_at": str,
    "schema": int,
    "sealed": list,
    "stream": str,
    "type": str,
    "version": int,
}
KEYS, KINDS = tuple(ENVELOPE), tuple(ENVELOPE.values())
PLAIN_KEYS = tuple(name for name in ENVELOPE if name != "sealed")
PLAIN_KINDS = tuple(ENVELOPE[name] for name in PLAIN_KEYS)

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}").fullmatch
TYPE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*").fullmatch
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch
TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{6}Z").fullmatch
DIGEST = re.compile(r"[A-Za-z0-9_-]{43}").fullmatch
HEX = re.compile(r"[0-9a-f]{64}").fullmatch
SIZE = re.compile(r"0|[1-9][0-9]{0,18}").fullmatch
NAME = re.compile(r"(schemas/)?[A-Za-z0-9][A-Za-z0-9._-]{0,200}").fullmatch

SAID: dict[str, tuple[str, str]] = {
    "holds": (
        "Holds: log {log}, {size} events, sealed at {as_of}, root {root}",
        "Conforme : journal {log}, {size} événements, scellé à {as_of}, racine {root}",
    ),
    "own-key": (
        "The key came with the bundle: compare {key} with what the operator published elsewhere",
        "La clé vient du lot lui-même : comparez {key} avec ce que l'exploitant publie ailleurs",
    ),
    "no-old": (
        "No earlier checkpoint was given: keep this one, and give it next time with --old",
        "Aucun point de contrôle antérieur : gardez celui-ci et donnez-le la prochaine fois avec --old",
    ),
    "old-holds": (
        "The first {size} events are those of the checkpoint that you kept",
        "Les {size} premiers événements sont ceux du point de contrôle que vous aviez gardé",
    ),
    "openings-hold": (
        "Openings of personal data that are those of their events: {count}",
        "Ouvertures de données personnelles conformes à leurs événements : {count}",
    ),
    "receipt-holds": (
        "Events of the receipt that stand where it says: {count}",
        "Événements du reçu qui se trouvent là où il le dit : {count}",
    ),
    "bad-receipt": (
        "the file given with --receipt is no signed receipt",
        "le fichier donné avec --receipt n'est pas un reçu signé",
    ),
    "receipt-other": (
        "the receipt names no event of the log {what}",
        "le reçu ne cite aucun événement du journal {what}",
    ),
    "receipt-later": (
        "the receipt is not older than this bundle, which ends before it: check it against a later one",
        "le reçu n'est pas plus ancien que ce lot, qui s'arrête avant lui : vérifiez-le avec un lot plus récent",
    ),
    "receipt-gone": (
        "a receipt signed at {when} names an event here, and the log was sealed later without it: keep both",
        "un reçu signé à {when} cite ici un événement, et le journal a été scellé plus tard sans lui : gardez les deux",
    ),
    "receipt-differs": (
        "the receipt names another event here: keep both, they are evidence",
        "le reçu cite ici un autre événement : gardez les deux, ce sont des preuves",
    ),
    "tampered": ("Does not hold: {why}", "Non conforme : {why}"),
    "tampered-at": (
        "Does not hold, first wrong index {index}: {why}",
        "Non conforme, premier indice faux {index} : {why}",
    ),
    "unusable": ("Cannot be checked: {why}", "Vérification impossible : {why}"),
    "no-bundle": (
        "{what} is no bundle: a folder or .zip with a manifest.json",
        "{what} n'est pas un lot : un dossier ou un .zip avec manifest.json",
    ),
    "unreadable": ("{what} cannot be read", "{what} ne peut pas être lu"),
    "newer": (
        "the bundle has form {what}: take the verify.py of another release",
        "le lot a la forme {what} : prenez le verify.py d'une autre version",
    ),
    "no-crypto": ("install the package cryptography, or OpenSSL 3", "installez le paquet cryptography, ou OpenSSL 3"),
    "bad-vkey": ("{what} is no key (name+hash+base64)", "{what} n'est pas une clé (nom+empreinte+base64)"),
    "bad-old": (
        "the file given with --old is no checkpoint",
        "le fichier donné avec --old n'est pas un point de contrôle",
    ),
    "old-empty": (
        "the checkpoint of an empty log proves nothing: give a later one with --old",
        "le point de contrôle d'un journal vide ne prouve rien : donnez-en un plus récent avec --old",
    ),
    "bad-name": (
        "a file named {what} has no place in a bundle",
        "un fichier nommé {what} n'a pas sa place dans un lot",
    ),
    "twice": ("the file {what} comes twice", "le fichier {what} figure deux fois"),
    "missing": ("the file {what} is missing", "le fichier {what} manque"),
    "extra": ("the file {what} is not in the manifest", "le fichier {what} n'est pas dans le manifeste"),
    "too-large": ("the file {what} is too large for what it is", "le fichier {what} est trop grand pour ce qu'il est"),
    "damaged": ("the file {what} is damaged", "le fichier {what} est endommagé"),
    "manifest": ("manifest.json is not what a manifest is", "manifest.json n'est pas un manifeste"),
    "file-digest": (
        "the file {what} is not the one of the manifest",
        "le fichier {what} n'est pas celui du manifeste",
    ),
    "another-key": ("the bundle is signed under another key: {what}", "le lot est signé sous une autre clé : {what}"),
    "note": ("{what} is no signed checkpoint", "{what} n'est pas un point de contrôle signé"),
    "unsigned": ("{what} is not signed by {key}", "{what} n'est pas signé par {key}"),
    "signature": ("the signature on {what} does not hold", "la signature de {what} est fausse"),
    "witnesses": (
        "{seen} of the given witnesses have signed, {quorum} are asked for",
        "{seen} des témoins donnés ont signé, {quorum} sont demandés",
    ),
    "origin": ("{what} is of {found}, not of {expected}", "{what} est de {found}, non de {expected}"),
    "size": (
        "the manifest says {manifest} events, the checkpoint {checkpoint}",
        "le manifeste dit {manifest} événements, le point de contrôle {checkpoint}",
    ),
    "as-of": (
        "the manifest does not give the time at which the log was sealed",
        "le manifeste ne donne pas l'heure à laquelle le journal a été scellé",
    ),
    "registry-form": ("registry-proof is no proof", "registry-proof n'est pas une preuve"),
    "registry-head": (
        "registry-proof speaks of another head than the checkpoint",
        "registry-proof parle d'une autre tête que le point de contrôle",
    ),
    "registry-path": (
        "registry-proof does not lead to the registry's root",
        "registry-proof ne mène pas à la racine du registre",
    ),
    "shrunk": (
        "the checkpoint that you kept has {old} events, the bundle {size}: events were taken away",
        "votre point de contrôle compte {old} événements, le lot {size} : des événements ont disparu",
    ),
    "rewritten": (
        "the first {old} events are not those of the checkpoint that you kept: one of them was changed",
        "les {old} premiers événements ne sont pas ceux de votre point de contrôle : l'un d'eux a changé",
    ),
    "differs": ("the event is not the one that was sealed", "l'événement n'est pas celui qui a été scellé"),
    "fewer": ("the events end here, {size} were sealed", "les événements s'arrêtent ici, {size} étaient scellés"),
    "more": ("more events than the {size} that were sealed", "plus d'événements que les {size} scellés"),
    "root": (
        "the events do not lead to the signed root; which one is wrong cannot be told, leaf-hashes is not theirs",
        "les événements ne mènent pas à la racine signée ; leaf-hashes n'étant pas le leur, on ne peut dire lequel",
    ),
    "hashes": (
        "leaf-hashes was changed; the events are those that were sealed",
        "leaf-hashes a été modifié ; les événements sont ceux qui ont été scellés",
    ),
    "cut": ("the last line has no newline", "la dernière ligne n'a pas de fin de ligne"),
    "long": ("longer than 65,535 bytes", "plus de 65 535 octets"),
    "bom": ("begins with a byte order mark", "commence par une marque d'ordre des octets"),
    "cr": ("the line ends with a carriage return", "la ligne se termine par un retour chariot"),
    "utf8": ("not UTF-8", "n'est pas de l'UTF-8"),
    "json": ("not a JSON object", "n'est pas un objet JSON"),
    "duplicate": ("the key {what} comes twice", "la clé {what} figure deux fois"),
    "order": ("the keys are not in their order", "les clés ne sont pas dans l'ordre"),
    "form": (
        "not the canonical form of its value (RFC 8785)",
        "n'est pas la forme canonique de sa valeur (RFC 8785)",
    ),
    "number": ("the number {what} may not stand in a leaf", "le nombre {what} n'a pas sa place dans une feuille"),
    "null": ("null may not stand in a leaf", "null n'a pas sa place dans une feuille"),
    "nul": ("a text holds a NUL character", "un texte contient un caractère NUL"),
    "nfc": ("a text is not in Unicode normal form C", "un texte n'est pas en forme normale C d'Unicode"),
    "key": ("the key {what} is not ASCII", "la clé {what} n'est pas en ASCII"),
    "deep": ("nested too deeply", "imbrication trop profonde"),
    "keys": ("the keys of an event are not these: {what}", "les clés d'un événement ne sont pas celles-ci : {what}"),
    "field": ("{what} is not what it must be", "{what} n'est pas ce qu'il doit être"),
    "log": ("an event of the log {what}", "un événement du journal {what}"),
    "version": (
        "{stream} has version {version} where {expected} follows",
        "{stream} a la version {version} au lieu de {expected}",
    ),
    "earlier": ("recorded before the event above it", "enregistré avant l'événement qui le précède"),
    "disclosure": (
        "disclosures.jsonl, line {line}: not in the form that it must have",
        "disclosures.jsonl, ligne {line} : n'a pas la forme voulue",
    ),
    "opens-nothing": (
        "disclosures.jsonl, line {line}: opens nothing that the event seals",
        "disclosures.jsonl, ligne {line} : n'ouvre rien de ce que l'événement scelle",
    ),
    "no-leaf": (
        "disclosures.jsonl, line {line}: there is no such event",
        "disclosures.jsonl, ligne {line} : il n'y a pas cet événement",
    ),
}


class Verdict(Exception):  # noqa: N818
    """Why a bundle does not hold, or cannot be checked: a code of ``SAID`` and its values."""

    exit = 1

    def __init__(self, code: str, index: int | None = None, **values: object) -> None:
        super().__init__(code, index, values)
        self.code, self.index, self.values = code, index, values

    def told(self, language: str) -> str:
        why = say(self.code, language, **self.values)
        if self.exit == 2:
            return say("unusable", language, why=why)
        return say("tampered" if self.index is None else "tampered-at", language, why=why, index=self.index)


class Tampered(Verdict):
    """Something is not what was sealed; ``index`` is the first that is wrong, where one is."""


class Unusable(Verdict):
    """There is nothing that could hold or not hold."""

    exit = 2


class Wrong(Exception):  # noqa: N818
    """A leaf that cannot be one; whoever knows its index says so."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code, values)
        self.code, self.values = code, values


def say(code: str, language: str, **values: object) -> str:
    return SAID[code][language == "fr"].format(**{k: shown(v) for k, v in values.items()})


def shown(value: object) -> str:
    """Of what somebody else wrote nothing reaches a terminal that could steer it."""
    return "".join(c if c.isprintable() else "\ufffd" for c in str(value)[:200])


class Key(NamedTuple):
    """A verifier key: ``name+hash+base64(algorithm ‖ public key)``."""

    name: str
    hash: bytes
    algorithm: int
    public: bytes


class Head(NamedTuple):
    """What a checkpoint says."""

    origin: str
    size: int
    root: bytes


class Note(NamedTuple):
    """A signed note: its text, and (name, key hash, signature) of each line below it."""

    text: str
    signatures: list[tuple[str, bytes, bytes]]


class Tree:
    """An RFC 6962 tree that only grows."""

    def __init__(self) -> None:
        self.size = 0
        self.peaks: list[bytes] = []

    def extend(self, hashes: Sequence[bytes]) -> None:
        peaks, size = self.peaks, self.size
        for peak in hashes:
            below = size
            while below & 1:
                peak = sha256(b"\x01" + peaks.pop() + peak).digest()  # noqa: PLW2901
                below >>= 1
            peaks.append(peak)
            size += 1
        self.size = size

    def root(self) -> bytes:
        if not self.peaks:
            return sha256().digest()
        root = self.peaks[-1]
        for peak in self.peaks[-2::-1]:
            root = sha256(b"\x01" + peak + root).digest()
        return root


def unbase64(text: str, urlsafe: bool = False) -> bytes:
    """Base64 in the one form in which it is encoded; base64url has no padding.

    Raises:
        ValueError: it is none.
    """
    padded = text + "=" * (-len(text) % 4) if urlsafe else text
    raw = base64.b64decode(padded.encode("ascii"), altchars=b"-_" if urlsafe else None, validate=True)
    again = base64.urlsafe_b64encode(raw).rstrip(b"=") if urlsafe else base64.b64encode(raw)
    if again.decode() != text:
        raise ValueError("another form")
    return raw


def key_of(text: str) -> Key:
    """Raises:
    ValueError: the text is no verifier key.
    """
    name, key_hash, encoded = text.split("+", 2)
    raw = unbase64(encoded)
    expected = sha256(name.encode() + b"\n" + raw).digest()[:4]
    if not name or any(c.isspace() for c in name) or len(raw) != 33 or raw[0] not in (1, 4):
        raise ValueError("no key")
    if key_hash != expected.hex():
        raise ValueError("not the hash of this key")
    return Key(name, expected, raw[0], raw[1:])


def note_of(raw: bytes) -> Note:
    """Raises:
    ValueError: the bytes are no signed note.
    """
    whole = raw.decode()
    split = whole.rfind("\n\n")
    if split < 0 or not whole.endswith("\n") or any(c < " " and c != "\n" for c in whole):
        raise ValueError("no note")
    signatures = []
    for line in whole[split + 2 : -1].split("\n"):
        dash, name, encoded = line.split(" ", 2)
        signature = unbase64(encoded)
        if dash != "\u2014" or not name or "+" in name or any(c.isspace() for c in name) or len(signature) < 5:
            raise ValueError("no line of a signature")
        signatures.append((name, signature[:4], signature[4:]))
    if len(signatures) > 100:
        raise ValueError("too many signatures")
    return Note(whole[: split + 1], signatures)


def head_of(text: str) -> Head:
    """Raises:
    ValueError: the text of a note is no checkpoint.
    """
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop() or not all(lines) or not SIZE(lines[1]):
        raise ValueError("no checkpoint")
    head = Head(lines[0], int(lines[1]), unbase64(lines[2]))
    if len(head.root) != 32 or (head.size == 0 and head.root != Tree().root()):
        raise ValueError("no root")
    return head


def signed_head(raw: bytes, what: str, key: Key, witnesses: Sequence[Key] = (), quorum: int = 0) -> Head:
    """The head in a note that the key has signed, and as many of the witnesses as are asked for."""
    try:
        note = note_of(raw)
        head = head_of(note.text)
    except ValueError:
        raise Tampered("note", what=what) from None
    known = {(each.name, each.hash): each for each in (key, *witnesses)}
    signers = set()
    for name, key_hash, signature in note.signatures:
        signer = known.get((name, key_hash))
        if signer:
            if not is_signed(signer, note.text, signature):
                raise Tampered("signature", what=what)
            signers.add(signer)
    if key not in signers:
        raise Tampered("unsigned", what=what, key=key.name)
    seen = len({each.public for each in signers.intersection(witnesses)})
    if seen < quorum:
        raise Tampered("witnesses", seen=seen, quorum=quorum)
    return head


def is_signed(key: Key, text: str, signature: bytes) -> bool:
    message = text.encode()
    if key.algorithm == 4:
        seconds = int.from_bytes(signature[:8], "big")
        message, signature = b"cosignature/v1\ntime %d\n" % seconds + message, signature[8:]
    return len(signature) == 64 and ed25519(key.public, message, signature)


def ed25519(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signature holds, says ``cryptography``, or else ``openssl``."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        return openssl_works() and openssl(public, message, signature)
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@cache
def openssl_works() -> bool:
    """Whether this ``openssl`` knows a signature that holds (RFC 8032, 7.1, test 2) from one that does not."""
    public = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    if not openssl(public, b"\x72", signature) or openssl(public, b"\x73", signature):
        raise Unusable("no-crypto")
    return True


def openssl(public: bytes, message: bytes, signature: bytes) -> bool:
    command = shutil.which("openssl")
    if not command:
        raise Unusable("no-crypto")
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        der = bytes.fromhex("302a300506032b6570032100") + public
        for name, content in (("key", der), ("message", message), ("signature", signature)):
            paths.append(os.path.join(folder, name))
            with open(paths[-1], "wb") as file:
                file.write(content)
        options = ["-pubin", "-keyform", "DER", "-inkey", paths[0], "-rawin", "-in", paths[1], "-sigfile", paths[2]]
        ran = subprocess.run([command, "pkeyutl", "-verify", *options], stdout=-3, stderr=-3, check=False)
    return ran.returncode == 0


def includes(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether a proof leads from the leaf at this index to the root. Source: RFC 9162, 2.1.3.2."""
    if index >= size:
        return False
    found, inner, last = sha256(b"\x00" + leaf).digest(), index, size - 1
    for beside in proof:
        if last == 0 or len(beside) != 32:
            return False
        if inner & 1 or inner == last:
            found = sha256(b"\x01" + beside + found).digest()
            while inner and not inner & 1:
                inner, last = inner >> 1, last >> 1
        else:
            found = sha256(b"\x01" + found + beside).digest()
        inner, last = inner >> 1, last >> 1
    return last == 0 and found == root


def refuse(number: str) -> NoReturn:
    raise Wrong("number", what=number)


@lru_cache(maxsize=10_000)
def integer(digits: str) -> int:
    if len(digits) > 17 or abs(int(digits)) > MAX_INTEGER:
        refuse(digits)
    return int(digits)


decode = json.JSONDecoder(parse_float=refuse, parse_constant=refuse, parse_int=integer).raw_decode
encode = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False, allow_nan=False
).encode


def leaf_value(line: bytes) -> object:
    """The value of bytes that are its canonical form (RFC 8785), and nothing that no leaf may hold.

    Keys are looked at by ``check_keys``, where any can stand.

    Python's encoder writes the texts and integers of a leaf as RFC 8785 does, so that a line that
    comes back as it was has one form only: a key that comes twice, a needless escape, a space or
    another order of keys would not come back.

    Raises:
        Wrong: says what it holds.
    """
    try:
        text = line.decode()
        value, _ = decode(text)
        if encode(value) != text:
            not_canonical(line, text)
        # A quotation mark composes with nothing: the line is in NFC when each of its texts is.
        is_plain = line.isascii() or unicodedata.is_normalized("NFC", text)
        if not is_plain or "null" in text or "\\u0000" in text:
            look_through(value)
    except UnicodeDecodeError:
        raise Wrong("utf8") from None
    except RecursionError:
        raise Wrong("deep") from None
    except ValueError:
        not_canonical(line, "")
        raise Wrong("json") from None
    return value


def not_canonical(line: bytes, text: str) -> None:
    """Say why a line is not the canonical form of its value."""
    if line.startswith(b"\xef\xbb\xbf"):
        raise Wrong("bom")
    if line.endswith(b"\r"):
        raise Wrong("cr")
    if text:
        value = json.loads(text, object_pairs_hook=pairs)
        raise Wrong("order" if json.dumps(value, ensure_ascii=False, separators=(",", ":")) == text else "form")


def pairs(items: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in items:
        if key in found:
            raise Wrong("duplicate", what=key)
        found[key] = value
    return found


def look_through(value: object) -> None:
    """Look at each text and value of a line on which the quick look saw something."""
    if value is None:
        raise Wrong("null")
    if isinstance(value, str):
        if "\x00" in value:
            raise Wrong("nul")
        if not unicodedata.is_normalized("NFC", value):
            raise Wrong("nfc")
    elif isinstance(value, dict):
        for key, item in value.items():
            look_through(key)
            look_through(item)
    elif isinstance(value, list):
        for item in value:
            look_through(item)


def check_keys(value: object) -> None:
    """That every key is ASCII; of a leaf all but those in ``data`` are known.

    Raises:
        Wrong: names one that is not.
    """
    if type(value) is dict:
        for key, item in value.items():
            if not key.isascii():
                raise Wrong("key", what=key)
            if type(item) is dict or type(item) is list:
                check_keys(item)
    elif type(value) is list:
        for item in value:
            if type(item) is dict or type(item) is list:
                check_keys(item)


@lru_cache(maxsize=10_000)
def is_day(text: str) -> bool:
    try:
        return bool(DAY(text) and date.fromisoformat(text))
    except ValueError:
        return False


class Streams:
    """What the events of one log must be beside one another: log, versions, times of record."""

    def __init__(self, log: str) -> None:
        self.log = log
        self.versions: dict[str, int] = {}
        self.recorded_at = ""
        self.types: set[str] = set()

    def check(self, event: object) -> list[str]:
        """The digests that an event seals.

        Raises:
            Wrong: it has not the envelope of an event, or does not follow those above it.
        """
        if type(event) is not dict:
            raise Wrong("json")
        keys, kinds = tuple(event), tuple(map(type, event.values()))
        is_plain = keys == PLAIN_KEYS
        if not is_plain and keys != KEYS:
            raise Wrong("keys", what=", ".join(sorted(set(PLAIN_KEYS) ^ set(keys) - {"sealed"})))
        if kinds != (PLAIN_KINDS if is_plain else KINDS):
            raise Wrong("field", what=next(name for name in keys if type(event[name]) is not ENVELOPE[name]))
        try:
            check_keys(event["data"])
        except RecursionError:
            raise Wrong("deep") from None
        self._check_fields(event)
        stream, version, log = event["stream"], event["version"], event["log"]
        if log != self.log:
            raise Wrong("log", what=log)
        if event["recorded_at"] < self.recorded_at:
            raise Wrong("earlier")
        expected = self.versions.get(stream, 0) + 1
        if version != expected:
            raise Wrong("version", stream=stream, version=version, expected=expected)
        self.versions[stream], self.recorded_at = version, event["recorded_at"]
        return [] if is_plain else sealed(event["sealed"])

    def _check_fields(self, event: dict[str, Any]) -> None:
        by, kind, time = event["by"], event["type"], event["recorded_at"]
        if tuple(by) not in (("actor", "role"), ("actor", "on_behalf_of", "role")):
            raise Wrong("field", what="by")
        for each in by.values():
            if type(each) is not str:
                raise Wrong("field", what="by")
        if event["schema"] < 1:
            raise Wrong("field", what="schema")
        if kind not in self.types:
            if not TYPE(kind):
                raise Wrong("field", what="type")
            self.types.add(kind)
        if not ID(event["id"]):
            raise Wrong("field", what="id")
        if not is_day(event["occurred_on"]):
            raise Wrong("field", what="occurred_on")
        if time != self.recorded_at and not (TIME(time) and is_day(time[:10])):
            raise Wrong("field", what="recorded_at")


def sealed(digests: object) -> list[str]:
    if type(digests) is not list or not digests:
        raise Wrong("field", what="sealed")
    if not all(type(each) is str and DIGEST(each) for each in digests):
        raise Wrong("field", what="sealed")
    if any(each <= digests[at] for at, each in enumerate(digests[1:])):
        raise Wrong("field", what="sealed")
    return digests


class Bundle:
    """The files of a bundle by their names, whether a folder or a .zip, and their hashes as they are read."""

    def __init__(self, path: str) -> None:
        self.digests: dict[str, str] = {}
        self._folder = path
        self._zip: zipfile.ZipFile | None = None
        try:
            if not os.path.isdir(path):
                self._zip = zipfile.ZipFile(path)
            names = list(folder_names(path) if self._zip is None else zip_names(self._zip))
        except DAMAGE:
            raise Unusable("no-bundle", what=path) from None
        self.names = set(names)
        if "manifest.json" not in self.names:
            raise Unusable("no-bundle", what=path)
        for name in names:
            if not NAME(name) or len(names) > MAX_FILES:
                raise Tampered("bad-name", what=name)
        if len(self.names) < len(names):
            raise Tampered("twice", what=next(name for name in names if names.count(name) > 1))

    def __enter__(self) -> Bundle:
        return self

    def __exit__(self, *_: object) -> None:
        if self._zip is not None:
            self._zip.close()

    def open(self, name: str) -> IO[bytes]:
        if self._zip is None:
            return open(os.path.join(self._folder, *name.split("/")), "rb")
        return self._zip.open(name)

    def blocks(self, name: str) -> Iterator[bytes]:
        """A file as it is read; when it ends, its hash is known.

        Raises:
            Tampered: it is damaged.
        """
        digest = sha256()
        try:
            with self.open(name) as file:
                for block in iter(lambda: file.read(BLOCK), b""):
                    digest.update(block)
                    yield block
        except DAMAGE:
            raise Tampered("damaged", what=name) from None
        self.digests[name] = digest.hexdigest()

    def small(self, name: str) -> bytes:
        """A whole file, which cannot be large.

        Raises:
            Tampered: it is too large for what it is, or damaged.
        """
        whole = b""
        for block in self.blocks(name):
            whole += block
            if len(whole) > MAX_SMALL_FILE:
                raise Tampered("too-large", what=name)
        return whole

    def lines(self, name: str, longest: int) -> Iterator[list[bytes]]:
        """The lines of a file, many at a time.

        Raises:
            Wrong: the line behind those that came is longer than the longest, or has no end.
        """
        rest = b""
        for block in self.blocks(name):
            lines = (rest + block).split(b"\n")
            rest = lines.pop()
            yield lines
            if len(rest) > longest:
                raise Wrong("long")
        if rest:
            raise Wrong("cut")


def folder_names(path: str) -> Iterator[str]:
    """Plain files only: a link could lead to a file that its owner does not mean to show."""
    for folder, folders, files in os.walk(path):
        below = os.path.relpath(folder, path)
        for name in files + [f for f in folders if os.path.islink(os.path.join(folder, f))]:
            if not stat.S_ISREG(os.lstat(os.path.join(folder, name)).st_mode):
                raise Tampered("bad-name", what=name)
            yield name if below == "." else below.replace(os.sep, "/") + "/" + name


def zip_names(archive: zipfile.ZipFile) -> Iterator[str]:
    for info in archive.infolist():
        if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Tampered("damaged", what=info.filename)
        if info.filename != "schemas/" or info.file_size:
            yield info.filename


class Manifest(NamedTuple):
    """What a bundle says of itself; nothing of it is believed that was not signed."""

    log: str
    size: int
    as_of: str
    files: dict[str, str]


def manifest_of(bundle: Bundle) -> Manifest:
    """The manifest, and every file beside it that is small enough to be looked at as a whole."""
    raw = bundle.small("manifest.json")
    try:
        found = leaf_value(raw[:-1])
    except Wrong:
        found = None
    if type(found) is not dict or not raw.endswith(b"\n"):
        raise Tampered("manifest")
    if found.get("v") != 1:
        raise Unusable("newer", what=found.get("v"))
    log, size, as_of, files = (found.get(key) for key in ("log", "size", "as_of", "files"))
    if len(found) != 5 or type(log) is not str or type(size) is not int or type(as_of) is not str:
        raise Tampered("manifest")
    if type(files) is not dict or not all(type(each) is str and HEX(each) for each in files.values()):
        raise Tampered("manifest")
    for name in files:
        if name not in FILES and not (name.startswith("schemas/") and name.endswith(".json") and NAME(name)):
            raise Tampered("bad-name", what=name)
    for name in sorted({*FILES, *files} - bundle.names):
        raise Tampered("missing", what=name)
    for name in sorted(bundle.names - {"manifest.json", *files}):
        raise Tampered("extra", what=name)
    return Manifest(log, size, as_of, files)


def small_files(bundle: Bundle, manifest: Manifest) -> dict[str, bytes]:
    """Every file but the long ones, each with the hash that the manifest gives it."""
    found = {}
    for name in sorted(set(manifest.files).difference(STREAMED)):
        found[name] = bundle.small(name)
        check_digest(bundle, manifest, name)
    return found


def check_digest(bundle: Bundle, manifest: Manifest, name: str) -> None:
    if bundle.digests[name] != manifest.files[name]:
        raise Tampered("file-digest", what=name)


def sealed_at(proof: bytes, key: Key, log: str, head: Head) -> str:
    """When the registry says that a head was sealed, which it proves to hold.

    Raises:
        Tampered: the proof is none, or of another head, or leads elsewhere.
    """
    top, _, note = proof.partition(b"\n\n")
    try:
        kind, extra, index, *path = top.decode().split("\n")
        if kind != "c2sp.org/tlog-proof@v1" or extra[:6] != "extra " or index[:6] != "index " or not SIZE(index[6:]):
            raise ValueError("another form")
        leaf, hashes = unbase64(extra[6:]), [unbase64(each) for each in path]
        found = leaf_value(leaf)
    except (ValueError, Wrong):
        raise Tampered("registry-form") from None
    expected = {"log": log, "root": head.root.hex(), "size": head.size, "v": 1}
    time = found.pop("sealed_at", None) if type(found) is dict else None
    if found != expected or type(time) is not str or not TIME(time) or not is_day(time[:10]):
        raise Tampered("registry-head")
    registry = signed_head(note, "registry-proof", key)
    if registry.origin != key.name:
        raise Tampered("origin", what="registry-proof", found=registry.origin, expected=key.name)
    if not includes(leaf, int(index[6:]), registry.size, hashes, registry.root):
        raise Tampered("registry-path")
    return time


class Disclosed(NamedTuple):
    """A line of disclosures.jsonl: its number, the index that it names, the disclosure."""

    line: int
    leaf: int
    disclosure: str


LAST = Disclosed(0, -1, "")
"""Behind the last line there is none."""


def disclosures(bundle: Bundle) -> Iterator[Disclosed]:
    """What is to be opened, in the order of the leaves.

    Raises:
        Tampered: a line that names no index and disclosure, or not in order.
    """
    number, last = 0, (-1, "")
    try:
        for lines in bundle.lines("disclosures.jsonl", MAX_DISCLOSURE_LINE):
            for line in lines:
                found = leaf_value(line)
                if type(found) is not dict or set(found) != {"disclosure", "index"}:
                    raise Wrong("disclosure")
                index, disclosure = found["index"], found["disclosure"]
                if type(index) is not int or index < 0 or type(disclosure) is not str or (index, disclosure) <= last:
                    raise Wrong("disclosure")
                number, last = number + 1, (index, disclosure)
                yield Disclosed(number, index, disclosure)
    except Wrong:
        raise Tampered("disclosure", line=number + 1) from None


def digest_of(disclosure: str) -> str:
    return base64.urlsafe_b64encode(sha256(disclosure.encode()).digest()).rstrip(b"=").decode()


def name_opened(disclosure: str) -> str:
    """The name of the field that a disclosure opens.

    Raises:
        Wrong, ValueError: it is none, whoever has sealed it.
    """
    opened = leaf_value(unbase64(disclosure, urlsafe=True))
    if type(opened) is not list or len(opened) != 3 or type(opened[0]) is not str or type(opened[1]) is not str:
        raise Wrong("disclosure")
    if len(unbase64(opened[0], urlsafe=True)) != 32:
        raise Wrong("disclosure")
    check_keys(opened[2])
    return opened[1]


class Grown:
    """A tree and, on its way, its root at an earlier size."""

    def __init__(self, earlier: int = 0) -> None:
        self.tree = Tree()
        self.earlier_root = b""
        self._earlier = earlier

    def extend(self, hashes: list[bytes]) -> None:
        behind = self._earlier - self.tree.size
        if 0 < behind <= len(hashes):
            self.tree.extend(hashes[:behind])
            self.earlier_root = self.tree.root()
            hashes = hashes[behind:]
        self.tree.extend(hashes)

    def is_(self, head: Head) -> bool:
        return self.tree.size == head.size and self.tree.root() == head.root


def hashes_of(bundle: Bundle, head: Head, earlier: int) -> tuple[bool, Grown]:
    """Whether leaf-hashes are the hashes that were sealed, and the tree over them."""
    grown, rest = Grown(earlier), b""
    for block in bundle.blocks("leaf-hashes"):
        rest += block
        whole = len(rest) // 32 * 32
        grown.extend([rest[at : at + 32] for at in range(0, whole, 32)])
        rest = rest[whole:]
        if grown.tree.size > head.size:
            return False, grown
    return not rest and grown.is_(head), grown


class Pass:
    """Every leaf once, in order: its form, its place, its hash, its disclosures."""

    def __init__(self, bundle: Bundle, log: str, head: Head, are_sealed: bool) -> None:
        self.grown = Grown()
        self.first_odd: int | None = None
        self._bundle, self._head, self._are_sealed = bundle, head, are_sealed
        self._streams, self._disclosed = Streams(log), disclosures(bundle)
        self._next = next(self._disclosed, LAST)
        self._index = 0
        self.openings = 0

    def run(self) -> None:
        """Raises:
        Tampered: names the first index that is wrong.
        """
        try:
            with self._bundle.open("leaf-hashes") as hashes:
                for lines in self._bundle.lines("leaves.jsonl", MAX_LEAF_BYTES):
                    self._take(lines, hashes.read(32 * len(lines)))
        except Wrong as wrong:
            raise Tampered(wrong.code, self._index, **wrong.values) from None
        except DAMAGE:
            raise Tampered("damaged", what="leaf-hashes") from None
        if self._index < self._head.size:
            raise Tampered("fewer", self._index, size=self._head.size)
        if self._next.line:
            raise Tampered("no-leaf", line=self._next.line)

    def _take(self, lines: list[bytes], hashes: bytes) -> None:
        size, check, start = self._head.size, self._streams.check, self._index
        found: list[bytes] = []
        try:
            for line in lines:
                if self._index >= size:
                    raise Wrong("more", size=size)
                if len(line) > MAX_LEAF_BYTES:
                    raise Wrong("long")
                digests = check(leaf_value(line))
                if self._index == self._next.leaf:
                    self._open(digests)
                found.append(sha256(b"\x00" + line).digest())
                self._index += 1
        finally:
            # Also when a later line is wrong: an earlier one that differs comes first.
            self._compare(start, found, hashes)

    def _compare(self, start: int, found: list[bytes], hashes: bytes) -> None:
        if b"".join(found) != hashes[: 32 * len(found)]:
            odd = start + next(at for at, each in enumerate(found) if hashes[32 * at : 32 * at + 32] != each)
            if self._are_sealed:
                raise Tampered("differs", odd)
            self.first_odd = odd if self.first_odd is None else self.first_odd
        if not self._are_sealed:
            self.grown.extend(found)

    def _open(self, digests: list[str]) -> None:
        names: set[str] = set()
        while self._next.leaf == self._index:
            line, _, disclosure = self._next
            if digest_of(disclosure) not in digests:
                raise Wrong("opens-nothing", line=line)
            try:
                name = name_opened(disclosure)
            except (Wrong, ValueError):
                raise Wrong("disclosure", line=line) from None
            if name in names:
                raise Wrong("disclosure", line=line)
            names.add(name)
            self.openings += 1
            self._next = next(self._disclosed, LAST)


class Receipt(NamedTuple):
    """What the operator signed to have recorded: when, and (origin, index, leaf hash) of each event."""

    signed_at: str
    facts: list[tuple[str, int, bytes]]


def receipt_of(raw: bytes, key: Key) -> Receipt:
    """The receipt in a note that the key has signed.

    Raises:
        Tampered: the signature does not hold.
        Unusable: it is none.
    """
    try:
        note = note_of(raw)
        lines = note.text.split("\n")[:-1]
        if len(lines) < 4 or lines[0] != "cycle receipt v1" or lines[1][:4] != "key " or lines[2][:10] != "signed-at ":
            raise ValueError("no receipt")
        if not TIME(lines[2][10:]) or not is_day(lines[2][10:20]):
            raise ValueError("no time")
        facts = []
        for line in lines[3:]:
            origin, index, digest = line.split(" ")
            if not SIZE(index) or len(unbase64(digest)) != 32:
                raise ValueError("no fact")
            facts.append((origin, int(index), unbase64(digest)))
    except ValueError:
        raise Unusable("bad-receipt") from None
    by_key = [each for each in note.signatures if each[:2] == (key.name, key.hash)]
    if not by_key:
        raise Unusable("unsigned", what="--receipt", key=key.name)
    if not all(is_signed(key, note.text, each[2]) for each in by_key):
        raise Tampered("signature", what="--receipt")
    return Receipt(lines[2][10:], facts)


def check_receipt(bundle: Bundle, receipt: Receipt, log: str, head: Head, as_of: str) -> int:
    """That the events of a receipt stand in a bundle which holds; how many these are.

    Raises:
        Tampered: one does not, and the receipt is evidence.
        Unusable: the bundle is not sealed later than the receipt was signed.
    """
    own = sorted((index, digest) for origin, index, digest in receipt.facts if origin == head.origin)
    if not own:
        raise Unusable("receipt-other", what=log)
    with bundle.open("leaf-hashes") as hashes:
        at = 0
        for index, digest in own:
            if index >= head.size:
                if as_of <= receipt.signed_at:
                    raise Unusable("receipt-later")
                raise Tampered("receipt-gone", index, when=receipt.signed_at)
            while at < index * 32:
                at += len(hashes.read(min(BLOCK, index * 32 - at)))
            found = hashes.read(32)
            at += 32
            if found != digest:
                raise Tampered("receipt-differs", index)
    return len(own)


class Holds(NamedTuple):
    """What was found to hold. ``key`` is the one given, else the bundle's own; ``old_size`` of the kept one.

    ``receipt`` is how many events of the receipt that was given stand where it says, ``openings`` how many
    disclosures open what their events seal.
    """

    log: str
    size: int
    as_of: str
    root: str
    key: str
    is_key_given: bool
    old_size: int | None
    receipt: int | None = None
    openings: int = 0

    def told(self, language: str) -> str:
        lines = [say("holds", language, **self._asdict())]
        if not self.is_key_given:
            lines.append(say("own-key", language, key=self.key))
        old = say("no-old", language) if self.old_size is None else say("old-holds", language, size=self.old_size)
        lines.append(old)
        if self.openings:
            lines.append(say("openings-hold", language, count=self.openings))
        if self.receipt is not None:
            lines.append(say("receipt-holds", language, count=self.receipt))
        return "\n".join(lines)


def check(
    path: str,
    vkey: str | None = None,
    old: bytes | None = None,
    witnesses: Sequence[str] = (),
    quorum: int | None = None,
    receipt: bytes | None = None,
) -> Holds:
    """Check a bundle: against a key, a kept checkpoint, witnesses of whom a number must have signed, a receipt.

    Raises:
        Tampered: something does not hold.
        Unusable: nothing can be said.
    """
    with Bundle(path) as bundle:
        manifest = manifest_of(bundle)
        files = small_files(bundle, manifest)
        key = key_to_trust(files["verifier-key"], vkey)
        others = [given_key(each, 4) for each in witnesses]
        head = signed_head(files["checkpoint"], "checkpoint", key, others, len(others) if quorum is None else quorum)
        check_head(manifest, head, key)
        if sealed_at(files["registry-proof"], key, manifest.log, head) != manifest.as_of:
            raise Tampered("as-of")
        kept = kept_head(old, key, head)
        openings = check_leaves(bundle, manifest.log, head, kept)
        for name in STREAMED:
            check_digest(bundle, manifest, name)
        stand = None
        if receipt is not None:
            stand = check_receipt(bundle, receipt_of(receipt, key), manifest.log, head, manifest.as_of)
    root, text = head.root.hex(), files["verifier-key"].decode().strip()
    return Holds(
        manifest.log,
        head.size,
        manifest.as_of,
        root,
        text,
        vkey is not None,
        kept.size if kept else None,
        stand,
        openings,
    )


def key_to_trust(bundled: bytes, vkey: str | None) -> Key:
    """The key given, which must be the bundle's; else the bundle's own."""
    text = bundled.decode("utf-8", "replace")
    try:
        key = key_of(text[:-1])
        if key.algorithm != 1 or not text.endswith("\n"):
            raise ValueError("no key of a log")
    except ValueError:
        raise Tampered("bad-vkey", what="verifier-key") from None
    if vkey is not None and given_key(vkey, 1) != key:
        raise Tampered("another-key", what=text.strip())
    return key


def given_key(text: str, algorithm: int) -> Key:
    try:
        key = key_of(text.strip())
        if key.algorithm == algorithm:
            return key
    except ValueError:
        pass
    raise Unusable("bad-vkey", what=text)


def check_head(manifest: Manifest, head: Head, key: Key) -> None:
    origin = key.name + "/" + quote(manifest.log, safe="")
    if head.origin != origin:
        raise Tampered("origin", what="checkpoint", found=head.origin, expected=origin)
    if head.size != manifest.size:
        raise Tampered("size", manifest=manifest.size, checkpoint=head.size)


def kept_head(old: bytes | None, key: Key, head: Head) -> Head | None:
    """What the checkpoint says that was kept from before.

    Raises:
        Tampered: the log has shrunk since, or is another.
        Unusable: it is no checkpoint, or one that says nothing.
    """
    if old is None:
        return None
    try:
        head_of(note_of(old).text)
    except ValueError:
        raise Unusable("bad-old") from None
    kept = signed_head(old, "--old", key)
    if kept.origin != head.origin:
        raise Tampered("origin", what="--old", found=kept.origin, expected=head.origin)
    if kept.size == 0:
        raise Unusable("old-empty")
    if kept.size > head.size:
        raise Tampered("shrunk", old=kept.size, size=head.size)
    return kept


def check_leaves(bundle: Bundle, log: str, head: Head, kept: Head | None) -> int:
    """That the leaves are those of the head, and begin with those of the head that was kept; how many openings hold."""
    earlier = kept.size if kept else 0
    are_sealed, grown = hashes_of(bundle, head, earlier)
    if are_sealed and kept and grown.earlier_root != kept.root:
        raise Tampered("rewritten", old=earlier)
    leaves = Pass(bundle, log, head, are_sealed)
    leaves.run()
    if not are_sealed:
        if leaves.grown.is_(head):
            raise Tampered("hashes", leaves.first_odd)
        raise Tampered("root")
    return leaves.openings


def file_given(path: str | None) -> bytes | None:
    if path is None:
        return None
    try:
        with open(path, "rb") as file:
            return file.read(MAX_SMALL_FILE)
    except OSError:
        raise Unusable("unreadable", what=path) from None


def language_of(environment: Mapping[str, str]) -> str:
    said = next((environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "")
    return "fr" if said.lower().startswith("fr") else "en"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="verify.py", description="Check a bundle. Vérifier un lot.")
    parser.add_argument("bundle", nargs="?", default=os.path.dirname(os.path.abspath(__file__)))
    parser.add_argument("--vkey", help="name+hash+base64")
    parser.add_argument("--old", metavar="CHECKPOINT", help="kept from before / gardé d'avant")
    parser.add_argument("--receipt", metavar="FILE", help="signed receipt / reçu signé")
    parser.add_argument("--witness", action="append", default=[], metavar="KEY")
    parser.add_argument("--quorum", type=int, metavar="N")
    parser.add_argument("--lang", choices=("fr", "en"), default=language_of(os.environ))
    given = parser.parse_args(arguments)
    try:
        old, receipt = (file_given(path) for path in (given.old, given.receipt))
        print(check(given.bundle, given.vkey, old, given.witness, given.quorum, receipt).told(given.lang))
    except Verdict as verdict:
        print(verdict.told(given.lang), file=sys.stderr)
        return verdict.exit
    return 0


if __name__ == "__main__":
    # A name that the terminal cannot show must not keep the verdict from it.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    sys.exit(main())
