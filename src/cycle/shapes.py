"""What JSON is decoded into, looked at by one thread at a time.

msgspec looks at a class when it first decodes into it, and keeps what it has found out. It keeps that before it has
found out all: a thread that decodes into the same class meanwhile, or into one that holds it, reads what is not there
yet, and the process is gone (SIGSEGV in ``json_decode_struct_map_inner`` of msgspec 0.22.0). Whatever several threads
may be the first to decode into goes through here.
"""

from __future__ import annotations

from threading import RLock
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")
_looking = RLock()
_known: set[object] = set()


def decoder(shape: Any) -> msgspec.json.Decoder[Any]:
    """A decoder into a shape."""
    with _looking:
        return msgspec.json.Decoder(shape)


def understood(shape: T) -> T:
    """A shape that all is found out about: to be handed to ``msgspec.json.decode`` and ``msgspec.convert``."""
    if shape not in _known:
        decoder(shape)
        _known.add(shape)
    return shape
