"""What sealing rests on, wherever it runs: when to seal at once, and what is signed beside a tree's head."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from msgspec import Struct, field

from cycle.aggregates.deliberation import DeliberationRecorded
from cycle.aggregates.framework.anytime import FrameworkDissolved
from cycle.aggregates.framework.plan import PlanAgreed
from cycle.catalogue import Language, text
from cycle.failures import REFUSED, UNAVAILABLE, USAGE, Failure
from cycle.leaf import rfc3339
from cycle.proofs.checkpoint import Checkpoint

BINDING: frozenset[str] = frozenset({DeliberationRecorded.type, PlanAgreed.type, FrameworkDissolved.type})
"""Types of events that are sealed at once, for people act on them before the minute is over."""
EVERY_SECONDS = 60.0
"""Between two seals, idle or not: who sees an older one knows that something is wrong."""

_SEALED_AT = "sealed-at "
_CONTINUES = "continues "


class SealRefused(Failure):
    """The log is not what was sealed: nothing is signed until a person has looked."""

    kind = "seal-refused"
    code = "seal-refused"
    exit_code = REFUSED


class CannotSeal(Failure):
    """Sealing cannot begin: wrong key, wrong folder."""

    kind = "cannot-seal"
    exit_code = USAGE


class SealsUnavailable(Failure):
    """The folder of seals cannot be used now; whatever was published stays."""

    kind = "cannot-seal"
    code = "unavailable"
    exit_code = UNAVAILABLE


class CannotProve(Failure):
    """What is asked for is not in what was signed."""

    kind = "cannot-prove"
    code = "not-provable"
    exit_code = REFUSED


class SealedTo(Struct, frozen=True):
    """The last published checkpoint of a log: its size, its root (hex), when it was last seen to hold."""

    size: int
    root: str
    at: str | None


class Inclusion(Struct, frozen=True):
    """That a leaf stands at an index of a log of this size: hashes as in RFC 6962, in hexadecimal."""

    log: str
    index: int
    size: int
    leaf_hash: str
    proof: tuple[str, ...]


class Consistency(Struct, frozen=True):
    """That a log of one size begins with the log as it was at another: hashes as in RFC 6962, in hexadecimal."""

    log: str
    old_size: int = field(name="from")
    size: int = field(name="to")
    proof: tuple[str, ...]


class LastSeal(NamedTuple):
    """What is known here of sealing: whether a key is named, when it was last sealed, whether the sealer refuses."""

    has_key: bool
    folder: str = ""
    when: datetime | None = None
    refused: bool = False


def seen_at(moment: datetime) -> str:
    """The extension line of the registry's checkpoint: that at this time it held the head of every log.

    A signature over the same head is the same bytes for ever; only a time in it shows that it is fresh.
    """
    return _SEALED_AT + rfc3339(moment)


def when_seen(checkpoint: Checkpoint) -> str | None:
    """The time in a registry's checkpoint, as RFC 3339."""
    return next((line.removeprefix(_SEALED_AT) for line in checkpoint.extensions if line.startswith(_SEALED_AT)), None)


def continues(old: Checkpoint) -> str:
    """The extension line of a log that begins anew: the last head of the log that it continues."""
    origin, size, root = str(old).split("\n")[:3]
    return f"{_CONTINUES}{origin} {size} {root}"


def refusal_notice(broken: Failure, when: datetime) -> str:
    """What the file ``refused`` says: what and when, in both languages."""
    moment = rfc3339(when)

    def said(language: Language) -> str:
        return text("message.seal-refused-notice", language, why=broken.told(language), when=moment)

    return f"{said('fr')}\n\n{said('en')}\n"
