"""Figures in words: the same on a page, on paper and on the command line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from cycle.catalogue import Language, has, pair, shown, text, word
from cycle.timings.comparing import Comparisons
from cycle.timings.durations import Duration, Ended
from cycle.timings.estimators import Curve, Quantile, Ratio
from cycle.timings.incidence import Way
from cycle.timings.measuring import AT_LEAST_FRAMEWORKS, LATE_DAYS, By, Lag, Measured
from cycle.timings.risk import Risks, SignSeen
from cycle.timings.sharing import Share, Shares

XOF = "XOF"
"""The unit of cash."""


class Words:
    """One language."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def say(self, key: str, **values: object) -> str:
        return self.text(f"timings-{key}", **values)

    def text(self, key: str, **values: object) -> str:
        return text(f"message.{key}", self.language, "", **values)

    def number(self, value: int) -> str:
        return str(shown(value, self.language))

    def signed(self, days: int) -> str:
        """Days that may be fewer than none."""
        return self.number(days).replace("-", "−")

    def days(self, days: int | None) -> str:
        return "∞" if days is None else self.number(days)

    def ratio(self, value: float | None, places: int = 2) -> str | None:
        return None if value is None else str(shown(Decimal(f"{value:.{places}f}"), self.language))

    def name(self, metric: str) -> str:
        return text(f"timing.{metric}", self.language)

    def means(self, metric: str) -> str:
        """Its definition."""
        return text(f"timing-means.{metric}", self.language)

    def column(self, name: str) -> str:
        """What a column of a table means."""
        return text(f"timing-column.{name}", self.language)

    def by(self, by: By) -> str:
        """What groups are made of, as the title of a column."""
        said = self.say(f"by-{by}")
        return said[:1].upper() + said[1:]

    def cohort(self, by: By | None, cohort: str | None) -> str:
        """A group as people call it."""
        if cohort is None:
            return ""
        if by is By.POLICY:
            policy, _, version = cohort.rpartition("-")
            return self.say("policy", policy=policy, version=version)
        return word(cohort, self.language)

    def about(self, about: str | None) -> str:
        """The stage, or the obstacle."""
        return "" if about is None else word(about, self.language)

    def group(self, by: By | None, cohort: str | None, about: str | None) -> str:
        """Both, as one reads them."""
        return ", ".join(filter(None, (self.cohort(by, cohort), self.about(about))))

    def median(self, curve: Curve | None) -> str:
        """With its interval of confidence; why there is none where there is none."""
        if curve is None:
            return self.say("too-few", least=AT_LEAST_FRAMEWORKS)
        if curve.median.days is None:
            return self.say("not-reached", longest=curve.longest)
        return self.quantile(curve.median)

    def quantile(self, of: Quantile) -> str:
        """The days by which a share is reached."""
        days, lower, upper = (self.days(each) for each in (of.days, of.lower, of.upper))
        return self.say("confidence", days=days, lower=lower, upper=upper)

    def middle(self, curve: Curve | None) -> str:
        """Between which days half of them lie."""
        return "" if curve is None else self.between(*curve.quartiles)

    def between(self, first: Quantile, third: Quantile) -> str:
        if first.days is None:
            return ""
        return self.say("from-to", lower=self.days(first.days), upper=self.days(third.days))

    def standing(self, found: Measured | Shares) -> str:
        """As of when, and how many groups were compared."""
        groups = len(found.groups)
        return self.say("on", **_cut(found), groups=groups) if groups > 1 else self.standing_at(found)

    def standing_at(self, found: Measured | Shares | Comparisons) -> str:
        """As of when."""
        return self.say("on-one", **_cut(found))

    def way(self, way: Way) -> str:
        """How many first intervals have ended so, and the share by the last day on which one did."""
        values: dict[str, object] = {"share": None, "lower": None, "upper": None, "days": None}
        if way.points:
            last = way.points[-1]
            shares = {"share": last.share, "lower": last.lower, "upper": last.upper}
            values = {"days": last.days, **{name: self.ratio(100 * each, 0) for name, each in shares.items()}}
        return self.say(f"way-{way.way}", ended=way.ended, of=way.of, **values)

    def share(self, metric: str, code: str) -> str:
        """What a share is of."""
        return text(f"share.{metric}-{code}", self.language)

    def share_about(self, about: str | None) -> str:
        """Of which things: a nature, a constituency."""
        key = f"share-about.{about}"
        return text(key, self.language) if has(key) else self.about(about)

    def part(self, share: Share) -> str:
        """A sum of a sum."""
        got, of = Decimal(share.part), Decimal(share.of)
        return self.text("shares-part-of", got=got, of=of, unit=unit_told(share.unit, self.language))

    def percent_of(self, share: Share) -> str:
        """The share with its interval; why there is none where there is none."""
        if share.share is None:
            return self.say("too-few", least=AT_LEAST_FRAMEWORKS)
        part, lower, upper = (
            None if each is None else self.ratio(100 * each, 0) for each in (share.share, share.lower, share.upper)
        )
        return self.text("shares-percent", share=part, lower=lower, upper=upper)

    def count(self, metric: str, code: str, count: int) -> str:
        """Something that was counted beside the shares."""
        return pair(text(f"share-count.{metric}-{code}", self.language), self.number(count), self.language)

    def changes(self, changes: Iterable[Ratio], said: str = "timings-change") -> Iterator[str]:
        """Each interval, or the people at each meeting, against the framework's own first."""
        for change in changes:
            ratio, lower, upper = map(self.ratio, (change.ratio, change.lower, change.upper))
            numbers = {"number": change.number, "frameworks": change.frameworks}
            yield self.text(said, ratio=ratio, lower=lower, upper=upper, **numbers)

    def lag(self, lag: Lag) -> str:
        """How late the facts were recorded."""
        late = self.ratio(100 * lag.late, 0)
        return self.say("lag", median=lag.median, p90=lag.p90, late=late, limit=LATE_DAYS)

    def lag_short(self, lag: Lag) -> str:
        """The same in a cell of a table."""
        late = self.ratio(100 * lag.late, 0)
        limit = LATE_DAYS if lag.late else None
        return self.say("lag-short", median=lag.median, p90=lag.p90, late=late if limit else None, limit=limit)

    def sign(self, part: SignSeen) -> str:
        """A sign that was seen of a framework, with its points."""
        seen = part.seen
        sentence = text(f"risk.{part.sign}", self.language, "", value=seen.value, limit=seen.limit, about=seen.about)
        return self.text("risk-part", points=part.points, sentence=sentence, article=seen.article)

    def looked(self, found: Risks) -> str:
        """As of when frameworks were looked at, and how many."""
        seen, left = len(found.at_risk), found.dissolved or None
        return self.text("risk-looked", **_cut(found), frameworks=found.frameworks, seen=seen, dissolved=left)

    def ended(self, each: Duration) -> str:
        """How a duration ended, where it did not come to its end."""
        return "" if each.ended is Ended.CLOSED else self.say(f"ended-{each.ended}")


def unit_told(unit: str | None, language: Language) -> str | None:
    """A unit as people call it."""
    return text("unit.xof", language) if unit == XOF else unit


def _cut(found: Measured | Shares | Comparisons | Risks) -> dict[str, object]:
    return {"on": found.as_of, "known_at": found.known_at, "at": found.at}
