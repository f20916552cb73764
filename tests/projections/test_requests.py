"""What waits for a second person, and what became of it: live, built again, and as of a past moment."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec.structs import replace

from cycle.aggregates.base import Role
from cycle.aggregates.commune import RegisterCommune
from cycle.aggregates.deliberation import MakeExecutory
from cycle.aggregates.framework.anytime import Dissolve
from cycle.aggregates.framework.state import Stage
from cycle.aggregates.request import LAPSES_AFTER, ConfirmRequest, RequestStage, WithdrawRequest
from cycle.aggregates.terms import CommuneCode
from cycle.engine import Engine, Said
from cycle.history import EVERYTHING, Cutoffs
from cycle.projections.requests import RequestRow
from cycle.reading import Filters, Reader
from tests.engine.path import DIORO, ENDS, Path
from tests.people import by

KOULA = CommuneCode("ML-2-01-02")
LATER = ENDS + timedelta(days=2)


class Asking(Path):
    """A framework that somebody asks to dissolve."""

    def begin(self) -> None:
        self.to(Stage.NEEDS_IDENTIFICATION)
        self.decided = self._adopted("2026-19", "Fin du cadre", ENDS)
        self._execute(MakeExecutory(executory_on=ENDS), ENDS, self.decided)

    def ask(self, on_behalf_of: str | None = None) -> str:
        end = Dissolve(deliberation=self.decided, reason="Fusion de communes")
        who = by(Role.MAYOR, on_behalf_of)
        receipt = self.engine.execute(Said(command=end, by=who, on=ENDS, target=self.framework))
        return receipt.stream.partition("-")[2]

    def close(self, request: str, command: ConfirmRequest | WithdrawRequest) -> int:
        who = by(Role.COUNCIL_SECRETARY)
        return self.engine.execute(Said(command=command, by=who, on=LATER, target=request)).position


class Clock:
    """Ten o'clock on a day, and a second later each time that somebody looks."""

    def __init__(self, day: date) -> None:
        self.now = datetime(day.year, day.month, day.day, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def asking(database_url: str) -> Asking:
    return Asking(Engine(database_url, clock=Clock(LATER)))


def rows(reader: Reader, filters: Filters = Filters(), cutoffs: Cutoffs = EVERYTHING) -> list[RequestRow]:  # noqa: B008
    reader.catch_up()
    return reader.rows("requests", filters, cutoffs)  # type: ignore[return-value]


def test_a_request_is_open_until_somebody_confirms_or_withdraws_it(asking: Asking) -> None:
    asking.begin()
    reader = Reader(asking.engine, "auditor")
    assert rows(reader) == []
    withdrawn, confirmed = asking.ask("awa"), asking.ask()
    first = RequestRow(
        commune=DIORO,
        request=withdrawn,
        act="dissolve",
        target=asking.framework,
        framework=asking.framework,
        asked_by="mayor",
        on_behalf_of="awa",
        asked_on=LATER,
        lapses_on=LATER + LAPSES_AFTER,
        stage=RequestStage.OPEN,
        reason="Fusion de communes",
    )
    second = replace(first, request=confirmed, on_behalf_of=None)
    assert rows(reader) == [first, second]
    then = asking.close(withdrawn, WithdrawRequest(reason="Un courrier est attendu"))
    first = replace(first, stage=RequestStage.WITHDRAWN, closed_by="council-secretary", closed_on=LATER)
    first = replace(first, closed_because="Un courrier est attendu")
    assert rows(reader) == [first, second]
    asking.close(confirmed, ConfirmRequest())
    closed = replace(second, stage=RequestStage.CONFIRMED, closed_by="council-secretary", closed_on=LATER)
    assert rows(reader) == [first, closed]
    reader.runner.rebuild(["requests"])
    assert rows(reader) == [first, closed]
    moment = reader.facts(cutoffs=Cutoffs(at=then))[-1].recorded.recorded_at
    assert rows(reader, cutoffs=Cutoffs(at=then)) == [first, second]
    assert rows(reader, cutoffs=Cutoffs(known_at=moment)) == [first, second]
    assert [row.stage for row in rows(reader, cutoffs=Cutoffs(as_of=ENDS))] == [RequestStage.OPEN] * 2
    assert rows(reader, cutoffs=Cutoffs(as_of=ENDS - timedelta(days=1))) == []


def test_requests_are_found_by_their_framework_and_their_place_and_by_nobody_elsewhere(asking: Asking) -> None:
    asking.begin()
    request, engine = asking.ask(), asking.engine
    who = by(Role.FACILITATOR)
    register = RegisterCommune(commune=KOULA, name="Koula", region="Koulikoro", circle="Koulikoro")
    engine.execute(Said(command=register, by=who, on=ENDS))
    reader = Reader(engine, "auditor")
    for cutoffs in (EVERYTHING, Cutoffs(as_of=LATER)):
        for filters in (Filters(framework=asking.framework), Filters(commune=DIORO), Filters(sector="rice")):
            assert [row.request for row in rows(reader, filters, cutoffs)] == [request], filters
        for filters in (Filters(framework="f-9"), Filters(commune=KOULA), Filters(sector="cotton")):
            assert rows(reader, filters, cutoffs) == [], filters


def test_what_has_lapsed_waits_no_more(asking: Asking) -> None:
    asking.begin()
    request = asking.ask()
    reader = Reader(asking.engine, "auditor")
    reader.catch_up()
    last = LATER + LAPSES_AFTER
    assert [row.request for row in reader.requests(asking.framework, last)] == [request]
    assert reader.requests(asking.framework, last + timedelta(days=1)) == []
    asking.close(request, WithdrawRequest(reason="?"))
    reader.catch_up()
    assert reader.requests(asking.framework, LATER) == []
