"""Frameworks at risk for people: the signs of each, with their points."""

from __future__ import annotations

import click

from cycle.catalogue import Language, text
from cycle.history import Cutoffs
from cycle.reading import Reader
from cycle.timings.risk import Risks
from cycle_adapters.cli.printing import heading, paragraph


class TellingRisks:
    """Signs in one language; places are called as they are inside the cut-offs."""

    def __init__(self, reader: Reader, cutoffs: Cutoffs, language: Language) -> None:
        self.language = language
        self._communes = {row.code: row.name for row in reader.communes(cutoffs)}
        self._titles = {row.framework: row.title for row in reader.frameworks(cutoffs)}

    def say(self, key: str, **values: object) -> str:
        return text(f"message.risk-{key}", self.language, "", **values)

    def tell(self, found: Risks) -> None:
        """The frameworks with a sign, the most points first."""
        heading(self.say("title"))
        paragraph(self.say("means"), dim=True)
        if not found.at_risk:
            click.echo(self.say("none"))
        for each in found.at_risk:
            commune, title = self._communes.get(each.commune, each.commune), self._titles.get(each.framework, "")
            heading(self.say("framework", total=each.total, commune=commune, title=title))
            for part in each.parts:
                seen = part.seen
                words = text(
                    f"risk.{part.sign}", self.language, "", value=seen.value, limit=seen.limit, about=seen.about
                )
                paragraph(self.say("part", points=part.points, sentence=words, article=seen.article), "  ")
        cut = {"on": found.as_of, "known_at": found.known_at, "at": found.at}
        counts = {"frameworks": found.frameworks, "seen": len(found.at_risk), "dissolved": found.dissolved or None}
        paragraph(self.say("looked", **cut, **counts), dim=True)
