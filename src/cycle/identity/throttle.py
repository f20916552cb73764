"""How long somebody waits who has failed: longer each time, never for ever. Pure; the store keeps the counts."""

from __future__ import annotations

from hashlib import sha256

from cycle.identity.shapes import Tried

FREE_OF_ACCOUNT = 5
"""So many failures in a row cost an account nothing."""
FREE_OF_ADDRESS = 20
"""And an address: behind one there may be a whole town hall."""
LONGEST = 900
"""Seconds; nobody is locked out for ever, for then anybody could lock out anybody."""
FORGOTTEN_AFTER = 86_400
"""Seconds without an attempt after which failures count no more."""


def waits(tried: Tried | None, free: int, now: int) -> int:
    """Seconds to wait until the next attempt: none, then 1, 2, 4 … up to ``LONGEST`` since the last one."""
    if tried is None or tried.failures < free or now - tried.last >= FORGOTTEN_AFTER:
        return 0
    # A clock that was set back makes nobody wait longer than the longest.
    return min(LONGEST, max(0, tried.last + pause(tried.failures - free) - now))


def pause(beyond: int) -> int:
    """Seconds after that many failures beyond the free ones."""
    return min(LONGEST, 1 << min(beyond, 20))


def after(tried: Tried | None, now: int) -> Tried:
    """The count with one more attempt."""
    stale = tried is None or now - tried.last >= FORGOTTEN_AFTER
    return Tried(1 if stale or tried is None else tried.failures + 1, now)


def named(kind: str, what: str) -> bytes:
    """What failures are counted under: a digest, for people type their passwords where the account belongs."""
    return sha256(f"cycle-throttle {kind} {what}".encode()).digest()
