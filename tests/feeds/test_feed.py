"""The feed gives every event once and in order, leaves out what may not be read, and says how much that was."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest

from cycle.access import Forbidden
from cycle.aggregates.base import PLATFORM, StreamId
from cycle.aggregates.commune import RegisterCommune
from cycle.aggregates.framework.setup import PrioritiseSectors, ProposeFramework
from cycle.aggregates.terms import CommuneCode
from cycle.cloudevents import Envelopes
from cycle.engine import Engine
from cycle.feed import WINDOW, AheadOfLog, Batch, Feed, Wanted
from cycle.reading import Reader
from cycle.sealing import SealedTo
from cycle.store import FeedRow
from tests.access.places import DIORO, KOULA, revoke, say, two_communes

ENVELOPES = Envelopes("https://cycle.example.ml")


class Town:
    """Two communes; ``auditor`` reads everything, ``fanta`` what is in Ségou, the region of Dioro."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.dioro, self.koula = two_communes(engine)
        self.log = list(engine.store.stored(0, engine.store.head().position))

    def feed(self, actor: str = "auditor", wanted: Wanted = Wanted()) -> Feed:  # noqa: B008
        return Feed(Reader(self.engine, actor), wanted)

    def positions(self, actor: str = "auditor", **wanted: object) -> list[int]:
        return [row[0] for row in all_of(self.feed(actor, Wanted(**wanted)))]  # type: ignore[arg-type]


@pytest.fixture
def town(engine: Engine) -> Town:
    return Town(engine)


def batches(feed: Feed, limit: int = 7, after: int = 0) -> Iterator[Batch]:
    """Each batch up to the head."""
    while True:
        batch = feed.read(after, limit)
        yield batch
        assert batch.to > after or batch.at_head
        after = batch.to
        if batch.at_head:
            return


def all_of(feed: Feed, limit: int = 7) -> list[FeedRow]:
    return [row for batch in batches(feed, limit) for row in batch.rows]


@pytest.mark.parametrize("limit", [1, 7, 500])
def test_whoever_reads_on_gets_every_event_once_and_in_order(town: Town, limit: int) -> None:
    rows = all_of(town.feed(), limit)
    assert rows == [(stored.position, stored.log, stored.log_index, bytes(stored.leaf)) for stored in town.log]


def test_stretches_follow_each_other_without_a_gap_and_count_what_they_pass_over(town: Town) -> None:
    for actor in ("auditor", "fanta"):
        said = [batch.marks(lambda log: None) for batch in batches(town.feed(actor))]
        assert said[0].first == 1
        assert said[-1].to == said[-1].head == len(town.log)
        for before, then in pairwise(said):
            assert then.first == before.to + 1 == before.next + 1
        for marks in said:
            assert marks.count + marks.passed_over == marks.to - marks.first + 1
        assert (sum(marks.passed_over for marks in said) == 0) is (actor == "auditor")


def test_a_reader_sees_the_logs_of_his_territory_and_of_the_others_that_there_is_something(town: Town) -> None:
    own = [stored.position for stored in town.log if stored.log == DIORO]
    assert town.positions("fanta") == own
    assert town.positions("administrator") == [stored.position for stored in town.log]
    told = b"".join(row[3] for row in all_of(town.feed("fanta")))
    assert b"Koula" not in told


def test_it_is_narrowed_by_type_framework_commune_and_region(town: Town) -> None:
    def of(**wanted: object) -> list[int]:
        return town.positions(**wanted)

    log = town.log
    proposed = [s.position for s in log if s.type == "framework-proposed"]
    assert len(proposed) == 2
    assert of(types=("framework-proposed",)) == proposed
    both = [s.position for s in log if s.type in ("framework-proposed", "commune-registered")]
    assert of(types=("framework-proposed", "commune-registered")) == both
    assert of(stream=StreamId(f"framework-{town.koula}")) == [proposed[1]]
    assert of(commune=KOULA) == [s.position for s in log if s.log == KOULA]
    assert of(region="segou") == [s.position for s in log if s.log == DIORO]
    assert of(region="Kidal") == []
    assert of(region="segou", types=("framework-proposed",)) == proposed[:1]
    assert town.positions("fanta", region="Koulikoro") == []


def test_of_a_place_that_may_not_be_read_it_is_refused(town: Town) -> None:
    with pytest.raises(Forbidden):
        town.feed("fanta", Wanted(commune=KOULA)).read(0, 10)
    with pytest.raises(Forbidden):
        town.feed("operator").read(0, 10)
    feed = town.feed("fanta")
    assert feed.read(0, 500).rows
    revoke(town.engine, "fanta")
    with pytest.raises(Forbidden):
        feed.read(0, 500)


def test_what_is_recorded_between_two_readings_comes_next(town: Town) -> None:
    feed = town.feed("fanta")
    *_, last = batches(feed)
    assert feed.read(last.to, 10).rows == []
    say(town.engine, PrioritiseSectors(sectors=("rice", "fish")), town.koula)
    passed = feed.read(last.to, 10)
    assert (passed.rows, passed.to) == ([], last.to + 1)
    say(town.engine, PrioritiseSectors(sectors=("rice", "fish")), town.dioro)
    assert [row[0] for row in feed.read(passed.to, 10).rows] == [last.to + 2]


class Overtaken(Reader):
    """While it asks which communes there are, one more is registered: just behind its last question."""

    new = CommuneCode("ML-4-01-02")
    questions = 0

    def readable(self, question: str, commune: str | None = None) -> frozenset[str] | None:
        found = super().readable(question, commune)
        self.questions += 1
        if self.questions == 2:
            say(self.engine, RegisterCommune(commune=self.new, name="Togou", region="Ségou", circle="Ségou"))
            say(self.engine, ProposeFramework(commune=self.new, title="Cadre de Togou"))
        return found


def test_a_commune_that_is_registered_meanwhile_is_not_passed_over(town: Town) -> None:
    *_, last = batches(town.feed("fanta"))
    between = Feed(Overtaken(town.engine, "fanta"), Wanted()).read(last.to, 10)
    assert (between.rows, between.to, between.at_head) == ([], last.to, False)
    assert {row[1] for row in town.feed("fanta").read(between.to, 10).rows} == {Overtaken.new}


def test_a_batch_looks_through_a_window_and_no_further(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    assert WINDOW > 10_000
    monkeypatch.setattr("cycle.feed.WINDOW", 5)
    feed = town.feed(wanted=Wanted(types=("framework-proposed",)))
    said = list(batches(feed, 500))
    assert {batch.to - batch.after for batch in said[:-1]} == {5}
    assert sum(len(batch.rows) for batch in said) == 2


def test_whoever_has_read_further_than_the_log_goes_is_told(town: Town) -> None:
    head = town.engine.store.head().position
    assert town.feed().read(head, 10).rows == []
    with pytest.raises(AheadOfLog, match=f"position {head + 1}.*ends at {head}"):
        town.feed().read(head + 1, 10)


def test_a_batch_says_where_its_events_stand_in_their_logs_and_how_far_these_are_sealed(town: Town) -> None:
    heads = {DIORO: SealedTo(1, "ab", "2026-03-01T00:00:00.000000Z")}
    whole = town.feed("administrator").read(0, 500).told(ENVELOPES, heads.get)
    sizes = {part.log: part.last + 1 for part in whole.logs}
    assert sizes == town.engine.store.log_sizes()
    assert {part.first for part in whole.logs} == {0}
    assert {part.log: part.sealed for part in whole.logs} == {DIORO: heads[DIORO], KOULA: None, PLATFORM: None}
    assert sum(part.count for part in whole.logs) == whole.count == len(whole.events)
    own = town.feed("fanta").read(0, 500).told(ENVELOPES, heads.get)
    assert [part.log for part in own.logs] == [DIORO]
    # Index upon index, batch upon batch: whoever may read a log sees that nothing of it is missing.
    following: dict[str, int] = {}
    for batch in batches(town.feed("fanta"), 1):
        for part in batch.marks(heads.get).logs:
            assert part.first == following.get(part.log, 0)
            following[part.log] = part.last + 1
    assert following == {DIORO: sizes[DIORO]}
