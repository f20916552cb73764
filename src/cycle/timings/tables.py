"""Figures as tables that people read: the same ones on a page and on paper."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from msgspec import Struct

from cycle.aggregates.framework.state import Stage
from cycle.timings.listing import Only
from cycle.timings.measuring import AT_LEAST_FRAMEWORKS, By, Group, Measured, Timed
from cycle.timings.metrics import DURATIONS
from cycle.timings.sharing import Share, ShareGroup, Shares
from cycle.timings.telling import Words


class Heading(Struct, frozen=True):
    """A column. ``means``: its definition, where its title does not say it. ``kept``: its cells are not broken.

    ``leads``: its numbers do, to what is behind them.
    """

    code: str
    title: str
    means: str = ""
    number: bool = False
    leads: bool = False

    @property
    def kept(self) -> bool:
        return self.code in ("median", "active", "middle", "share")


class Line(Struct, frozen=True):
    """A row, and the group that it is of. ``few``: too few frameworks for more than counts."""

    cells: tuple[str, ...]
    title: str
    only: Only
    few: bool


class Note(Struct, frozen=True):
    """Sentences below a table about one group; about all of them where ``title`` is nothing."""

    title: str
    lines: tuple[str, ...]


class Below(Struct, frozen=True):
    """What is told below a table under a title, group by group. ``means``: how it is to be read."""

    title: str
    notes: Sequence[Note]
    means: str = ""


class Table(Struct, frozen=True):
    """A table, and what one must know beside it."""

    headings: Sequence[Heading]
    lines: Sequence[Line]
    below: Sequence[Below]

    @property
    def has_few(self) -> bool:
        return any(each.few for each in self.lines)


def table(found: Measured | Shares, words: Words) -> Table:
    """What was measured, as a table."""
    return _of_shares(found, words) if isinstance(found, Shares) else _of_durations(found, words)


COUNTS = ("frameworks", "intervals", "running", "dissolved")
STAGES = {stage.value: place for place, stage in enumerate(Stage)}
FIGURES = ("counted", "share")
LEADS = ("intervals", "counted")
"""Columns whose numbers lead to what is behind them."""


def _heading(code: str, words: Words, *, number: bool = False) -> Heading:
    return Heading(code, words.say(code), words.column(code), number, code in LEADS)


def _groups(by: By | None, words: Words) -> list[Heading]:
    return [Heading("cohort", words.by(by))] if by else []


def _of_durations(found: Measured, words: Words) -> Table:
    metric, groups = DURATIONS[found.metric], sorted(found.groups, key=_as_a_cycle_goes)
    counts = [*COUNTS]
    counts += ["otherwise"] if any(each.otherwise for each in groups) else []
    counts += [] if metric.signed else ["doubts"]
    figures = ["median", *(["active"] if metric.active else []), "middle", "recording"]
    headings = _groups(found.by, words)
    headings += [Heading("stage", words.say("stage"))] if metric.apart else []
    headings += [_heading(code, words, number=True) for code in counts] + [_heading(code, words) for code in figures]
    quicker = words.say("quicker-means")

    def name(each: Group) -> str:
        return words.group(found.by, each.cohort, each.about)

    return Table(
        headings,
        [_line(each, found.by, metric, headings, words) for each in groups],
        _told(
            Below(words.say("quicker"), _noted(groups, name, lambda each: words.changes(each.changes)), quicker),
            Below(words.say("first-ends"), _noted(groups, name, lambda each: map(words.way, each.ways))),
        ),
    )


def _as_a_cycle_goes(group: Group) -> tuple[str, int]:
    """Groups by their names, and stages as a cycle goes through them."""
    return group.cohort or "", STAGES.get(group.about or "", 0)


def _line(group: Group, by: By | None, metric: Timed, headings: Iterable[Heading], words: Words) -> Line:
    cells = {
        "cohort": words.cohort(by, group.cohort),
        "stage": words.about(group.about),
        **{code: words.number(getattr(group, code)) for code in (*COUNTS, "otherwise")},
        "doubts": words.number(group.doubtful),
        "median": words.median(group.curve),
        "active": words.quantile(group.active) if group.active else "",
        "middle": words.middle(group.curve),
        "recording": words.lag_short(group.lag),
    }
    return Line(
        tuple(cells[heading.code] for heading in headings),
        words.group(by, group.cohort, group.about),
        Only(group.cohort, group.about if metric.apart else None),
        group.frameworks < AT_LEAST_FRAMEWORKS,
    )


def _of_shares(found: Shares, words: Words) -> Table:
    headings = [
        *_groups(found.by, words),
        *(Heading(code, words.text(f"shares-{code}")) for code in ("what", "of-what")),
        _heading("frameworks", words, number=True),
        *(Heading(code, words.text(f"shares-{code}"), words.column(code), leads=code in LEADS) for code in FIGURES),
    ]
    groups = found.groups

    def name(each: ShareGroup) -> str:
        return words.cohort(found.by, each.cohort)

    def changes(each: ShareGroup) -> Iterable[str]:
        return words.changes(each.changes, "shares-change")

    return Table(
        headings,
        [line for group in found.groups for line in _shares(found, group, words)],
        _told(
            Below(words.say("counts"), _noted(groups, name, lambda each: _counted(found, each, words))),
            Below(words.say("more-people"), _noted(groups, name, changes)),
        ),
    )


def _shares(found: Shares, group: ShareGroup, words: Words) -> Iterator[Line]:
    own = (words.cohort(found.by, group.cohort),) if found.by else ()
    for share in group.shares:
        what = (words.share(found.metric, share.code), words.share_about(share.about))
        cells = (*own, *what, words.number(share.frameworks), words.part(share), words.percent_of(share))
        title = ", ".join(filter(None, (*own, *what)))
        yield Line(cells, title, Only(group.cohort), _few(share))


def _few(share: Share) -> bool:
    return share.frameworks < AT_LEAST_FRAMEWORKS


def _counted(found: Shares, group: ShareGroup, words: Words) -> Iterator[str]:
    """What was counted, and what was left out of which share."""
    for code, count in group.counts.items():
        if count:
            yield words.count(found.metric, code, count)
    if group.lag:
        yield words.lag(group.lag)


G = TypeVar("G", Group, ShareGroup)


def _noted(groups: Iterable[G], name: Callable[[G], str], lines: Callable[[G], Iterable[str]]) -> list[Note]:
    """What is told of each group of which there is something to tell."""
    found = (Note(name(each), tuple(lines(each))) for each in groups)
    return [each for each in found if each.lines]


def _told(*below: Below) -> list[Below]:
    return [each for each in below if each.notes]
