"""The evaluator's report: every metric with its definition, its table and its pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from msgspec import Struct

from cycle.aggregates.acts import TablesExported
from cycle.aggregates.base import LogName
from cycle.aggregates.terms import ExportForm
from cycle.catalogue import Language
from cycle.exports.still import Still, still
from cycle.history import EVERYTHING, Cutoffs
from cycle.reading import Filters, Reader
from cycle.timings.measuring import AT_LEAST_FRAMEWORKS, By
from cycle.timings.reporting import Section, sections
from cycle.timings.risk import AtRisk, at_risk
from cycle.timings.tables import Below
from cycle.timings.telling import Words
from cycle_adapters.paper.basis import CannotPrint
from cycle_adapters.paper.typesetting import typeset
from cycle_adapters.paper.witness import Foot, sealed
from cycle_adapters.paper.wording import Pair, Wording
from cycle_adapters.pictures.drawing import description, drawn

ACT = "export-paper"
MOST_RISKS = 20
"""Frameworks at risk on paper: those with the most points."""
Published = Callable[[LogName | None], bytes | None]
"""Gives the signed checkpoint of a log, or of the registry of all; None where nothing is sealed."""


class Column(Struct, frozen=True):
    title: str
    number: bool


class Row(Struct, frozen=True):
    """``few``: too few frameworks for more than counts."""

    cells: tuple[str, ...]
    few: bool


class Picture(Struct, frozen=True):
    """``told`` is what whoever does not see it reads instead."""

    svg: str
    told: str


class Part(Struct, frozen=True):
    """One metric on paper."""

    title: str
    means: str
    standing: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    few: str
    pictures: tuple[Picture, ...]
    below: tuple[Below, ...]


class Risk(Struct, frozen=True):
    """A framework at risk, and the signs that were seen of it."""

    title: str
    parts: tuple[str, ...]


class ReportSheet(Struct, frozen=True):
    """What the template ``report.typ`` shows."""

    lang: str
    title: str
    place: str
    page: str
    pairs: tuple[Pair, ...]
    parts: tuple[Part, ...]
    risks_title: str
    risks_means: str
    risks_looked: str
    risks: tuple[Risk, ...]
    definitions_title: str
    definitions: tuple[Pair, ...]
    foot: Foot


class Reported(Struct, frozen=True):
    """Pages, and what is to be recorded before they leave."""

    pages: bytes
    fact: TablesExported


def reported(
    reader: Reader,
    by: By | None,
    filters: Filters,
    language: Language,
    *,
    place: str | None = None,
    cutoffs: Cutoffs = EVERYTHING,
    published: Published,
) -> Reported:
    """The report as pages to print, as of one position of the log.

    Args:
        place: what it is narrowed to, as it was named; None: to nothing.

    Raises:
        Forbidden: the account may carry nothing away, or not of the commune that is named.
        CannotPrint: there is nothing to measure.
    """
    log = LogName(filters.commune) if filters.commune else None
    words, paper = Words(language), Wording(language)
    with still(reader, ACT, filters, cutoffs) as at:
        found = list(sections(at, by, filters, at.cutoffs, words))
        risks = at_risk(at, filters, at.cutoffs)
        names = _names(at)
        moment = _recorded(at)
    if not found or moment is None:
        raise CannotPrint("nothing-measured")
    where = place or paper.say("everywhere")
    sheet = ReportSheet(
        lang=language,
        title=paper.say("report"),
        place=where,
        page=paper.raw("page"),
        pairs=_pairs(where, by, at, cutoffs, paper, words),
        parts=tuple(_part(each, words, language) for each in found),
        risks_title=words.text("risk-title"),
        risks_means=words.text("risk-means"),
        risks_looked=words.looked(risks),
        risks=tuple(_risk(each, names, words) for each in risks.at_risk[:MOST_RISKS]),
        definitions_title=words.say("definitions"),
        definitions=_definitions(found),
        foot=sealed(published(log), log, at.position, moment, paper),
    )
    return Reported(typeset("report", sheet, moment), TablesExported(at.position, ExportForm.REPORT, log))


def _recorded(at: Still) -> datetime | None:
    """When the last fact that is in it was recorded: the date of the pages."""
    leaves = at.engine.leaves
    for _, topic, schema, leaf in at.engine.store.read(at.position - 1, up_to=at.position):
        return leaves[topic, schema](leaf).recorded_at
    return None


def _names(at: Still) -> Mapping[str, str]:
    """What frameworks are called, by their ids."""
    communes = {row.code: row.name for row in at.communes(at.cutoffs)}
    return {row.framework: f"{communes[row.commune]} · {row.title}" for row in at.frameworks(at.cutoffs)}


def _risk(each: AtRisk, names: Mapping[str, str], words: Words) -> Risk:
    points = words.text("risk-points", points=each.total)
    return Risk(f"{points} · {names.get(each.framework, each.framework)}", tuple(map(words.sign, each.parts)))


def _pairs(where: str, by: By | None, at: Still, cutoffs: Cutoffs, paper: Wording, words: Words) -> tuple[Pair, ...]:
    groups = words.by(by) if by else words.say("all-together")
    cut = [paper.say("as-of", day=at.on)]
    if cutoffs.known_at is not None:
        cut.append(paper.say("known-at", moment=cutoffs.known_at))
    return (
        paper.pair("reported-place", where),
        paper.pair("reported-groups", groups),
        paper.pair("standing", ", ".join(cut)),
    )


def _part(section: Section, words: Words, language: Language) -> Part:
    table = section.table
    return Part(
        title=words.name(section.metric),
        means=words.means(section.metric),
        standing=section.standing,
        columns=tuple(Column(each.title, each.number) for each in table.headings),
        rows=tuple(Row(each.cells, each.few) for each in table.lines),
        few=words.say("few-note", least=AT_LEAST_FRAMEWORKS) if table.has_few else "",
        pictures=tuple(Picture(str(drawn(each, language)), description(each, language)) for each in section.pictures),
        below=tuple(table.below),
    )


def _definitions(found: Iterable[Section]) -> tuple[Pair, ...]:
    """What each column means, once."""
    told = {
        each.code: Pair(each.title, each.means) for section in found for each in section.table.headings if each.means
    }
    return tuple(told.values())
