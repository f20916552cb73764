"""The share of frameworks with their next plan: one curve for each group, and below it who still waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

from cycle.catalogue import joined, pair
from cycle.timings.estimators import Curve
from cycle.timings.measuring import AT_LEAST_FRAMEWORKS
from cycle.timings.pictures.base import Counts
from cycle.timings.pictures.waiting import Cohort, NextPlan
from cycle_adapters.pictures.axis import ROOM, axis, grid
from cycle_adapters.pictures.base import Drawing
from cycle_adapters.pictures.dots import crosses, row_of_dots, thinning
from cycle_adapters.pictures.scales import Days, days_scale
from cycle_adapters.pictures.sheet import GREY, INK, LIGHT, MARGIN, SIZE, SMALL, WIDTH, Sheet, at, shortened, width_of

GROUPS = 6
"""Drawn in a picture: more would not fit on a page."""
LEFT, RIGHT, HIGH, ROW = 46, WIDTH - 8, 84, 18


class NextPlanDrawing(Drawing[NextPlan]):
    shows = NextPlan

    @cached_property
    def _drawn(self) -> Sequence[Cohort]:
        """The groups of most frameworks, in the order of their names."""
        largest = sorted(self.shown.cohorts, key=lambda each: -each.group.frameworks)[:GROUPS]
        return [each for each in self.shown.cohorts if each in largest]

    def title(self) -> str:
        cohorts = self.shown.cohorts
        if not cohorts:
            return self.words.title("nothing")
        if len(cohorts) > 1:
            return self._of_several()
        curve = cohorts[0].group.curve
        if curve is None:
            return self.words.title("too-few", frameworks=cohorts[0].group.frameworks)
        if curve.median.days is None:
            return self.words.title("half-not-reached", longest=curve.longest)
        return self.words.title("half", days=curve.median.days, range=self.words.range(curve.median))

    def _of_several(self) -> str:
        say = self.words.title
        medians = [
            (each.group.curve.median.days, self._name(each))
            for each in self.shown.cohorts
            if each.group.curve is not None
        ]
        reached = sorted((days, name) for days, name in medians if days is not None)
        if not medians:
            return say("several-too-few", least=AT_LEAST_FRAMEWORKS, groups=len(self.shown.cohorts))
        if not reached:
            return say("several-not-reached", curves=len(medians))
        (low, first), (high, last) = reached[0], reached[-1]
        if len(reached) < len(medians):
            return say("several-open", low=low, first=first, count=len(medians) - len(reached), curves=len(medians))
        if len(medians) == 1:
            return say("of-one", days=low, name=first)
        return (
            say("several-same", days=low) if low == high else say("several", low=low, first=first, high=high, last=last)
        )

    def told(self) -> Iterator[str]:
        if len(self.shown.cohorts) > 1:
            yield self.words.say("groups", groups=len(self.shown.cohorts), shown=None)
        for each in self.shown.cohorts:
            figures = joined([self._counted(each), self._figures(each)], self.words.language)
            yield f"{pair(self._name(each), figures, self.words.language)}."

    def draw(self, sheet: Sheet) -> None:
        if not self._drawn:
            return
        if len(self.shown.cohorts) > 1:
            fewer = len(self._drawn) if len(self._drawn) < len(self.shown.cohorts) else None
            sheet.paragraph(self.words.say("groups", groups=len(self.shown.cohorts), shown=fewer), grey=True)
        sheet.paragraph(self.words.say("share"))
        ended = [each.closed for each in self._drawn]
        others = [counts for each in self._drawn for counts in (each.running, each.dissolved)]
        curves = [each.group.curve for each in self._drawn if each.group.curve is not None]
        full = [day for curve in curves for day in (curve.median.days, curve.median.upper, curve.quartiles[1].days)]
        scale = days_scale(LEFT, RIGHT, ended, others, full)
        each_dot = thinning((*others, *(each.closed for each in self._drawn if each.group.curve is None)))
        for cohort in self._drawn:
            self._group(sheet, cohort, scale, each_dot)
        sheet.y += 4
        for line in self._legend(scale, each_dot):
            sheet.paragraph(line, grey=True)

    def _group(self, sheet: Sheet, cohort: Cohort, scale: Days, each_dot: int) -> None:
        curve = cohort.group.curve
        sheet.y += 10 + SIZE
        sheet.text(MARGIN, sheet.y, shortened(self._name(cohort), WIDTH - 2 * MARGIN, SIZE), size=SIZE, bold=True)
        sheet.paragraph(self._counted(cohort), grey=True)
        if curve is None:
            sheet.paragraph(self._figures(cohort))
            self._row(sheet, cohort, scale, each_dot, cohort.closed)
        else:
            top = sheet.y + 6
            self._curve(sheet, curve, scale, top)
            sheet.y = top + HIGH
            self._row(sheet, cohort, scale, each_dot, ())
        axis(sheet, scale, sheet.y, self.words)
        sheet.y += ROOM

    def _row(self, sheet: Sheet, cohort: Cohort, scale: Days, each_dot: int, closed: Counts) -> None:
        """Who still waits; of few frameworks, what has ended as well."""
        top = sheet.y + 3
        sheet.y = top + ROW + SMALL
        grid(sheet, scale, top, sheet.y)
        running = cohort.group.running
        label = pair(self.words.say("waiting"), self.words.number(running), self.words.language)
        if cohort.dissolved:
            gone = pair(self.words.say("dissolved"), self.words.number(cohort.group.dissolved), self.words.language)
            label = f"{label} · {gone}"
        if closed:
            ended = self.words.number(cohort.group.intervals - running - cohort.group.dissolved)
            label = f"{pair(self.words.say('ended'), ended, self.words.language)} · {label}"
        sheet.text(LEFT, top + SMALL, label)
        row_of_dots(sheet, scale, top + SMALL + ROW / 2, closed, cohort.running, each_dot)
        crosses(sheet, scale, top + SMALL + ROW / 2, cohort.dissolved, each_dot)
        sheet.line(LEFT, sheet.y, RIGHT, sheet.y, ink=GREY)

    def _curve(self, sheet: Sheet, curve: Curve, scale: Days, top: float) -> None:
        def y(share: float) -> float:
            return round(2 * (top + HIGH * (1 - share))) / 2

        band = _steps(curve, scale, y, "upper") + _steps(curve, scale, y, "lower", back=True)
        sheet.add(f'<path d="{band}Z" fill="{LIGHT}"/>')
        grid(sheet, scale, top, top + HIGH)
        for share in (0, 50, 100):
            sheet.line(
                LEFT, y(share / 100), RIGHT, y(share / 100), ink=GREY, dash="" if share != 50 else "2 3", wide=0.6
            )
            sheet.text(LEFT - 4, y(share / 100) + 4, self.words.say("percent", share=share), anchor="end", grey=True)
        sheet.add(f'<path d="{_steps(curve, scale, y, "share")}" fill="none" stroke="{INK}" stroke-width="1.8"/>')
        self._median(sheet, curve, scale, y(0.5))

    def _median(self, sheet: Sheet, curve: Curve, scale: Days, y: float) -> None:
        label = self._of_curve(curve)
        wide, days = width_of(label, bold=True), curve.median.days
        if days is None:
            sheet.text(LEFT + 6, y - HIGH / 4, label, bold=True)
            return
        lower = scale.at(days if curve.median.lower is None else curve.median.lower)
        upper = RIGHT if curve.median.upper is None else scale.at(curve.median.upper)
        sheet.line(lower, y, upper, y, wide=3)
        x = scale.at(days)
        sheet.add(f'<path d="M{at(x)} {at(y - 6)}l5 6-5 6-5-6z" fill="#fff" stroke="{INK}" stroke-width="1.5"/>')
        # There is room below the curve to the right of the median, and above it to the left.
        if x + 8 + wide <= RIGHT:
            sheet.text(x + 8, y + HIGH / 4 + 4, label, bold=True, halo=True)
        else:
            sheet.text(max(x - 8, LEFT + wide), y - HIGH / 4 + 4, label, anchor="end", bold=True, halo=True)

    def _legend(self, scale: Days, each_dot: int) -> Iterator[str]:
        say, drawn = self.words.say, self._drawn
        if any(each.group.curve for each in drawn):
            yield say("legend-curve")
        if not all(each.group.curve for each in drawn):
            yield say("legend-full")
        yield say("legend-waiting")
        if any(each.dissolved for each in drawn):
            yield say("legend-dissolved")
        if each_dot > 1:
            yield say("thinned", each=each_dot)
        if scale.breaks:
            yield say("beyond")
        if doubtful := sum(each.group.doubtful for each in self.shown.cohorts):
            yield say("doubtful", count=doubtful)

    def _name(self, cohort: Cohort) -> str:
        name = cohort.group.cohort
        return self.words.say("all") if name is None else self.words.word(name)

    def _counted(self, cohort: Cohort) -> str:
        group = cohort.group
        counts = {"frameworks": group.frameworks, "intervals": group.intervals, "running": group.running}
        return self.words.say("counted", **counts, dissolved=group.dissolved)

    def _figures(self, cohort: Cohort) -> str:
        curve = cohort.group.curve
        return self.words.say("few-curve", least=AT_LEAST_FRAMEWORKS) if curve is None else self._of_curve(curve)

    def _of_curve(self, curve: Curve) -> str:
        if curve.median.days is None:
            return self.words.say("median-not-reached", longest=curve.longest)
        return self.words.say("median", days=curve.median.days, range=self.words.range(curve.median))


def _steps(curve: Curve, scale: Days, y: Callable[[float], float], which: str, *, back: bool = False) -> str:
    """A staircase from no day to the longest one; of steps that nobody could tell apart, the last one."""
    places = {2 * round(scale.at(point.days) / 2): getattr(point, which) for point in curve.points}
    end = scale.at(curve.longest)
    if back:
        shares = [0.0, *places.values()]
        steps = [f"L{at(end)} {at(y(shares[-1]))}"]
        steps += [f"H{at(x)}V{at(y(before))}" for x, before in zip(reversed(places), shares[-2::-1], strict=True)]
        return "".join(steps) + f"H{at(scale.left)}"
    return (
        f"M{at(scale.left)} {at(y(0))}"
        + "".join(f"H{at(x)}V{at(y(share))}" for x, share in places.items())
        + f"H{at(end)}"
    )
