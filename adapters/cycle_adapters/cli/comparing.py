"""A metric side by side for people: medians, their differences, and how many were looked at."""

from __future__ import annotations

from collections.abc import Sequence

from cycle.timings.comparing import Comparisons, Side, side
from cycle.timings.side_by_side import side_by_side
from cycle.timings.telling import Words
from cycle_adapters.cli.printing import heading, paragraph, table
from cycle_adapters.cli.wording import Wrong


def sides_of(written: str) -> Sequence[Side]:
    """What stands behind ``--compare``.

    Raises:
        Wrong: fewer than two, or something else than a cohort or a period.
    """
    try:
        found = [side(each.strip()) for each in written.split(",")]
    except ValueError:
        raise Wrong("compare-needs-sides") from None
    if len(found) < 2:
        raise Wrong("compare-needs-sides")
    return found


class TellingComparisons(Words):
    """Comparisons in one language."""

    def tell(self, found: Comparisons) -> None:
        """Each side with its difference to the first."""
        heading(self.name(found.metric))
        paragraph(self.means(found.metric), dim=True)
        told = side_by_side(found, self)
        numbers = tuple(at for at, each in enumerate(told.headings) if each.number)
        rows = [list(each.cells) for each in told.lines]
        table([each.title for each in told.headings], rows, self.language, right=numbers)
        for line in (line for below in told.below for note in below.notes for line in note.lines):
            paragraph(line, dim=True)
