"""One framework by itself: its intervals one after the other, and the limits of what is usual for it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import cached_property

from cycle.catalogue import joined
from cycle.timings.charts import AT_LEAST_POINTS
from cycle.timings.charts import WIDTH as OF_LIMITS
from cycle.timings.durations import Ended
from cycle.timings.pictures.base import Count
from cycle.timings.pictures.series import Interval, Series
from cycle_adapters.pictures.base import Drawing
from cycle_adapters.pictures.scales import Days, days_scale
from cycle_adapters.pictures.sheet import GREY, INK, LIGHT, PAPER, WIDTH, Sheet, at, width_of

LEFT, RIGHT, HIGH = 46, WIDTH - 14, 190
MOST_FIGURES = 8
"""Beside so many dots there is room for their days."""
TOLD = {
    Ended.CLOSED: "told-interval",
    Ended.RUNNING: "told-interval-running",
    Ended.DISSOLVED: "told-interval-dissolved",
}


class SeriesDrawing(Drawing[Series]):
    shows = Series

    def title(self) -> str:
        say, shown, chart = self.words.title, self.shown, self.shown.chart
        if not shown.intervals:
            return say("nothing")
        if chart is None:
            return say("xmr-too-few", name=shown.name, count=len(self._closed), least=AT_LEAST_POINTS)
        told = {"name": shown.name, "count": len(self._closed), "lower": self._lower, "upper": self._upper}
        return say("unusual", unusual=len(chart.unusual), **told) if chart.unusual else say("usual", **told)

    def told(self) -> Iterator[str]:
        if self.shown.chart:
            yield f"{self._limits()}."
        told = [self.words.say(TOLD[each.ended], number=each.number, days=each.days) for each in self.shown.intervals]
        if told:
            yield f"{joined(told, self.words.language)}."

    def draw(self, sheet: Sheet) -> None:
        if not self.shown.intervals:
            return
        if self.shown.chart:
            sheet.paragraph(self._limits(), bold=True)
        sheet.paragraph(self.words.say("days-axis"))
        top = sheet.y + 28
        bottom = top + HIGH
        self._levels(sheet, top, bottom)
        self._points(sheet, bottom)
        self._numbers(sheet, bottom)
        sheet.y = bottom + 22
        for line in self._legend():
            sheet.paragraph(line, grey=True)

    @cached_property
    def _closed(self) -> list[Interval]:
        return [each for each in self.shown.intervals if each.ended is Ended.CLOSED]

    @cached_property
    def _scale(self) -> Days:
        """Upwards from the bottom."""
        closed = [(Count(each.days, 1),) for each in self._closed]
        others = [(Count(each.days, 1),) for each in self.shown.intervals if each.ended is not Ended.CLOSED]
        usual = [each.days for each in self._closed]
        return days_scale(0, HIGH, closed, others, [*usual, self._upper if self.shown.chart else None])

    @property
    def _upper(self) -> int:
        assert self.shown.chart is not None
        return round(self.shown.chart.upper)

    @property
    def _lower(self) -> int:
        assert self.shown.chart is not None
        return round(self.shown.chart.lower)

    def _x(self, number: int) -> float:
        """The place of the interval that is so far from the first one."""
        many = len(self.shown.intervals)
        return LEFT + (RIGHT - LEFT) * (number + 0.5) / many

    def _limits(self) -> str:
        assert self.shown.chart is not None
        mean = round(self.shown.chart.mean)
        return self.words.say("limits", mean=mean, lower=self._lower, upper=self._upper)

    def _levels(self, sheet: Sheet, top: float, bottom: float) -> None:
        scale = self._scale
        for day in scale.ticks:
            y = bottom - scale.at(day)
            sheet.line(LEFT, y, RIGHT, y, ink=GREY if not day else LIGHT)
            sheet.text(LEFT - 6, y + 4, self.words.number(day), anchor="end", grey=True)
        if scale.breaks:
            sheet.line(LEFT, bottom - scale.end - 4, RIGHT, bottom - scale.end - 4, ink=GREY, dash="3 3")
            sheet.text(LEFT - 6, top + 4, self.words.number(scale.most), anchor="end", grey=True)
        if chart := self.shown.chart:
            for level, dash in ((chart.mean, ""), (chart.lower, "6 3"), (chart.upper, "6 3")):
                y = bottom - scale.at(round(level))
                sheet.line(LEFT, y, RIGHT, y, dash=dash, wide=1.4)

    def _points(self, sheet: Sheet, bottom: float) -> None:
        places = [
            (each, self._x(number), bottom - self._scale.at(each.days))
            for number, each in enumerate(self.shown.intervals)
        ]
        line = "L".join(f"{at(x)} {at(y)}" for each, x, y in places if each.ended is Ended.CLOSED)
        if line:
            sheet.add(f'<path d="M{line}" fill="none" stroke="{GREY}"/>')
        unusual = (
            {self._closed[number - 1].number for number in self.shown.chart.unusual} if self.shown.chart else set()
        )
        for each, x, y in places:
            if each.number in unusual and each.ended is Ended.CLOSED:
                sheet.add(f'<circle cx="{at(x)}" cy="{at(y)}" r="7" fill="none" stroke="{INK}" stroke-width="1.4"/>')
            fill = INK if each.ended is Ended.CLOSED else PAPER
            sheet.add(f'<circle cx="{at(x)}" cy="{at(y)}" r="3.2" fill="{fill}" stroke="{INK}"/>')
            if each.ended is Ended.DISSOLVED:
                sheet.add(f'<path d="M{at(x - 5)} {at(y - 5)}l10 10" stroke="{INK}" stroke-width="1.6"/>')
            if len(places) <= MOST_FIGURES:
                sheet.text(x, y - 10, self.words.number(each.days), anchor="middle", bold=True, halo=True)

    def _numbers(self, sheet: Sheet, bottom: float) -> None:
        until = 0.0
        for number, each in enumerate(self.shown.intervals):
            name = self.words.number(each.number)
            x, half = self._x(number), width_of(name) / 2
            if x - half >= until:
                sheet.text(x, bottom + 15, name, anchor="middle", grey=True)
                until = x + half + 4

    def _legend(self) -> Iterator[str]:
        say = self.words.say
        if self.shown.chart:
            yield say("legend-xmr", width=Decimal(str(OF_LIMITS)))
        yield say("legend-xmr-few")
        if self._scale.breaks:
            yield say("beyond")
        if self.shown.doubtful:
            yield say("doubtful", count=self.shown.doubtful)
