"""A question about a past moment reads what can change its answer, and answers as if it had read everything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count, product
from random import Random
from shutil import copyfile
from typing import Any

import pytest
from msgspec.structs import replace

from cycle.aggregates.base import LogName
from cycle.demo import Simulated
from cycle.engine import Engine
from cycle.history import Cutoffs, Fact
from cycle.past import types_for
from cycle.projections.all import PROJECTIONS
from cycle.projections.folding import folded
from cycle.reading import Filters, Reader
from cycle_adapters.files.deliberations import recorded
from tests.projections.rows import corrected

MOMENTS = (
    Cutoffs(as_of=date(2023, 6, 1)),
    Cutoffs(at=500),
    Cutoffs(known_at=datetime(2023, 6, 1, tzinfo=UTC)),
    Cutoffs(date(2023, 9, 1), datetime(2024, 1, 1, tzinfo=UTC), 900),
)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Everything of a demo with three frameworks, which holds corrections."""
    path = tmp_path_factory.mktemp("past") / "demo.db"
    with Simulated(f"sqlite:///{path}", 1) as simulated:
        simulated.tell(recorded, frameworks=3, cycles=1)
    copyfile(path, path.with_suffix(".copy"))
    with Engine(f"sqlite:///{path.with_suffix('.copy')}") as engine:
        reader = Reader(engine, "operator")
        reader.catch_up()
        yield reader


def whole(reader: Reader) -> list[Fact]:
    """The log as it is."""
    leaves = reader.engine.leaves
    return [Fact(n, leaves[topic, schema](leaf)) for n, topic, schema, leaf in reader.engine.store.read(0)]


@pytest.mark.parametrize(("name", "cutoffs"), list(product(PROJECTIONS, MOMENTS)), ids=str)
def test_the_answer_is_that_of_the_whole_log(demo: Reader, name: str, cutoffs: Cutoffs) -> None:
    projection: Any = PROJECTIONS[name]
    expected = folded(projection, cutoffs.cut(whole(demo), corrected=not projection.appends))
    found = demo.rows(name, cutoffs=cutoffs)
    assert found == [row for _, row in sorted(expected.items())]
    for home in demo.communes():
        of_one = [row for row in found if row.commune == home.code]
        assert demo.rows(name, Filters(commune=home.code), cutoffs) == of_one
        in_region = {each.code for each in demo.communes(cutoffs) if each.region == home.region}
        of_region = [row for row in found if row.commune in in_region]
        assert demo.rows(name, Filters(region=home.region), cutoffs) == of_region


class Asked:
    """What was asked of the store."""

    def __init__(self, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reads: list[tuple[LogName | None, int]] = []
        self.streams: dict[str, int] = {}
        real, real_streams = reader.engine.store.read, reader.engine.store.read_streams

        def read(after: int, limit: int | None = None, **more: Any) -> Any:
            if more.get("log") != "platform":
                rows = list(real(after, limit, **more))
                self.reads.append((more.get("log"), len(rows)))
                return rows
            return real(after, limit, **more)

        def read_streams(streams: Sequence[str], **more: Any) -> Any:
            rows = list(real_streams(streams, **more))
            self.streams |= {stream: sum(row[0] == stream for row in rows) for stream in streams}
            return rows

        monkeypatch.setattr(reader.engine.store, "read", read)
        monkeypatch.setattr(reader.engine.store, "read_streams", read_streams)


def test_what_is_narrowed_reads_these_logs_alone(demo: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    row = demo.frameworks()[0]
    asked = Asked(demo, monkeypatch)
    for filters in (Filters(framework=row.framework), Filters(commune=row.commune)):
        assert demo.rows("audit_trail", filters, MOMENTS[0])
        assert {log for log, _ in asked.reads} == {row.commune}


def test_what_is_of_frameworks_reads_their_streams_alone(demo: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    row = demo.frameworks()[0]
    asked = Asked(demo, monkeypatch)
    for filters in (Filters(framework=row.framework), Filters(commune=row.commune)):
        assert demo.rows("plans", filters, MOMENTS[0])
        assert (list(asked.streams), asked.reads) == ([f"framework-{row.framework}"], [])


def test_a_page_of_the_past_begins_behind_the_one_before(demo: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    first = demo.page("actions", Filters(), MOMENTS[1], 2)
    asked = Asked(demo, monkeypatch)
    rows, after = list(first.rows), first.after
    while after is not None:
        asked.streams.clear()
        page = demo.page("actions", Filters(), MOMENTS[1], 2, after)
        assert all(stream >= f"framework-{after.partition('/')[0]}" for stream in asked.streams)
        rows, after = [*rows, *page.rows], page.after
    assert rows == demo.rows("actions", cutoffs=MOMENTS[1])


def test_of_everything_the_kinds_that_matter_are_read_and_nothing_after_the_moment(
    demo: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = demo.engine.store.head().position
    asked = Asked(demo, monkeypatch)
    demo.rows("communes", cutoffs=Cutoffs(as_of=date(2030, 1, 1)))
    demo.rows("audit_trail", cutoffs=Cutoffs(at=300))
    demo.rows("plans", cutoffs=Cutoffs(known_at=datetime(2030, 1, 1, tzinfo=UTC)))
    (_, of_communes), (_, of_audit) = asked.reads
    assert of_communes < everything / 10
    assert of_audit == 300
    assert 0 < sum(asked.streams.values()) < everything / 2


def test_who_reads_one_region_reads_its_logs_alone(demo: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    account = next(
        name
        for name, account in demo.engine.door.now.accounts.items()
        if any(grant.role.value == "facilitator" and len(grant.territory) == 4 for grant in account.grants.values())
    )
    own = Reader(demo.engine, account, demo.runner)
    codes = {row.commune for row in own.rows("plans")}
    expected = [row for row in demo.rows("plans", cutoffs=MOMENTS[1]) if row.commune in codes]
    asked = Asked(demo, monkeypatch)
    assert own.rows("plans", cutoffs=MOMENTS[1]) == expected
    homes = {row.framework: row.commune for row in demo.frameworks()}
    assert {homes[stream.removeprefix("framework-")] for stream in asked.streams} == codes
    assert own.rows("audit_trail", cutoffs=MOMENTS[1])
    assert {log for log, _ in asked.reads} == codes


@pytest.mark.parametrize("name", PROJECTIONS)
@pytest.mark.parametrize("seed", range(6))
def test_of_a_day_whatever_holds_a_fact_back_is_read_as_well(name: str, seed: int) -> None:
    """Recorded late, in any order: a fact is held no earlier than what it stands on, of whichever kind that is."""
    projection: Any = PROJECTIONS[name]
    chance, first = Random(seed), date(2026, 1, 1)
    days = (first + timedelta(days=chance.randrange(60)) for _ in count())
    history = [Fact(n, replace(r, occurred_on=next(days))) for n, r in enumerate(corrected(seed), 1)]
    for day in range(0, 60, 5):
        cutoffs = Cutoffs(as_of=first + timedelta(days=day))
        wanted = types_for(projection, cutoffs)
        some = [fact for fact in history if not wanted or fact.recorded.type in wanted]
        keep = not projection.appends
        expected = folded(projection, cutoffs.cut(history, corrected=keep))
        assert folded(projection, cutoffs.cut(some, corrected=keep)) == expected
