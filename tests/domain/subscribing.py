"""A subscription's life, command by command, whatever its kind."""

from __future__ import annotations

from datetime import date
from typing import Any

from cycle.aggregates.base import Aggregate, By, Command, Event, Happened, Refused, Role
from cycle.aggregates.known import Known
from cycle.aggregates.subscription import Subscription
from cycle.catalogue import LANGUAGES
from cycle.telling import refusal_lines

DAY = date(2026, 3, 1)
DHIS, OTHER = By("dhis", Role.INTEGRATOR), By("other", Role.INTEGRATOR)
KADI, WORKER, AUDITOR = By("kadi", Role.ADMINISTRATOR), By("worker", Role.WORKER), By("auditor", Role.AUDITOR)
ID = "s-1"


class Story:
    """One subscription, from what registers it on."""

    def __init__(self, aggregate: Aggregate[Any, Known]) -> None:
        self.aggregate = aggregate
        self.state: Subscription = aggregate.initial
        self.outcome: tuple[Event, ...] | Refused = ()

    def when(self, command: Command, by: By = DHIS) -> Story:
        known = Known(on=DAY, today=DAY, by=by, new_id=ID)
        try:
            self.outcome = self.aggregate.decide(self.state, command, known)
        except Refused as refused:
            self.outcome = refused
        else:
            facts = [Happened(fact, DAY, n) for n, fact in enumerate(self.outcome, self.state.version + 1)]
            self.state = self.aggregate.fold(self.state, facts)
        return self

    def given(self, *commands: Command) -> Story:
        for command in commands:
            self.when(command, WORKER if command.roles == (Role.WORKER,) else DHIS)
            assert not isinstance(self.outcome, Refused), self.outcome
        return self

    def then(self, *facts: Event) -> Story:
        assert self.outcome == facts
        return self

    def refused(self, *codes: str) -> Story:
        assert isinstance(self.outcome, Refused), self.outcome
        assert {finding.code for finding in self.outcome.findings if finding.refuses} == set(codes)
        assert all(refusal_lines(self.outcome, language) for language in LANGUAGES)
        return self
