"""The cycle as a map: each stage at its place, and on the arrows who went where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from math import atan2, cos, sin
from typing import NamedTuple

from cycle.aggregates.framework.state import Stage
from cycle.catalogue import listed
from cycle.timings.measuring import AT_LEAST_FRAMEWORKS
from cycle.timings.pictures.ways import Spot, Way, Ways
from cycle_adapters.pictures.base import Drawing
from cycle_adapters.pictures.sheet import GREY, INK, PAPER, WIDTH, Anchor, Sheet, at, wrapped

D, N, M, P, O, A = (  # noqa: E741
    Stage.DELIBERATION,
    Stage.NEEDS_IDENTIFICATION,
    Stage.MEETING,
    Stage.PLAN,
    Stage.MONITORING,
    Stage.ADJUSTMENT,
)
S, X = Stage.SUSPENDED, Stage.DISSOLVED
WIDE, HIGH, LINE = 138, 100, 15
_L, _R = 4, WIDTH - 4 - WIDE
PLACES: Mapping[Stage, tuple[float, float]] = {
    D: (_L, 4), N: (_L, 150), M: (_R, 150), P: (_R, 312), O: (_R, 474), A: (_L, 474), S: (_L, 594), X: (_R, 594),
}  # fmt: skip
"""The upper left corner of each box."""


class Arrow(NamedTuple):
    """From a point to a point, and where its words stand."""

    begin: tuple[float, float]
    end: tuple[float, float]
    words: tuple[float, float]
    anchor: Anchor = "start"


_MIDDLE, _EDGE = _L + WIDE / 2, _L + WIDE
ARROWS: Mapping[tuple[Stage, Stage], Arrow] = {
    (D, N): Arrow((_MIDDLE, 104), (_MIDDLE, 150), (_MIDDLE + 8, 123)),
    (N, M): Arrow((_EDGE, 204), (_R, 204), (WIDTH / 2, 180), "middle"),
    (M, P): Arrow((_R + 50, 250), (_R + 50, 312), (_R + 42, 277), "end"),
    (P, M): Arrow((_R + 80, 312), (_R + 80, 250), (_R + 88, 277)),
    (P, O): Arrow((_R + 50, 412), (_R + 50, 474), (_R + 58, 439)),
    (A, O): Arrow((_EDGE, 494), (_R, 494), (WIDTH / 2, 510), "middle"),
    (O, A): Arrow((_R, 540), (_EDGE, 540), (WIDTH / 2, 557), "middle"),
    (A, N): Arrow((24, 474), (24, 250), (32, 352)),
    (A, M): Arrow((86, 474), (_R + 6, 250), (152, 346), "end"),
    (P, A): Arrow((_R, 372), (_EDGE - 14, 474), (194, 437)),
}
"""Each way of the state table between two stages of the cycle; to suspension, from it and to the end: in the boxes."""


class MapDrawing(Drawing[Ways]):
    shows = Ways

    def title(self) -> str:
        say, frameworks = self.words.title, self.shown.frameworks
        if not frameworks:
            return say("nothing")
        here = max((spot.here for spot in self.shown.spots if spot.stage is not X), default=0)
        if not here:
            return say("all-dissolved", frameworks=frameworks)
        most = [self.words.word(each.stage) for each in self.shown.spots if each.here == here and each.stage is not X]
        names = listed(most, self.words.language)
        return say("most-are" if len(most) == 1 else "most-each", frameworks=frameworks, here=here, stages=names)

    def told(self) -> Iterator[str]:
        word, say = self.words.word, self.words.say
        for spot in self.shown.spots:
            if spot.frameworks:
                told = {"here": spot.here, "frameworks": spot.frameworks, "days": self.words.known(spot.median)}
                yield f"{say('told-spot', stage=word(spot.stage), **told)}."
        for way in self.shown.ways:
            told = {"count": way.count, "days": self.words.known(way.median)}
            yield f"{say('told-way', source=word(way.source), to=word(way.to), **told)}."

    def draw(self, sheet: Sheet) -> None:
        if not self.shown.frameworks:
            return
        top = sheet.y + 6
        widest = max((way.count for way in self.shown.ways), default=1)
        for pair, arrow in ARROWS.items():
            self._arrow(sheet, top, arrow, self._ways.get(pair), widest)
        bottoms = [self._box(sheet, top, spot) for spot in self.shown.spots]
        sheet.y = max(bottoms) + 8
        for line in self._legend():
            sheet.paragraph(line, grey=True)

    @cached_property
    def _ways(self) -> Mapping[tuple[Stage, Stage], Way]:
        return {(way.source, way.to): way for way in self.shown.ways}

    def _arrow(self, sheet: Sheet, top: float, arrow: Arrow, way: Way | None, widest: int) -> None:
        (x1, y1), (x2, y2) = arrow.begin, arrow.end
        if way is None:
            sheet.line(x1, y1 + top, x2, y2 + top, ink=GREY, dash="2 4")
            return
        wide = 1 + 4 * way.count / widest
        angle, long = atan2(y2 - y1, x2 - x1), 6 + wide
        back = x2 - long * cos(angle), y2 - long * sin(angle)
        sheet.line(x1, y1 + top, back[0], back[1] + top, wide=round(wide, 1))
        side = long * 0.6
        corners = [(back[0] + side * sin(angle) * sign, back[1] - side * cos(angle) * sign + top) for sign in (1, -1)]
        points = " ".join(f"{at(x)},{at(y)}" for x, y in ((x2, y2 + top), *corners))
        sheet.add(f'<polygon points="{points}"/>')
        x, y = arrow.words
        sheet.text(x, y + top, self.words.say("way", count=way.count), anchor=arrow.anchor, bold=True, halo=True)
        if way.median is not None:
            sheet.text(x, y + top + LINE, self.words.days(way.median), anchor=arrow.anchor, halo=True)

    def _box(self, sheet: Sheet, top: float, spot: Spot) -> float:
        """Draw a stage; returns where it ends."""
        x, y = PLACES[spot.stage]
        lines = wrapped(self.words.word(spot.stage), WIDE - 12, bold=True)
        told = list(self._in_box(spot))
        high = max(HIGH, LINE * (len(lines) + len(told)) + 10)
        edge = INK if spot.frameworks else GREY
        sheet.box(x, y + top, WIDE, high, fill=PAPER, edge=edge)
        for number, line in enumerate((*lines, *told)):
            place = y + top + LINE * (number + 1) + 1
            sheet.text(x + 7, place, line, bold=number < len(lines), grey=number > len(lines))
        return y + top + high

    def _in_box(self, spot: Spot) -> Iterator[str]:
        say, known = self.words.say, self.words.known
        yield say("here", here=spot.here)
        if spot.median is not None:
            yield say("spot-median", days=spot.median)
        if spot.stage is S:
            for way in self.shown.ways:
                if way.source is S and way.to is not X:
                    told = say("back-to", stage=self.words.word(way.to), count=way.count, days=known(way.median))
                    yield from wrapped(told, WIDE - 14)
        for to, key in ((S, "to-suspended"), (X, "to-dissolved")):
            if found := self._ways.get((spot.stage, to)):
                yield say(key, count=found.count, days=known(found.median))

    def _legend(self) -> Iterator[str]:
        yield self.words.say("legend-map", least=AT_LEAST_FRAMEWORKS)
        if self.shown.doubtful:
            yield self.words.say("doubtful", count=self.shown.doubtful)
