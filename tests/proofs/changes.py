"""Every way in which a bundle is made wrong for a test.

A change is made by somebody who sets the manifest right behind it or not, who has the operator's key
(``resealed``: an operator who seals what no log may hold) or not, and who meets an auditor with a
checkpoint kept from before or not.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from cycle.aggregates.base import LogName
from cycle.leaf import canonical
from cycle.proofs.disclosure import Opening
from tests.proofs.packing import Files, hashes, listed, packed
from tests.proofs.sealing import LOG, leaf, leaves, sealed, signing_key

SIZE = 24
LEAVES = leaves(SIZE)
HONEST = packed(LEAVES)
ANY = -1
"""No single index is wrong, or none can be told."""


class Changed(NamedTuple):
    """A bundle that is wrong from ``index`` on; ``old`` is a checkpoint that the auditor kept."""

    files: Files
    index: int = ANY
    old: bytes | None = None


def at_line(files: Files, offset: int) -> int:
    return files["leaves.jsonl"].count(b"\n", 0, offset)


def with_leaves(of: list[bytes], chance: Random) -> Files:
    """Other leaves in the same bundle; half of the time with the hashes' manifest set right."""
    files = {**HONEST, "leaves.jsonl": b"".join(each + b"\n" for each in of)}
    return listed(files) if chance.random() < 0.5 else files


def bit_flipped(chance: Random) -> Changed:
    at = chance.randrange(len(HONEST["leaves.jsonl"]))
    files = {**HONEST, "leaves.jsonl": flipped(HONEST["leaves.jsonl"], at, chance)}
    return Changed(listed(files) if chance.random() < 0.5 else files, at_line(HONEST, at))


def flipped(content: bytes, at: int, chance: Random) -> bytes:
    return content[:at] + bytes([content[at] ^ 1 << chance.randrange(8)]) + content[at + 1 :]


def deleted(chance: Random) -> Changed:
    at = chance.randrange(SIZE)
    return Changed(with_leaves(LEAVES[:at] + LEAVES[at + 1 :], chance), at)


def swapped(chance: Random) -> Changed:
    one, other = sorted(chance.sample(range(SIZE), 2))
    of = LEAVES.copy()
    of[one], of[other] = of[other], of[one]
    return Changed(with_leaves(of, chance), one)


def duplicated(chance: Random) -> Changed:
    at = chance.randrange(SIZE)
    return Changed(with_leaves([*LEAVES[: at + 1], LEAVES[at], *LEAVES[at + 1 :]], chance), at + 1)


def inserted(chance: Random) -> Changed:
    at = chance.randrange(SIZE + 1)
    return Changed(with_leaves([*LEAVES[:at], leaf(chance.randrange(1000, 2000)), *LEAVES[at:]], chance), at)


def truncated(chance: Random) -> Changed:
    end = chance.randrange(len(HONEST["leaves.jsonl"]))
    files = {**HONEST, "leaves.jsonl": HONEST["leaves.jsonl"][:end]}
    return Changed(listed(files) if chance.random() < 0.5 else files, at_line(HONEST, end))


def edited(chance: Random) -> Changed:
    at = chance.randrange(SIZE)
    return Changed(with_leaves(changed(at, data={"value": chance.randrange(10**6, 10**9)}), chance), at)


def changed(at: int, **changes: object) -> list[bytes]:
    return [*LEAVES[:at], leaf(at, **changes), *LEAVES[at + 1 :]]  # type: ignore[arg-type]


def edited_with_its_hash(chance: Random) -> Changed:
    """Leaf, hash and manifest fit together: only the signed root does not."""
    of = changed(chance.randrange(SIZE), data={"value": chance.randrange(10**6, 10**9)})
    files = {**HONEST, "leaves.jsonl": b"".join(each + b"\n" for each in of), "leaf-hashes": hashes(of)}
    return Changed(listed(files))


def edited_and_resealed_below_a_kept_checkpoint(chance: Random) -> Changed:
    kept = chance.randrange(1, SIZE + 1)
    of = changed(chance.randrange(kept), data={"value": chance.randrange(10**6, 10**9)})
    return Changed(packed(of), old=sealed(LEAVES[:kept]).checkpoint)


def shortened_and_resealed_below_a_kept_checkpoint(chance: Random) -> Changed:
    kept = chance.randrange(2, SIZE + 1)
    return Changed(packed(LEAVES[: chance.randrange(1, kept)]), old=sealed(LEAVES[:kept]).checkpoint)


def kept_from_another_log(chance: Random) -> Changed:
    log = LogName(f"ML-{chance.randrange(100)}")
    return Changed(HONEST, old=sealed(leaves(chance.randrange(1, SIZE), log), log).checkpoint)


def signed_by_another_key(chance: Random) -> Changed:
    return Changed(packed(LEAVES, key=signing_key(f"thief {chance.random()}")))


def bundle_of_another_log(chance: Random) -> Changed:
    """The checkpoint of a neighbour, under the same key, in the place of the log's own."""
    log = LogName(f"ML-{chance.randrange(100)}")
    other = sealed(LEAVES, log)
    files = {**HONEST, "checkpoint": other.checkpoint}
    if chance.random() < 0.5:
        files["registry-proof"] = other.registry_proof
    return Changed(listed(files))


def checkpoint_of_another_size(chance: Random) -> Changed:
    size = chance.choice([n for n in range(SIZE + 8) if n != SIZE])
    files = {**HONEST, "checkpoint": sealed(leaves(size)).checkpoint}
    return Changed(listed(files, size=size) if chance.random() < 0.5 else listed(files))


def registry_of_another_head(chance: Random) -> Changed:
    proof = sealed(leaves(chance.randrange(SIZE))).registry_proof
    return Changed(listed({**HONEST, "registry-proof": proof}))


def small_file_flipped(chance: Random) -> Changed:
    """In whatever is signed, every bit counts, even where the manifest is set right."""
    name = chance.choice(("checkpoint", "registry-proof", "verifier-key"))
    at = chance.randrange(len(HONEST[name]))
    return Changed(listed({**HONEST, name: flipped(HONEST[name], at, chance)}))


def any_file_flipped(chance: Random) -> Changed:
    name = chance.choice(sorted(HONEST.keys() - {"leaves.jsonl"}))
    at = chance.randrange(len(HONEST[name]))
    return Changed({**HONEST, name: flipped(HONEST[name], at, chance)}, at // 32 if name == "leaf-hashes" else ANY)


def schema_changed(chance: Random) -> Changed:
    name = "schemas/monitoring-recorded.v1.json"
    schema = json.loads(HONEST[name]) | {"title": str(chance.random())}
    return Changed({**HONEST, name: json.dumps(schema).encode()})


def manifest_changed(chance: Random) -> Changed:
    said = json.loads(HONEST["manifest.json"])
    name = chance.choice(sorted(said["files"]))
    wrong: list[dict[str, object]] = [
        {"size": SIZE + chance.randrange(1, 99)},
        {"size": -1},
        {"size": str(SIZE)},
        {"log": f"ML-{chance.randrange(99)}"},
        {"as_of": f"2026-03-{chance.randrange(2, 28):02}T12:00:00.000005Z"},
        {"files": said["files"] | {name: "0" * 64}},
        {"files": said["files"] | {f"schemas/../{name}": "0" * 64}},
        {"files": {k: v for k, v in said["files"].items() if k != name}},
        {"files": list(said["files"])},
        {"more": 1},
    ]
    text = json.dumps(said | chance.choice(wrong), sort_keys=True, separators=(",", ":"))
    return Changed({**HONEST, "manifest.json": text.encode() + b"\n"})


def file_missing(chance: Random) -> Changed:
    name = chance.choice(sorted(HONEST.keys() - {"manifest.json"}))
    files = {k: v for k, v in HONEST.items() if k != name}
    # A schema explains and proves nothing: without it and its line in the manifest the rest still holds.
    return Changed(listed(files) if chance.random() < 0.5 and "schemas" not in name else files)


def file_too_many(chance: Random) -> Changed:
    name = chance.choice(("x", "leaves.jsonl.old", "schemas/x.txt", "more/x", "schemas/a/b.json", ".hidden", "leaves"))
    files = {**HONEST, name: b"x"}
    return Changed(listed(files) if chance.random() < 0.5 else files)


def leaf_hashes_changed(chance: Random) -> Changed:
    at = chance.randrange(SIZE)
    good = HONEST["leaf-hashes"]
    wrong, index = chance.choice(
        (
            (flipped(good, at * 32, chance), at),
            (good[: at * 32], at),
            (good[: at * 32] + good[at * 32 + 32 :], at),
            (good + good[:32], ANY),
            (good + b"x", ANY),
        )
    )
    return Changed(listed({**HONEST, "leaf-hashes": wrong}), index)


def resealed(at: int, raw: bytes) -> Changed:
    """An operator seals what no log may hold: every hash and signature is right."""
    return Changed(packed([*LEAVES[:at], raw, *LEAVES[at + 1 :]]), at)


def replaced(old: str, *news: str | bytes) -> Callable[[Random], Changed]:
    def change(chance: Random) -> Changed:
        at, new = chance.randrange(SIZE), chance.choice(news)
        plain = leaf(at, data={"n": 1, "t": "a"})
        assert old.encode() in plain
        return resealed(at, plain.replace(old.encode(), new if isinstance(new, bytes) else new.encode(), 1))

    return change


key_twice = replaced('"n":1', '"n":1,"n":1', '"n":2,"n":1', '"\\u006e":2,"n":1')
keys_out_of_order = replaced('"n":1,"t":"a"', '"t":"a","n":1', '"n":1,"t":"a","B":2')
spaced = replaced('"n":1', '"n": 1', ' "n":1', '"n":1 ', '"n"\t:1', '\r"n":1')
escaped_needlessly = replaced(
    '"t":"a"', '"t":"\\u0061"', '"t":"\\/"', '"t":"\\u00e9"', '"t":"\\u000a"', '"t":"\\u001F"'
)
forbidden_value = replaced(
    '"n":1', '"n":1.0', '"n":1e0', '"n":-0', '"n":null', '"n":NaN', '"n":Infinity', '"n":9007199254740992',
    '"n":-9007199254740992', '"n":' + "9" * 400, '"n":[null]', '"n":{"a":[null]}', '"n":01', '"n":+1',
)  # fmt: skip
forbidden_text = replaced(
    '"t":"a"', '"t":"\\u0000"', '"t":"e\u0301"', '"t":"\u1112\u1161"', '"t":"\\ud800"', b'"t":"\xed\xa0\x80"',
    b'"t":"\xff"', b'"t":"\x01"', '"\u00e9":"a"', '"t":"\u212b"', '"t":{"\u00e9":1}',
    '"t":{"\u00e9\\"a":1}', '"t":[[{"\u00e9:a":1}]]', '"t":"',
)  # fmt: skip


def other_line_ending(chance: Random) -> Changed:
    at = chance.randrange(SIZE)
    ending = chance.choice((b"\r", b" ", b"\t", b"\x00"))
    if chance.random() < 0.5:
        return resealed(at, LEAVES[at] + ending)
    return Changed(with_leaves([*LEAVES[:at], LEAVES[at] + ending, *LEAVES[at + 1 :]], chance), at)


def byte_order_mark(chance: Random) -> Changed:
    at = chance.choice((0, chance.randrange(SIZE)))
    if chance.random() < 0.5:
        return resealed(at, b"\xef\xbb\xbf" + LEAVES[at])
    return Changed(with_leaves([*LEAVES[:at], b"\xef\xbb\xbf" + LEAVES[at], *LEAVES[at + 1 :]], chance), at)


def no_event(chance: Random) -> Changed:
    raw = chance.choice((b"", b"{}", b"[]", b"1", b'"a"', b"null", b"{", b"[" * 30_000, LEAVES[0][:-1] + b',"z":1}'))
    return resealed(chance.randrange(SIZE), raw)


def too_long(chance: Random) -> Changed:
    at = chance.randrange(SIZE)
    return resealed(at, leaf(at, data={"t": "x" * chance.choice((65_500, 70_000, 300_000))}))


def envelope_changed(chance: Random) -> Changed:
    at = chance.randrange(SIZE)
    plain = json.loads(LEAVES[at])
    plain.pop("sealed", None)
    name = chance.choice(sorted(plain))
    if chance.random() < 0.2:
        del plain[name]
    elif chance.random() < 0.2:
        plain[name + "s"] = plain.pop(name)
    else:
        plain[name] = chance.choice((True, {}, [], 0, -1, "", {"a": 1}, ["x"]))
        if name == "data" and type(plain[name]) is dict:
            plain["id"] = "not an id"
        if name in ("causation", "command", "correlation", "stream") and type(plain[name]) is str:
            plain["type"] = "NotKebab"
    return resealed(at, canonical(plain))


def wrong_field(chance: Random) -> Changed:
    at = chance.randrange(SIZE)
    wrong: tuple[dict[str, object], ...] = (
        {"by": {"actor": "a"}},
        {"by": {"actor": "a", "role": "b", "name": "Awa"}},
        {"by": {"actor": 1, "role": "b"}},
        {"id": "0185958b-1c00-4000-8000-000000000000"},
        {"id": "0185958B-1C00-7000-8000-000000000000"},
        {"log": "ML-4-01-05"},
        {"log": LOG + " "},
        {"occurred_on": "2026-02-30"},
        {"occurred_on": "2026-W01-1"},
        {"occurred_on": "20260201"},
        {"recorded_at": "2026-02-01T08:00:00Z"},
        {"recorded_at": "2026-02-01T25:00:00.000000Z"},
        {"recorded_at": "2026-02-31T08:00:00.000000Z"},
        {"recorded_at": "2026-02-01T08:00:00.000000+00:00"},
        {"schema": 0},
        {"schema": True},
        {"sealed": []},
        {"sealed": ["short"]},
        {"sealed": ["b" * 43, "a" * 43]},
        {"sealed": ["a" * 43, "a" * 43]},
        {"type": "Plan Agreed"},
        {"version": True},
        {"version": "1"},
    )
    raw = leaf(at, **chance.choice(wrong))  # type: ignore[arg-type]
    return Changed(unopened([*LEAVES[:at], raw, *LEAVES[at + 1 :]]), at)


def unopened(of: list[bytes]) -> Files:
    """A bundle for somebody who may read no personal field."""
    return listed({**packed(of), "disclosures.jsonl": b""})


def version_skipped(chance: Random) -> Changed:
    at = chance.randrange(SIZE)
    right = at // 3 + 1
    return resealed(at, leaf(at, version=chance.choice([n for n in range(1, 20) if n != right])))


def stream_split(chance: Random) -> Changed:
    at = chance.randrange(3, SIZE)
    return resealed(at, leaf(at, stream=f"framework-{chance.randrange(3, 99)}"))


def recorded_earlier(chance: Random) -> Changed:
    at = chance.randrange(1, SIZE)
    return resealed(at, leaf(at, recorded_at=f"2026-01-{chance.randrange(1, 31):02}T08:00:00.000000Z"))


def disclosure_changed(chance: Random) -> Changed:
    lines = HONEST["disclosures.jsonl"].splitlines(keepends=True)
    at = chance.randrange(len(lines))
    said = json.loads(lines[at])
    index = said["index"]
    other = chance.choice([n for n in range(SIZE) if n % 7 != 3])
    wrong, where = chance.choice(
        (
            ([*lines[:at], relined(said, index=other), *lines[at + 1 :]], ANY),
            ([*lines, relined(said, index=SIZE + other)], ANY),
            ([*lines[: at + 1], lines[at], *lines[at + 1 :]], ANY),
            ([*lines[::-1]], ANY),
            ([*lines[:at], lines[at][:-1], *lines[at + 1 :]], ANY),
            ([*lines[:at], relined(said, disclosure=opened_otherwise(chance)), *lines[at + 1 :]], index),
            ([*lines[:at], relined(said, disclosure=said["disclosure"] + "="), *lines[at + 1 :]], index),
            ([*lines[:at], relined(said, disclosure="e30"), *lines[at + 1 :]], index),
            ([relined(said, index=-1), *lines], ANY),
            ([relined(said, index="0"), *lines], ANY),
            ([*lines[:at], relined(said, disclosure=1), *lines[at + 1 :]], ANY),
            ([*lines[:at], relined(said, more=1), *lines[at + 1 :]], ANY),
        )
    )
    return Changed(listed({**HONEST, "disclosures.jsonl": b"".join(wrong)}), where)


def relined(said: dict[str, object], **changes: object) -> bytes:
    return canonical(said | changes) + b"\n"


def opened_otherwise(chance: Random) -> str:
    """Another value under the same name: what the digest is there to prevent."""
    return Opening(bytes(32), "data.witness", f"+223 {chance.randrange(10**8)}").disclosure()


CHANGES = [
    bit_flipped, deleted, swapped, duplicated, inserted, truncated, edited, edited_with_its_hash,
    edited_and_resealed_below_a_kept_checkpoint, shortened_and_resealed_below_a_kept_checkpoint,
    kept_from_another_log, signed_by_another_key, bundle_of_another_log, checkpoint_of_another_size,
    registry_of_another_head, small_file_flipped, any_file_flipped, schema_changed, manifest_changed, file_missing,
    file_too_many, leaf_hashes_changed, other_line_ending, byte_order_mark, no_event, too_long, envelope_changed,
    wrong_field, version_skipped, stream_split, recorded_earlier, disclosure_changed,
]  # fmt: skip
NAMED = {
    **{change.__name__: change for change in CHANGES},
    "key_twice": key_twice,
    "keys_out_of_order": keys_out_of_order,
    "spaced": spaced,
    "escaped_needlessly": escaped_needlessly,
    "forbidden_value": forbidden_value,
    "forbidden_text": forbidden_text,
}
