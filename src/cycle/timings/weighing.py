"""When a quarter, half and three quarters of the frameworks have come to the end: of however many, in a table of days.

The estimate is that of ``wang_chang``; what takes time there, and is left out here, is its confidence.
"""

from __future__ import annotations

from collections import defaultdict

from cycle.timings.estimators import Recurrence

Quartiles = tuple[int | None, int | None, int | None]
"""Days; None: not reached within what was observed."""
_TOLERANCE = 1e-9
"""Sums of thirds are not exact: a share is reached when it is reached up to this."""


class Weighed:
    """Intervals added up by their days, each framework counting once however many it has."""

    def __init__(self) -> None:
        self._closed: defaultdict[int, float] = defaultdict(float)
        self._running: defaultdict[int, float] = defaultdict(float)

    def take(self, framework: Recurrence) -> None:
        for days in framework.closed:
            self._closed[days] += 1 / len(framework.closed)
        if not framework.closed and framework.running is not None:
            self._running[framework.running] += 1

    def quartiles(self) -> Quartiles | None:
        """The days by which these shares are reached; None: there is nothing to look at."""
        if not self._closed and not self._running:
            return None
        first, second, third = (self._reached(share) for share in (0.25, 0.5, 0.75))
        return first, second, third

    def _reached(self, share: float) -> int | None:
        """The day on which the product limit comes to it."""
        lasts, left = sum(self._closed.values()) + sum(self._running.values()), 1.0
        for days in sorted({*self._closed, *self._running}):
            ended = self._closed.get(days, 0.0)
            left *= 1 - ended / lasts if lasts - ended > _TOLERANCE else float(not ended)
            if left <= 1 - share + _TOLERANCE:
                return days
            lasts -= ended + self._running.get(days, 0.0)
        return None
