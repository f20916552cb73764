"""Writes the bundle of one log: what an auditor takes away and checks without us.

The same log at the same checkpoint makes the same bytes. A bundle that would not verify is not written.
"""

from __future__ import annotations

import os
import shutil
import stat
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, NamedTuple

import msgspec
from msgspec import Struct

from cycle import catalogue
from cycle.aggregates.base import LogName
from cycle.contracts import frozen, name_of
from cycle.leaf import canonical, leaf_hash
from cycle.proofs.checkpoint import log_origin, open_checkpoint
from cycle.proofs.disclosure import Disclosed
from cycle.proofs.note import VerifierKey
from cycle.proofs.registry import open_registry_proof
from cycle.proofs.tree import Frontier

VERSION = 1
_YEAR_ONE = (1980, 1, 1, 0, 0, 0)
_FILE = stat.S_IFREG | 0o644
_OWNER = 0o700


class Place(NamedTuple):
    """Where a bundle is written: the folder or archive, and what makes a file in it by its name."""

    path: Path
    file: Callable[[str], IO[bytes]]


class WouldNotVerify(ValueError):  # noqa: N818
    """What was handed over does not fit together; no bundle was written."""


class Manifest(Struct, frozen=True):
    """What ``manifest.json`` says: ``files`` are the SHA-256 of every other file, in hexadecimal."""

    as_of: str
    files: dict[str, str]
    log: LogName
    size: int
    v: int = VERSION


class Sealed(Struct, frozen=True):
    """A log as it was sealed: the signed notes that the sealer published, and the key."""

    log: LogName
    checkpoint: bytes
    registry_proof: bytes
    key: VerifierKey


class _Kind(Struct):
    type: str
    schema: int


_kind = msgspec.json.Decoder(_Kind).decode


def write_bundle(
    to: Path,
    sealed: Sealed,
    leaves: Iterable[bytes],
    disclosures: Iterable[Disclosed] = (),
    described: Mapping[tuple[str, int], bytes] | None = None,
) -> Manifest:
    """Write a folder, or a .zip where ``to`` ends so; as for ``appearing`` and ``fill``."""
    with appearing(to) as place:
        return fill(place, sealed, leaves, disclosures, described)


def fill(
    place: Place,
    sealed: Sealed,
    leaves: Iterable[bytes],
    disclosures: Iterable[Disclosed] = (),
    described: Mapping[tuple[str, int], bytes] | None = None,
) -> Manifest:
    """Write the files of a bundle.

    ``leaves`` are those of the log in order of index, exactly as many as the checkpoint says;
    ``disclosures`` what the reader may see: with any, the bundle is readable for its owner alone;
    ``described`` the schemas (default: all that we know), of which those of the log's events are written.

    Raises:
        WouldNotVerify: the leaves are not those of the checkpoint.
        NoteError, BadHead, ProofError: the checkpoint or the registry proof does not hold.
        OSError: says why it cannot be written.
    """
    known, opened = frozen() if described is None else described, sorted(disclosures)
    if opened:
        place.path.chmod(place.path.stat().st_mode & _OWNER)
    checkpoint = open_checkpoint(sealed.checkpoint, log_origin(sealed.key.name, sealed.log), sealed.key)
    head = open_registry_proof(sealed.registry_proof, sealed.key, sealed.log, checkpoint)
    digests: dict[str, str] = {}

    def write(name: str, chunks: Iterable[bytes]) -> None:
        digest = sha256()
        with place.file(name) as file:
            for chunk in chunks:
                digest.update(chunk)
                file.write(chunk)
        digests[name] = digest.hexdigest()

    with TemporaryFile() as hashes:
        frontier, kinds = Frontier(), set[tuple[str, int]]()
        write("leaves.jsonl", _lines(leaves, frontier, kinds, hashes))
        if (frontier.size, frontier.root()) != (checkpoint.size, checkpoint.root):
            raise WouldNotVerify(f"{frontier.size} leaves that are not those of the checkpoint ({checkpoint.size})")
        hashes.seek(0)
        write("leaf-hashes", iter(lambda: hashes.read(1 << 20), b""))
    write("README.txt", [readme(sealed).encode()])
    write("checkpoint", [sealed.checkpoint])
    write("disclosures.jsonl", (each.line() + b"\n" for each in opened))
    write("registry-proof", [sealed.registry_proof])
    for kind in sorted(kinds & known.keys()):
        write(f"schemas/{name_of(*kind)}.json", [known[kind]])
    write("verifier-key", [f"{sealed.key}\n".encode()])
    write("verify.py", [verifier()])
    manifest = Manifest(head.sealed_at, dict(sorted(digests.items())), sealed.log, checkpoint.size)
    write("manifest.json", [canonical(manifest) + b"\n"])
    return manifest


def _lines(
    leaves: Iterable[bytes], frontier: Frontier, kinds: set[tuple[str, int]], hashes: IO[bytes]
) -> Iterator[bytes]:
    for leaf in leaves:
        found = leaf_hash(leaf)
        frontier.append(found)
        hashes.write(found)
        kind = _kind(leaf)
        kinds.add((kind.type, kind.schema))
        yield leaf + b"\n"


def verifier() -> bytes:
    """The verifier as it is shipped: one file, to be run anywhere."""
    return files("cycle.proofs").joinpath("verify.py").read_bytes()


def readme(sealed: Sealed) -> str:
    """What somebody reads who unpacks a bundle, in both languages."""
    return "\n".join(
        catalogue.text("message.bundle-readme", language, log=sealed.log, verifier=str(sealed.key))
        for language in catalogue.LANGUAGES
    )


@contextmanager
def appearing(to: Path) -> Iterator[Place]:
    """A place that takes its name when the block ends, or leaves nothing behind; a .zip where the name ends so.

    Raises:
        FileExistsError: there is something already.
        OSError: says why nothing can be written there.
    """
    if os.path.lexists(to):
        raise FileExistsError(f"{to} exists: name another place")
    # Two that write to one name at the same time have a place of their own each.
    beside = to.with_name(f".{to.name}.{os.getpid()}.unfinished")
    try:
        if to.suffix == ".zip":
            with zipfile.ZipFile(beside, "x") as archive:
                yield Place(beside, partial(_entry, archive))
        else:
            beside.mkdir()
            (beside / "schemas").mkdir()
            yield Place(beside, lambda name: (beside / name).open("xb"))
        os.rename(beside, to)
    finally:
        if beside.is_dir():
            shutil.rmtree(beside)
        beside.unlink(missing_ok=True)


def _entry(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    entry = zipfile.ZipInfo(name, _YEAR_ONE)
    entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, _FILE << 16
    return archive.open(entry, "w", force_zip64=True)
