"""One metric side by side, how first intervals end, and what is usual for one framework."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from fastapi.testclient import TestClient

from cycle.history import EVERYTHING, Cutoffs
from cycle.projections.spells import Mark
from cycle.reading import Filters, Reader
from cycle.timings.comparing import Cohort, Comparisons, Period, comparisons, side
from cycle.timings.durations import Duration, Ended, Kind, Rows
from cycle.timings.estimators import Ending
from cycle.timings.incidence import ways_to_end
from cycle.timings.measuring import By, measured
from cycle.timings.metrics import DURATIONS
from cycle.timings.usual import usual_of
from tests.cli.run import Cli
from tests.http.town import API

SEGOU, MACINA = Cohort(By.CIRCLE, "segou"), Cohort(By.CIRCLE, "Macina")
DAY = date(2024, 1, 1)
OLD, NEW = Period(date(2023, 1, 1), DAY), Period(DAY, date(2025, 1, 1))


def compared(reader: Reader, metric: str, *sides: Period | Cohort, cutoffs: Cutoffs = EVERYTHING) -> Comparisons:
    return comparisons(reader, DURATIONS[metric], sides, Filters(), cutoffs)


def test_a_side_is_written_as_a_cohort_or_a_period() -> None:
    assert side("region=Ségou") == Cohort(By.REGION, "Ségou")
    assert side("2023-01-01..2024-01-01") == OLD
    assert [str(side(str(each))) for each in (OLD, SEGOU)] == [str(OLD), str(SEGOU)]
    for wrong in ("Ségou", "region=", "moon=Ségou", "2024-01-01..2024-01-01", "2024-01-01..soon", ""):
        with pytest.raises(ValueError, match=r".*"):
            side(wrong)


@pytest.mark.parametrize("metric", ["M1", "M3", "M6-resolved", "M9-planned"])
def test_the_median_of_a_side_is_that_of_its_cohort(reader: Reader, metric: str) -> None:
    """Two ways to one number: the comparison, and the cohort by itself."""
    [found] = compared(reader, metric, SEGOU, MACINA).comparisons
    for group in measured(reader, DURATIONS[metric], By.CIRCLE, Filters(), EVERYTHING).groups:
        sides = {"Ségou": found.sides[0], "Macina": found.sides[1]}
        if group.cohort not in sides:
            continue
        one = sides[group.cohort]
        assert group.curve is not None
        assert (one.frameworks, one.intervals, one.running) == (group.frameworks, group.intervals, group.running)
        assert one.median == group.curve.median.days


def test_a_side_against_itself_differs_by_nothing_for_sure(reader: Reader) -> None:
    [found] = compared(reader, "M1", SEGOU, SEGOU).comparisons
    [difference] = found.differences
    assert (difference.days, difference.lower, difference.upper) == (0, 0, 0)


def test_the_other_way_round_is_the_negative(reader: Reader) -> None:
    [one], [other] = (compared(reader, "M1", *sides).comparisons for sides in ((SEGOU, MACINA), (MACINA, SEGOU)))
    forth, back = one.differences[0].days, other.differences[0].days
    assert forth is not None
    assert back == -forth
    assert one.sides[0] == other.sides[1]


def test_an_interval_is_in_the_one_period_in_which_it_began(reader: Reader) -> None:
    """Closed-open: what began on the day between two periods is in the later one alone."""
    began = sorted(each.start.on for each in measured(reader, DURATIONS["M1"], None, Filters(), EVERYTHING).durations)
    middle = began[len(began) // 2]
    halves = Period(began[0], middle), Period(middle, began[-1] + timedelta(days=1))
    [found] = compared(reader, "M1", *halves).comparisons
    assert [each.intervals for each in found.sides] == [
        sum(day < middle for day in began),
        sum(day >= middle for day in began),
    ]


def test_how_many_differences_were_looked_at_is_said_and_that_later_is_shorter(reader: Reader) -> None:
    periods = compared(reader, "M2", OLD, NEW, Period(date(2025, 1, 1), date(2026, 1, 1)))
    assert periods.later_is_shorter
    assert periods.compared == 2 * len(periods.comparisons) > 6
    assert not compared(reader, "M1", SEGOU, MACINA).later_is_shorter


def test_fewer_than_five_frameworks_are_not_compared(reader: Reader) -> None:
    nowhere = Cohort(By.REGION, "Nowhere")
    [found] = compared(reader, "M1", SEGOU, nowhere).comparisons
    assert (found.sides[1].frameworks, found.sides[1].median) == (0, None)
    assert found.differences[0].days is None
    assert compared(reader, "M1", nowhere, nowhere).comparisons[0].differences[0].days is None


class Made:
    """Durations of forty communes; those that began in 2024 last ten days longer, and the last ones still run."""

    id, kind, signed, apart, compared = "M1", Kind.SIDE_BY_SIDE, False, False, False

    def durations(self, rows: Rows, on: date) -> Iterator[Duration]:
        random = Random(1)
        for number in range(40):
            usual = random.gauss(60, 8)
            for year, more in ((2023, 0), (2024, 10)):
                days = max(1, round(random.gauss(usual, 3))) + more
                begun = date(year, 3, 1)
                ended = Ended.CLOSED if days < 85 else Ended.RUNNING
                mark = Mark(f"{number}-{year}", year, begun, datetime(2024, 1, 1, tzinfo=UTC))
                yield Duration(
                    commune=str(number),
                    framework=str(number),
                    cycle=1,
                    policy="p-1",
                    start=mark,
                    end=None,
                    days=min(days, 85),
                    ended=ended,
                )


def test_a_difference_that_is_there_is_found_and_drawn_from_the_same_communes(reader: Reader) -> None:
    """Communes differ by far more than the years: only samples of whole communes, on both sides, tell it so surely."""
    [found] = comparisons(reader, Made(), (OLD, NEW), Filters(), EVERYTHING).comparisons
    [difference] = found.differences
    assert difference.lower is not None
    assert difference.upper is not None
    assert 0 < difference.lower <= 10 <= difference.upper < 16
    again = comparisons(reader, Made(), (OLD, NEW), Filters(), EVERYTHING).comparisons
    assert again == [found], "drawn from one seed"


def test_command_line_and_api_compare_alike(cli: Cli, client: TestClient) -> None:
    said = cli("--json", "timings", "M1", "--compare", f"{SEGOU},{MACINA}").json
    assert client.get(f"{API}/timings/M1/comparison?side={SEGOU}&side={MACINA}").json() == said
    french = cli("timings", "M1", "--compare", f"{OLD},{NEW}").out
    for words in ("du 1er janvier 2023 au 31 décembre 2023", "Écart au premier (95 %)", "observée moins longtemps"):
        assert words in french
    assert "1 difference looked at" in cli("timings", "M1", "--compare", f"{SEGOU},{MACINA}", lang="en").out


def test_what_cannot_be_compared_is_refused_with_what_can(cli: Cli, client: TestClient) -> None:
    for arguments, words in (
        (("M7", "--compare", f"{SEGOU},{MACINA}"), "such as M1"),
        (("--compare", f"{SEGOU},{MACINA}"), "such as M1"),
        (("M1", "--compare", "circle=Ségou"), "two sides or more"),
        (("M1", "--compare", "Ségou,Koulikoro"), "region=Ségou"),
        (("M1", "--compare", "region=Moon,region=Ségou"), "There is no region Moon"),
    ):
        found = cli("timings", *arguments, lang="en")
        assert found.code == 2
        assert words in found.err
    for address, field in (
        (f"M7/comparison?side={SEGOU}&side={MACINA}", "metric"),
        ("M1/comparison", "side"),
        (f"M1/comparison?side={SEGOU}", "side"),
        (f"M1/comparison?side={SEGOU}&side=moon", "side"),
        ("M1/comparison?" + "&".join(f"side={SEGOU}" for _ in range(11)), "side"),
    ):
        answer = client.get(f"{API}/timings/{address}", headers={"Accept-Language": "en"})
        assert answer.status_code == 422
        [fault] = answer.json()["errors"]
        assert fault["field"] == field
        assert address == "M1/comparison" or "such as" in fault["text"]


# How first intervals end


def test_each_way_to_end_has_its_share_and_the_rest_still_runs() -> None:
    """Given four, of which one is dissolved after 10 days, two have their plan after 20, and one runs on."""
    first = [Ending("a", 10, 2), Ending("b", 20, 1), Ending("c", 20, 1), Ending("d", 30, 0)]
    plan, dissolved = ways_to_end(first)
    assert [(each.way.value, each.ended, each.of) for each in (plan, dissolved)] == [
        ("closed", 2, 4),
        ("dissolved", 1, 4),
    ]
    assert [(each.days, pytest.approx(each.share)) for each in plan.points] == [(20, 0.5)]
    assert [(each.days, pytest.approx(each.share)) for each in dissolved.points] == [(10, 0.25)]


@pytest.mark.parametrize("metric", ["M1", "M3", "M3-adopted"])
def test_ways_to_end_are_told_of_the_first_interval_of_each_framework(reader: Reader, metric: str) -> None:
    found = measured(reader, DURATIONS[metric], None, Filters(), Cutoffs(as_of=date(2023, 8, 1)))
    [group] = found.groups
    first = [each for each in found.durations if each.cycle == (1 if metric == "M1" else 0)]
    assert [each.of for each in group.ways] == [len(first)] * 2
    assert group.ways[0].ended == sum(each.ended is Ended.CLOSED for each in first) > 0
    assert sum(each.points[-1].share for each in group.ways if each.points) <= 1 + 1e-9


def test_ways_to_end_are_told_in_words(cli: Cli) -> None:
    assert "sont arrivés à leur terme" in cli("timings", "M1").out
    assert "dissolved before" in cli("timings", "M3", lang="en").out
    [group] = cli("--json", "timings", "M2", "--framework", "Dioro").json["groups"][:1]
    assert group["ways"] == []


# What is usual for one framework


def interval(number: int, days: int, ended: Ended = Ended.CLOSED) -> Duration:
    mark = Mark(f"e{number}", number, DAY, datetime(2024, 1, 1, tzinfo=UTC))
    named = {"commune": "c", "framework": "f", "policy": "p-1"}
    return Duration(cycle=number, start=mark, end=mark, days=days, ended=ended, **named)


def test_what_still_runs_is_a_point_and_no_part_of_the_mean() -> None:
    days = [100, 110, 90, 100, 105, 300]
    found = usual_of("f", [*(interval(n, each) for n, each in enumerate(days, 1)), interval(7, 900, Ended.RUNNING)])
    assert found.chart is not None
    assert found.chart.mean == pytest.approx(805 / 6)
    assert found.chart.unusual == (6,)
    assert [each.days for each in found.points] == [*days, 900]
    assert usual_of("f", [interval(n, 100) for n in range(1, 6)]).chart is None, "five say nothing yet"
    assert len(usual_of("f", [interval(1, -3), interval(2, 50)]).points) == 1, "a doubt is no point"


def test_one_framework_by_itself_has_its_chart(cli: Cli, reader: Reader) -> None:
    assert measured(reader, DURATIONS["M1"], None, Filters(), EVERYTHING).usual is None
    dioro = reader.find_framework("Dioro")
    found = measured(reader, DURATIONS["M1"], None, Filters(framework=dioro), EVERYTHING)
    assert found.usual is not None
    assert found.usual.points == found.durations
    assert measured(reader, DURATIONS["M4"], None, Filters(framework=dioro), EVERYTHING).usual is None
    said = cli("timings", "M1", "--framework", "Dioro").out
    assert "Ses intervalles" in said
    assert "○" in said
    assert "à partir de 6 intervalles" in said
