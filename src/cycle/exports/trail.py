"""Where a framework is while its facts go by: its cycle, and which organisation each member is."""

from __future__ import annotations

from cycle.aggregates.base import Event, Recorded
from cycle.aggregates.framework.setup import MemberAdmitted
from cycle.aggregates.terms import OrganisationId


class Trail:
    """The cycle that was said last, 0 before the first; ``members`` are those that were ever admitted."""

    def __init__(self) -> None:
        self.cycle = 0
        self.members: dict[str, OrganisationId] = {}

    def follow(self, recorded: Recorded[Event]) -> int:
        """Take a fact in; returns the cycle that it happened in."""
        event = recorded.data
        said: int | None = getattr(event, "cycle", None)
        if said is not None:
            self.cycle = max(said, self.cycle)
        if isinstance(event, MemberAdmitted):
            self.members[event.member] = event.organisation
        return self.cycle


class Trails:
    """The trails of all frameworks, by stream."""

    def __init__(self) -> None:
        self._trails: dict[str, Trail] = {}

    def of(self, stream: str) -> Trail:
        found = self._trails.get(stream)
        if found is None:
            found = self._trails[stream] = Trail()
        return found
