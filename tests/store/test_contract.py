"""What the store promises, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest
from eventsourcing.persistence import IntegrityError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from cycle.aggregates.base import LogName, StreamId
from cycle.leaf import check_leaf, leaf_hash
from cycle.store import Append, Conflict, KeyReused, Receipt
from cycle_adapters.sql import recorder
from cycle_adapters.sql.recorder import SqlRecorder
from tests.store.saves import leaf, save


def test_an_empty_store_has_nothing(store: SqlRecorder) -> None:
    assert store.head() == (0, None)
    assert store.max_notification_id() is None
    assert list(store.read(0)) == []
    assert store.read_stream(StreamId("s")) == []
    assert store.log_size(LogName("ML-4-01-01")) == 0
    assert store.receipt("nobody") is None


def test_a_save_is_there_with_positions_indexes_and_hashes(store: SqlRecorder) -> None:
    first = store.append(save("s", many=3))
    second = store.append(save("t", many=2, log="ML-2-01-01"))
    assert [line.position for line in (*first.events, *second.events)] == [1, 2, 3, 4, 5]
    assert [line.index for line in (*first.events, *second.events)] == [0, 1, 2, 0, 1]
    for row, line in zip(store.read(0), (*first.events, *second.events), strict=True):
        check_leaf(bytes(row[3]))
        assert leaf_hash(bytes(row[3])).hex() == line.leaf
    assert (first.version, first.position, second.stream) == (3, 3, "t")
    assert store.head().position == 5
    assert store.log_size(LogName("ML-2-01-01")) == 2


def test_the_time_of_record_never_goes_back(store: SqlRecorder) -> None:
    late = datetime(2030, 1, 1, 12, tzinfo=UTC)
    assert store.append(save("s", 1, recorded_at=late)).recorded_at == late
    assert store.append(save("s", 2, recorded_at=late - timedelta(days=400))).recorded_at == late
    assert store.append(save("s", 3)).recorded_at == late
    assert store.head().recorded_at == late


def test_the_store_writes_its_own_time(store: SqlRecorder) -> None:
    before = datetime.now(UTC) - timedelta(seconds=5)
    receipt = store.append(save("s"))
    assert before <= receipt.recorded_at <= datetime.now(UTC) + timedelta(seconds=5)
    assert receipt.recorded_at.isoformat().encode()[:19] in bytes(next(store.read(0, 1))[3])


def test_the_same_key_and_content_gives_the_same_receipt(store: SqlRecorder) -> None:
    first = store.append(save("s", many=2, key="k"))
    again = store.append(save("s", many=2, key="k"))
    assert again == first
    assert store.receipt("k") == (save("s", many=2, key="k").digest, first)
    assert store.head().position == 2


def test_the_same_key_for_something_else_is_refused(store: SqlRecorder) -> None:
    store.append(save("s", key="k"))
    with pytest.raises(KeyReused, match="k was used before"):
        store.append(save("t", key="k"))


@pytest.mark.parametrize("version", [1, 3, 7])
def test_a_version_that_is_taken_or_skips_one_is_a_conflict(store: SqlRecorder, version: int) -> None:
    store.append(save("s", 1))
    with pytest.raises(Conflict):
        store.append(save("s", version, key="another"))
    assert store.head().position == 1


def test_versions_inside_a_save_are_contiguous(store: SqlRecorder) -> None:
    gap = Append((leaf("s", 1), leaf("s", 3)), "k", b"d")
    with pytest.raises(Conflict, match="not contiguous"):
        store.append(gap)


def test_a_log_that_has_grown_is_a_conflict(store: SqlRecorder) -> None:
    log = LogName("ML-4-01-01")
    store.append(save("s", log_sizes=((log, 0),)))
    with pytest.raises(Conflict):
        store.append(save("t", log_sizes=((log, 0),)))
    store.append(save("t", log_sizes=((log, 1),)))


def test_a_save_of_several_streams_is_one(store: SqlRecorder) -> None:
    both = Append((leaf("s", 1), leaf("t", 1, log="platform"), leaf("s", 2)), "k", b"d")
    receipt = store.append(both)
    assert [(line.stream, line.version) for line in receipt.events] == [("s", 1), ("t", 1), ("s", 2)]
    with pytest.raises(Conflict):
        store.append(Append((leaf("s", 3), leaf("t", 1, log="platform")), "k2", b"d"))
    assert store.head().position == 3


def test_a_save_of_ten_thousand_events_works(store: SqlRecorder) -> None:
    assert store.append(save("s", many=10_000)).position == 10_000
    assert len(store.read_stream(StreamId("s"))) == 10_000


def test_reading_takes_what_is_asked_for(store: SqlRecorder) -> None:
    store.append(save("s", many=3))
    store.append(save("t", many=2, log="ML-2-01-01"))
    assert [position for position, *_ in store.read(1, 2)] == [2, 3]
    assert [position for position, *_ in store.read(0, 10, up_to=2)] == [1, 2]
    assert [position for position, *_ in store.read(0, 10, log=LogName("ML-2-01-01"))] == [4, 5]
    assert list(store.read(0, types=["plan-agreed"])) == []
    assert len(list(store.read(0, types=["plan-agreed", "progress-reported"]))) == 5
    assert [s.originator_version for s in store.read_stream(StreamId("s"), after_version=1)] == [2, 3]
    assert [s.originator_version for s in store.read_stream(StreamId("s"), up_to_position=2)] == [1, 2]


@pytest.mark.parametrize("page", [1, 2, 5, 200])
def test_a_page_begins_and_the_rest_follows(store: SqlRecorder, monkeypatch: pytest.MonkeyPatch, page: int) -> None:
    """Less than a page, a page, and more: each event once, in order."""
    monkeypatch.setattr(recorder, "PAGE", page)
    one, other = LogName("ML-1-01-01"), LogName("ML-2-01-01")
    store.append(save("s", many=3, log=one))
    store.append(save("t", many=2, log=other))
    store.append(save("s", 4, many=2, log=one))
    for after in range(8):
        for limit in (None, 0, 1, 2, 3, 10):
            expected = list(range(after + 1, 8))[:limit]
            assert [position for position, *_ in store.read(after, limit)] == expected
            kind = ["progress-reported"]
            assert [position for position, *_ in store.read(after, limit, types=kind)] == expected
    assert [position for position, *_ in store.read(1, up_to=6)] == [2, 3, 4, 5, 6]
    for index in range(6):
        assert [position for position, *_ in store.read_log(one, index)] == [1, 2, 3, 6, 7][index:]
    assert list(store.read_log(LogName("ML-3-01-01"), 0)) == []
    stream, whole = StreamId("s"), [s.state for s in store.read_stream(StreamId("s"))]
    for gt in range(6):
        assert [bytes(leaf) for *_, leaf in store.leaves(stream, gt=gt)] == whole[gt:]
        assert [bytes(leaf) for *_, leaf in store.leaves(stream, gt=gt, lte=4)] == whole[gt:4]
        assert [bytes(leaf) for *_, leaf in store.leaves(stream, gt=gt, limit=2)] == whole[gt:][:2]
        assert [bytes(leaf) for *_, leaf in store.leaves(stream, gt=gt, desc=True)] == whole[gt:][::-1]


def test_the_library_reads_and_writes_through_its_own_interface(store: SqlRecorder) -> None:
    assert store.insert_events([leaf("s", 1), leaf("s", 2)]) == [1, 2]
    assert store.insert_events([]) == []
    with pytest.raises(IntegrityError):
        store.insert_events([leaf("s", 2, note="autre")])
    assert [e.originator_version for e in store.select_events("s", desc=True, limit=1)] == [2]
    assert [e.originator_version for e in store.select_events("s", gt=1)] == [2]
    assert [e.originator_version for e in store.select_events("s", lte=1)] == [1]
    assert [n.id for n in store.select_notifications(2, 10)] == [2]
    assert [n.id for n in store.select_notifications(1, 10, stop=1, topics=["progress-reported"])] == [1]
    assert [n.id for n in store.select_notifications(1, 10, inclusive_of_start=False)] == [2]
    assert store.max_notification_id() == 2


def test_a_subscription_yields_what_was_and_what_comes(store: SqlRecorder) -> None:
    store.append(save("s", many=2))
    writer = Thread(target=lambda: [store.append(save("s", version)) for version in (3, 4)])
    with store.subscribe(gt=1) as subscription:
        assert next(subscription).id == 2
        writer.start()
        assert [next(subscription).id for _ in range(2)] == [3, 4]
        writer.join()
        subscription.stop()
        assert list(subscription) == []


def test_a_waker_hears_what_is_committed_after_it_was_armed(store: SqlRecorder) -> None:
    waker = store.waker()
    store.append(save("s"))
    assert waker.wait(10)
    waker.close()


def test_a_wait_ends_when_it_is_woken(store: SqlRecorder) -> None:
    waker = store.waker()
    thread = Thread(target=waker.wake)
    thread.start()
    assert waker.wait(30)
    thread.join()
    waker.close()


@pytest.mark.parametrize("table", ["events", "receipts"])
@pytest.mark.parametrize("act", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
def test_what_is_recorded_cannot_be_changed(store: SqlRecorder, table: str, act: str) -> None:
    store.append(save("s"))
    column = "version" if table == "events" else "last_position"
    with pytest.raises(DBAPIError, match="never changed"), store.database.begin() as connection:
        connection.execute(text(act.format(table, column, column)))


def test_events_cannot_be_truncated(postgres_url: str) -> None:
    from cycle_adapters.sql.opening import open_database

    store = SqlRecorder(open_database(postgres_url))
    with pytest.raises(DBAPIError, match="never changed"), store.database.begin() as connection:
        connection.execute(text("TRUNCATE events"))
    store.close()


def test_sixteen_threads_leave_no_gap_and_no_duplicate(store: SqlRecorder) -> None:
    def write(name: str) -> list[Receipt]:
        return [store.append(save(name, version)) for version in range(1, 16)]

    with ThreadPoolExecutor(16) as pool:
        receipts = [r for each in pool.map(write, (f"s{n}" for n in range(16))) for r in each]
    assert sorted(r.position for r in receipts) == list(range(1, 241))
    assert [position for position, *_ in store.read(0, 1000)] == list(range(1, 241))
    times = [r.recorded_at for r in sorted(receipts, key=lambda r: r.position)]
    assert times == sorted(times)


def test_a_conflict_in_a_group_fails_its_own_caller_only(store: SqlRecorder) -> None:
    def write(n: int) -> object:
        try:
            return store.append(save("contested" if n % 2 else f"s{n}", key=f"k{n}"))
        except Conflict as conflict:
            return conflict

    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(write, range(32)))
    kept = [o for o in outcomes if isinstance(o, Receipt)]
    assert len(kept) == 17
    assert sorted(r.position for r in kept) == list(range(1, 18))


def test_one_key_sent_by_many_is_done_once(store: SqlRecorder) -> None:
    with ThreadPoolExecutor(16) as pool:
        receipts = list(pool.map(lambda _: store.append(save("s", key="k")), range(32)))
    assert len(set(map(repr, receipts))) == 1
    assert store.head().position == 1
