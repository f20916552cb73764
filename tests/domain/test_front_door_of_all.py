"""Role and day are asked of every command of every aggregate, wherever it is said."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

import pytest

from cycle.aggregates.base import EARLIEST, By, Command, Refused, Role
from cycle.aggregates.framework.decision import options
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.state import Framework, Stage
from cycle.aggregates.framework.table import stages_of
from cycle.aggregates.known import Known
from cycle.engine import BY_COMMAND, COMMANDS
from cycle.policy import sample
from tests.domain.dioro import at_the_meeting, monitored, planned, reviewed
from tests.domain.story import DIORO
from tests.domain.test_anytime import at_the_needs
from tests.domain.walks import SENSE, fields, tale_begun

TODAY = date(2026, 8, 1)
STATES = {
    None: Framework(),
    Stage.DELIBERATION: tale_begun().state,
    Stage.NEEDS_IDENTIFICATION: at_the_needs().state,
    Stage.MEETING: at_the_meeting().state,
    Stage.PLAN: planned().state,
    Stage.MONITORING: monitored().state,
    Stage.ADJUSTMENT: reviewed().state,
    Stage.SUSPENDED: monitored().given(COMMANDS["suspend"](reason="Insécurité")).state,
}
WRONG = [(name, role) for name, command in COMMANDS.items() for role in Role if role not in command.roles]


def said(name: str) -> tuple[Any, Command]:
    """A state in which the command may be said, and the command."""
    command, aggregate = COMMANDS[name], BY_COMMAND[name]
    if name == "publish-policy":
        return aggregate.initial, command(document=sample())  # type: ignore[call-arg]
    state = STATES[stages_of(command)[0]] if aggregate is framework else Framework()
    built = fields(command, state, TODAY, Random(1)) | SENSE.get(command, lambda s, on: {})(state, TODAY)
    return (state if aggregate is framework else aggregate.initial), command(**built)


def codes(name: str, role: Role, on: date) -> set[str]:
    state, command = said(name)
    known = Known(on=on, today=TODAY, by=By("somebody", role), new_id="x-1", policy=sample(), commune=DIORO)
    with pytest.raises(Refused) as refused:
        BY_COMMAND[name].decide(state, command, known)
    return {finding.code for finding in refused.value.findings}


@pytest.mark.parametrize(("name", "role"), WRONG, ids=str)
def test_nobody_says_what_falls_to_others(name: str, role: Role) -> None:
    assert "role-may-not" in codes(name, role, TODAY)


@pytest.mark.parametrize("name", COMMANDS)
def test_nothing_is_recorded_before_it_has_happened(name: str) -> None:
    assert "not-happened-yet" in codes(name, COMMANDS[name].roles[0], TODAY + timedelta(days=1))


@pytest.mark.parametrize("name", COMMANDS)
def test_nothing_is_recorded_of_a_year_in_which_nobody_kept_such_books(name: str) -> None:
    assert "too-long-ago" in codes(name, COMMANDS[name].roles[0], EARLIEST - timedelta(days=1))


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage is not Stage.DISSOLVED])
def test_the_states_of_these_tests_are_what_they_say(stage: Stage) -> None:
    assert STATES[stage].stage is stage
    known = Known(on=TODAY, today=TODAY, by=By("a", Role.FACILITATOR), policy=sample(), policies=(sample(),))
    assert options(STATES[stage], known)
