"""What somebody says one after the other, having looked once, is no news to himself; all else is."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from cycle.aggregates.base import Role, VersionMoved
from cycle.aggregates.framework.needs import IdentifyNeed
from cycle.aggregates.framework.state import Stage
from cycle.aggregates.terms import FrameworkId, NeedKind
from cycle.engine import Engine, Said
from tests.engine.path import RICE, Path
from tests.people import by

DAY = date(2026, 2, 1)


@pytest.fixture
def identity(engine: Engine) -> FrameworkId:
    """Needs are being identified."""
    return Path(engine).to(Stage.NEEDS_IDENTIFICATION)


def need(target: str, words: str, **more: Any) -> Said:
    command = IdentifyNeed(profession=RICE, kind=NeedKind.INVESTMENT, description=words)
    return Said(command=command, by=by(Role.FACILITATOR), on=DAY, target=target, **more)


def told(engine: Engine, identity: FrameworkId) -> list[str]:
    return [each.description for each in engine.framework(identity).needs.values()]


def test_what_one_has_said_before_does_not_count_as_meanwhile(engine: Engine, identity: FrameworkId) -> None:
    seen = engine.framework(identity).version
    engine.execute(need(identity, "un", key="k-1", version=seen))
    engine.execute(need(identity, "deux", key="k-2", version=seen, after=frozenset({"k-1"})))
    engine.execute(need(identity, "trois", key="k-3", version=seen, after=frozenset({"k-1", "k-2", "never-said"})))
    assert told(engine, identity) == ["un", "deux", "trois"]


def test_what_was_left_out_of_the_chain_is_news(engine: Engine, identity: FrameworkId) -> None:
    seen = engine.framework(identity).version
    engine.execute(need(identity, "un", key="k-1", version=seen))
    engine.execute(need(identity, "deux", key="k-2", version=seen, after=frozenset({"k-1"})))
    with pytest.raises(VersionMoved) as moved:
        engine.execute(need(identity, "trois", key="k-3", version=seen, after=frozenset({"k-2"})))
    assert moved.value.version == seen + 2
    assert told(engine, identity) == ["un", "deux"]


def test_a_fact_of_somebody_else_is_news_also_under_a_key_that_one_names(engine: Engine, identity: FrameworkId) -> None:
    seen = engine.framework(identity).version
    other = replace(need(identity, "un", key="theirs"), by=by(Role.ORGANISATION))
    engine.execute(other)
    for after in (frozenset({"theirs"}), frozenset({"theirs", "mine"}), frozenset()):
        with pytest.raises(VersionMoved):
            engine.execute(need(identity, "deux", version=seen, after=after))
    assert told(engine, identity) == ["un"]


def test_a_version_that_is_ahead_is_no_version(engine: Engine, identity: FrameworkId) -> None:
    seen = engine.framework(identity).version
    with pytest.raises(VersionMoved):
        engine.execute(need(identity, "un", version=seen + 1, after=frozenset({"k-1"})))


def test_what_comes_in_between_the_look_and_the_save_is_caught(
    engine: Engine, identity: FrameworkId, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else is quicker by so little that the decision is taken on the state before."""
    seen = engine.framework(identity).version
    engine.execute(need(identity, "un", key="k-1", version=seen))
    append = engine._append

    def beaten(*saved: Any) -> Any:
        monkeypatch.undo()
        engine.execute(replace(need(identity, "entre"), by=by(Role.ORGANISATION)))
        return append(*saved)

    monkeypatch.setattr(engine, "_append", beaten)
    with pytest.raises(VersionMoved):
        engine.execute(need(identity, "deux", key="k-2", version=seen, after=frozenset({"k-1"})))
    assert told(engine, identity) == ["un", "entre"]


def test_a_process_that_knows_less_looks_again(database_url: str, engine: Engine, identity: FrameworkId) -> None:
    seen = engine.framework(identity).version
    with Engine(database_url) as other:
        other.framework(identity)
        engine.execute(need(identity, "un", key="k-1", version=seen))
        engine.execute(replace(need(identity, "entre"), by=by(Role.ORGANISATION)))
        with pytest.raises(VersionMoved):
            other.execute(need(identity, "deux", key="k-2", version=seen, after=frozenset({"k-1"})))
    assert told(engine, identity) == ["un", "entre"]


def test_sent_again_it_is_answered_as_the_first_time(engine: Engine, identity: FrameworkId) -> None:
    seen = engine.framework(identity).version
    engine.execute(need(identity, "un", key="k-1", version=seen))
    second = need(identity, "deux", key="k-2", version=seen, after=frozenset({"k-1"}))
    first = engine.execute(second)
    engine.execute(replace(need(identity, "entre"), by=by(Role.ORGANISATION)))
    assert engine.execute(second) == first
    assert engine.execute(replace(second, after=frozenset())) == first
