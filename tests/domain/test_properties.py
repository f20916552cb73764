"""What holds for every accepted history, whatever people do."""

from __future__ import annotations

import json
from collections import Counter
from itertools import groupby

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rfc8785 import dumps

from cycle.aggregates.base import Recorded, Refused
from cycle.aggregates.framework.adjustment import CycleClosed
from cycle.aggregates.framework.contributions import ContributionPledged, ContributionReceived
from cycle.aggregates.framework.decision import options
from cycle.aggregates.framework.plan import PlanAgreed
from cycle.aggregates.framework.root import framework
from cycle.aggregates.framework.state import Framework
from cycle.aggregates.framework.table import MOVES, NONE
from cycle.codec import Leaves, new_leaf
from cycle.leaf import canonical, check_leaf
from cycle.store import RECORDED_AT_HOLE
from tests.domain.walks import replay, walk

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


@walks
@given(st.integers(0, 2**32))
def test_options_and_decisions_agree(seed: int) -> None:
    """What ``options`` refuses is refused; what a stage does not list cannot be said."""
    tale = walk(seed, 40)
    found = {option.command: option for option in options(tale.state, tale.known)}
    if isinstance(tale.outcome, Refused) and any(f.code == "wrong-stage" for f in tale.outcome.findings):
        assert all(f.values["command"] not in found for f in tale.outcome.findings if f.code == "wrong-stage")
    for option in found.values():
        assert option.allowed == (not option.refused_by)


@walks
@given(st.integers(0, 2**32))
def test_received_never_exceeds_what_was_pledged(seed: int) -> None:
    tale = walk(seed, 80)
    pledged: dict[str, int] = {}
    received: Counter[str] = Counter()
    for recorded in tale.history:
        match recorded.data:
            case ContributionPledged(contribution=c, worth=worth):
                pledged[c] = worth.amount_xof or 0
            case ContributionReceived(contribution=c, worth=worth):
                received[c] += worth.amount_xof or 0
                assert received[c] <= pledged[c]


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
