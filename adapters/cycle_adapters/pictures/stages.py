"""How long each stage takes: every visit a dot, in rows of cycles."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import chain

from cycle.aggregates.framework.state import Stage
from cycle.catalogue import joined, listed, pair
from cycle.timings.measuring import AT_LEAST_FRAMEWORKS
from cycle.timings.pictures.base import how_many
from cycle.timings.pictures.stages import OfStage, Stages, Visits
from cycle_adapters.pictures.axis import ROOM, axis, grid
from cycle_adapters.pictures.base import Drawing
from cycle_adapters.pictures.dots import row_of_dots, thinning
from cycle_adapters.pictures.scales import Days, days_scale
from cycle_adapters.pictures.sheet import GREY, INK, LIGHT, MARGIN, SIZE, WIDTH, Sheet, width_of

LEFT, RIGHT, ROW = 40, WIDTH - 66, 14


class StagesDrawing(Drawing[Stages]):
    shows = Stages

    def title(self) -> str:
        say, shown = self.words.title, self.shown
        if not shown.stages:
            return say("nothing")
        measured = [each for each in shown.stages if each.median is not None and each.stage is not Stage.SUSPENDED]
        if not measured:
            return say("stages-too-few", frameworks=shown.frameworks)
        if endless := [each for each in measured if each.median and each.median.days is None]:
            longest = max(each.longest for each in endless)
            return say("longest-not-reached", stages=self._names(endless), longest=longest)
        most = max(each.median.days or 0 for each in measured if each.median)
        slowest = [each for each in measured if each.median and each.median.days == most]
        [*_, last] = slowest
        assert last.median is not None
        if len(slowest) > 1:
            return say("longest-several", stages=self._names(slowest), days=most)
        return say("longest", stages=self._names(slowest), days=most, range=self.words.range(last.median))

    def told(self) -> Iterator[str]:
        for each in self.shown.stages:
            told = [self._figure(each), *(self._told(row) for row in each.rows), *self._remarks(each)]
            yield f"{pair(self.words.word(each.stage), joined(told, self.words.language), self.words.language)}."

    def draw(self, sheet: Sheet) -> None:
        if not self.shown.stages:
            return
        for each in self.shown.stages:
            self._stage(sheet, each)
        sheet.y += 4
        for line in self._legend():
            sheet.paragraph(line, grey=True)

    @cached_property
    def _rows(self) -> list[Visits]:
        return [row for each in self.shown.stages for row in each.rows]

    @cached_property
    def _each_dot(self) -> int:
        return max(thinning(row.closed for row in self._rows), thinning(row.running for row in self._rows))

    def _scale(self, stage: OfStage) -> Days:
        third = [row.quartiles[2] for row in stage.rows if row.quartiles]
        shown = chain(third, (limit.days for limit in stage.limits))
        return days_scale(LEFT, RIGHT, (row.closed for row in stage.rows), (row.running for row in stage.rows), shown)

    def _stage(self, sheet: Sheet, stage: OfStage) -> None:
        scale = self._scale(stage)
        sheet.y += 10 + SIZE
        name, figure = self.words.word(stage.stage), self._figure(stage)
        sheet.text(MARGIN, sheet.y, name, size=SIZE, bold=True)
        if width_of(name, SIZE, bold=True) + width_of(figure) + 3 * MARGIN <= WIDTH:
            sheet.text(WIDTH - MARGIN, sheet.y, figure, anchor="end")
            sheet.y += 3
        else:
            sheet.paragraph(figure)
        for line in self._remarks(stage):
            sheet.paragraph(line, grey=True)
        top = sheet.y + 5
        bottom = top + ROW * len(stage.rows)
        grid(sheet, scale, top, bottom)
        for number, row in enumerate(stage.rows):
            self._row(sheet, scale, row, top + ROW * number)
        for limit in stage.limits:
            sheet.line(scale.at(limit.days), top - 3, scale.at(limit.days), bottom, wide=1.6, dash="6 2")
        sheet.line(LEFT, bottom, RIGHT, bottom, ink=GREY)
        axis(sheet, scale, bottom, self.words)
        sheet.y = bottom + ROOM

    def _row(self, sheet: Sheet, scale: Days, row: Visits, top: float) -> None:
        name = str(row.cycle) if row.cycle == row.last else f"{row.cycle}–{row.last}"
        sheet.text(LEFT - 6, top + ROW / 2 + 4, name, anchor="end", grey=True)
        if row.quartiles:
            first, median, third = row.quartiles
            if first is not None:
                right = RIGHT if third is None else scale.at(third)
                sheet.box(scale.at(first), top + 1, right - scale.at(first), ROW - 2, fill=LIGHT)
            figure = self.words.say("at-least", days=_longest(row)) if median is None else self.words.days(median)
            sheet.text(RIGHT + 8, top + ROW / 2 + 4, figure, bold=True)
        row_of_dots(sheet, scale, top + ROW / 2, row.closed, row.running, self._each_dot)
        if row.quartiles and row.quartiles[1] is not None:
            x = scale.at(row.quartiles[1])
            sheet.line(x, top, x, top + ROW, wide=3, ink=INK)

    def _figure(self, stage: OfStage) -> str:
        if stage.median is None:
            return self.words.say("few", least=AT_LEAST_FRAMEWORKS)
        if stage.median.days is None:
            return self.words.say("median-not-reached", longest=stage.longest)
        return self.words.say("median", days=stage.median.days, range=self.words.range(stage.median))

    def _remarks(self, stage: OfStage) -> Iterator[str]:
        for limit in stage.limits:
            yield self.words.say("at-most" if limit.most else "no-less", days=limit.days, article=limit.article)
        if stage.change:
            yield self.words.change(stage.change)

    def _told(self, row: Visits) -> str:
        say = self.words.say
        name = (
            say("cycle", number=row.cycle) if row.cycle == row.last else say("cycles", number=row.cycle, last=row.last)
        )
        closed, running = how_many(row.closed), how_many(row.running)
        if not closed:
            return say("rows-open", row=name, running=running)
        least, most = row.closed[0].days, row.closed[-1].days
        median = self.words.known(row.quartiles[1]) if row.quartiles else None
        return say("rows", row=name, closed=closed, least=least, most=most, running=running, median=median)

    def _names(self, stages: list[OfStage]) -> str:
        return listed((self.words.word(each.stage) for each in stages), self.words.language)

    def _legend(self) -> Iterator[str]:
        say = self.words.say
        yield say("legend-rows")
        yield say("legend-dots")
        if self._each_dot > 1:
            yield say("thinned", each=self._each_dot)
        if any(self._scale(each).breaks for each in self.shown.stages):
            yield say("beyond")
        if doubtful := sum(row.doubtful for row in self._rows):
            yield say("doubtful", count=doubtful)


def _longest(row: Visits) -> int:
    return max(found[-1].days for found in (row.closed, row.running) if found)
