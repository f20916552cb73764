"""What the pictures are made of: quartiles of many rows, scales, words that fit."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cycle.timings.estimators import Recurrence, wang_chang
from cycle.timings.pictures.base import Count
from cycle.timings.weighing import Weighed
from cycle_adapters.pictures.axis import axis
from cycle_adapters.pictures.base import Words
from cycle_adapters.pictures.dots import MOST, kept, thinning
from cycle_adapters.pictures.scales import Dates, days_scale
from cycle_adapters.pictures.sheet import Sheet, shortened, width_of, wrapped

DAYS = st.integers(0, 60)
SERIES = st.builds(Recurrence, st.text("abc", min_size=1), st.lists(DAYS, max_size=4).map(tuple), st.none() | DAYS)


@given(st.lists(SERIES, min_size=1, max_size=12))
def test_quartiles_of_rows_are_those_of_the_estimate(frameworks: list[Recurrence]) -> None:
    weighed = Weighed()
    for each in frameworks:
        weighed.take(each)
    curve = wang_chang(frameworks, replicates=3)
    if curve is None:
        assert weighed.quartiles() is None
    else:
        first, third = curve.quartiles
        assert weighed.quartiles() == (first.days, curve.median.days, third.days)


@given(st.lists(st.integers(0, 20_000), min_size=1, max_size=30), st.lists(st.integers(0, 20_000), max_size=5))
def test_a_later_day_never_lies_to_the_left_and_none_beside_the_scale(ended: list[int], others: list[int]) -> None:
    scale = days_scale(
        40, 340, [tuple(Count(day, 1) for day in sorted(ended))], [tuple(Count(day, 1) for day in others)]
    )
    days = sorted({*ended, *others, 0})
    assert all(scale.at(one) <= scale.at(other) for one, other in pairwise(days))
    assert all(40 <= scale.at(day) <= 340 for day in days)
    assert 1 <= len(scale.ticks) - 1 <= 6


@pytest.mark.parametrize("ended", [(0,), (1,), (92,), (100, 1065), (1_100, 1_200, 98_765), (9_000, 10_000, 19_999)])
@pytest.mark.parametrize("right", [314, 372])
def test_ticks_do_not_meet(ended: tuple[int, ...], right: float) -> None:
    found = tuple(Count(day, 1) for day in ended)
    scale = days_scale(40, right, [found[:-1] or found], [found[-1:]])
    sheet = Sheet()
    axis(sheet, scale, 50, Words("fr"))
    assert len(sheet.boxes) >= 2
    assert not [(one, other) for one, other in combinations(sheet.boxes, 2) if one.meets(other)]


@given(st.dates(date(1990, 1, 1), date(2060, 1, 1)), st.integers(0, 20_000))
def test_years_are_few_and_lie_on_the_scale(first: date, days: int) -> None:
    scale = Dates(6, 366, first, first + timedelta(days))
    assert len(scale.ticks) <= 9
    assert all(6 <= scale.at(day) <= 366 for day, _ in scale.ticks)


@given(st.lists(st.tuples(DAYS, st.integers(1, 500)), min_size=1, max_size=20, unique_by=lambda each: each[0]))
def test_of_many_dots_every_so_many_is_kept_and_the_last(found: list[tuple[int, int]]) -> None:
    counts = tuple(Count(*each) for each in sorted(found))
    many, each = sum(count for _, count in found), thinning([counts])
    days = list(kept(counts, each))
    assert len(days) <= MOST + 1
    assert len(days) >= many / each
    assert (days[0], days[-1]) == (counts[0].days, counts[-1].days)


@given(st.text(max_size=200), st.integers(40, 380))
def test_words_fit_where_they_are_put(words: str, wide: int) -> None:
    assert width_of(shortened(words, wide)) <= wide
    for line in wrapped(words, wide):
        assert width_of(line) <= wide
    assert "".join("".join(wrapped(words, wide)).split(" ")) == "".join(words.split(" "))
