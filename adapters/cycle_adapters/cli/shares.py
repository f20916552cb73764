"""Shares for people: what part of what, how sure, and what was left out."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import click

from cycle.catalogue import Language, has, pair, shown, text, word
from cycle.timings.estimators import Ratio
from cycle.timings.measuring import AT_LEAST_FRAMEWORKS, LATE_DAYS
from cycle.timings.sharing import Share, ShareGroup, Shares
from cycle_adapters.cli.printing import heading, paragraph, table

SMALL = 0.1
"""A share below this is told with one more digit."""


class TellingShares:
    """Shares in one language."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def say(self, key: str, **values: object) -> str:
        return text(f"message.{key}", self.language, "", **values)

    def tell(self, told: list[Shares]) -> None:
        """One measure with its definition, or all of them in one table."""
        one = told[0] if len(told) == 1 else None
        if one:
            heading(text(f"timing.{one.metric}", self.language))
            paragraph(text(f"timing-means.{one.metric}", self.language), dim=True)
        rows = [
            ["" if one else text(f"timing.{each.metric}", self.language), *self.row(each, group, share)]
            for each in told
            for group in each.groups
            for share in group.shares
        ]
        if not rows:
            click.echo(self.say("timings-none"))
        titles = ("timings-metric", "timings-cohort", "shares-what", "shares-of-what", "timings-frameworks")
        last = ("shares-counted", "shares-share")
        if rows:
            table([self.say(each) for each in (*titles, *last)], rows, self.language, right=(4,))
        if one:
            for line in self.below(one):
                paragraph(line, dim=True)

    def row(self, of: Shares, group: ShareGroup, share: Share) -> list[str]:
        about = f"share-about.{share.about}"
        of_what = text(about, self.language) if has(about) else word(share.about or "", self.language)
        return [
            word(group.cohort or "", self.language),
            text(f"share.{of.metric}-{share.code}", self.language),
            of_what,
            str(shown(share.frameworks, self.language)),
            self.say("shares-part-of", got=Decimal(share.part), of=Decimal(share.of), unit=share.unit),
            self.figure(share),
        ]

    def figure(self, share: Share) -> str:
        """The share with its interval."""
        if share.share is None:
            return self.say("timings-too-few", least=AT_LEAST_FRAMEWORKS)
        part, lower, upper = (self.percent(each) for each in (share.share, share.lower, share.upper))
        return self.say("shares-percent", share=part, lower=lower, upper=upper)

    def percent(self, value: float | None) -> str | None:
        places = 1 if value is not None and value < SMALL else 0
        return None if value is None else str(shown(Decimal(f"{100 * value:.{places}f}"), self.language))

    def below(self, one: Shares) -> Iterator[str]:
        """What a reader needs in order to doubt the figures."""
        cut = {"on": one.as_of, "known_at": one.known_at, "at": one.at}
        many = len(one.groups)
        yield self.say("timings-on", **cut, groups=many) if many > 1 else self.say("timings-on-one", **cut)
        for group in one.groups:
            words = [self.count(one.metric, code, count) for code, count in group.counts.items() if count]
            place = f"{word(group.cohort, self.language)} — " if group.cohort else ""
            yield place + " · ".join(words)
        for group in one.groups if many == 1 else ():
            for change in group.changes:
                yield self.change(change)
            if group.lag:
                late = self.percent(group.lag.late)
                yield self.say("timings-lag", median=group.lag.median, p90=group.lag.p90, late=late, limit=LATE_DAYS)

    def count(self, metric: str, code: str, count: int) -> str:
        label = text(f"share-count.{metric}-{code}", self.language)
        return pair(label, str(shown(count, self.language)), self.language)

    def change(self, change: Ratio) -> str:
        ratio, lower, upper = (
            None if each is None else str(shown(Decimal(f"{each:.2f}"), self.language))
            for each in (change.ratio, change.lower, change.upper)
        )
        numbers = {"number": change.number, "frameworks": change.frameworks}
        return self.say("shares-change", ratio=ratio, lower=lower, upper=upper, **numbers)
