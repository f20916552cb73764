"""When a quarter, half and three quarters of the frameworks have come to the end: of however many, in a table of days.

The estimate is that of ``wang_chang``; what takes time there, and is left out here, is its confidence.
"""

from __future__ import annotations

from collections import defaultdict

from cycle.timings.estimators import Recurrence, quartiles

Quartiles = tuple[int | None, int | None, int | None]
"""Days; None: not reached within what was observed."""


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
        return quartiles(self._closed, self._running)
