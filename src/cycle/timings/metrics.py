"""Every metric of the evaluator by its id: durations, and shares."""

from __future__ import annotations

from collections.abc import Mapping

from cycle.history import Cutoffs
from cycle.reading import Filters, Reader
from cycle.timings.durations import METRICS
from cycle.timings.measuring import By, Measured, Timed, measured
from cycle.timings.shares import SHARES
from cycle.timings.sharing import Shares, shared
from cycle.timings.spans import SPANS

DURATIONS: Mapping[str, Timed] = {**METRICS, **SPANS}
IDS = tuple(sorted((*DURATIONS, *SHARES), key=lambda each: (int(each[1:].partition("-")[0]), "-" in each)))
"""In the order of the definitions."""


def asked(
    reader: Reader,
    metric: str,
    by: By | None,
    filters: Filters,
    cutoffs: Cutoffs,
    limit: int | None = None,
    after: str = "",
) -> Measured | Shares:
    """What is measured under an id, inside some cut-offs, by cohorts; see ``measured`` and ``shared``.

    Raises:
        Forbidden: as there.
        KeyError: there is no such metric.
    """
    if metric in SHARES:
        return shared(reader, SHARES[metric], by, filters, cutoffs, limit, after)
    return measured(reader, DURATIONS[metric], by, filters, cutoffs, limit, after)
