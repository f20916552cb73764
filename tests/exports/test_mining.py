"""What pm4py, which others mine processes with, makes of an export: as many facts, in the same order, as far apart."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest

from cycle.engine import Engine
from cycle.history import EVERYTHING
from cycle.reading import Filters, Reader
from cycle.timings.durations import METRICS, Ended
from cycle_adapters.cli.main import main
from tests.exports.reading import rows

FORMS = (("csv",), ("ocel", "--form", "json"), ("ocel", "--form", "sqlite"), ("xes",))


@pytest.fixture(scope="module")
def taken(told: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for each form, of one moment."""
    folder = tmp_path_factory.mktemp("taken")
    copyfile(told, folder / "cycle.db")
    with Engine(url(folder)) as engine:
        position = engine.store.head().position
    for form in FORMS:
        words = ["export", *form, "--at", str(position), "--to", str(folder / "-".join(form).replace("---form", ""))]
        with pytest.raises(SystemExit) as ended:
            main(["--database", url(folder), "--actor", "evaluator-pact", *words])
        assert not ended.value.code
    return folder


@pytest.fixture(scope="module")
def mined(taken: Path) -> dict[str, Any]:
    """What pm4py has read."""
    found = taken / "mined.json"
    files = [taken / "ocel-json/cycle.ocel.json", taken / "ocel-sqlite/cycle.ocel.sqlite"]
    files += [taken / "xes/by-framework.xes", taken / "xes/by-cycle.xes"]
    command = (sys.executable, "-W", "ignore", "-m", "tests.exports.mining", str(found), *map(str, files))
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    read: dict[str, Any] = json.loads(found.read_bytes())
    return read


@pytest.fixture(scope="module")
def events(taken: Path) -> list[dict[str, str]]:
    """The facts, in the order of the log."""
    return rows(taken / "csv/events.csv")


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'cycle.db'}"


OCEL = ("cycle.ocel.json", "cycle.ocel.sqlite")


@pytest.mark.parametrize("form", OCEL)
def test_there_are_as_many_facts_of_each_type_as_in_the_log(
    form: str, mined: dict[str, Any], events: list[dict[str, str]]
) -> None:
    assert Counter(type for _, type, _, _ in mined[form]["events"]) == Counter(event["type"] for event in events)
    assert {identity for identity, *_ in mined[form]["events"]} == {event["event"] for event in events}


@pytest.mark.parametrize("form", OCEL)
def test_facts_of_one_day_stand_in_the_order_of_the_log(
    form: str, mined: dict[str, Any], events: list[dict[str, str]]
) -> None:
    wanted = sorted(events, key=lambda event: (event["occurred_on"], int(event["position"])))
    assert [identity for identity, *_ in mined[form]["events"]] == [event["event"] for event in wanted]
    assert [int(sequence) for *_, sequence in mined[form]["events"]] == [int(event["position"]) for event in wanted]
    # Noon in Mali is noon in UTC.
    assert [time for _, _, time, _ in mined[form]["events"]] == [
        f"{event['occurred_on']}T12:00:00+00:00" for event in wanted
    ]


def test_the_json_form_keeps_the_order_of_ties_by_itself(mined: dict[str, Any], events: list[dict[str, str]]) -> None:
    wanted = sorted(events, key=lambda event: (event["occurred_on"], int(event["position"])))
    assert mined[OCEL[0]]["loaded"] == [event["event"] for event in wanted]


def test_both_forms_say_the_same(mined: dict[str, Any]) -> None:
    one, other = ({**mined[form], "loaded": None} for form in OCEL)
    assert one == other


def test_every_constraint_of_the_standard_holds(mined: dict[str, Any]) -> None:
    assert mined["cycle.ocel.sqlite"]["unsatisfied"] == []


@pytest.mark.parametrize("form", OCEL)
def test_a_fact_is_about_one_thing_and_of_its_framework_and_its_cycle(
    form: str, mined: dict[str, Any], events: list[dict[str, str]]
) -> None:
    assert mined[form]["subjects"] == {"1": len(events)}
    links: dict[str, dict[str, str]] = {}
    for event, thing, qualifier in mined[form]["relations"]:
        assert thing not in links.setdefault(event, {}), "counted twice when it is flattened"
        links[event][thing] = qualifier
    for event in events:
        there = links[event["event"]]
        assert there[event["subject"]] == "subject"
        assert event["commune"] in there
        if event["framework"]:
            assert event["framework"] in there
        if event["cycle"] not in ("", "0"):
            assert f"{event['framework']}/cycle-{event['cycle']}" in there


@pytest.mark.parametrize("form", OCEL)
def test_things_are_of_eight_types_and_none_is_a_person(form: str, mined: dict[str, Any], taken: Path) -> None:
    assert mined[form]["types"].keys() == {
        "commune", "framework", "cycle", "plan", "action", "obstacle", "meeting", "organisation",
    }  # fmt: skip
    assert mined[form]["types"]["framework"] == len(rows(taken / "csv/frameworks.csv"))
    assert mined[form]["types"]["organisation"] == len(rows(taken / "csv/organisations.csv"))
    assert mined[form]["types"]["obstacle"] == len(rows(taken / "csv/obstacles.csv"))


@pytest.mark.parametrize("form", OCEL)
def test_plans_are_as_far_apart_as_in_the_log(form: str, mined: dict[str, Any], taken: Path) -> None:
    agreed = mined[form]["agreed"]
    with Engine(url(taken)) as engine:
        reader = Reader(engine, "evaluator-pact")
        reader.catch_up()
        found = METRICS["M1"].durations(lambda name: reader.each(name, Filters(), EVERYTHING), date(2030, 1, 1))
        closed = [each for each in found if each.ended is Ended.CLOSED]
    assert len(closed) > 4
    for each in closed:
        first, next_ = (date.fromisoformat(agreed[f"{each.framework}/plan-{each.cycle + n}"]) for n in (0, 1))
        assert (next_ - first).days == each.days


def test_what_was_set_right_is_shown_as_it_is_believed(mined: dict[str, Any], events: list[dict[str, str]]) -> None:
    right = [event for event in events if event["corrected"] == "true"]
    assert right
    assert mined[OCEL[0]]["corrected"] == sorted(event["event"] for event in right)


@pytest.mark.parametrize(("name", "ends"), [("by-framework.xes", ""), ("by-cycle.xes", "/cycle-{cycle}")])
def test_a_trace_holds_what_a_framework_went_through_in_its_order(
    name: str, ends: str, mined: dict[str, Any], events: list[dict[str, str]]
) -> None:
    wanted: dict[str, list[list[str]]] = {}
    for event in sorted(events, key=lambda each: int(each["version"])):
        if event["framework"]:
            trace = event["framework"] + ends.format(cycle=event["cycle"])
            wanted.setdefault(trace, []).append([event["event"], event["type"], event["occurred_on"]])
    assert mined[name] == wanted
