"""``cycle timings``: how long it takes, by the definitions of the evaluator."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal

import click

from cycle.catalogue import Language, shown, text, word
from cycle.history import Cutoffs
from cycle.reading import Filters, Reader, opened
from cycle.settings import Settings
from cycle.timings.comparing import Cohort, comparisons
from cycle.timings.durations import Ended
from cycle.timings.estimators import AT_LEAST_POINTS, Curve, Quantile
from cycle.timings.incidence import Way
from cycle.timings.measuring import AT_LEAST_FRAMEWORKS, LATE_DAYS, By, Group, Measured
from cycle.timings.metrics import DURATIONS, IDS, asked
from cycle.timings.risk import at_risk
from cycle.timings.usual import Usual
from cycle_adapters.cli.comparing import TellingComparisons, sides_of
from cycle_adapters.cli.places import filters_at, known_areas
from cycle_adapters.cli.printing import emit, heading, paragraph, table
from cycle_adapters.cli.risk import TellingRisks
from cycle_adapters.cli.shares import TellingShares
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
) -> None:
    """Measure one metric, or all of them at a glance; ``risk``: the frameworks at risk."""
    with opened(settings.database) as engine:
        reader = Reader(engine, settings.actor)
        reader.catch_up()
        cutoffs = Cutoffs(as_of, known_at, at)
        filters = filters_at(reader, cutoffs, framework_, commune, circle, region, sector)
        if metric == RISK:
            risks(settings, reader, filters, cutoffs)
            return
        if compare is not None:
            sides_told(settings, reader, metric, compare, filters, cutoffs)
            return
        wanted, cohorts = [metric] if metric else IDS, By(by) if by else None
        found = [asked(reader, each, cohorts, filters, cutoffs) for each in wanted]
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


class Telling:
    """Figures for people, in one language."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def say(self, key: str, **values: object) -> str:
        return text(f"message.timings-{key}", self.language, "", **values)

    def tell(self, told: list[Measured]) -> None:
        """One metric with its definition, or all of them in one table."""
        groups = [(each, group) for each in told for group in each.groups]
        if not groups:
            click.echo(self.say("none"))
            return
        one = told[0] if len(told) == 1 else None
        if one:
            heading(text(f"timing.{one.metric}", self.language))
            paragraph(text(f"timing-means.{one.metric}", self.language), dim=True)
        titles = ["metric", "cohort", "stage", "frameworks", "intervals", "running", "median", "middle"]
        rows = [
            ["" if one else text(f"timing.{each.metric}", self.language), *self.row(group)] for each, group in groups
        ]
        table([self.say(title) for title in titles], rows, self.language, right=(3, 4, 5))
        for line in self.below(told[0], [group for _, group in groups] if one else []):
            paragraph(line, dim=True)

    def row(self, group: Group) -> list[str]:
        place, stage = ("" if each is None else word(each, self.language) for each in (group.cohort, group.about))
        counts = (group.frameworks, group.intervals, group.running)
        return [place, stage, *(str(shown(each, self.language)) for each in counts), *self.figures(group.curve)]

    def figures(self, curve: Curve | None) -> list[str]:
        """Median with its interval, and between which days half of them lie."""
        if curve is None:
            return [self.say("too-few", least=AT_LEAST_FRAMEWORKS), ""]
        if curve.median.days is None:
            return [self.say("not-reached", longest=curve.longest), self.middle(*curve.quartiles)]
        days, lower, upper = (self.days(each) for each in (curve.median.days, curve.median.lower, curve.median.upper))
        return [self.say("confidence", days=days, lower=lower, upper=upper), self.middle(*curve.quartiles)]

    def middle(self, first: Quantile, third: Quantile) -> str:
        return (
            self.say("from-to", lower=self.days(first.days), upper=self.days(third.days))
            if first.days is not None
            else ""
        )

    def days(self, days: int | None) -> str:
        return "∞" if days is None else str(shown(days, self.language))

    def below(self, one: Measured, groups: Iterable[Group]) -> Iterator[str]:
        """What a reader needs in order to doubt the figures."""
        shown_ = list(groups)
        cut = {"on": one.as_of, "known_at": one.known_at, "at": one.at}
        yield self.say("on", **cut, groups=len(shown_)) if len(shown_) > 1 else self.say("on-one", **cut)
        for group in shown_ if len(shown_) == 1 else []:
            for way in group.ways:
                yield self.way(way)
            for change in group.changes:
                ratio, lower, upper = map(self.ratio, (change.ratio, change.lower, change.upper))
                numbers = {"number": change.number, "frameworks": change.frameworks}
                yield self.say("change", ratio=ratio, lower=lower, upper=upper, **numbers)
            lag, late = group.lag, self.ratio(100 * group.lag.late, 0)
            yield self.say("lag", median=lag.median, p90=lag.p90, late=late, limit=LATE_DAYS)
        if one.usual:
            yield from self.usual(one.usual)
        if doubtful := sum(group.doubtful for group in shown_):
            yield self.say("doubtful", count=doubtful)

    def way(self, way: Way) -> str:
        """How many first intervals have ended so, and the share by the last day on which one did."""
        values: dict[str, object] = {"share": None, "lower": None, "upper": None, "days": None}
        if way.points:
            last = way.points[-1]
            shares = {"share": last.share, "lower": last.lower, "upper": last.upper}
            values = {"days": last.days, **{name: self.ratio(100 * each, 0) for name, each in shares.items()}}
        return self.say(f"way-{way.way}", ended=way.ended, of=way.of, **values)

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

    def ratio(self, value: float | None, places: int = 2) -> str | None:
        return None if value is None else str(shown(Decimal(f"{value:.{places}f}"), self.language))
