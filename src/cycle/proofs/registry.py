"""The registry: one tree over the sealed heads of all logs, and the proof that a head is in it.

Its leaves are canonical JSON as those of every log. The proof of one head is a C2SP tlog-proof: the
leaf as ``extra``, its index, the hashes of its inclusion, and the registry's own signed checkpoint.
"""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from cycle.aggregates.base import LogName
from cycle.leaf import canonical, leaf_hash, rfc3339
from cycle.proofs.checkpoint import Checkpoint, log_origin, open_checkpoint, registry_origin
from cycle.proofs.note import VerifierKey, unbase64
from cycle.proofs.tree import HASH_BYTES, MAX_SIZE, verify_inclusion

_FIRST_LINE = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")
_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"


class BadHead(ValueError):  # noqa: N818
    """A registry leaf or its proof that is not one, or speaks of another head."""


class Head(Struct, frozen=True, forbid_unknown_fields=True):
    """How far a log was when it was sealed. ``root`` is hexadecimal; ``v`` is the form of this leaf."""

    log: LogName
    root: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    sealed_at: str
    size: Annotated[int, Meta(ge=0, le=2**53 - 1)]
    v: Annotated[int, Meta(ge=1, le=1)] = 1

    def leaf(self) -> bytes:
        """Its canonical bytes in the registry."""
        return canonical(self)

    @classmethod
    def parse(cls, leaf: bytes) -> Head:
        """Read a registry leaf strictly.

        Raises:
            BadHead: says why it is none.
        """
        try:
            head = msgspec.json.decode(leaf, type=cls)
            moment = datetime.strptime(head.sealed_at, _TIME).replace(tzinfo=UTC)
        except ValueError as error:
            raise BadHead(f"not a leaf of the registry: {error}") from error
        if head.leaf() != leaf or rfc3339(moment) != head.sealed_at:
            raise BadHead("not the canonical form of a leaf of the registry")
        return head


def head(log: LogName, size: int, root: bytes, sealed_at: datetime) -> Head:
    """The head of a log for the registry."""
    return Head(log, root.hex(), rfc3339(sealed_at), size)


class RegistryProof(Struct, frozen=True):
    """That a head stands in the registry: ``bytes`` of it is the file ``registry-proof``.

    ``leaf`` is the head's bytes, ``checkpoint`` the registry's signed note.
    """

    leaf: bytes
    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes

    def __bytes__(self) -> bytes:
        hashes = "".join(f"{base64.b64encode(each).decode()}\n" for each in self.hashes)
        extra = base64.b64encode(self.leaf).decode()
        return f"{_FIRST_LINE}\nextra {extra}\nindex {self.index}\n{hashes}\n".encode() + self.checkpoint

    @classmethod
    def parse(cls, proof: bytes) -> RegistryProof:
        """Read a proof strictly; nothing is verified yet.

        Raises:
            BadHead: says why it is none.
        """
        top, _, checkpoint = proof.partition(b"\n\n")
        try:
            first, extra, index, *hashes = top.decode().split("\n")
            number = _INDEX.fullmatch(index)
            if first != _FIRST_LINE or not extra.startswith("extra ") or not number:
                raise BadHead("a proof begins with its kind, the leaf and the index")
            found = cls(unbase64(extra[6:]), int(number[1]), tuple(unbase64(each) for each in hashes), checkpoint)
        except BadHead:
            raise
        except ValueError as error:
            raise BadHead("not a proof of the registry (C2SP tlog-proof)") from error
        if found.index > MAX_SIZE or any(len(each) != HASH_BYTES for each in found.hashes):
            raise BadHead("an index or a hash of the proof cannot be one")
        return found


def open_registry_proof(proof: bytes, key: VerifierKey, log: LogName, checkpoint: Checkpoint) -> Head:
    """The head of a log as the registry holds it, which is the head that the checkpoint says.

    Raises:
        BadHead: no proof, or that of another head.
        MalformedNote, BadSignature, NotSigned, BadCheckpoint: the registry's checkpoint does not hold.
        ProofError: the head is not in the registry.
    """
    found = RegistryProof.parse(proof)
    known = Head.parse(found.leaf)
    said = (known.log, known.size, known.root, log_origin(key.name, log))
    if said != (log, checkpoint.size, checkpoint.root.hex(), checkpoint.origin):
        raise BadHead(f"the registry's head is {known.log} at {known.size}, not the head of the checkpoint")
    registry = open_checkpoint(found.checkpoint, registry_origin(key.name), key)
    verify_inclusion(leaf_hash(found.leaf), found.index, registry.size, found.hashes, registry.root)
    return known
