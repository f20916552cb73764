"""What frameworks were on a day is told by the days of their facts where these suffice, and is what a fold tells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from cycle.aggregates.base import Event, Recorded
from cycle.aggregates.corrections import FactCorrected
from cycle.engine import Engine
from cycle.history import Cutoffs, Fact
from cycle.leaf import canonical
from cycle.past import Frameworks, of_frameworks
from cycle.projections.all import PROJECTIONS
from cycle.projections.base import Projection
from cycle.projections.folding import folded
from cycle.projections.spells import StageVisitRow
from cycle.reading import Filters, Reader
from cycle.store import StreamRow
from tests.people import an_auditor
from tests.projections.rows import append, corrected, facts_of, named, walked

FRAMED = [projection for projection in PROJECTIONS.values() if of_frameworks(projection)]
SEEDS = range(12)
TIMINGS = ("stage_visit", "cycle_interval", "policy_run")
Told = tuple[Reader, dict[str, list[Fact]]]


def late(seed: int, history: list[Recorded[Event]]) -> list[Recorded[Event]]:
    """The history with its days in disorder: some facts, or all of them, happened earlier than they were recorded.

    And a day that is set right may be later than it was.
    """
    chance = Random(seed)
    share, most = (0.0, 0.05, 0.3, 1.0)[seed % 4], (1, 15, 60)[seed % 3]
    return [
        replace(
            r,
            occurred_on=r.occurred_on - timedelta(days=chance.randint(1, most) if chance.random() < share else 0),
            data=postponed(r.data, chance) if isinstance(r.data, FactCorrected) else r.data,
        )
        for r in history
    ]


def postponed(correction: FactCorrected, chance: Random) -> FactCorrected:
    """If it sets a day right, to a later one."""
    days = timedelta(days=chance.randint(5, 60))
    return replace(
        correction,
        changes=tuple(
            replace(each, now=msgspec.Raw(canonical(msgspec.json.decode(each.now, type=date) + days)))
            if each.field == "occurred_on"
            else each
            for each in correction.changes
        ),
    )


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Random accepted histories with corrections, suspensions and withdrawals among them, and days in disorder."""
    path = tmp_path_factory.mktemp("past") / "told.db"
    with Engine(f"sqlite:///{path}") as engine:
        for seed in SEEDS:
            name = f"f{seed:02}"
            made = named(corrected(seed, 200), name) if seed % 2 else walked(seed, name, 200)
            append(engine.store, late(seed, made))
        reader = an_auditor(engine)
        facts: dict[str, list[Fact]] = {}
        for fact in facts_of(engine.store):
            kind, _, name = fact.recorded.stream.partition("-")
            if kind == "framework":
                facts.setdefault(name, []).append(fact)
        yield reader, facts


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_what_is_held_on_a_day_is_what_the_whole_stream_says(told: Told, data: st.DataObject) -> None:
    reader, facts = told
    engine = reader.engine
    name = data.draw(st.sampled_from(sorted(facts)))
    history = facts[name]
    days, moments = (
        st.sampled_from([getattr(fact.recorded, field) for fact in history]) for field in ("occurred_on", "recorded_at")
    )
    cutoffs = Cutoffs(
        data.draw(st.none() | days.map(lambda day: day + timedelta(days=data.draw(st.integers(-2, 2))))),
        data.draw(st.none() | moments),
        data.draw(st.none() | st.integers(1, history[-1].position)),
    )
    some = data.draw(st.lists(st.sampled_from(FRAMED), min_size=1, max_size=4, unique_by=lambda each: each.name))
    [found] = Frameworks(engine.store, engine.leaves, some, cutoffs).rows([name])
    expected = cutoffs.cut(history)
    assert found == [sorted(folded(each, expected).items()) for each in some]


class Decoded(dict[tuple[str, int], object]):
    """The decoders, and the types of what they have decoded."""

    def __init__(self, engine: Engine) -> None:
        self.types: set[str] = set()
        self._engine = engine

    def __missing__(self, key: tuple[str, int]) -> object:
        self.types.add(key[0])
        return self._engine.leaves[key]


def test_where_days_are_in_order_nothing_is_decoded_that_is_not_wanted(told: Told) -> None:
    reader, facts = told
    wanted = {event.type for name in TIMINGS for event in PROJECTIONS[name].steps}
    for name in ("f00", "f04"):
        decoded = Decoded(reader.engine)
        days = [fact.recorded.occurred_on for fact in facts[name]]
        assert days == sorted(days)
        cutoffs = Cutoffs(as_of=days[len(days) // 2])
        some = [PROJECTIONS[each] for each in TIMINGS]
        [found] = Frameworks(reader.engine.store, decoded, some, cutoffs).rows([name])  # type: ignore[arg-type]
        assert any(found)
        assert decoded.types <= wanted


def test_tables_side_by_side_are_read_in_one_pass(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, facts = told
    cutoffs = Cutoffs(as_of=facts["f00"][-20].recorded.occurred_on)
    expected = {name: reader.rows(name, cutoffs=cutoffs) for name in TIMINGS}
    read, real = list[str](), reader.engine.store.read_streams

    def read_streams(streams: Sequence[str], **more: Any) -> Iterator[StreamRow]:
        read.extend(streams)
        return real(streams, **more)

    monkeypatch.setattr(reader.engine.store, "read_streams", read_streams)
    each = reader.together(Filters(), cutoffs)
    tables = {name: each(name) for name in TIMINGS}
    first = next(tables["policy_run"])
    assert {name: list(rows) for name, rows in tables.items()} == expected | {"policy_run": expected["policy_run"][1:]}
    assert first == expected["policy_run"][0]
    assert read == [f"framework-{name}" for name in sorted(facts)]
    assert list(each("stage_visit")) == expected["stage_visit"], "who comes later begins anew"


def test_what_rests_on_other_streams_too_is_not_looked_for_in_those_of_frameworks() -> None:
    assert {each.name for each in FRAMED} >= {*TIMINGS, "frameworks", "plans", "obstacle_spell"}
    mixed = Projection(StageVisitRow)
    mixed.steps.update(PROJECTIONS["stage_visit"].steps)
    assert of_frameworks(mixed)
    mixed.steps.update(PROJECTIONS["organisations"].steps)
    assert not of_frameworks(mixed)
