"""Writes the golden files from the specifications alone: nothing of cycle is imported here.

Trees by the recursive definitions of RFC 6962, 2.1; notes and cosignatures by C2SP's words; leaves by
the standard library's JSON and by hand. Run it again and nothing changes: a test does.
"""

from __future__ import annotations

import base64
import json
import sys
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

HERE = Path(__file__).parent
DOCS = HERE.parents[2] / "docs" / "golden"


def mth(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, 2.1."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962, 2.1.1."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962, 2.1.2."""
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m <= k:
        return [*subproof(m, leaves[:k], whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def trees() -> dict[str, object]:
    leaves = [b"leaf %d" % n for n in range(41)]
    pairs = [(1, 2), (1, 8), (2, 5), (3, 7), (4, 7), (6, 8), (7, 8), (8, 8), (16, 33), (21, 41), (32, 41), (40, 41)]
    return {
        "leaves_hex": [each.hex() for each in leaves],
        "roots": [mth(leaves[:n]).hex() for n in range(len(leaves) + 1)],
        "inclusion": [
            {"index": m, "size": n, "proof": [each.hex() for each in path(m, leaves[:n])]}
            for m, n in [(0, 1), (0, 2), (1, 2), (2, 3), (4, 7), (6, 7), (7, 8), (11, 21), (31, 33), (32, 33), (40, 41)]
        ],
        "consistency": [
            {"old_size": m, "size": n, "proof": [each.hex() for each in subproof(m, leaves[:n], True)]}
            for m, n in pairs
        ],
    }


def key_hash(name: str, kind: int, public: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def notes() -> dict[str, object]:
    """A checkpoint with the signature of its log and the cosignature of a witness."""
    log, witness = (
        Ed25519PrivateKey.from_private_bytes(sha256(seed).digest()) for seed in (b"golden log", b"golden witness")
    )
    name, other = "cycle.example.org", "witness.example.net/w1"
    text = f"{name}/ML-4-01-04\n41\n{b64(mth([b'leaf %d' % n for n in range(41)]))}\n"
    public, seen = log.public_key().public_bytes_raw(), witness.public_key().public_bytes_raw()
    seconds = 1_772_366_400
    stamped = f"cosignature/v1\ntime {seconds}\n{text}".encode()
    lines = [
        f"\u2014 {name} {b64(key_hash(name, 1, public) + log.sign(text.encode()))}\n",
        f"\u2014 {other} {b64(key_hash(other, 4, seen) + seconds.to_bytes(8, 'big') + witness.sign(stamped))}\n",
    ]
    return {
        "text": text,
        "note": text + "\n" + "".join(lines),
        "vkey": f"{name}+{key_hash(name, 1, public).hex()}+{b64(bytes([1]) + public)}",
        "witness": f"{other}+{key_hash(other, 4, seen).hex()}+{b64(bytes([4]) + seen)}",
        "seconds": seconds,
    }


def leaves() -> list[bytes]:
    """Twenty leaves: an event of a plain log, with whatever a leaf may hold."""
    odd: list[dict[str, object]] = [
        {},
        {"title": "Réunion de concertation à Dioro"},
        {"title": 'dit "oui" \\ \u2028 /'},
        {"title": "\b\t\n\f\r\x01\x1f\x7f\x80"},
        {"title": "ߒߞߏ مالي 中 🧑🏿‍🌾 \U0010ffff"},
        {"title": "\n\u0301 é ŋ ɲ"},
        {"amount_xof": 2**53 - 1},
        {"amount_xof": -(2**53) + 1},
        {"amount_xof": 0, "share": "0.75"},
        {"open": True, "paid": False},
        {"members": [], "votes": {}},
        {"members": ["MB-1", "MB-2"], "votes": {"against": 0, "for": 12}},
        {"list": [[1, [2]], {"a": {"b": {"c": "d"}}}]},
        {"A": 1, "Z": 2, "_": 3, "a": 4, "a b": 5, "a-b": 6, "aa": 7},
        {"text": "null, \\u0000, :null, </script>"},
        {"text": "x" * 2000},
        {"attachment": {"bytes": 12, "media": "application/pdf", "sha256": "0" * 64}},
        {"": "", "empty": ""},
    ]
    found = [event(number, data) for number, data in enumerate(odd)]
    salted = json.dumps(
        [base64.urlsafe_b64encode(bytes(32)).rstrip(b"=").decode(), "data.witness", "Awa"], separators=(",", ":")
    )
    opened = base64.urlsafe_b64encode(salted.encode()).rstrip(b"=")
    digest = base64.urlsafe_b64encode(sha256(opened).digest()).rstrip(b"=").decode()
    by = {"actor": "facilitator-01", "on_behalf_of": "organisation-7", "role": "facilitator"}
    found.append(event(18, {"place": "Mairie"}, by=by))
    found.append(event(19, {"place": "Mairie"}, sealed=[digest]))
    return found


def event(number: int, data: dict[str, object], **more: object) -> bytes:
    whole = {
        "by": {"actor": "facilitator-01", "role": "facilitator"},
        "causation": f"key-{number}",
        "command": "open-meeting",
        "correlation": "key-0",
        "data": data,
        "id": f"0185958b-1c00-7000-8000-{number:012}",
        "log": "ML-4-01-04",
        "occurred_on": "2026-02-28",
        "recorded_at": f"2026-03-01T08:00:{number:02}.000000Z",
        "schema": 1,
        "stream": "framework-1",
        "type": "meeting-opened",
        "version": number + 1,
        **more,
    }
    return json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def refused() -> list[tuple[str, bytes]]:
    """What is not a leaf, each for one reason."""
    plain = event(0, {"n": 1, "t": "a"})
    return [
        ("byte order mark", b"\xef\xbb\xbf" + plain),
        ("carriage return", plain + b"\r"),
        ("space", plain.replace(b'"n":1', b'"n": 1')),
        ("key twice", plain.replace(b'"n":1', b'"n":1,"n":1')),
        ("order of keys", plain.replace(b'"n":1,"t":"a"', b'"t":"a","n":1')),
        ("needless escape", plain.replace(b'"t":"a"', b'"t":"\\u0061"')),
        ("escaped slash", plain.replace(b'"t":"a"', b'"t":"\\/"')),
        ("capital escape", plain.replace(b'"t":"a"', b'"t":"\\u001F"')),
        ("long escape", plain.replace(b'"t":"a"', b'"t":"\\u000a"')),
        ("escaped letter beyond ASCII", plain.replace(b'"t":"a"', b'"t":"\\u00e9"')),
        ("half of a surrogate pair", plain.replace(b'"t":"a"', b'"t":"\\ud800"')),
        ("surrogate as UTF-8", plain.replace(b'"t":"a"', b'"t":"\xed\xa0\x80"')),
        ("not UTF-8", plain.replace(b'"t":"a"', b'"t":"\xff"')),
        ("raw control character", plain.replace(b'"t":"a"', b'"t":"\x01"')),
        ("NUL", plain.replace(b'"t":"a"', b'"t":"\\u0000"')),
        ("not NFC", plain.replace(b'"t":"a"', '"t":"e\u0301"'.encode())),
        ("key beyond ASCII", plain.replace(b'"t":', '"\u00e9":'.encode())),
        ("null", plain.replace(b'"n":1', b'"n":null')),
        ("fraction", plain.replace(b'"n":1', b'"n":1.5')),
        ("exponent", plain.replace(b'"n":1', b'"n":1e2')),
        ("negative zero", plain.replace(b'"n":1', b'"n":-0')),
        ("beyond 2^53 - 1", plain.replace(b'"n":1', b'"n":9007199254740992')),
        ("NaN", plain.replace(b'"n":1', b'"n":NaN')),
        ("not an object", b"[" + plain + b"]"),
        ("two values", plain + plain),
        ("too long", event(0, {"t": "x" * 65_535})),
        ("nested too deeply", plain.replace(b'"n":1', b'"n":' + b"[" * 30_000 + b"]" * 30_000)),
    ]


def written() -> dict[Path, bytes]:
    """Every golden file and what is in it."""
    golden = leaves()
    hashes = "".join(f"{sha256(bytes([0]) + each).hexdigest()}\n" for each in golden)
    wrong = [{"base64": b64(raw), "why": why} for why, raw in refused() if len(raw) < 5_000]
    return {
        HERE / "trees.json": json.dumps(trees(), indent=1).encode() + b"\n",
        HERE / "notes.json": json.dumps(notes(), indent=1).encode() + b"\n",
        DOCS / "leaves.jsonl": b"".join(each + b"\n" for each in golden),
        DOCS / "leaf-hashes.txt": hashes.encode(),
        DOCS / "root.txt": mth(golden).hex().encode() + b"\n",
        DOCS / "refused.json": json.dumps(wrong, indent=1).encode() + b"\n",
    }


if __name__ == "__main__":
    for file, content in written().items():
        file.write_bytes(content)
        print(file.name, len(content), file=sys.stderr)
