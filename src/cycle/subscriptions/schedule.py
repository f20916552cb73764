"""When an event is tried again: the schedule of the Standard Webhooks specification, with jitter.

Source: its section on retries: at once, 5 seconds, 5 minutes, 30 minutes, 2, 5, 10, 14, 20 and 24 hours.
"""

from __future__ import annotations

from collections.abc import Callable

MINUTE, HOUR = 60, 3_600
PAUSES_SECONDS = (5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR)
ATTEMPTS = 1 + len(PAUSES_SECONDS)
JITTER = 0.2
"""The share of a pause that chance adds to it: whoever came back after a failure is not met by everybody at once."""
LONGEST_HOLD_SECONDS = 24 * HOUR
"""As long a receiver may ask to be left in peace; who wants more pauses the webhook."""

Chance = Callable[[], float]
"""A random number from 0 up to but not including 1."""


def pause_seconds(attempts: int, chance: Chance) -> float | None:
    """How long to wait after so many attempts failed; None: that was the last one."""
    if attempts >= ATTEMPTS:
        return None
    return PAUSES_SECONDS[attempts - 1] * (1 + JITTER * chance())
