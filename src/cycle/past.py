"""What a question about a past moment reads: no more of the log than can change its answer."""

from __future__ import annotations

from typing import Any

from cycle.aggregates.base import EVENTS
from cycle.aggregates.corrections import FactCorrected
from cycle.commands import AGGREGATES
from cycle.history import Cutoffs
from cycle.projections.base import Projection


def types_for(projection: Projection[Any], cutoffs: Cutoffs) -> tuple[str, ...]:
    """The types of facts that the rows of a projection rest on inside some cut-offs; none named: all.

    From which day a fact is held depends on whatever was recorded before it in its stream, so that of a day held
    whole streams are wanted.
    """
    wanted = {event.type for event in projection.steps}
    if cutoffs.as_of is not None:
        of_streams = ({event.type for event in aggregate.events} for aggregate in AGGREGATES)
        wanted = {name for names in of_streams if names & wanted for name in names}
    wanted.add(FactCorrected.type)
    return () if wanted >= EVENTS.keys() else tuple(sorted(wanted))
