"""What holds for every accepted history, whatever people do."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain, groupby
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from rfc8785 import dumps

from cycle.aggregates.base import By, Command, Recorded, Refused
from cycle.aggregates.framework.adjustment import CycleClosed
from cycle.aggregates.framework.contributions import ContributionPledged, ContributionReceived
from cycle.aggregates.framework.decision import options
from cycle.aggregates.framework.obstacles import ObstacleIdentified
from cycle.aggregates.framework.plan import PlanAgreed
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.state import Framework
from cycle.aggregates.framework.table import MOVES, NONE
from cycle.aggregates.terms import Worth
from cycle.codec import Leaves, new_leaf
from cycle.history import believed
from cycle.leaf import canonical, check_leaf
from cycle.store import RECORDED_AT_HOLE
from tests.domain.story import Story
from tests.domain.walks import attempts, replay, walk

walks = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@walks
@given(st.integers(0, 2**32))
def test_an_accepted_history_replays_to_the_same_state_at_every_prefix(seed: int) -> None:
    tale = walk(seed, 60)
    state: Framework = framework.initial
    for length, recorded in enumerate(tale.history, 1):
        state = framework.fold(state, [recorded])
        assert replay(tale.history[:length]) == state
    assert state == tale.state


@walks
@given(st.integers(0, 2**32))
def test_no_accepted_history_leaves_the_table(seed: int) -> None:
    """One command, one move: the facts of a command together go from one stage to another."""
    tale = walk(seed, 60)
    before: Framework = framework.initial
    for (_, said), facts in groupby(tale.history, key=lambda recorded: (recorded.causation, recorded.command)):
        after = framework.fold(before, facts)
        if after.stage is not before.stage:
            assert (said, before.stage or NONE, after.stage or NONE) in MOVES
        before = after


def codes(tale: Story, said: Command, on: date) -> set[str]:
    """Why a command is refused; nothing when it is accepted."""
    known = replace(tale.known, on=on, by=By("somebody", said.roles[0]), history=believed(tale.history))
    try:
        framework.decide(tale.state, said, known)
    except Refused as refused:
        return {finding.code for finding in refused.findings}
    return set()


REGISTERED_ELSEWHERE = {
    "admit-member": {"member-already"},
    "dissolve": {"founds-the-framework", "dissolution-not-adopted", "deliberated-after"},
}
"""Whether one of these is accepted hangs on what other registers hold: with what is said when they hold nothing."""


@walks
@given(st.integers(0, 2**32), st.integers(10, 70))
def test_options_and_decisions_agree(seed: int, steps: int) -> None:
    """What ``options`` refuses is refused for those reasons; of what it allows, something is accepted."""
    tale, chance = walk(seed, steps), Random(seed)
    if isinstance(tale.outcome, Refused) and any(f.code == "wrong-stage" for f in tale.outcome.findings):
        listed = {option.command for option in options(tale.state, tale.known)}
        assert all(f.values["command"] not in listed for f in tale.outcome.findings if f.code == "wrong-stage")
    on = tale.now + timedelta(days=chance.choice((0, 1, 20, 100)))
    for option in options(tale.state, replace(tale.known, on=on)):
        tries = [codes(tale, said, on) for said in attempts(tale, option.command, on, chance)]
        refused_by = {finding.code for finding in option.refused_by}
        assert option.allowed == (not refused_by)
        if option.allowed:
            elsewhere = REGISTERED_ELSEWHERE.get(option.command, set())
            # Chance names what is not there more often than not: it may go on for a while.
            further = (codes(tale, said, on) for _ in range(50) for said in attempts(tale, option.command, on, chance))
            assert any(found <= elsewhere for found in chain(tries, further)), (option.command, tries[:3])
        else:
            assert all(refused_by <= found for found in tries), (option.command, tries[:3])


@walks
@given(st.integers(0, 2**32))
def test_received_never_exceeds_what_was_pledged(seed: int) -> None:
    """Of cash in XOF, and of everything else in its own unit."""
    tale = walk(seed, 110)
    left: dict[str, tuple[str, Decimal]] = {}
    for recorded in tale.history:
        match recorded.data:
            case ContributionPledged(contribution=c, worth=worth):
                left[c] = worth.unit or "XOF", amount(worth)
            case ContributionReceived(contribution=c, worth=worth):
                unit, open_ = left[c]
                assert unit == (worth.unit or "XOF")
                left[c] = unit, open_ - amount(worth)
                assert left[c][1] >= 0


def amount(worth: Worth) -> Decimal:
    return Decimal(worth.amount_xof) if worth.amount_xof is not None else worth.quantity or Decimal(0)


def test_the_walks_promise_and_bring_more_than_money() -> None:
    facts = [recorded.data for seed in range(40) for recorded in walk(seed, 110).history]
    units = {fact.worth.unit for fact in facts if isinstance(fact, ContributionReceived)}
    assert None in units
    assert units - {None}


@walks
@given(st.integers(0, 2**32))
def test_every_obstacle_is_in_exactly_one_place(seed: int) -> None:
    """Open in the running cycle, closed in it, or settled with an earlier one; and counted once."""
    state: Framework = framework.initial
    named: set[str] = set()
    settled: set[str] = set()
    for recorded in walk(seed, 110).history:
        before, state = state, framework.fold(state, [recorded])
        match recorded.data:
            case ObstacleIdentified(obstacle=obstacle):
                assert obstacle not in named
                named.add(obstacle)
            case CycleClosed(carried_obstacles=carried):
                gone = set(before.obstacles) - set(carried)
                assert all(not before.obstacles[o].stage.open for o in gone), "what is open is carried on"
                assert all(state.obstacles[o].stage.open for o in carried), "and goes on as open"
                settled |= gone
        closed = {o.id for o in state.obstacles.values() if not o.stage.open}
        places = [settled, closed, {o.id for o in state.open_obstacles()}]
        assert sum(map(len, places)) == len(named)
        assert set().union(*places) == named


@walks
@given(st.integers(0, 2**32))
def test_every_action_of_a_closed_plan_is_settled(seed: int) -> None:
    tale = walk(seed, 90)
    agreed: dict[int, set[str]] = {}
    for recorded in tale.history:
        match recorded.data:
            case PlanAgreed(cycle=cycle, actions=actions):
                agreed[cycle] = {a.action for a in actions}
            case CycleClosed(cycle=cycle, actions=settled):
                assert agreed.get(cycle, set()) <= {s.action for s in settled}


@walks
@given(st.integers(0, 2**32))
def test_every_fact_survives_its_leaf(seed: int) -> None:
    """Canonical by an independent implementation of RFC 8785, and decoded to the same fact."""
    leaves = Leaves(Recorded)
    for recorded in walk(seed, 40).history:
        new = new_leaf(recorded)
        leaf = new.state.replace(RECORDED_AT_HOLE.encode(), b"2026-01-01T00:00:00.000001Z", 1)
        check_leaf(leaf)
        assert dumps(json.loads(leaf)) == leaf
        decoded = leaves[new.topic, new.schema](leaf)
        assert decoded.data == recorded.data
        assert canonical(decoded.data) == canonical(recorded.data)
