"""Timings through their doors: figures with what one needs in order to doubt them, and to walk to two facts."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient

from cycle.history import EVERYTHING
from cycle.reading import Filters, Reader
from cycle.timings.cases import PromiseCase
from cycle.timings.durations import METRICS
from cycle.timings.measuring import By, measured
from cycle.timings.shares import SHARES
from cycle.timings.sharing import shared
from tests.cli.run import Cli
from tests.http.town import API, named, served

REGIONS = {"Ségou", "Koulikoro"}


def test_a_metric_is_told_with_its_definition_and_its_doubts(cli: Cli) -> None:
    french = cli("timings", "M1")
    assert french.code == 0
    for words in (
        "Temps entre les cycles",
        "Chaque cadre" in french.out or "chaque cadre",
        "Médiane (95 %)",
        "En cours",
    ):
        assert str(words) in french.out
    assert "Jours calendaires." in french.out
    assert "rapporté au premier du même cadre : × " in french.out
    assert "Enregistrement : la moitié des faits" in french.out
    english = cli("timings", "m1", lang="en")
    assert "Time between cycles" in english.out
    assert "against the framework's own first" in english.out


def test_all_metrics_at_a_glance(cli: Cli) -> None:
    found = cli("timings", lang="en").out
    for name in ("Time between cycles", "Time in each stage", "Set-up time", "Gap between plans", "Obstacles"):
        assert name in found


def test_few_frameworks_have_rows_and_no_curve(cli: Cli) -> None:
    found = cli("timings", "M1", "--framework", "Dioro")
    assert "moins de 5 cadres" in found.out
    [group] = cli("--json", "timings", "M1", "--framework", "Dioro").json["groups"]
    assert (group["frameworks"], group["curve"]) == (1, None)


def test_cohorts_are_compared_and_how_many_is_said(cli: Cli) -> None:
    found = cli("timings", "M1", "--by", "region")
    assert "2 groupes comparés" in found.out
    assert set(found.out.split()) >= REGIONS
    sectors = cli("timings", "M1", "--by", "sector")
    assert "maraîchage" in sectors.out
    policies = cli("--json", "timings", "M1", "--by", "policy").json["groups"]
    assert [each["cohort"] for each in policies] == ["wocat-pact-1"]
    stages = cli("timings", "M2", "--by", "region")
    assert "suivi par le comité" in stages.out


def test_a_past_day_gives_what_was_running_then(cli: Cli) -> None:
    [now], [then] = (cli("--json", "timings", "M1", *cut).json["groups"] for cut in ((), ("--as-of", "2023-09-01")))
    assert then["intervals"] < now["intervals"]
    assert "Au 1er septembre 2023" in cli("timings", "M1", "--as-of", "2023-09-01").out


def test_nothing_to_measure_is_said(cli: Cli) -> None:
    assert cli("timings", "M1", "--as-of", "2001-01-01").out.strip() == "Rien à mesurer pour l'instant."


def test_what_is_no_metric_and_no_cohort_is_refused_with_what_there_is(cli: Cli) -> None:
    for arguments in (("moon",), ("M1", "--by", "moon")):
        found = cli("timings", *arguments)
        assert found.code == 2
        assert "M1" in found.err or "region" in found.err


@pytest.mark.parametrize(
    "metric", ["M1", "M2", "M3-adopted", "M6-resolved", "M7", "M7-late", "M8", "M9", "M9-completed", "M10", "M11"]
)
def test_command_line_and_api_say_the_same(cli: Cli, client: TestClient, metric: str) -> None:
    said = cli("--json", "timings", metric).json
    assert client.get(f"{API}/timings/{metric}?limit=500").json() == said


def test_durations_come_page_by_page_and_the_figures_with_each(client: TestClient, reader: Reader) -> None:
    whole = measured(reader, METRICS["M2"], By.REGION, Filters(), EVERYTHING)
    found: list[Any] = []
    address = f"{API}/timings/M2?by=region&limit=37"
    while address:
        answer = client.get(address)
        assert answer.status_code == 200
        body = answer.json()
        assert [(each["cohort"], each["intervals"]) for each in body["groups"]] == [
            (each.cohort, each.intervals) for each in whole.groups
        ]
        found += body["durations"]
        address = answer.headers.get("link", "").partition("<")[2].partition(">")[0]
    assert [(each["start"]["event"], each["days"]) for each in found] == [
        (each.start.event, each.days) for each in whole.durations
    ]
    assert len({each["start"]["event"] for each in found}) == len(found)


def test_shares_are_told_with_their_definition_and_what_is_left_out(cli: Cli) -> None:
    french = cli("timings", "M7").out
    for words in (
        "Actions : achevées à l'échéance, reportées",
        "au plan adopté",
        "hors des parts à la clôture",
        " sur ",
    ):
        assert words in french
    assert "Enregistrement : la moitié des faits" in french
    english = cli("timings", "m8", lang="en").out
    for words in ("Promises kept", "received by the day promised", "cash", "XOF", "in kind", "waived: "):
        assert words in english
    attendance = cli("timings", "M10", lang="en").out
    assert "against the framework's own first: ×" in attendance
    assert "left out of the shares: no attendance list" in attendance or "meetings: " in attendance


def test_few_frameworks_have_cases_and_no_share(cli: Cli) -> None:
    assert "moins de 5 cadres" in cli("timings", "M7", "--framework", "Dioro").out
    found = cli("--json", "timings", "M7", "--framework", "Dioro").json
    [group] = found["groups"]
    assert group["frameworks"] == 1
    assert len(found["cases"]) == group["cases"] > 5
    assert not any("share" in each for each in group["shares"])


def test_cases_come_page_by_page_and_the_shares_with_each(client: TestClient, reader: Reader) -> None:
    whole = shared(reader, SHARES["M8"], None, Filters(), EVERYTHING)
    found: list[Any] = []
    address = f"{API}/timings/M8?limit=50"
    while address:
        answer = client.get(address)
        assert answer.status_code == 200
        assert answer.json()["groups"][0]["cases"] == len(whole.cases)
        found += answer.json()["cases"]
        address = answer.headers.get("link", "").partition("<")[2].partition(">")[0]
    assert [(each["framework"], each["member"], each["nature"], each["unit"]) for each in found] == [
        (each.framework, each.member, each.nature, each.unit) for each in whole.cases if isinstance(each, PromiseCase)
    ]
    assert len({(each["framework"], each["member"], each["nature"], each["unit"]) for each in found}) == len(found)


def test_a_share_is_the_sum_of_its_cases_and_its_interval_holds_it(reader: Reader) -> None:
    [group] = shared(reader, SHARES["M8"], None, Filters(), EVERYTHING).groups
    found = [
        case
        for case in shared(reader, SHARES["M8"], None, Filters(), EVERYTHING).cases
        if isinstance(case, PromiseCase)
    ]
    [cash] = [each for each in group.shares if (each.code, each.about) == ("received-by-due", "cash")]
    assert cash.part == sum(case.received_by_due for case in found if case.nature == "cash")
    assert cash.of == sum(case.due for case in found if case.nature == "cash")
    assert cash.share is not None
    assert cash.lower is not None
    assert cash.upper is not None
    assert cash.share == pytest.approx(float(cash.part) / float(cash.of))
    assert cash.lower < cash.share < cash.upper


def test_regions_add_up_to_everything(reader: Reader) -> None:
    for measure in SHARES.values():
        [whole] = shared(reader, measure, None, Filters(), EVERYTHING).groups
        regions = shared(reader, measure, By.REGION, Filters(), EVERYTHING).groups
        assert {each.cohort for each in regions} == REGIONS
        assert whole.counts == {code: sum(each.counts[code] for each in regions) for code in measure.counted}
        assert sum(each.frameworks for each in regions) == whole.frameworks


def test_each_region_by_itself_is_what_the_cohort_says(reader: Reader) -> None:
    together = measured(reader, METRICS["M1"], By.REGION, Filters(), EVERYTHING).groups
    assert {each.cohort for each in together} == REGIONS
    for group in together:
        [alone] = measured(reader, METRICS["M1"], None, Filters(region=group.cohort), EVERYTHING).groups
        assert (alone.intervals, alone.curve, alone.changes, alone.lag) == (
            group.intervals,
            group.curve,
            group.changes,
            group.lag,
        )


def test_bad_parameters_are_named(client: TestClient) -> None:
    for address, field, words in (
        ("M99", "metric", "such as M1"),
        ("M1?by=moon", "by", "region, circle"),
        ("M1?as_of=tomorrow", "as_of", ""),
        ("M1?limit=0", "limit", ""),
    ):
        answer = client.get(f"{API}/timings/{address}", headers={"Accept-Language": "en"})
        assert answer.status_code == 422
        [fault] = answer.json()["errors"]
        assert fault["field"] == field
        assert words in fault["text"]


def test_whoever_may_read_one_commune_measures_that_one(reader: Reader) -> None:
    own = Reader(reader.engine, "facilitator-04", reader.runner)
    found = measured(own, METRICS["M1"], None, Filters(), EVERYTHING)
    assert {each.commune for each in found.durations} == {"ML-4-01-04"} or len(
        {e.commune for e in found.durations}
    ) == 1
    with served(reader.engine, None) as nobody:
        assert nobody.get(f"{API}/timings/M1", headers=named("nobody")).status_code in (401, 403)


def test_today_is_the_day_of_the_look(reader: Reader) -> None:
    found = measured(reader, METRICS["M1"], None, Filters(), EVERYTHING)
    assert found.as_of == reader.engine.today()
    assert found.as_of >= date(2026, 1, 1)
