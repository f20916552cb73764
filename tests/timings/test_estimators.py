"""The estimators, against what others compute from the same durations, and against what must hold of any."""

from __future__ import annotations

import json
import subprocess
import sys
from math import inf, isclose
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cycle.timings.charts import xmr
from cycle.timings.estimators import (
    Curve,
    Ending,
    Point,
    Recurrence,
    cumulative_incidence,
    kaplan_meier,
    paired_ratios,
    wang_chang,
)

DAYS = st.integers(0, 400)
FEW = {"replicates": 20}


def close(one: float, other: float) -> bool:
    return isclose(one, other, rel_tol=0, abs_tol=1e-9)


def asked(*questions: tuple[str, list[Any]]) -> list[Any]:
    """What the other libraries say."""
    command = (sys.executable, "-W", "ignore", "-m", "tests.timings.independent")
    done = subprocess.run(command, check=False, input=json.dumps(questions), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found


def frameworks(random: Random, count: int) -> list[Recurrence]:
    return [
        Recurrence(
            f"f{n}",
            tuple(random.randint(20, 300) for _ in range(random.choice((0, 0, 1, 2, 3, 6)))),
            random.randint(0, 250),
        )
        for n in range(count)
    ]


def weighted(each: Recurrence) -> list[tuple[int, bool, int]]:
    """By the letter of the definition: one alone with weight 1, else the closed ones with 1/(m - 1).

    In sixtieths: lifelines errs at the last day when weights are no whole numbers.
    """
    assert each.running is not None
    m = len(each.closed) + 1
    return [(each.running, False, 60)] if m == 1 else [(days, True, 60 // (m - 1)) for days in each.closed]


def at(points: tuple[Point, ...] | list[Point], day: int) -> float:
    return max((each.share for each in points if each.days <= day), default=0.0)


def test_shares_and_bands_equal_those_of_other_libraries() -> None:
    random = Random(6)
    groups = [frameworks(random, count) for count in (1, 2, 5, 30, 200)]
    firsts = [
        [Ending(f"f{n}", random.randint(1, 120), random.choice((0, 1, 1, 2))) for n in range(count)]
        for count in (9, 15, 40, 300)
    ]
    said = asked(
        *(("weighted", [row for each in group for row in weighted(each)]) for group in groups),
        *(("weighted", [(each.days, each.way == 1, 1.0) for each in first]) for first in firsts),
        *(("plain", [(each.days, each.way == 1) for each in first]) for first in firsts),
        *(("competing", [(each.days, each.way) for each in first]) for first in firsts),
    )
    for group, theirs in zip(groups, said[:5], strict=True):
        ours = wang_chang(group, **FEW)
        assert ours is not None
        for day, falling in zip(theirs["days"], theirs["falling"], strict=True):
            assert close(1 - at(ours.points, day), falling)
        assert (inf if ours.median.days is None else ours.median.days) == theirs["median"]
    for first, lifelines, sksurv, competing in zip(firsts, said[5:9], said[9:13], said[13:], strict=True):
        curve = kaplan_meier(first)
        assert curve is not None
        for theirs in (lifelines, sksurv):
            known = dict(
                zip(theirs["days"], zip(theirs["falling"], theirs["lower"], theirs["upper"], strict=True), strict=True)
            )
            for point in curve.points:
                falling, lower, upper = known[point.days]
                assert close(1 - point.share, falling)
                if 0 < falling < 1:
                    assert close(1 - point.upper, lower)
                    assert close(1 - point.lower, upper)
        both = cumulative_incidence(first, 2, **FEW)
        for day, *shares in zip(competing["days"], *competing["ways"], strict=True):
            for points, share in zip(both, shares, strict=True):
                assert close(at(points, day), share)


@given(
    st.lists(
        st.builds(Recurrence, st.text("ab", min_size=1, max_size=2), st.lists(DAYS, max_size=5).map(tuple), DAYS),
        min_size=1,
        max_size=12,
    )
)
@settings(max_examples=60)
def test_what_holds_of_every_curve(group: list[Recurrence]) -> None:
    curve = wang_chang(group, **FEW)
    assert curve is not None
    assert curve == wang_chang(group, **FEW), "the same durations, the same figures"
    assert curve.intervals == sum(len(each.closed) + 1 for each in group)
    assert curve.running == len(group)
    shares = [each.share for each in curve.points]
    assert shares == sorted(shares)
    assert all(0 <= each.lower <= each.upper <= 1 for each in curve.points)
    reached = [each.days for each in curve.points if each.share >= 0.5 - 1e-9]
    assert curve.median.days == (reached[0] if reached else None)
    assert set(points_of(curve)) <= {days for each in group for days in each.closed}


@given(
    st.lists(st.builds(Recurrence, st.just("c"), st.lists(DAYS, min_size=1, max_size=7).map(tuple), DAYS), max_size=30),
    st.randoms(use_true_random=False),
)
@settings(max_examples=60)
def test_what_is_summed_is_exact_whatever_the_order(group: list[Recurrence], chance: Random) -> None:
    """Given frameworks of one commune in another order, then not one bit of the figures is another one."""
    other = Recurrence("other", (30, 60, 60))
    mixed = [other, *chance.sample(group, len(group))]
    assert wang_chang(mixed, **FEW) == wang_chang([other, *group], **FEW)
    few, again = (
        [(each.number, each.lower, each.upper) for each in paired_ratios(some, **FEW)]
        for some in (mixed, [other, *group])
    )
    assert few == again


def points_of(curve: Curve) -> list[int]:
    return [each.days for each in curve.points]


@given(
    st.lists(
        st.builds(Recurrence, st.just("f"), st.lists(DAYS, min_size=1, max_size=5).map(tuple), DAYS),
        min_size=1,
        max_size=8,
    ),
    DAYS,
)
def test_how_long_the_running_one_runs_does_not_change_what_is_closed(group: list[Recurrence], more: int) -> None:
    longer = [each._replace(running=each.running + more) for each in group if each.running is not None]
    one, other = wang_chang(group, **FEW), wang_chang(longer, **FEW)
    assert one is not None
    assert other is not None
    assert one.points == other.points


@given(
    st.lists(
        st.builds(Ending, st.text("abc", min_size=1, max_size=1), DAYS, st.integers(0, 3)), min_size=1, max_size=30
    )
)
def test_ways_to_end_sum_to_one_less_what_runs(intervals: list[Ending]) -> None:
    ways = cumulative_incidence(intervals, 3, **FEW)
    any_way = kaplan_meier([each._replace(way=min(each.way, 1)) for each in intervals])
    assert any_way is not None
    for day in {each.days for each in intervals}:
        assert close(sum(at(points, day) for points in ways), at(any_way.points, day))


def test_a_pair_is_its_own_measure() -> None:
    slow = Recurrence("slow", (200, 180, 160), 10)
    quick = Recurrence("quick", (50, 45), 10)
    ratios = paired_ratios([slow, quick, Recurrence("new", (70,), 3), Recurrence("none", (), 9)])
    assert [(each.number, round(each.ratio, 9), each.frameworks) for each in ratios] == [(2, 0.9, 2), (3, 0.8, 1)]
    assert ratios[0].lower == pytest.approx(0.9)
    assert ratios[1].lower is None, "one framework says nothing of others"
    assert paired_ratios([Recurrence("f", (0, 10), 1)]) == [], "no days have no ratio"


def test_nothing_gives_nothing() -> None:
    assert wang_chang([]) is None
    assert wang_chang([Recurrence("f", ())]) is None
    assert kaplan_meier([]) is None
    assert cumulative_incidence([], 2) == [[], []]
    assert paired_ratios([]) == []


def test_nothing_has_happened_yet() -> None:
    curve = wang_chang([Recurrence("a", (), 30), Recurrence("b", (), 0)])
    assert curve is not None
    assert (curve.points, curve.median.days, curve.longest) == ((), None, 30)


def test_what_is_usual_for_one_framework() -> None:
    chart = xmr([100, 110, 90, 100, 105, 300])
    assert chart is not None
    moving = (10 + 20 + 10 + 5 + 195) / 5
    assert chart.mean == pytest.approx(805 / 6)
    assert chart.upper == pytest.approx(805 / 6 + 2.66 * moving)
    assert chart.lower == pytest.approx(805 / 6 - 2.66 * moving)
    assert chart.unusual == (6,)
    steady = xmr([100] * 9 + [101] + [100] * 9 + [300])
    assert steady is not None
    assert steady.unusual == (20,)
    uneven = xmr([1, 90, 2, 80, 1, 95])
    assert uneven is not None
    assert uneven.lower == 0, "no interval is shorter than nothing"
    assert xmr([1, 2, 3, 4, 5]) is None
