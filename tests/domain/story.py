"""Given facts, when a command, then facts: how the tests of the domain read."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from cycle.aggregates.base import By, Command, Event, LogName, Recorded, Refused, Role, StreamId
from cycle.aggregates.commune import Commune
from cycle.aggregates.framework.anytime import CorrectFact
from cycle.aggregates.framework.decision import Option, options
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.state import Framework
from cycle.aggregates.known import Known
from cycle.aggregates.terms import CommuneCode
from cycle.catalogue import LANGUAGES
from cycle.history import believed
from cycle.policy import sample
from cycle.telling import refusal_lines, sentence

DIORO = Commune(version=1, code=CommuneCode("ML-4-01-01"), name="Dioro", region="Ségou", circle="Ségou")
TODAY = date(2030, 1, 1)


class Story:
    """One framework's history, told command by command. Dates move on by themselves, one day a command."""

    def __init__(self, **known: Any) -> None:
        self.state: Framework = framework.initial
        self.history: list[Recorded[Event]] = []
        self.now = date(2026, 1, 5)
        self.known = Known(
            on=self.now,
            today=TODAY,
            by=By("somebody", Role.FACILITATOR),
            new_id="f-1",
            policy=sample(),
            policies=(sample(),),
            commune=DIORO,
        )
        self.know(**known)
        self.outcome: tuple[Event, ...] | Refused = ()

    def know(self, **known: Any) -> Story:
        """What the next decisions may know beside the framework."""
        self.known = msgspec.structs.replace(self.known, **known)
        return self

    def _said(self, command: Command, on: date | None, by: By | None) -> Known:
        self.now = on or self.now + timedelta(days=1)
        by = by or By("somebody", command.roles[0])
        history = believed(self.history) if isinstance(command, CorrectFact) else ()
        return msgspec.structs.replace(self.known, on=self.now, by=by, history=history)

    def _record(self, command: Command, facts: tuple[Event, ...]) -> None:
        key = f"k-{len(self.history) + 1}"
        for data in facts:
            version = len(self.history) + 1
            recorded = Recorded(
                by=By("somebody", command.roles[0]),
                causation=key,
                command=command.type,
                correlation=key,
                data=data,
                id=f"e-{version}",
                log=LogName("ML-4-01-01"),
                occurred_on=self.now,
                recorded_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=version),
                schema=data.schema,
                stream=StreamId("framework-f-1"),
                type=data.type,
                version=version,
            )
            assert all(sentence(recorded, language) for language in LANGUAGES)
            self.history.append(recorded)
            self.state = framework.fold(self.state, [recorded])

    def given(self, *commands: Command, on: date | None = None, by: By | None = None) -> Story:
        """Commands that are accepted, whatever they lead to."""
        for command in commands:
            self._record(command, framework.decide(self.state, command, self._said(command, on, by)))
        return self

    def given_facts(self, *facts: Event) -> Story:
        """Facts, as if a command had led to them."""
        for fact in facts:
            self.now += timedelta(days=1)
            self._record(Command(), (fact,))
        return self

    def when(self, command: Command, on: date | None = None, by: By | None = None) -> Story:
        """The command that the test is about."""
        try:
            self.outcome = framework.decide(self.state, command, self._said(command, on, by))
        except Refused as refused:
            self.outcome = refused
        else:
            self._record(command, self.outcome)
        return self

    def then(self, *expected: type[Event], **fields: object) -> Story:
        """The facts were of these types, in this order; ``fields`` are of the first one."""
        assert not isinstance(self.outcome, Refused), f"refused: {self.outcome}"
        assert [type(fact) for fact in self.outcome] == list(expected)
        for name, value in fields.items():
            assert getattr(self.outcome[0], name) == value, name
        return self

    def refused(self, *codes: str) -> Story:
        """The command was refused for exactly these reasons."""
        assert isinstance(self.outcome, Refused), f"accepted: {self.outcome}"
        assert {finding.code for finding in self.outcome.findings} == set(codes)
        for language in LANGUAGES:
            assert refusal_lines(self.outcome, language), "told with all that the texts ask for"
        return self

    def options(self) -> dict[str, Option]:
        """What may happen next."""
        return {option.command: option for option in options(self.state, self.known)}


def story(**known: Any) -> Story:
    return Story(**known)


def correct(told: Story, fact: type[Event], **changes: object) -> Story:
    """Someone sets the last fact of this type right."""
    last = next(r for r in reversed(believed(told.history)) if type(r.data) is fact)
    raw = {field: msgspec.Raw(msgspec.json.encode(value)) for field, value in changes.items()}
    return told.when(CorrectFact(fact_version=last.version, changes=raw, reason="Erreur de saisie"))
