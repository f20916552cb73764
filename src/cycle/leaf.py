"""The leaf: the canonical bytes of an event, and the hash that the proofs stand on.

RFC 8785 canonical JSON; ASCII keys; no floats and no nulls; integers within ±(2^53 - 1); strings
in NFC without NUL or lone surrogates; at most 65,535 bytes. Source: RFC 8785, RFC 6962 (2.1).
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from hashlib import sha256

import msgspec

from cycle.failures import Failure

MAX_LEAF_BYTES = 65_535
MAX_SAFE_INTEGER = 2**53 - 1

_encoder = msgspec.json.Encoder(order="sorted")


class LeafError(Failure, ValueError):
    """Bytes that cannot be a leaf, with the reason."""

    kind = "leaf"


def canonical(value: object) -> bytes:
    """Canonical JSON of a value made of structs, mappings with ASCII keys, strings, integers.

    Raises:
        LeafError: when a string cannot be written as UTF-8.
    """
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError as error:
        raise LeafError("half-surrogate") from error


def rfc3339(moment: datetime) -> str:
    """A moment in UTC, always with microseconds and ``Z``: 27 characters, which sort as moments do."""
    text: str = msgspec.to_builtins(moment if moment.tzinfo is UTC else moment.astimezone(UTC))
    return text if len(text) == 27 else f"{text[:19]}.000000Z"


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256(0x00 ‖ leaf), 32 bytes. Source: RFC 6962, section 2.1."""
    return sha256(b"\x00" + leaf).digest()


def check_leaf(leaf: bytes) -> None:
    """Accept the canonical bytes of one JSON object, and nothing else.

    Raises:
        LeafError: says what is wrong and where.
    """
    check_size(leaf)
    try:
        value = msgspec.json.decode(leaf)
        if not isinstance(value, dict):
            raise LeafError("not-an-object")
        _check(value, "$")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _not_json(error) from error
    except RecursionError as error:
        raise LeafError("nested-too-deeply") from error
    if canonical(value) != leaf:
        raise LeafError("not-canonical")


def _not_json(error: Exception) -> LeafError:
    place = re.search(r"\(byte (\d+)\)", str(error))
    return LeafError("not-json-at", byte=place[1]) if place else LeafError("not-json")


def check_size(leaf: bytes) -> None:
    """Raises:
    LeafError: when the leaf is longer than 65,535 bytes.
    """
    if len(leaf) > MAX_LEAF_BYTES:
        raise LeafError("too-long", bytes=str(len(leaf)), most=str(MAX_LEAF_BYTES))


def check_texts(leaf: bytes) -> None:
    """What the encoder leaves open of a leaf it has just written: NUL and Unicode normal form.

    Raises:
        LeafError: says which text.
    """
    # A quotation mark composes with nothing, so the whole text is in NFC when each string in it is.
    plain = leaf.isascii() or unicodedata.is_normalized("NFC", leaf.decode())
    if not plain or b"\\u0000" in leaf:
        _check(msgspec.json.decode(leaf), "$")


def _check(value: object, path: str) -> None:
    match value:
        case str():
            if "\x00" in value:
                raise LeafError("nul", where=path)
            if not unicodedata.is_normalized("NFC", value):
                raise LeafError("not-nfc", where=path)
        case bool():
            pass
        case int():
            if abs(value) > MAX_SAFE_INTEGER:
                raise LeafError("too-large", where=path, value=str(value))
        case dict():
            for key, item in value.items():
                if not key.isascii():
                    raise LeafError("key-not-ascii", where=path, key=key)
                _check(key, path)
                _check(item, f"{path}.{key}")
        case list():
            for index, item in enumerate(value):
                _check(item, f"{path}[{index}]")
        case None:
            raise LeafError("null", where=path)
        case _:
            raise LeafError("not-allowed", where=path, type=type(value).__name__)
