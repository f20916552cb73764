"""``cycle timings``: how long it takes, by the definitions of the evaluator."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import click

from cycle.history import Cutoffs
from cycle.reading import Filters, Reader, opened
from cycle.settings import Settings
from cycle.timings.charts import AT_LEAST_POINTS
from cycle.timings.comparing import Cohort, comparisons
from cycle.timings.durations import Ended
from cycle.timings.measuring import By, Group, Measured
from cycle.timings.metrics import DURATIONS, IDS, asked
from cycle.timings.risk import at_risk
from cycle.timings.telling import Words
from cycle.timings.usual import Usual
from cycle_adapters.cli.comparing import TellingComparisons, sides_of
from cycle_adapters.cli.places import filters_at, known_areas
from cycle_adapters.cli.printing import emit, heading, paragraph, table
from cycle_adapters.cli.risk import TellingRisks
from cycle_adapters.cli.shares import TellingShares
from cycle_adapters.cli.timing_files import A_FILE, FORM, asked_for, write
from cycle_adapters.cli.wording import Wrong
from cycle_adapters.options import area_options, past_options

RISK = "risk"
"""Asks for the frameworks at risk where a metric is asked for."""


@click.command()
@click.argument("metric", required=False, type=click.Choice([*IDS, RISK], case_sensitive=False), metavar="[METRIC]")
@click.option("--by", type=click.Choice([each.value for each in By]))
@click.option("--compare", metavar="SIDE,SIDE")
@click.option("--framework", "framework_", metavar="ID")
@area_options
@past_options
@click.option("--format", "form", type=FORM)
@click.option("--rows", is_flag=True)
@click.option("--to", metavar="FILE", type=A_FILE)
@click.pass_obj
def timings(
    settings: Settings,
    metric: str | None,
    by: str | None,
    compare: str | None,
    framework_: str | None,
    commune: str | None,
    circle: str | None,
    region: str | None,
    sector: str | None,
    as_of: date | None,
    known_at: datetime | None,
    at: int | None,
    form: str | None,
    rows: bool,
    to: Path | None,
) -> None:
    """Measure one metric, or all of them at a glance; ``risk``: the frameworks at risk."""
    part = asked_for(None if metric == RISK else metric, form, to, rows=rows)
    with opened(settings.database) as engine:
        reader = Reader(engine, settings.actor)
        reader.catch_up()
        cutoffs = Cutoffs(as_of, known_at, at)
        filters = filters_at(reader, cutoffs, framework_, commune, circle, region, sector)
        cohorts = By(by) if by else None
        if metric == RISK:
            risks(settings, reader, filters, cutoffs)
            return
        if compare is not None:
            sides_told(settings, reader, metric, compare, filters, cutoffs)
            return
        if metric and form and part:
            write(settings, reader, metric, part, cohorts, filters, cutoffs, form=form, to=to)
            return
        found = [asked(reader, each, cohorts, filters, cutoffs) for each in ([metric] if metric else IDS)]
    if settings.json:
        emit(found[0] if metric else found)
        return
    durations = [each for each in found if isinstance(each, Measured)]
    shares = [each for each in found if not isinstance(each, Measured)]
    if durations:
        Telling(settings.language).tell(durations)
    if shares:
        TellingShares(settings.language).tell(shares)


def risks(settings: Settings, reader: Reader, filters: Filters, cutoffs: Cutoffs) -> None:
    """The frameworks at risk."""
    found = at_risk(reader, filters, cutoffs)
    if settings.json:
        emit(found)
    else:
        TellingRisks(reader, cutoffs, settings.language).tell(found)


def sides_told(
    settings: Settings, reader: Reader, metric: str | None, compare: str, filters: Filters, cutoffs: Cutoffs
) -> None:
    """One metric side by side.

    Raises:
        Wrong: it is none that is compared, or there are no two sides.
    """
    if metric is None or metric not in DURATIONS:
        raise Wrong("compare-needs-a-metric")
    sides = sides_of(compare)
    for each in sides:
        if isinstance(each, Cohort) and each.by is not By.POLICY:
            known_areas(reader, Filters(**{each.by.value: each.name}), cutoffs)
    found = comparisons(reader, DURATIONS[metric], sides, filters, cutoffs)
    if settings.json:
        emit(found)
    else:
        TellingComparisons(settings.language).tell(found)


class Telling(Words):
    """Figures for people, in one language."""

    def tell(self, told: list[Measured]) -> None:
        """One metric with its definition, or all of them in one table."""
        groups = [(each, group) for each in told for group in each.groups]
        if not groups:
            click.echo(self.say("none"))
            return
        one = told[0] if len(told) == 1 else None
        if one:
            heading(self.name(one.metric))
            paragraph(self.means(one.metric), dim=True)
        titles = ["metric", "cohort", "stage", "frameworks", "intervals", "running", "median", "middle"]
        rows = [["" if one else self.name(each.metric), *self.row(each.by, group)] for each, group in groups]
        table([self.say(title) for title in titles], rows, self.language, right=(3, 4, 5))
        for line in self.below(told[0]) if one else [self.standing_at(told[0])]:
            paragraph(line, dim=True)

    def row(self, by: By | None, group: Group) -> list[str]:
        counts = map(self.number, (group.frameworks, group.intervals, group.running))
        figures = (self.median(group.curve), self.middle(group.curve))
        return [self.cohort(by, group.cohort), self.about(group.about), *counts, *figures]

    def below(self, one: Measured) -> Iterator[str]:
        """What a reader needs in order to doubt the figures."""
        yield self.standing(one)
        for group in one.groups if len(one.groups) == 1 else ():
            yield from map(self.way, group.ways)
            yield from self.changes(group.changes)
            yield self.lag(group.lag)
        if one.usual:
            yield from self.usual(one.usual)
        if doubtful := sum(group.doubtful for group in one.groups):
            yield self.say("doubtful", count=doubtful)

    def usual(self, usual: Usual) -> Iterator[str]:
        """Each interval of the framework, and what lies outside of what is usual for it."""
        unusual = usual.chart.unusual if usual.chart else ()
        dots, closed = list[str](), 0
        for each in usual.points:
            ended = each.ended is Ended.CLOSED
            closed += ended
            mark = " !" if ended and closed in unusual else ""
            dots.append(f"{'●' if ended else '○'} {self.days(each.days)}{mark}")
        yield self.say("usual-points", points=" · ".join(dots))
        if usual.chart is None:
            yield self.say("usual-too-few", least=AT_LEAST_POINTS)
            return
        mean, lower, upper = (self.ratio(each, 0) for each in (usual.chart.mean, usual.chart.lower, usual.chart.upper))
        yield self.say("usual", mean=mean, lower=lower, upper=upper, unusual=len(unusual))
