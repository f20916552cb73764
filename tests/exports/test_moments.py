"""An export is of one moment, of no more than the account may carry away, and without natural persons."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import get_type_hints
from zoneinfo import ZoneInfo

import pytest

from cycle.access import Forbidden
from cycle.aggregates.base import EVENTS, Role
from cycle.aggregates.framework.anytime import AttachDocument, Suspend
from cycle.aggregates.framework.committee import ReplaceCommitteeMember
from cycle.aggregates.framework.state import Stage
from cycle.aggregates.terms import CommuneCode, ExportForm, Seat
from cycle.engine import Engine
from cycle.exports.facts import TYPES, Facts
from cycle.exports.people import names_people, points_at_somebody
from cycle.exports.still import still
from cycle.exports.tables import TABLES
from cycle.history import EVERYTHING, Cutoffs
from cycle.projections.all import PROJECTIONS
from cycle.projections.runner import NotThereYet
from cycle.projections.tables import checkpoints
from cycle.reading import Filters, Reader
from cycle_adapters.exports.taking import Wanted, export
from tests.access.places import DIORO, KOULA, grant, two_communes
from tests.cli.conftest import tell
from tests.cli.run import Cli
from tests.engine.path import ENDS, MAIRIE, MET
from tests.engine.path import Path as Way
from tests.exports.conftest import Take
from tests.exports.reading import manifest, rows

ACT = "export-tables"


def csv_of(engine: Engine, to: Path, actor: str = "evaluator-pact", cutoffs: Cutoffs = EVERYTHING) -> Path:
    wanted = Wanted(ExportForm.CSV, Filters(), cutoffs, "fr")
    export(Reader(engine, actor), to, wanted, lambda log: None, lambda done, of: None)
    return to


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "manifest.json"}


def test_what_was_taken_is_taken_again_by_its_position(take: Take) -> None:
    now = take("csv")
    position, on = (manifest(now)[name] for name in ("position", "on"))
    # What was exported has been recorded since.
    again = take("csv", "--at", str(position))
    assert manifest(again)["on"] == on
    assert contents(again) == contents(now)


def test_both_databases_give_the_same_bytes(postgres_url: str, take: Take, tmp_path: Path) -> None:
    here = take("csv", "--as-of", "2025-01-01")
    tell(postgres_url)
    with Engine(postgres_url) as engine:
        position = manifest(here)["position"]
        live, past = csv_of(engine, tmp_path / "live"), Cutoffs(date(2025, 1, 1), at=position)
        there = csv_of(engine, tmp_path / "there", cutoffs=past)
    assert contents(there) == contents(here)
    assert contents(live)["events.csv"].startswith(contents(here)["events.csv"][:1000])


def test_whoever_writes_meanwhile_is_not_in_it(engine: Engine, tmp_path: Path) -> None:
    way = Way(engine)
    way.to(Stage.PLAN)
    reader = Reader(engine, Role.EVALUATOR.value)
    with still(reader, ACT, Filters(), EVERYTHING) as at:
        facts = Facts(at)
        first = {table.name: list(table.rows(at, facts)) for table in TABLES}
        for number in range(3):
            paper = AttachDocument(title=f"P{number}", sha256="0" * 64, bytes=1, media="text/plain")
            way.say(paper, on=MET)
        way.say(Suspend(reason="Crue"), on=MET)
        Reader(engine, Role.EVALUATOR.value).catch_up()
        assert {table.name: list(table.rows(at, facts)) for table in TABLES} == first
        assert at.position < engine.store.head().position
    with still(reader, ACT, Filters(), EVERYTHING) as at:
        assert {table.name: list(table.rows(at, Facts(at))) for table in TABLES} != first


def test_a_table_that_has_stopped_is_not_exported_as_if_it_were_new(engine: Engine) -> None:
    two_communes(engine)
    reader = Reader(engine, Role.EVALUATOR.value)
    reader.catch_up()
    with engine.store.database.begin() as connection:
        behind = checkpoints.update().where(checkpoints.c.name == "needs").values(position=1, problem="a mistake")
        connection.execute(behind)
    with pytest.raises(NotThereYet, match="cycle rebuild"), still(reader, ACT, Filters(), EVERYTHING):
        pass


def test_only_what_may_be_carried_away_is(engine: Engine, tmp_path: Path) -> None:
    """Fanta reads all of Ségou and Koulikoro, and evaluates in Koulikoro alone."""
    dioro, koula = two_communes(engine)
    grant(engine, "fanta", Role.EVALUATOR, "ML/Koulikoro")
    reader = Reader(engine, "fanta")
    reader.catch_up()
    assert {row.framework for row in reader.frameworks()} == {dioro, koula}
    folder = csv_of(engine, tmp_path / "out", "fanta")
    assert {row["framework"] for row in rows(folder / "frameworks.csv")} == {koula}
    assert {row["code"] for row in rows(folder / "communes.csv")} == {KOULA}
    assert {row["commune"] for row in rows(folder / "events.csv")} == {KOULA}
    wanted = Wanted(ExportForm.CSV, Filters(commune=DIORO), EVERYTHING, "fr")
    with pytest.raises(Forbidden):
        export(reader, tmp_path / "dioro", wanted, lambda log: None, lambda done, of: None)
    assert not (tmp_path / "dioro").exists()


def test_who_took_what_is_a_fact(engine: Engine, tmp_path: Path) -> None:
    two_communes(engine)
    folder = csv_of(engine, tmp_path / "out", Role.EVALUATOR.value)
    last = engine.store.head().position
    ((_, topic, schema, leaf),) = engine.store.read(last - 1)
    fact = engine.leaves[topic, schema](leaf)
    assert (fact.type, fact.by.actor, fact.by.role) == ("tables-exported", "evaluator", Role.EVALUATOR)
    assert json.loads(leaf)["data"] == {"form": "csv", "up_to": last - 1}
    assert manifest(folder)["position"] == last - 1
    assert manifest(folder)["by"] == "evaluator"


@pytest.mark.parametrize(
    ("option", "value", "keeps"),
    [
        ("--known-at", "2023-06-30", lambda row: row["recorded_at"] <= "2023-06-30T23:59:59.999999Z"),
        ("--as-of", "2023-06-30", lambda row: row["occurred_on"] <= "2023-06-30"),
        ("--at", "500", lambda row: int(row["position"]) <= 500),
    ],
)
def test_a_cut_off_leaves_out_what_lies_behind_it_in_every_file(
    take: Take, option: str, value: str, keeps: Callable[[dict[str, str]], bool]
) -> None:
    whole, cut = take("csv"), take("csv", option, value)
    kept = rows(cut / "events.csv")
    assert 0 < len(kept) < len(rows(whole / "events.csv"))
    assert all(keeps(row) for row in kept)
    there = {row["event"] for row in kept}
    for table, column in (("cycle_interval", "began_event"), ("stage_visit", "entered_event")):
        assert {row[column] for row in rows(cut / f"{table}.csv")} <= there
    assert manifest(cut)[option.removeprefix("--").replace("-", "_")]
    logs = [path for path in take("xes", option, value).iterdir() if path.suffix == ".xes"]
    framed = {row["event"] for row in kept if row["framework"]}
    assert all(path.read_text("utf-8").count("<event>") == len(framed) for path in logs)


OF = {"commune", "organisation", "deliberation", "framework"}


def test_the_facts_of_a_day_are_those_that_the_history_holds_then(take: Take, demo: Cli) -> None:
    folder = take("csv", "--as-of", "2023-08-15")
    with Engine(demo.url) as engine:
        cutoffs = Cutoffs(date(2023, 8, 15), at=manifest(folder)["position"])
        held = Reader(engine, "evaluator-pact").facts(cutoffs=cutoffs)
    found = [fact for fact in held if fact.recorded.stream.partition("-")[0] in OF]
    assert [row["event"] for row in rows(folder / "events.csv")] == [fact.recorded.id for fact in found]
    assert [row["occurred_on"] for row in rows(folder / "events.csv")] == [
        fact.recorded.occurred_on.isoformat() for fact in found
    ]


def test_one_commune_a_circle_or_a_region_is_exported_alone(take: Take) -> None:
    dioro = take("csv", "--commune", "Dioro")
    assert {row["commune"] for row in rows(dioro / "events.csv")} == {DIORO}
    assert manifest(dioro)["commune"] == DIORO
    segou = {row["code"] for row in rows(take("csv", "--region", "segou") / "communes.csv")}
    circle = {row["code"] for row in rows(take("csv", "--circle", "Macina") / "communes.csv")}
    assert DIORO in segou
    assert circle
    assert circle < segou


def test_spells_add_up_as_the_metrics_say(take: Take) -> None:
    folder = take("csv")
    durations = rows(folder / "durations.csv")
    between = {(row["framework"], row["cycle"]): row for row in durations if row["metric"] == "M1"}
    set_up = {(row["framework"], "0"): row for row in durations if row["metric"] == "M3"}
    intervals = rows(folder / "cycle_interval.csv")
    assert len(intervals) == len(between) + len(set_up)
    for row in intervals:
        measured = (between | set_up)[row["framework"], row["cycle"]]
        assert (row["days"], row["active_days"], row["state"]) == (
            measured["days"], measured["active_days"], measured["ended"],
        )  # fmt: skip
    obstacles = [row for row in durations if row["metric"] == "M6-resolved" and row["ended"] == "closed"]
    assert sorted(row["days"] for row in obstacles) == sorted(
        row["days_to_end"] for row in rows(folder / "obstacle_spell.csv") if row["days_to_end"]
    )
    assert len(rows(folder / "stage_visit.csv")) == sum(row["metric"] == "M2" for row in durations)


def test_no_natural_person_is_in_any_file(engine: Engine, tmp_path: Path) -> None:
    way = Way(engine)
    way.to(Stage.MONITORING)
    committee = engine.framework(way.framework).committee
    assert committee is not None
    people = [seat.person for seat in committee.seats]
    seat = Seat(member=MAIRIE, person="usr-somebody-new", woman=True, youth=True)
    way.say(ReplaceCommitteeMember(leaves=people[0], seat=seat, reason="Départ"), on=ENDS)
    accounts = {role.value for role in Role} | {"awa"}
    reader = Reader(engine, Role.EVALUATOR.value)
    for form, json_wanted in ((ExportForm.CSV, None), (ExportForm.OCEL, True), (ExportForm.XES, None)):
        wanted = Wanted(form, Filters(), EVERYTHING, "fr", json=json_wanted)
        export(reader, tmp_path / form.value, wanted, lambda log: None, lambda done, of: None)
        for path in (tmp_path / form.value).iterdir():
            data = path.read_bytes().decode()
            assert not [person for person in (*people, "usr-somebody-new") if person in data], path.name
            assert '"person"' not in data
    events = rows(tmp_path / "csv/events.csv")
    assert {row["type"] for row in events} >= {"committee-installed", "committee-member-replaced"}
    assert {row["role"] for row in events} <= accounts
    seats = json.loads(next(row["data"] for row in events if row["type"] == "committee-member-replaced"))
    assert seats["seat"] == {"member": "MB-1", "woman": True, "youth": True}
    assert "leaves" not in seats


def test_whatever_points_at_a_person_is_declared_to() -> None:
    """A field of an event or table that is called as people are, and does not say that it points at one, is noticed."""
    called = {"person", "people", "leaves", "seconded_by", "requested_by", "account", "owner", "telephone"}
    for name in TYPES:
        hints = get_type_hints(EVENTS[name], include_extras=True)
        for field in EVENTS[name].__struct_fields__:
            assert field not in called or points_at_somebody(hints[field]), f"{name}.{field}"
    for table in TABLES:
        assert not called & {column.name for column in table.columns}
    kept = [PROJECTIONS[table.name].row for table in TABLES if table.name in PROJECTIONS]
    assert not any(names_people(row) for row in kept)


def test_a_commune_of_another_zone_has_its_own_noon(engine: Engine) -> None:
    two_communes(engine)
    with still(Reader(engine, Role.EVALUATOR.value), ACT, Filters(), EVERYTHING) as at:
        facts = Facts(at)
        assert facts.noon(DIORO, date(2026, 7, 1)).isoformat() == "2026-07-01T12:00:00+00:00"
        facts._zones[CommuneCode("FR-1")] = ZoneInfo("Europe/Paris")
        assert facts.noon("FR-1", date(2026, 7, 1)).isoformat() == "2026-07-01T10:00:00+00:00"
        assert facts.noon("FR-1", date(2026, 1, 1)).isoformat() == "2026-01-01T11:00:00+00:00"
