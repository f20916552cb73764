"""The pictures as they are drawn: whatever there is to show, in both languages."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any, cast
from xml.etree import ElementTree

import pytest
from msgspec.structs import replace

from cycle.aggregates.framework.state import Stage
from cycle.catalogue import LANGUAGES, Language
from cycle.engine import Engine
from cycle.timings.durations import Ended
from cycle.timings.estimators import Curve, Point, Quantile, Ratio
from cycle.timings.measuring import By, Group, Lag
from cycle.timings.pictures.all import Pictured
from cycle.timings.pictures.base import Count, Counts, how_many
from cycle.timings.pictures.stages import OfStage, Stages, Visits
from cycle.timings.pictures.strips import Bar, Plan, Strip, Strips
from cycle.timings.pictures.waiting import Cohort, NextPlan
from cycle.timings.pictures.ways import Spot, Way, Ways
from cycle_adapters.pictures.drawing import description, drawn, sheet_of, title
from cycle_adapters.pictures.sheet import GREY, INK, LIGHT, PAPER, WIDTH
from cycle_adapters.pictures.ways import ARROWS
from tests.desk.payloads import TOGETHER
from tests.timings.towns import BEGIN, TODAY, TURN, A, D, Lived, M, N, O, P, S, X, picture, pictures, town

SVG = "{http://www.w3.org/2000/svg}"
LONG = "Cadre de concertation entre la commune rurale et le secteur privé de la zone irriguée du Delta intérieur " * 3
ONCE: Lived = ((D, 30), *TURN, (N, 0))
SIX: Mapping[str, Lived] = {f"Cadre {n}": ((D, 20 + n), *TURN * 2, (M, 0)) for n in range(6)}
TOWNS: dict[str, Mapping[str, Lived]] = {
    "nothing": {},
    "one-new": {"Cadre seul": ((D, 0),)},
    "one": {"Cadre seul": ONCE},
    "six": SIX,
    "all-running": {f"Cadre {n}": ((D, 20 + n), (N, 10), (M, 20), (P, 0)) for n in range(7)},
    "no-days": {f"Cadre {n}": ((D, 0), *((stage, 0) for stage, _ in TURN), (M, 0), (P, 0), (O, 0)) for n in range(5)},
    "negative": {**SIX, "Cadre de dates": ((D, 30), (N, 10), (M, 50), (P, -40), (O, -30), (A, 5), (M, 2), (P, 0))},
    "forty-cycles": {
        f"Cadre {n}": ((D, 9), *((stage, 3 + n) for stage, _ in TURN), *[(M, 2), (P, 2), (O, 9), (A, 1)] * 40, (N, 0))
        for n in range(5)
    },
    "long-name": {LONG[:200]: ONCE, "W" * 200: ONCE},
    "suspended": {**SIX, "Cadre suspendu": ((D, 30), (N, 10), (M, 3), (S, 40), (M, 20), (P, 5), (O, 9), (S, 0))},
    "dissolved": {**SIX, "Cadre dissous": ((D, 30), *TURN, (S, 10), (X, 0))},
    "all-dissolved": {f"Cadre {n}": ((D, 30), *TURN, (X, 0)) for n in range(5)},
    "negotiated-anew": {
        f"Cadre {n}": ((D, 9), (N, 9), (M, 9), (P, 3), (M, 4), (P, 5), (O, 9), (A, 2), (O, 0)) for n in range(6)
    },
    "hostile": {f"{TOGETHER[:180]}{n}": ONCE for n in range(3)} | {"2026-01-01": ONCE, "meeting": ONCE},
}  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """A picture as it was drawn of a town."""

    town: str
    found: Pictured
    language: Language

    @property
    def svg(self) -> str:
        return drawn(self.found, self.language)

    def __str__(self) -> str:
        return f"{self.town} {self.found.picture} {self.language}"


@pytest.fixture(scope="module", params=TOWNS)
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Seen]]:
    name = request.param
    with town(tmp_path_factory.mktemp("town") / "a.db", TOWNS[name]) as engine:
        found = [*pictures(engine), picture(engine, "next-plan", by=By.REGION)]
        yield [Seen(name, each, language) for each in found for language in LANGUAGES]


@pytest.fixture(scope="module")
def six(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with town(tmp_path_factory.mktemp("town") / "six.db", SIX) as engine:
        yield engine


def elements(svg: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(svg).iter())


def test_each_is_one_element_that_asks_for_nothing_and_looks_as_its_attributes_say(seen: list[Seen]) -> None:
    for each in seen:
        root, *rest = elements(each.svg)
        assert root.tag == f"{SVG}svg"
        assert {one.tag.removeprefix(SVG) for one in rest} <= {
            "title", "desc", "rect", "path", "polygon", "circle", "text", "pattern",
        }, str(each)  # fmt: skip
        for one in rest:
            assert not {name for name in one.attrib if name in ("style", "class", "href") or name.startswith("on")}
        assert "url(" not in re.sub(r'fill="url\(#picture-strips-hatch\)"', "", each.svg)


def test_each_has_a_title_and_a_description_for_who_does_not_see_it(seen: list[Seen]) -> None:
    for each in seen:
        root, *rest = elements(each.svg)
        named = {one.attrib["id"]: one.text for one in rest if "id" in one.attrib}
        title_id, described = root.attrib["aria-labelledby"].split()
        assert (root.attrib["role"], root.attrib["lang"]) == ("img", each.language)
        assert named[title_id]
        assert named[described]


def test_no_words_meet_and_all_are_on_the_sheet(seen: list[Seen]) -> None:
    for each in seen:
        sheet = sheet_of(each.found, each.language)
        for box in sheet.boxes:
            assert box.left >= 0, (str(each), box)
            assert box.right <= WIDTH, (str(each), box)
            assert 0 <= box.top < box.bottom <= sheet.y + 8, (str(each), box)
        for one, other in combinations(sheet.boxes, 2):
            assert not one.meets(other), (str(each), one, other)


def test_nothing_is_drawn_beside_the_sheet(seen: list[Seen]) -> None:
    for each in seen:
        for found in re.findall(r'd="M(-?[0-9.]+)[ ,](-?[0-9.]+)', each.svg):
            assert 0 <= float(found[0]) <= WIDTH, str(each)
        assert "nan" not in each.svg
        assert "None" not in each.svg


def test_names_are_shown_as_they_are(seen: list[Seen]) -> None:
    """Nothing that somebody has typed is an element, and nothing is taken for a word of ours."""
    for each in seen:
        if each.town == "hostile" and each.found.picture == "strips":
            words = " ".join(one.text or "" for one in elements(each.svg))
            assert "Commune 1 · 2026-01-01" in words
            assert "· meeting" in words
            assert "<script" not in each.svg


def test_nothing_to_show_is_said(tmp_path: Path) -> None:
    with town(tmp_path / "a.db", {}) as engine:
        for found in pictures(engine):
            assert title(found, "en") == "Nothing to measure yet"
            assert title(found, "fr") == "Rien à mesurer pour l'instant"


def dots(svg: str) -> tuple[int, int]:
    """How many dots are full, and how many are hollow."""
    found = re.findall(r'<path d="((?:M[0-9.]+ [0-9.]+a2 2 [^M"]+)+)"( fill="#fff")?', svg)
    return tuple(sum(d.count("M") for d, hollow in found if bool(hollow) is open_) for open_ in (False, True))  # type: ignore[return-value]


def test_each_visit_is_a_dot(seen: list[Seen]) -> None:
    for each in seen:
        if each.town == "forty-cycles":
            continue  # So many that they are thinned out.
        if isinstance(each.found.shown, Stages):
            rows = [row for stage in each.found.shown.stages for row in stage.rows]
            closed, running = (sum(how_many(getattr(row, name)) for row in rows) for name in ("closed", "running"))
            assert dots(each.svg) == (closed, running), str(each)
        elif isinstance(each.found.shown, NextPlan):
            cohorts = each.found.shown.cohorts
            closed = sum(how_many(cohort.closed) for cohort in cohorts if cohort.group.curve is None)
            assert dots(each.svg) == (closed, sum(how_many(cohort.running) for cohort in cohorts)), str(each)


def test_few_frameworks_have_dots_and_no_curve_and_it_says_so(tmp_path: Path) -> None:
    with town(tmp_path / "a.db", TOWNS["one"]) as engine:
        found = {each.picture: each for each in pictures(engine)}
    assert title(found["next-plan"], "en") == "1 framework: too few for a curve, each interval is shown"
    assert title(found["stages"], "fr") == "1 cadre\u00a0: trop peu pour une médiane, chaque passage est montré"
    assert "moins de 5 cadres\u00a0: pas de courbe" in drawn(found["next-plan"], "fr")
    assert "1 interval" in title(found["xmr"], "en") or "0 intervals" in title(found["xmr"], "en")
    assert 'stroke-width="1.8"' not in drawn(found["next-plan"], "fr"), "that is the curve"


def test_what_is_not_reached_is_no_number(tmp_path: Path) -> None:
    with town(tmp_path / "a.db", TOWNS["all-running"]) as engine:
        found = picture(engine, "next-plan")
    [cohort] = cast("NextPlan", found.shown).cohorts
    longest = max(each.days for each in cohort.running)
    assert title(found, "en") == f"Next plan for half of the frameworks: not reached (≥ {longest} days)"
    assert f"médiane non atteinte (≥ {longest}" in drawn(found, "fr")


def test_what_ends_before_it_begins_is_said_and_not_drawn(tmp_path: Path) -> None:
    with town(tmp_path / "a.db", TOWNS["negative"]) as engine:
        found = picture(engine, "stages")
    stages = cast("Stages", found.shown).stages
    doubtful = sum(row.doubtful for stage in stages for row in stage.rows)
    assert doubtful == 2
    assert "2 intervals end before they begin and are left out." in drawn(found, "en")
    assert all(each.days >= 0 for stage in stages for row in stage.rows for each in (*row.closed, *row.running))


def test_forty_cycles_are_six_rows(tmp_path: Path) -> None:
    with town(tmp_path / "a.db", TOWNS["forty-cycles"]) as engine:
        found = picture(engine, "stages")
    meeting = next(each for each in cast("Stages", found.shown).stages if each.stage is Stage.MEETING)
    assert [(row.cycle, row.last) for row in meeting.rows] == [*((n, n) for n in range(1, 6)), (6, 41)]
    assert how_many(meeting.rows[-1].closed) == 5 * 36
    assert ">6–41<" in drawn(found, "fr")


def test_a_plan_negotiated_anew_is_still_of_its_cycle(tmp_path: Path) -> None:
    with town(tmp_path / "a.db", TOWNS["negotiated-anew"]) as engine:
        found = picture(engine, "stages")
    for each in cast("Stages", found.shown).stages:
        assert [row.cycle for row in each.rows] == [1]


def test_titles_compare_groups_and_say_no_more(six: Engine) -> None:
    found = picture(six, "next-plan", by=By.REGION)
    shown = cast("NextPlan", found.shown)
    assert title(found, "en") == "Fewer than 5 frameworks in each of 2 groups: too few for a curve"

    def of(*medians: int | None) -> str:
        cohorts = [
            replace(shown.cohorts[0], group=replace(shown.cohorts[0].group, cohort=f"R{n}", curve=curve(median)))
            for n, median in enumerate(medians)
        ]
        return title(replace(found, shown=replace(shown, cohorts=cohorts)), "en")

    assert of(90, 120) == "Half of the frameworks have their next plan within 90 (R0) to 120 days (R1)"
    assert of(90, 90) == "In each group half of the frameworks have their next plan within 90 days"
    assert of(None, 80).endswith("within 80 days at the earliest (R1), not reached in 1 of 2 groups")
    assert of(None, None) == "Next plan for half of the frameworks: not reached in any of 2 groups"


def curve(median: int | None, points: int = 3, longest: int = 400) -> Curve:
    steps = tuple(
        Point(n * longest // points, n / points, max(0, n / points - 0.1), min(1, n / points + 0.1), 9.0)
        for n in range(1, points + 1)
    )
    found = Quantile(median, median and median - 9, None)
    return Curve(steps, found, (found, found), longest, 9, 90, 9)


def test_what_is_unusual_is_ringed_and_counted(tmp_path: Path) -> None:
    days = [60, 62, 58, 61, 60, 59, 150]
    lived = (
        (D, 9),
        (N, 1),
        (M, 1),
        *(each for days_ in days for each in ((P, 1), (O, days_ - 3), (A, 1), (M, 1))),
        (P, 0),
    )
    with town(tmp_path / "a.db", {"Cadre de Dioro": lived}) as engine:
        found = picture(engine, "xmr")
    mean = sum(days) / 7
    spread = 2.66 * (2 + 4 + 3 + 1 + 1 + 91) / 6
    assert title(found, "en") == (
        f"Commune 0 · Cadre de Dioro: 1 of 7 intervals lies outside what is usual for it, "
        f"{max(0, round(mean - spread))} to {round(mean + spread)} days"
    )
    assert drawn(found, "en").count('r="7"') == 1
    assert drawn(found, "en").count('r="3.2"') == 8
    assert "running" in description(found, "en")


def test_every_move_between_stages_of_the_cycle_has_its_arrow() -> None:
    from cycle.aggregates.framework.table import MOVES, NONE

    apart = {Stage.SUSPENDED.value, Stage.DISSOLVED.value, NONE}
    moves = {(source, to) for _, source, to in MOVES if source != to and not {source, to} & apart}
    assert {(source.value, to.value) for source, to in ARROWS} == moves


def luminance(colour: str) -> float:
    full = colour if len(colour) == 7 else "#" + "".join(c * 2 for c in colour[1:])
    parts = [int(full[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_words_stand_out() -> None:
    """WCAG 2.2, AA: 4.5 to 1."""
    for words, below in ((INK, PAPER), (INK, LIGHT), (GREY, PAPER)):
        light, dark = sorted((luminance(words), luminance(below)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5


def spread(random: Random, many: int, most: int) -> Counts:
    days = sorted(random.randint(0, most) for _ in range(many))
    return tuple(Count(day, days.count(day)) for day in sorted(set(days)))


def a_thousand() -> list[Pictured]:
    """The largest pictures that there are."""
    random = Random(1)
    named = {"definition": 1, "as_of": TODAY, "known_at": None, "at": None}
    rows = [
        Visits(n, n, 1000, spread(random, 900, 400), spread(random, 100, 900), 2, (30, 60, 90)) for n in range(1, 7)
    ]
    change = Ratio(9, 0.9, 0.8, 1.1, 500)
    median = Quantile(60, 50, 70)
    stages = [OfStage(stage, 1000, 900, rows, (), median, change) for stage in list(Stage)[:7]]
    group = Group("Ségou", None, 1000, 9000, 1000, 40, 0, 0, Lag(1, 1, 1, 0.1), curve(200, 900))
    cohorts = [Cohort(group, spread(random, 8000, 400), spread(random, 999, 900), spread(random, 40, 400))] * 6
    spots = [Spot(stage, 1000, 1000, 60) for stage in Stage]
    bars = [
        Plan(BEGIN + timedelta(n * 90), BEGIN + timedelta(n * 90 + random.randint(40, 90)), Ended.CLOSED, n)
        for n in range(15)
    ]
    away = [Bar(BEGIN, BEGIN + timedelta(20), Ended.CLOSED)]
    shown: dict[str, Any] = {
        "stages": Stages(1000, stages),
        "next-plan": NextPlan(By.REGION, cohorts),
        "map": Ways(1000, spots, [Way(*way, 1000, 90) for way in ARROWS], 0),
        "strips": Strips(1000, 990, [Strip(str(n), LONG, bars, away, random.randint(1, 999), 0) for n in range(30)]),
    }
    return [Pictured(picture=name, shown=each, **named) for name, each in shown.items()]


def test_all_four_of_a_thousand_frameworks_are_small_together() -> None:
    """Beside them there is room for the page: sixty kilobytes in all."""
    sizes = {each.picture: len(gzip.compress(drawn(each, "fr").encode())) for each in a_thousand()}
    assert sum(sizes.values()) <= 45_000, sizes


def test_dots_of_thousands_are_thinned_out_and_it_says_so() -> None:
    found = a_thousand()[0]
    svg = drawn(found, "en")
    assert svg == drawn(found, "en")
    each = int(re.search(r"One dot in ([0-9]+) is drawn", svg)[1])  # type: ignore[index]
    rows = [row for stage in cast("Stages", found.shown).stages for row in stage.rows]
    full, hollow = dots(svg)
    assert (
        sum(how_many(row.closed) // each for row in rows)
        <= full
        <= sum(how_many(row.closed) // each + 2 for row in rows)
    )
    assert hollow >= len(rows)


def test_the_end_of_a_framework_is_a_cross_and_a_way_out_of_the_map(tmp_path: Path) -> None:
    with town(tmp_path / "a.db", TOWNS["dissolved"]) as engine:
        found = {each.picture: each for each in pictures(engine)}
    ways = cast("Ways", found["map"].shown)
    assert {(way.source, way.to): way.count for way in ways.ways}[S, X] == 1
    assert {spot.stage: spot.here for spot in ways.spots if spot.here} == {M: 6, X: 1}
    assert "diss. 1" in drawn(found["map"], "fr")
    assert drawn(found["strips"], "fr").count("l8 8m0-8l-8 8") == 1
    assert drawn(found["next-plan"], "fr").count("l6 6m0-6l-6 6") == 1
    assert [strip.waits_days for strip in cast("Strips", found["strips"].shown).strips][-1] is None


def test_what_rests_now_is_hatched_up_to_today(tmp_path: Path) -> None:
    with town(tmp_path / "a.db", TOWNS["suspended"]) as engine:
        found = {each.picture: each for each in pictures(engine)}
    assert {spot.stage: spot.here for spot in cast("Ways", found["map"].shown).spots if spot.here} == {M: 6, S: 1}
    strip = next(each for each in cast("Strips", found["strips"].shown).strips if each.suspended)
    assert [bar.ended for bar in strip.suspended] == [Ended.CLOSED, Ended.RUNNING]
    assert strip.suspended[-1].until == TODAY
    assert drawn(found["strips"], "fr").count('fill="url(#') == 2
