"""Frameworks at risk for people: the signs of each, with their points."""

from __future__ import annotations

import click

from cycle.catalogue import Language
from cycle.history import Cutoffs
from cycle.reading import Reader
from cycle.timings.risk import Risks
from cycle.timings.telling import Words
from cycle_adapters.cli.printing import heading, paragraph


class TellingRisks(Words):
    """Signs in one language; places are called as they are inside the cut-offs."""

    def __init__(self, reader: Reader, cutoffs: Cutoffs, language: Language) -> None:
        super().__init__(language)
        self._communes = {row.code: row.name for row in reader.communes(cutoffs)}
        self._titles = {row.framework: row.title for row in reader.frameworks(cutoffs)}

    def tell(self, found: Risks) -> None:
        """The frameworks with a sign, the most points first."""
        heading(self.text("risk-title"))
        paragraph(self.text("risk-means"), dim=True)
        if not found.at_risk:
            click.echo(self.text("risk-none"))
        for each in found.at_risk:
            commune, title = self._communes.get(each.commune, each.commune), self._titles.get(each.framework, "")
            heading(self.text("risk-framework", total=each.total, commune=commune, title=title))
            for part in each.parts:
                paragraph(self.sign(part), "  ")
        paragraph(self.looked(found), dim=True)
