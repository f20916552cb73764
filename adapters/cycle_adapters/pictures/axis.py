"""The axis of days below what is drawn over it."""

from __future__ import annotations

from cycle_adapters.pictures.base import Words
from cycle_adapters.pictures.scales import Days
from cycle_adapters.pictures.sheet import GREY, LIGHT, SMALL, WIDTH, Sheet, at, width_of

ROOM = 18
"""Below the line on which it is drawn."""


def grid(sheet: Sheet, scale: Days, top: float, bottom: float) -> None:
    """Upright lines at the ticks, and a broken one where days are drawn closer together."""
    lines = "".join(f"M{at(scale.at(day))} {at(top)}V{at(bottom)}" for day in scale.ticks)
    sheet.add(f'<path d="{lines}" stroke="{LIGHT}"/>')
    if scale.breaks:
        sheet.line(scale.end + 4, top, scale.end + 4, bottom, ink=GREY, dash="3 3")


def axis(sheet: Sheet, scale: Days, y: float, words: Words) -> None:
    """The days at the ticks, and the most where there is something beyond."""
    end = scale.right
    if scale.breaks:
        most = words.number(scale.most)
        sheet.text(scale.right, y + 14, most, anchor="end", grey=True)
        end -= width_of(most) + 6
    until = 0.0
    for day in scale.ticks:
        name = words.number(day)
        half = width_of(name) / 2
        x = min(scale.at(day), WIDTH - 1 - half)
        if x - half >= until and (x + half <= end or not scale.breaks):
            sheet.text(x, y + 14, name, anchor="middle", grey=True)
            until = x + half + 0.3 * SMALL
