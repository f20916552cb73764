"""The leaf: the canonical bytes of an event, and the hash that the proofs stand on.

RFC 8785 canonical JSON; ASCII keys; no floats and no nulls; integers within ±(2^53 - 1); strings
in NFC without NUL or lone surrogates; at most 65,535 bytes. Source: RFC 8785, RFC 6962 (2.1).
"""

from __future__ import annotations

import unicodedata
from hashlib import sha256

import msgspec

MAX_LEAF_BYTES = 65_535
MAX_SAFE_INTEGER = 2**53 - 1

_encoder = msgspec.json.Encoder(order="sorted")


class LeafError(ValueError):
    """Bytes that cannot be a leaf, with the reason."""


def canonical(value: object) -> bytes:
    """Canonical JSON of a value made of structs, mappings with ASCII keys, strings, integers.

    Raises:
        LeafError: when a string cannot be written as UTF-8.
    """
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError as error:
        raise LeafError("a text holds half of a surrogate pair: type it again") from error


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
            raise LeafError("not a JSON object")
        _check(value, "$")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise LeafError(f"not JSON: {error}") from error
    except RecursionError as error:
        raise LeafError("nested too deeply") from error
    if canonical(value) != leaf:
        raise LeafError("not the canonical form of its own value (RFC 8785)")


def check_size(leaf: bytes) -> None:
    """Raises:
    LeafError: when the leaf is longer than 65,535 bytes.
    """
    if len(leaf) > MAX_LEAF_BYTES:
        raise LeafError(f"{len(leaf)} bytes, and a leaf holds at most {MAX_LEAF_BYTES}: shorten the texts")


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
                raise LeafError(f"{path}: holds a NUL character")
            if not unicodedata.is_normalized("NFC", value):
                raise LeafError(f"{path}: not in Unicode normal form NFC")
        case bool():
            pass
        case int():
            if abs(value) > MAX_SAFE_INTEGER:
                raise LeafError(f"{path}: {value} is beyond ±(2^53 - 1)")
        case dict():
            for key, item in value.items():
                if not key.isascii():
                    raise LeafError(f"{path}: the key {key!r} is not ASCII")
                _check(key, path)
                _check(item, f"{path}.{key}")
        case list():
            for index, item in enumerate(value):
                _check(item, f"{path}[{index}]")
        case None:
            raise LeafError(f"{path}: null; leave the key out")
        case _:
            raise LeafError(f"{path}: {type(value).__name__} is not allowed; write decimals as strings")
