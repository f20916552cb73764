"""Two sides and more of a metric as a table that people read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from cycle.catalogue import day
from cycle.timings.comparing import Compared, Comparison, Comparisons, Difference, Period, side
from cycle.timings.listing import EVERY_GROUP
from cycle.timings.measuring import AT_LEAST_FRAMEWORKS
from cycle.timings.metrics import DURATIONS
from cycle.timings.tables import Below, Heading, Line, Note, Table
from cycle.timings.telling import Words

COUNTS = ("frameworks", "intervals", "running")


def side_by_side(found: Comparisons, words: Words) -> Table:
    """Each side with its difference to the first, and what one must know in order to doubt it."""
    staged = DURATIONS[found.metric].apart
    headings = [
        *([Heading("stage", words.say("stage"))] if staged else []),
        Heading("side", words.text("compare-side")),
        *(Heading(code, words.say(code), words.column(code), number=True) for code in COUNTS),
        Heading("doubts", words.say("doubts"), words.column("doubts"), number=True),
        Heading("median", words.text("compare-median")),
        Heading("difference", words.text("compare-difference")),
    ]
    lines = [line for each in found.comparisons for line in _lines(each, words, staged=staged)]
    return Table(headings, lines, [Below("", [Note("", tuple(_doubts(found, words)))])])


def _lines(each: Comparison, words: Words, *, staged: bool) -> Iterator[Line]:
    for one, difference in zip(each.sides, (None, *each.differences), strict=True):
        about = (words.about(each.about),) if staged else ()
        counts = (words.number(count) for count in (one.frameworks, one.intervals, one.running, one.doubtful))
        cells = (*about, named(one.side, words), *counts, _median(one, words), _difference(difference, words))
        few = one.frameworks < AT_LEAST_FRAMEWORKS
        yield Line(cells, ", ".join((*about, named(one.side, words))), EVERY_GROUP, few)


def _doubts(found: Comparisons, words: Words) -> Iterator[str]:
    yield words.standing_at(found)
    yield words.text("compare-means", compared=found.compared)
    if found.later_is_shorter:
        yield words.text("compare-later")


def named(written: str, words: Words) -> str:
    """A side as people call it: they name the last day of a period, not the first one after it."""
    found = side(written)
    if not isinstance(found, Period):
        return words.cohort(found.by, found.name)
    since, last = (day(each, words.language) for each in (found.since, found.before - timedelta(days=1)))
    return words.text("compare-period", since=since, last=last)


def _median(one: Compared, words: Words) -> str:
    if one.frameworks < AT_LEAST_FRAMEWORKS:
        return words.say("too-few", least=AT_LEAST_FRAMEWORKS)
    return words.text("compare-none") if one.median is None else words.signed(one.median)


def _difference(difference: Difference | None, words: Words) -> str:
    if difference is None:
        return ""
    if difference.days is None:
        return words.text("compare-unknown")
    days = f"+{words.signed(difference.days)}" if difference.days > 0 else words.signed(difference.days)
    lower = "−∞" if difference.lower is None else words.signed(difference.lower)
    upper = "∞" if difference.upper is None else words.signed(difference.upper)
    return words.text("compare-days", days=days, lower=lower, upper=upper)
