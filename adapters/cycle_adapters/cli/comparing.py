"""A metric side by side for people: medians, their differences, and how many were looked at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from cycle.catalogue import Language, day, shown, text, word
from cycle.timings.comparing import Compared, Comparison, Comparisons, Difference, Period, Side, side
from cycle.timings.measuring import AT_LEAST_FRAMEWORKS
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


class TellingComparisons:
    """Comparisons in one language."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def say(self, key: str, **values: object) -> str:
        return text(f"message.{key}", self.language, "", **values)

    def tell(self, found: Comparisons) -> None:
        """Each side with its difference to the first."""
        heading(text(f"timing.{found.metric}", self.language))
        paragraph(text(f"timing-means.{found.metric}", self.language), dim=True)
        titles = ("timings-stage", "compare-side", "timings-frameworks", "timings-intervals", "timings-running")
        last = ("compare-median", "compare-difference")
        rows = [
            self.row(each, one, difference)
            for each in found.comparisons
            for one, difference in zip(each.sides, (None, *each.differences), strict=True)
        ]
        table([self.say(each) for each in (*titles, *last)], rows, self.language, right=(2, 3, 4, 5))
        cut = {"on": found.as_of, "known_at": found.known_at, "at": found.at}
        paragraph(self.say("timings-on-one", **cut), dim=True)
        paragraph(self.say("compare-means", compared=found.compared), dim=True)
        if found.later_is_shorter:
            paragraph(self.say("compare-later"), dim=True)
        if doubtful := sum(one.doubtful for each in found.comparisons for one in each.sides):
            paragraph(self.say("timings-doubtful", count=doubtful), dim=True)

    def row(self, each: Comparison, one: Compared, difference: Difference | None) -> list[str]:
        counts = (str(shown(count, self.language)) for count in (one.frameworks, one.intervals, one.running))
        about = "" if each.about is None else word(each.about, self.language)
        return [about, self.named(one.side), *counts, self.median(one), self.difference(difference)]

    def named(self, written: str) -> str:
        found = side(written)
        if not isinstance(found, Period):
            return word(found.name, self.language)
        # People name the last day of a period, not the first one after it.
        last = found.before - timedelta(days=1)
        return self.say("compare-period", since=day(found.since, self.language), last=day(last, self.language))

    def median(self, one: Compared) -> str:
        if one.frameworks < AT_LEAST_FRAMEWORKS:
            return self.say("timings-too-few", least=AT_LEAST_FRAMEWORKS)
        return self.say("compare-none") if one.median is None else self.days(one.median)

    def difference(self, difference: Difference | None) -> str:
        if difference is None:
            return ""
        if difference.days is None:
            return self.say("compare-unknown")
        days = f"+{self.days(difference.days)}" if difference.days > 0 else self.days(difference.days)
        lower = "−∞" if difference.lower is None else self.days(difference.lower)
        upper = "∞" if difference.upper is None else self.days(difference.upper)
        return self.say("compare-days", days=days, lower=lower, upper=upper)

    def days(self, days: int) -> str:
        return str(shown(days, self.language)).replace("-", "−")
