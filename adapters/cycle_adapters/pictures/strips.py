"""One strip for each framework: its plans as bars over the years."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from cycle.catalogue import day
from cycle.timings.durations import Ended
from cycle.timings.pictures.strips import Plan, Strip, Strips
from cycle_adapters.pictures.base import Drawing
from cycle_adapters.pictures.scales import Dates
from cycle_adapters.pictures.sheet import GREY, INK, LIGHT, MARGIN, PAPER, WIDTH, Sheet, at, shortened, width_of

LEFT, RIGHT, BAR, ROW = MARGIN + 2, WIDTH - MARGIN - 8, 13, 32
HATCH = "picture-strips-hatch"


class StripsDrawing(Drawing[Strips]):
    shows = Strips

    def title(self) -> str:
        say, shown = self.words.title, self.shown
        if not shown.frameworks:
            return say("nothing")
        if not shown.waiting:
            return say("none-waits", frameworks=shown.frameworks)
        most = shown.strips[0].waits_days
        first, *others = [each for each in shown.strips if each.waits_days == most]
        if others:
            return say("waits-several", name=first.name, others=len(others), days=most)
        return say("waits", name=first.name, days=most)

    def told(self) -> Iterator[str]:
        if self.shown.frameworks > len(self.shown.strips):
            yield self._shown()
        for each in self.shown.strips:
            yield f"{self._told(each)}."

    def _told(self, strip: Strip) -> str:
        say, suspended = self.words.say, len(strip.suspended)
        plans = [each for each in strip.plans if each.number]
        if not plans:
            return self._without_plan(strip)
        since = day(plans[0].since, self.words.language)
        if strip.waits_days is None:
            return say("told-strip-ended", name=strip.name, plans=len(plans), since=since, suspended=suspended)
        days = self.words.known(strip.waits_days)
        told = {"plans": len(plans), "since": since, "suspended": suspended, "days": days}
        return say("told-strip", name=strip.name, **told)

    def _without_plan(self, strip: Strip) -> str:
        suspended = len(strip.suspended)
        if strip.waits_days is None:
            return self.words.say("told-strip-nothing", name=strip.name, suspended=suspended)
        return self.words.say("told-strip-waits", name=strip.name, days=strip.waits_days, suspended=suspended)

    def draw(self, sheet: Sheet) -> None:
        if not self.shown.strips:
            return
        sheet.add(
            f'<pattern id="{HATCH}" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
            f'<rect width="5" height="5" fill="{PAPER}"/><path d="M0 0V5" stroke="{INK}" stroke-width="3"/></pattern>'
        )
        fewer = self.shown.frameworks > len(self.shown.strips)
        sheet.paragraph(self._shown() if fewer else self.words.say("strips-order"), grey=True)
        top = sheet.y + 4
        sheet.y = top + ROW * len(self.shown.strips) + 4
        lines = "".join(f"M{at(self._dates.at(each))} {at(top)}V{at(sheet.y)}" for each, _ in self._dates.ticks)
        if lines:
            sheet.add(f'<path d="{lines}" stroke="{LIGHT}"/>')
        for number, strip in enumerate(self.shown.strips):
            self._strip(sheet, strip, top + ROW * number)
        self._axis(sheet)
        for line in self._legend():
            sheet.paragraph(line, grey=True)

    @cached_property
    def _dates(self) -> Dates:
        bars = [bar for strip in self.shown.strips for bar in (*strip.plans, *strip.suspended)]
        first = min((bar.since for bar in bars), default=self.found.as_of)
        return Dates(LEFT, RIGHT, first, max([self.found.as_of, *(bar.until for bar in bars)]))

    def _axis(self, sheet: Sheet) -> None:
        sheet.line(LEFT, sheet.y, RIGHT, sheet.y, ink=GREY)
        until = 0.0
        for begin, name in self._dates.ticks:
            half = width_of(name) / 2
            x = min(max(self._dates.at(begin), half + 1), WIDTH - half - 1)
            if x - half > until:
                sheet.text(x, sheet.y + 14, name, anchor="middle", grey=True)
                until = x + half + 4
        sheet.y += 20

    def _strip(self, sheet: Sheet, strip: Strip, top: float) -> None:
        days = "" if strip.waits_days is None else self.words.days(strip.waits_days)
        room = WIDTH - 2 * MARGIN - width_of(days, bold=True) - 8
        sheet.text(MARGIN, top + 11, shortened(strip.name, room))
        sheet.text(WIDTH - MARGIN, top + 11, days, anchor="end", bold=True)
        y = top + 15
        for plan in strip.plans:
            self._plan(sheet, plan, y)
        for bar in strip.suspended:
            left, right = self._dates.at(bar.since), self._dates.at(bar.until)
            sheet.box(left, y, max(right - left, 2), BAR, fill=f"url(#{HATCH})", edge=INK)
        for plan in strip.plans:
            left, name = self._dates.at(plan.since), self.words.number(plan.number)
            if plan.number and left + width_of(name) + 4 <= self._dates.at(plan.until):
                sheet.text(left + 4, y + BAR - 2, name, halo=True)

    def _plan(self, sheet: Sheet, plan: Plan, y: float) -> None:
        left, right = self._dates.at(plan.since), self._dates.at(plan.until)
        middle = y + BAR / 2
        if not plan.number:
            sheet.line(left, middle, right, middle, wide=1.5)
        elif plan.ended is Ended.RUNNING:
            # Open at the right.
            sheet.add(f'<path d="M{at(right)} {at(y)}H{at(left)}v{BAR}H{at(right)}" fill="{PAPER}" stroke="{INK}"/>')
        else:
            sheet.box(left + 0.5, y, max(right - left - 1, 0.5), BAR, fill=LIGHT, edge=INK)
        if plan.ended is Ended.RUNNING:
            sheet.add(f'<path d="M{at(right)} {at(middle - 4)}l6 4-6 4z"/>')
        elif plan.ended is Ended.DISSOLVED:
            sheet.add(f'<path d="M{at(right - 4)} {at(middle - 4)}l8 8m0-8l-8 8" stroke="{INK}" stroke-width="2"/>')

    def _shown(self) -> str:
        return self.words.say("strips-shown", shown=len(self.shown.strips), frameworks=self.shown.frameworks)

    def _legend(self) -> Iterator[str]:
        yield self.words.say("legend-strips")
        if doubtful := sum(each.doubtful for each in self.shown.strips):
            yield self.words.say("doubtful", count=doubtful)
